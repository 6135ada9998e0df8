"""Schemes over HTTP and on the live topic: who may see and do what, in which words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from fastapi import FastAPI

from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.schemes.bus import PRESENCE_S
from cim.web.problems import install_problems
from cim.wiring.schemes import Planning, wire_planning
from tests.support.scheme_city import X, Y, deliver, plain_city
from tests.support.web_city import asgi_client


class MovableClock(SystemClock):
    """The machine's clock, put forward by hand."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def desk_now() -> str:
    return "now"


class Desk:
    """A city with its schemes, a planner, a visitor and a live hub."""

    def __init__(self, planning: Planning, hub: LiveHub, city: CityService, http: httpx.AsyncClient) -> None:
        self.planning, self.hub, self.city, self.http = planning, hub, city, http

    async def ask(
        self, method: str, path: str, body: object = None, *, as_planner: bool = True, **headers: str
    ) -> httpx.Response:
        if as_planner:
            headers = {"Authorization": f"Bearer {self.planning.token}", "Cim-Author": "%E6%A2%85", **headers}
        return await self.http.request(method, f"/api/v1/schemes{path}", json=body, headers=headers)

    async def scheme(self, **body: object) -> str:
        answer = await self.ask("POST", "", {"name": {"en": "Towers", "zh": "塔楼"}, **body})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def edit(self, scheme: str, kind: str, target: str | None = None, **params: Any) -> httpx.Response:
        return await self.ask("POST", f"/{scheme}/edits", {"kind": kind, "target": target, "params": params})

    def degrees(self, *points: tuple[float, float]) -> list[list[float]]:
        return self.city.working.to_lonlat(np.array([[X + x, Y + y] for x, y in points])).tolist()

    def follower(self, topic: str, token: str = "") -> Follower:
        return Follower(self, topic, token)


class Follower:
    """A client of the live hub without a socket; knows the state as a page would."""

    def __init__(self, desk: Desk, topic: str, token: str) -> None:
        self.desk = desk
        self.session = desk.hub.attach().session
        self.items: dict[str, Any] = {}
        self.errors: list[str] = []
        said = {"op": "subscribe", "topic": topic, **({"filter": {"token": token}} if token else {})}
        self.session.receive(orjson.dumps(said), desk.hub.monotonic_s(), "")

    def read(self) -> None:
        for frame in self.session.take(self.desk.hub.monotonic_s(), desk_now):
            said = orjson.loads(frame.text)
            if said["op"] == "error":
                self.errors.append(said["code"])
            if said["op"] == "reset":
                self.errors.append(said["reason"])
            for item in (*said.get("state", ()), *said.get("changes", ())):
                if item.get("removed"):
                    self.items.pop(item["id"], None)
                else:
                    self.items[item["id"]] = item

    async def until(self, name: str, *, there: bool = True) -> Any:
        for _ in range(200):
            self.read()
            if (name in self.items) == there:
                return self.items.get(name)
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} did not come: {sorted(self.items)} {self.errors}")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = MovableClock()
    with DataDirectory(tmp_path) as directory, Database.open(directory, clock=clock) as database:
        city = CityService(database)
        deliver(city, "first", plain_city())
        hub = LiveHub("e1", clock=clock)
        hub.start()
        planning = wire_planning(database, city, hub, clock)
        app = FastAPI()
        for router in planning.routers():
            app.include_router(router)
        install_problems(app)
        async with asgi_client(app) as http:
            yield Desk(planning, hub, city, http)


async def test_writing_needs_the_token_and_a_draft_is_nobodys_business(desk: Desk) -> None:
    for method, path in (("POST", ""), ("POST", "/sabcdefgh/edits"), ("PATCH", "/sabcdefgh"), ("POST", "/x/publish")):
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": desk.planning.token}):
            answer = await desk.ask(method, path, {"name": "x", "kind": "y"}, as_planner=False, **header)
            assert (answer.status_code, answer.json()["code"]) == (401, "planner-token")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    scheme = await desk.scheme()
    for part in ("", "/edits", "/objects", "/diff", "/findings", "/versions"):
        answer = await desk.ask("GET", f"/{scheme}{part}", as_planner=False)
        assert (answer.status_code, answer.json()["code"]) == (404, "scheme-not-found"), part
    assert (await desk.ask("GET", "", as_planner=False)).json() == {"items": []}
    (card,) = (await desk.ask("GET", "")).json()["items"]
    assert (card["id"], card["author"], card["letter"], card["state"]) == (scheme, "梅", "B", "draft")


