"""Preview pictures over HTTP, and the head of a shared page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.schemes.pictures.png import check_picture
from cim.web.files import FileSender
from cim.web.problems import install_problems
from cim.web.static import static_routes
from cim.wiring.schemes import Planning, wire_planning
from tests.support.scheme_city import deliver, plain_city
from tests.support.web_city import asgi_client
from tests.unit.schemes.test_schemes_picture_rules import png

PAGE = "<!doctype html><html><head><title>x</title></head><body>page</body></html>"


class Desk:
    """A city with one scheme, over HTTP with its pages."""

    def __init__(self, planning: Planning, http: httpx.AsyncClient) -> None:
        self.planning, self.http = planning, http
        self.scheme = ""

    async def ask(self, method: str, path: str, *, as_planner: bool = True, **how: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.planning.token}"} if as_planner else {}
        return await self.http.request(method, f"/api/v1/schemes{path}", headers=headers, **how)  # type: ignore[arg-type]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    for name in ("explore", "embed", "table"):
        (static / f"{name}.html").write_text(PAGE)
    (static / "assets/cim-viewer.js").write_text("customElements;")
    clock = SystemClock()
    with DataDirectory(tmp_path / "city") as directory, Database.open(directory, clock=clock) as database:
        city = CityService(database)
        deliver(city, "first", plain_city())
        hub = LiveHub("e1", clock=clock)
        planning = wire_planning(database, city, hub, clock)
        app = FastAPI()
        for router in planning.routers():
            app.include_router(router)
        app.router.routes.extend(static_routes(static, FileSender(), planning.pictures.card))
        install_problems(app)
        async with asgi_client(app) as http:
            desk = Desk(planning, http)
            said = {
                "name": {"en": 'Tall "<b>" towers', "zh": "塔楼"},
                "summary": {"en": "Two of them.", "zh": "两座。"},
            }
            desk.scheme = (await desk.ask("POST", "", json=said)).json()["id"]
            yield desk


async def test_a_picture_is_kept_and_shown_once_the_scheme_is_published(desk: Desk) -> None:
    path, picture = f"/{desk.scheme}/preview.png", png(1200, 630)
    assert (await desk.ask("GET", path)).status_code == 404
    assert (await desk.ask("PUT", path, content=picture)).status_code == 204
    assert (await desk.ask("GET", path, as_planner=False)).status_code == 404
    assert (await desk.ask("POST", f"/{desk.scheme}/publish", json={})).status_code < 300
    answer = await desk.ask("GET", path, as_planner=False)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", picture)
    again = await desk.http.get(f"/api/v1/schemes{path}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_only_planners_give_pictures(desk: Desk) -> None:
    path = f"/{desk.scheme}/preview.png"
    assert (await desk.ask("PUT", path, as_planner=False, content=png(1200, 630))).status_code == 401
    assert (await desk.ask("PUT", path, content=b"<svg/>")).json()["code"] == "picture-format"
    assert (await desk.ask("PUT", "/snothing22/preview.png", content=png(1200, 630))).status_code == 404
    assert (await desk.ask("GET", path)).status_code == 404


async def test_a_shared_link_tells_what_it_shows(desk: Desk) -> None:
    link = f"/explore?schemes=base,{desk.scheme}"
    assert "og:title" not in (await desk.http.get(link)).text
    await desk.ask("PUT", f"/{desk.scheme}/preview.png", content=png(1200, 630))
    await desk.ask("POST", f"/{desk.scheme}/publish", json={})
    page = (await desk.http.get(link)).text
    assert "Tall &quot;&lt;b&gt;&quot; towers" in page
    assert "<b>" not in page
    assert f"/api/v1/schemes/{desk.scheme}/preview.png" in page
    assert "http://127.0.0.1" in page
    assert "塔楼" in (await desk.http.get(f"{link}&lang=zh")).text
    for other in (
        "/explore",
        "/explore?schemes=base",
        "/explore?schemes=base,snothing22",
        f"/table?schemes={desk.scheme}",
    ):
        assert "og:title" not in (await desk.http.get(f"/{other}")).text


async def test_what_other_sites_write_down_is_asked_for_again(desk: Desk) -> None:
    answer = await desk.http.get("/assets/cim-viewer.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert (await desk.http.get("/embed")).status_code == 200


async def test_a_scheme_without_a_picture_of_its_own_is_drawn(desk: Desk) -> None:
    path = f"/{desk.scheme}/preview.png"
    edit = {"kind": "building.height", "target": "test:b1", "params": {"height_m": 40.0}}
    assert (await desk.ask("POST", f"/{desk.scheme}/edits", json=edit)).status_code == 201
    drawn = await desk.ask("GET", path)
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")
    assert check_picture(drawn.content) == (1200, 630)
    assert (await desk.ask("GET", path)).headers["etag"] == drawn.headers["etag"]
    edit["params"] = {"height_m": 20.0}
    await desk.ask("POST", f"/{desk.scheme}/edits", json=edit)
    assert (await desk.ask("GET", path)).headers["etag"] != drawn.headers["etag"]
    assert (await desk.ask("POST", f"/{desk.scheme}/publish", json={})).status_code < 300
    page = (await desk.http.get(f"/explore?schemes=base,{desk.scheme}")).text
    assert f"/api/v1/schemes/{desk.scheme}/preview.png" in page
    own = png(1200, 630)
    await desk.ask("PUT", path, content=own)
    assert (await desk.ask("GET", path)).content == own
