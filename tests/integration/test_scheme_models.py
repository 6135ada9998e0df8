"""Models that planners bring: read in a child, placed on site, refused in plain words."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import trimesh
from fastapi import FastAPI

from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.impact.rows import COLUMN, building_row
from cim.live.hub import LiveHub
from cim.ports import SystemClock
from cim.schemes.realise import realise
from cim.schemes.service import Wish
from cim.web.problems import install_problems
from cim.wiring.schemes import Planning, wire_planning
from tests.support.scheme_city import MEI, X, Y, deliver, plain_city
from tests.support.solid_mesh import mesh_of
from tests.support.web_city import asgi_client


def glb_of(mesh: trimesh.Trimesh) -> bytes:
    """A GLB by trimesh, y up as glTF has it."""
    turned = mesh.copy()
    turned.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0]))
    exported: bytes = turned.export(file_type="glb")
    return exported


def tower() -> trimesh.Trimesh:
    low = trimesh.creation.box([20, 12, 30])
    low.apply_translation([500.0, 40.0, 115.0])
    return low


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[tuple[Planning, httpx.AsyncClient]]:
    with DataDirectory(tmp_path) as directory, Database.open(directory) as database:
        city = CityService(database)
        deliver(city, "first", plain_city())
        planning = wire_planning(database, city, LiveHub("e1", clock=SystemClock()), SystemClock())
        app = FastAPI()
        for router in planning.routers():
            app.include_router(router)
        install_problems(app)
        async with asgi_client(app) as http:
            yield planning, http


async def upload(desk: tuple[Planning, httpx.AsyncClient], content: bytes) -> httpx.Response:
    planning, http = desk
    return await http.post("/api/v1/models", content=content, headers={"Authorization": f"Bearer {planning.token}"})


async def test_a_model_stands_on_its_site_turned(desk: tuple[Planning, httpx.AsyncClient]) -> None:
    answer = await upload(desk, glb_of(tower()))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["height_m"] == 30.0
    assert told["bbox_m"] == [-10.0, -6.0, 10.0, 6.0]
    planning, _ = desk
    scheme = planning.schemes.create(_words(), MEI).scheme.id
    params = {"model": told["id"], "anchor": [X + 100, Y + 80], "bearing_deg": 90.0, "use": "office"}
    done = planning.schemes.edit(scheme, Wish("model.add", None, params), MEI)
    (made,) = realise(done.after, done.after.base).values()
    assert made is not None
    (body,) = made.geometries
    mesh = mesh_of(body)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(20 * 12 * 30)
    assert mesh.bounds[:, :2].tolist() == [[X + 94, Y + 70], [X + 106, Y + 90]]
    assert made.attributes["height_m"].method == "scheme:model"
    target = done.edit.targets[0]
    moved = planning.schemes.edit(scheme, Wish("building.move", target, {"dx_m": 10, "dy_m": 0}), MEI)
    (again,) = realise(moved.after, moved.after.base).values()
    assert again is not None
    assert mesh_of(again.geometries[0]).bounds[0][0] == pytest.approx(X + 104)
    assert again.geometries[0].surface_count == told["triangles"]


async def test_a_model_carries_solar_panels(desk: tuple[Planning, httpx.AsyncClient]) -> None:
    model = (await upload(desk, glb_of(tower()))).json()["id"]
    planning, _ = desk
    scheme = planning.schemes.create(_words(), MEI).scheme.id
    params = {"model": model, "anchor": [X + 100, Y + 80], "use": "office"}
    target = planning.schemes.edit(scheme, Wish("model.add", None, params), MEI).edit.targets[0]
    done = planning.schemes.edit(scheme, Wish("building.solar", target, {"solar_share": 0.5}), MEI)
    (made,) = realise(done.after, done.after.base).values()
    assert made is not None
    assert made.attributes["height_m"].method == "scheme:model", "it is still the model"
    facts = {name: {"v": attribute.value} for name, attribute in made.attributes.items()}
    assert made.place is not None
    row = building_row(facts, round(made.place.area * 10_000))
    # Half of 20 m by 12 m, in cm².
    assert row.tally[COLUMN["solar"]] == 120 * 10_000


def _words() -> Any:
    from cim.schemes.model import Text, Words

    return Words(Text("Model", "模型"))


def _nan() -> bytes:
    mesh = tower()
    vertices = mesh.vertices.copy()
    vertices[0, 0] = np.nan
    return glb_of(trimesh.Trimesh(vertices, mesh.faces, process=False))


BAD = {
    "model-truncated": glb_of(tower())[:-40],
    "model-not-finite": _nan(),
    "model-size": glb_of(trimesh.creation.box([0.2, 0.2, 0.2])),
    "model-empty": b"",
    "model-broken": b"glTF" + struct.pack("<II", 2, 20) + b"\0" * 8,
}


@pytest.mark.parametrize("code", sorted(BAD))
async def test_what_is_no_model_is_refused(desk: tuple[Planning, httpx.AsyncClient], code: str) -> None:
    answer = await upload(desk, BAD[code])
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] == code
    assert not list((desk[0].schemes.shelf.database.directory.path / "models").glob("*.npy"))


async def test_text_is_no_model_and_visitors_bring_none(desk: tuple[Planning, httpx.AsyncClient]) -> None:
    answer = await upload(desk, b"hello, I am not a model")
    assert 400 <= answer.status_code < 500
    _, http = desk
    assert (await http.post("/api/v1/models", content=b"x")).status_code == 401


async def test_cityjson_is_read(desk: tuple[Planning, httpx.AsyncClient]) -> None:
    mesh = trimesh.creation.box([10, 10, 9])
    faces = [[[int(corner) for corner in face]] for face in mesh.faces]
    document = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001] * 3, "translate": [X, Y, 0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "CityObjects": {
            "m": {
                "type": "Building",
                "geometry": [
                    {
                        "type": "MultiSurface",
                        "lod": "2",
                        "boundaries": faces,
                    }
                ],
            }
        },
        "vertices": np.rint((mesh.vertices + 20) * 1000).astype(int).tolist(),
    }
    answer = await upload(desk, json.dumps(document).encode())
    assert answer.status_code == 201, answer.text
    assert (answer.json()["height_m"], answer.json()["triangles"]) == (9.0, 12)


async def test_a_model_is_drawn_as_what_it_is(desk: tuple[Planning, httpx.AsyncClient]) -> None:
    planning, http = desk
    told = (await upload(desk, glb_of(tower()))).json()
    answer = await http.get(f"/api/v1/models/{told['id']}.glb")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "model/gltf-binary"
    assert "immutable" in answer.headers["cache-control"]
    drawn = trimesh.load(io.BytesIO(answer.content), file_type="glb", force="scene").to_geometry()
    assert drawn.volume == pytest.approx(20 * 12 * 30)
    assert drawn.bounds[:, 1].tolist() == [0.0, 30.0]
    again = await http.get(f"/api/v1/models/{told['id']}.glb", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await http.get(f"/api/v1/models/{'0' * 64}.glb")).json()["code"] == "model-unknown"
    assert (await http.get("/api/v1/models/..%2f..%2fx.glb")).status_code == 404
    scheme = planning.schemes.create(_words(), MEI).scheme.id
    params = {"model": told["id"], "anchor": [X + 100, Y + 80], "bearing_deg": 90.0}
    planning.schemes.edit(scheme, Wish("model.add", None, params), MEI)
    headers = {"Authorization": f"Bearer {planning.token}"}
    (item,) = (await http.get(f"/api/v1/schemes/{scheme}/objects", headers=headers)).json()["items"]
    place = item["model"]
    assert place["id"] == told["id"]
    frame = planning.schemes.city.working
    ends = frame.from_lonlat(np.array([place["origin"], place["north"]]))
    assert ends[0] == pytest.approx([X + 100, Y + 80], abs=0.02)
    # A bearing of 90 degrees: the model's own north looks east.
    assert ends[1] - ends[0] == pytest.approx([place["north_m"], 0.0], abs=0.03)
    taller = Wish("building.height", item["id"], {"height_m": 40.0})
    planning.schemes.edit(scheme, taller, MEI)
    (item,) = (await http.get(f"/api/v1/schemes/{scheme}/objects", headers=headers)).json()["items"]
    assert item["model"] is None