async def test_an_edit_answers_with_what_is_to_be_drawn(desk: Desk) -> None:
    scheme = await desk.scheme()
    ring = desk.degrees((10, 40), (30, 40), (30, 60), (10, 60))
    stack = [[4.5, "retail"], [3.2, "residential"]]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    answer = await desk.edit(scheme, "building.add", footprint=polygon, storeys=stack)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    (drawn,) = said["objects"]
    assert drawn["id"] == said["edit"]["targets"][0] == f"{scheme}:b/1"
    assert (drawn["change"], drawn["height_m"], drawn["storeys"]) == ("added", 7.7, stack)
    # There and back through degrees is right to a centimetre.
    assert np.abs(np.array(drawn["geometry"]["coordinates"][0][:4]) - np.array(ring)).max() < 2e-7
    stored = {c["field"]: c["new"] for c in said["edit"]["changes"]}
    assert (
        np.abs(
            np.array(stored["footprint"][0]) - [[X + 10, Y + 40], [X + 30, Y + 40], [X + 30, Y + 60], [X + 10, Y + 60]]
        ).max()
        < 0.01
    )
    assert said["hidden"] == []
    razed = (await desk.edit(scheme, "building.demolish", "test:b0")).json()
    assert (razed["objects"][0]["change"], razed["hidden"]) == ("demolished", ["test:b0"])
    taller = (await desk.edit(scheme, "building.height", "test:b1", height_m=20)).json()
    assert taller["scheme"]["counts"] == {"added": 1, "changed": 1, "demolished": 1}
    west, south, east, north = taller["scheme"]["bbox"]
    assert west < ring[0][0] < east
    assert south < ring[2][1] <= north
    undone = (await desk.ask("POST", f"/{scheme}/undo", {"sequence": 1})).json()
    assert undone["gone"] == [f"{scheme}:b/1"]
    listed = (await desk.ask("GET", f"/{scheme}/edits")).json()["items"]
    assert [edit["undone"] for edit in listed] == [True, False, False, False]
    shown = (await desk.ask("GET", f"/{scheme}/objects?at=1")).json()
    assert [item["id"] for item in shown["items"]] == [f"{scheme}:b/1"]
    (difference,) = [
        item for item in (await desk.ask("GET", f"/{scheme}/diff")).json()["items"] if item["target"] == "test:b0"
    ]
    assert difference == {"target": "test:b0", "type": "Building", "field": "exists", "before": True, "after": False}


async def test_a_trial_is_not_stored(desk: Desk) -> None:
    scheme = await desk.scheme()
    body = {"kind": "building.height", "target": "test:b0", "params": {"height_m": 40}}
    answer = await desk.ask("POST", f"/{scheme}/edits?dry_run=true", body)
    assert answer.status_code == 200
    assert answer.json()["objects"][0]["height_m"] == 40.0
    assert answer.json()["scheme"]["head"] == 0


