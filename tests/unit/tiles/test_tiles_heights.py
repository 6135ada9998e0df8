"""The heights that are served beside the ground tiles are those of the ground tiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyproj
from scipy.interpolate import RegularGridInterpolator

from cim.city.model import CityObject
from tests.support.tile_city import CRS, at, box_surfaces, grid_city, tables
from tiles.build import build_tileset
from tiles.frame import TileFrame
from tiles.heights import HEIGHTS_NAME, NODES_MAX
from tiles.plan import PLAN_NAME, Plan

HILLY = TileFrame(CRS, "interpolated", "Test", 1, "N2000")
SIZE_M, STEP = 600.0, 30.0


def slope(x, y):
    return 480.0 + 0.15 * x - 0.05 * y


def hillside():
    places = [(x, y) for x in np.arange(0.0, SIZE_M, STEP) for y in np.arange(0.0, SIZE_M, STEP)]
    return [
        CityObject(f"t:{i}", "Building", geometries=(box_surfaces(x, y, slope(x + 5, y + 5), 10, 8),))
        for i, (x, y) in enumerate(places)
    ]


def test_they_are_those_of_the_ground_by_another_interpolation(tmp_path: Path) -> None:
    build_tileset(*tables(hillside()), HILLY, tmp_path)
    told = json.loads((tmp_path / HEIGHTS_NAME).read_text())
    assert (tmp_path / f"{HEIGHTS_NAME}.br").is_file()
    assert told["columns"] * told["rows"] == len(told["heights"]) <= NODES_MAX
    lat = np.linspace(told["south"], told["north"], told["rows"])
    lon = np.linspace(told["west"], told["east"], told["columns"])
    levels = np.array(told["heights"]).reshape(told["rows"], told["columns"]) * told["step_m"]
    random = np.random.default_rng(5).uniform(40, SIZE_M - 40, (500, 2))
    place = np.array([at(x, y) for x, y in random])
    degrees = np.column_stack(pyproj.Transformer.from_crs(CRS, 4326, always_xy=True).transform(*place.T))
    heights = RegularGridInterpolator((lat, lon), levels)(degrees[:, ::-1])
    # The slope itself, and the surface that the tiles stand on, which is a grid of another CRS.
    assert np.abs(heights - slope(*random.T)).max() < 0.6
    assert np.abs(heights - Plan.load(tmp_path / PLAN_NAME).site.surface.height_m(place)).max() < 0.25


def test_the_whole_sheet_is_covered(tmp_path: Path) -> None:
    build_tileset(*tables(hillside()), HILLY, tmp_path, compress=False)
    told = json.loads((tmp_path / HEIGHTS_NAME).read_text())
    xmin, ymin, xmax, ymax = Plan.load(tmp_path / PLAN_NAME).site.sheet
    out = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True)
    for corner in ((xmin, ymin), (xmax, ymin), (xmin, ymax), (xmax, ymax)):
        lon, lat = out.transform(*corner)
        assert told["west"] - 1e-9 <= lon <= told["east"] + 1e-9
        assert told["south"] - 1e-9 <= lat <= told["north"] + 1e-9


def test_a_flat_city_has_none(tmp_path: Path) -> None:
    build_tileset(*tables(grid_city(20)), TileFrame(CRS, "flat", "Test", 1), tmp_path, compress=False)
    assert not (tmp_path / HEIGHTS_NAME).exists()
