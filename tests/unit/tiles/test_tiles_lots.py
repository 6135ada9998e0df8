"""Leaves are drawn many at a time; what one comes to must not depend on which others are drawn with it."""

from __future__ import annotations

import numpy as np
import pytest

import tiles.leaves
from cim.city.model import CityObject
from tests.support.tile_city import CRS, EAST, NORTH, at, block, box_surfaces, grid_city, rectangle, tables
from tiles.build import build_tileset
from tiles.frame import Chart, TileFrame

MIXED = [
    *grid_city(900),
    *(block(f"test:roof{i}", rectangle(1000 + 12 * i, 0, 15, 9), 9.0, roof_type="gabled") for i in range(40)),
    *(CityObject(f"test:body{i}", "Building", geometries=(box_surfaces(20 * i, 950, 3, 11, 8),)) for i in range(40)),
    CityObject("test:nowhere", "Building", place=None),
]


@pytest.mark.parametrize("ground", ["flat", "interpolated"])
def test_leaves_one_by_one_are_those_of_a_lot(tmp_path, monkeypatch, ground):
    made = []
    for vertices_max in (1, 20_000, 10**9):
        monkeypatch.setattr(tiles.leaves, "LOT_VERTICES_MAX", vertices_max)
        out = tmp_path / str(vertices_max)
        build_tileset(*tables(MIXED), TileFrame(CRS, ground, "Test"), out, compress=False)
        made.append({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()})
    assert sum(name.endswith(".glb") for name in made[0]) > 4
    assert made[0] == made[1] == made[2]


def test_a_place_is_where_it_is_whatever_else_is_asked_for():
    chart = Chart(TileFrame(CRS), (EAST, NORTH, EAST + 9_000, NORTH + 7_000))
    random = np.random.default_rng(5)
    places = np.column_stack((*(np.array(at(0, 0))[:, None] + random.uniform(0, 7_000, (2, 501))), np.zeros(501)))
    whole = chart.to_local(places)
    for first, end in ((0, 1), (3, 20), (7, 264), (500, 501)):
        assert (chart.to_local(places[first:end]) == whole[first:end]).all()