async def test_conflicts_and_refusals_say_both_sides_and_where(desk: Desk) -> None:
    scheme = await desk.scheme()
    await desk.edit(scheme, "building.use", "test:b0", use="hotel")
    body = {
        "kind": "building.solar",
        "target": "test:b0",
        "params": {"solar_share": 0.5},
        "expect": {"solar_share": 0.3},
    }
    answer = await desk.ask("POST", f"/{scheme}/edits", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "edit-conflict")
    assert answer.json()["conflicts"] == [
        {"target": "test:b0", "field": "solar_share", "base": 0.3, "ours": 0.0, "theirs": 0.5}
    ]
    bow = desk.degrees((0, 40), (20, 60), (20, 40), (0, 60))
    crossed = await desk.edit(scheme, "building.add", footprint=[bow], storeys=[[3, "office"]])
    assert (crossed.status_code, crossed.json()["code"]) == (422, "edit-refused")
    (finding,) = crossed.json()["findings"]
    assert (finding["rule"], finding["witness"]["type"]) == ("footprint-invalid", "MultiPoint")
    for params in ({"footprint": [[[500, 0], [1, 1], [2, 2]]]}, {"footprint": "here"}, {"footprint": [[[None, 1]]]}):
        answer = await desk.edit(scheme, "building.add", **params)
        assert (answer.status_code, answer.json()["code"]) == (400, "edit-place"), params
    for method, path, wanted in (
        ("GET", "/snothere0", 404),
        ("POST", "/snothere0/undo", 404),
        ("POST", f"/{scheme}/undo", 201),
        ("POST", f"/{scheme}/undo", 409),
        ("POST", f"/{scheme}/withdraw", 409),
        ("GET", f"/{scheme}/versions/1", 404),
    ):
        assert (await desk.ask(method, path)).status_code == wanted, path
    assert (await desk.ask("POST", f"/{scheme}/edits", {"kind": "x", "surprise": 1})).status_code == 422
    assert (await desk.ask("POST", "", {"name": "x", "parent": "snothere0"})).status_code == 404


async def test_a_retry_over_http_is_one_edit(desk: Desk) -> None:
    scheme = await desk.scheme()
    body = {"kind": "building.demolish", "target": "test:b0"}
    keyed = {"Idempotency-Key": "k1"}
    first = await desk.ask("POST", f"/{scheme}/edits", body, **keyed)
    again = await desk.ask("POST", f"/{scheme}/edits", body, **keyed)
    assert first.status_code == again.status_code == 201
    assert first.json()["edit"] == again.json()["edit"]
    other = await desk.ask("POST", f"/{scheme}/edits", {**body, "target": "test:b1"}, **keyed)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


async def test_the_public_sees_what_was_published(desk: Desk) -> None:
    scheme = await desk.scheme()
    await desk.edit(scheme, "building.demolish", "test:b0")
    stop = {"title": {"en": "Here"}, "view": "24.9,60.1,16,50,-20"}
    patched = await desk.ask("PATCH", f"/{scheme}", {"summary": {"zh": "高"}, "tour": [stop], "letter": "T"})
    assert (patched.json()["letter"], patched.json()["summary"]) == ("T", {"en": "高", "zh": "高"})
    version = (await desk.ask("POST", f"/{scheme}/publish")).json()
    await desk.edit(scheme, "building.demolish", "test:b1")
    card = (await desk.ask("GET", f"/{scheme}", as_planner=False)).json()
    assert (card["state"], card["version"], card["head"], card["counts"]["demolished"]) == ("published", 1, 1, 1)
    assert (await desk.ask("GET", f"/{scheme}")).json()["head"] == 2
    later = (await desk.ask("GET", f"/{scheme}/objects?at=2", as_planner=False)).json()
    assert (later["sequence"], later["hidden"]) == (1, ["test:b0"])
    assert len((await desk.ask("GET", f"/{scheme}/edits", as_planner=False)).json()["items"]) == 1
    assert (await desk.ask("POST", f"/{scheme}/withdraw")).json()["state"] == "withdrawn"
    assert (await desk.ask("GET", f"/{scheme}", as_planner=False)).status_code == 404
    cited = (await desk.ask("GET", f"/{scheme}/versions/1", as_planner=False)).json()
    assert (cited["digest"], cited["withdrawn"], cited["hidden"]) == (version["digest"], True, ["test:b0"])


