"""Every triangle lies on the surface that it was made from; and the check finds it where one does not."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject
from tests.support.tile_city import CRS, at, block, box_surfaces, grid_city, rectangle, tables
from tests.support.tile_triangles import Checked, Surfaces, check_triangles, leaves, prism
from tiles.build import build_tileset
from tiles.frame import TileFrame

COURT = rectangle(1500, 0, 30, 30).difference(rectangle(1510, 10, 8, 9))
NOTCHED = shapely.Polygon([at(*p) for p in ((1600, 0), (1630, 0), (1630, 9), (1612, 12), (1612, 25), (1600, 25))])


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Surfaces]]:
    """Blocks, one with a court, one with a notch, and a body with surfaces of its own."""
    blocks = [*grid_city(500), block("test:court", COURT, 12.0), block("test:notch", NOTCHED, 7.5)]
    body = box_surfaces(1700, 0, 0, 12, 9)
    out = tmp_path_factory.mktemp("tiles")
    objects = [*blocks, CityObject("test:body", "Building", geometries=(body,))]
    build_tileset(*tables(objects), TileFrame(CRS, "flat", "Test"), out, compress=False)
    sources: dict[str, Surfaces] = {each.id: prism(each.place, each.attributes["height_m"].value) for each in blocks}
    x, y = at(1700, 0)
    a, b, c, d = ((x, y), (x + 12, y), (x + 12, y + 12), (x, y + 12))
    walls = [[np.array([(*p, 0), (*q, 0), (*q, 9), (*p, 9)], dtype=float)] for p, q in ((a, b), (b, c), (c, d), (d, a))]
    sources["test:body"] = [*walls, [np.array([(*p, 9) for p in (a, b, c, d)], dtype=float)]]
    return out, sources


def checked(city: tuple[Path, dict[str, Surfaces]]) -> Checked:
    return check_triangles(city[0], CRS, city[1])


def planted(out: Path, attribute: str, change) -> tuple[Path, bytes]:
    """Change the values of an attribute of a leaf's faces in place; return the file as it was."""
    path = next(p for p in leaves(out / "buildings" / "tileset.json") if b"test:body" in p.read_bytes())
    before = path.read_bytes()
    content = bytearray(before)
    (size,) = struct.unpack_from("<I", content, 12)
    document = json.loads(content[20 : 20 + size])
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"][attribute]]
    view = document["bufferViews"][accessor["bufferView"]]
    begin = 28 + size + view["byteOffset"]
    dtype = "<u2" if attribute == "POSITION" else "<f4"
    values = np.frombuffer(content[begin : begin + view["byteLength"]], dtype).copy()
    change(values)
    content[begin : begin + view["byteLength"]] = values.tobytes()
    path.write_bytes(content)
    return path, before


def test_every_triangle_lies_on_its_surface(city: tuple[Path, dict[str, Surfaces]]) -> None:
    found = checked(city)
    assert found.faults == []
    assert found.objects == set(city[1])
    assert found.triangles > 500 * 10
    assert found.worst_share < 0.01


def lifted(steps: np.ndarray) -> None:
    steps[4 * int(np.argmax(steps[2:120:4])) + 2] += 6


def dropped(steps: np.ndarray) -> None:
    steps[:12] = np.tile(steps[:4], 3)


def turned(steps: np.ndarray) -> None:
    steps[:12] = steps[:12].reshape(3, 4)[::-1].reshape(-1)


def twice(steps: np.ndarray) -> None:
    steps[:12] = steps[12:24]


def stolen(rows: np.ndarray) -> None:
    rows[:3] = rows[-1]


@pytest.mark.parametrize(
    ("attribute", "fault"),
    [("POSITION", lifted), ("POSITION", dropped), ("POSITION", turned), ("POSITION", twice), ("_FEATURE_ID_0", stolen)],
    ids=["a corner 12 cm up", "one left out", "one turned round", "one over another", "one of another building"],
)
def test_a_planted_fault_is_found(city: tuple[Path, dict[str, Surfaces]], attribute: str, fault) -> None:
    path, before = planted(city[0], attribute, fault)
    try:
        assert checked(city).faults
    finally:
        path.write_bytes(before)


def test_a_building_that_is_missing_or_too_many_is_found(city: tuple[Path, dict[str, Surfaces]]) -> None:
    out, sources = city
    assert "test:more is in no leaf" in check_triangles(out, CRS, {**sources, "test:more": []}).faults
    fewer = {name: surfaces for name, surfaces in sources.items() if name != "test:notch"}
    assert "test:notch is in no source" in check_triangles(out, CRS, fewer).faults


def test_a_source_that_is_higher_is_found(city: tuple[Path, dict[str, Surfaces]]) -> None:
    out, sources = city
    assert check_triangles(out, CRS, {**sources, "test:notch": prism(NOTCHED, 7.7)}).faults