async def test_two_planners_see_each_others_edits(desk: Desk) -> None:
    scheme = await desk.scheme()
    await desk.edit(scheme, "building.demolish", "test:b0")
    page = desk.follower(f"schemes/{scheme}", desk.planning.token)
    assert (await page.until("edit/1"))["edit"]["undone"] is False
    assert (await page.until("scheme"))["scheme"]["head"] == 1
    await desk.edit(scheme, "building.demolish", "test:b1")
    assert (await page.until("edit/2"))["edit"]["author"] == "梅"
    await desk.ask("POST", f"/{scheme}/undo")
    await page.until("edit/3")
    assert page.items["edit/2"]["edit"]["undone"] is True
    assert page.items["objects"]["sequence"] == 3
    assert page.items["scheme"]["scheme"]["counts"]["demolished"] == 1
    greeted = await desk.ask("PUT", f"/{scheme}/presence", {"who": "tab-1", "selection": ["test:b3"]})
    assert greeted.status_code == 204
    assert (await page.until("presence/tab-1"))["selection"] == ["test:b3"]
    clock = desk.planning.bus._clock
    assert isinstance(clock, MovableClock)
    clock.ahead_s += PRESENCE_S + 1
    desk.planning.bus.expire()
    await page.until("presence/tab-1", there=False)


async def test_the_topic_of_a_draft_is_closed_to_the_public(desk: Desk) -> None:
    scheme = await desk.scheme()
    for token in ("", "wrong"):
        page = desk.follower(f"schemes/{scheme}", token)
        page.read()
        assert page.errors == ["unknown-topic"]
    for name in (f"schemes/{scheme}#public", "schemes/", "schemes/snothere0"):
        page = desk.follower(name, desk.planning.token)
        page.read()
        assert page.errors == ["unknown-topic"], name
    await desk.edit(scheme, "building.demolish", "test:b0")
    await desk.ask("POST", f"/{scheme}/publish")
    public = desk.follower(f"schemes/{scheme}")
    assert (await public.until("scheme"))["scheme"]["head"] == 1
    # What is drafted afterwards stays among planners, until it is published.
    await desk.edit(scheme, "building.demolish", "test:b1")
    planner = desk.follower(f"schemes/{scheme}", desk.planning.token)
    await planner.until("edit/2")
    public.read()
    assert "edit/2" not in public.items
    await desk.ask("POST", f"/{scheme}/publish")
    assert (await public.until("edit/2"))["edit"]["sequence"] == 2
    await desk.ask("POST", f"/{scheme}/withdraw")
    for _ in range(100):
        public.read()
        if public.errors:
            break
        await asyncio.sleep(0.01)
    assert public.errors == ["topic-closed"]


async def test_merge_and_rebase_over_http(desk: Desk) -> None:
    ours, theirs = await desk.scheme(), await desk.scheme(name="Other")
    await desk.edit(ours, "building.use", "test:b0", use="hotel")
    await desk.edit(theirs, "building.use", "test:b0", use="office")
    waiting = (await desk.ask("POST", f"/{ours}/merge", {"from": theirs})).json()
    assert (waiting["merged"], waiting["edit"]) == (False, None)
    (conflict,) = waiting["conflicts"]
    assert {conflict["ours"][0][1], conflict["theirs"][0][1]} == {"hotel", "office"}
    choices = {f"{conflict['target']}|{conflict['field']}": "theirs"}
    merged = (await desk.ask("POST", f"/{ours}/merge", {"from": theirs, "choices": choices})).json()
    assert merged["merged"] is True
    assert merged["edit"]["merged"] == {"scheme": theirs, "sequence": 1}
    deliver(desk.city, "second", plain_city(5))
    assert (await desk.ask("GET", f"/{ours}")).json()["stale_baseline"] is True
    tried = (await desk.ask("POST", f"/{ours}/rebase?dry_run=true", {})).json()
    assert (tried["merged"], tried["edit"]) == (False, None)
    rebased = (await desk.ask("POST", f"/{ours}/rebase", {})).json()
    assert (rebased["merged"], rebased["scheme"]["baseline_version"]) == (True, 2)
    assert (await desk.ask("POST", f"/{ours}/rebase")).status_code == 409


async def test_the_token_is_kept_and_nobody_else_may_read_it(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "planner-token"
    assert path.read_text().strip() == desk.planning.token
    assert path.stat().st_mode & 0o777 == 0o600
