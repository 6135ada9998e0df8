"""Vector tiles, read back by a decoder that is not ours."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from cim.errors import NotFound
from cim.features.mvt import EXTENT, TILE_BUFFER, encoded_tile, tile_bounds


def tile_of(z: int, y: int, x: int, shapes, properties=lambda row: {}):
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    body = encoded_tile(
        "things", (z, y, x), [f"a:{n}" for n in range(len(shapes))], array, np.arange(len(shapes)), properties
    )
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})["things"] if body else None


def test_shapes_of_every_kind_come_back_where_they_are() -> None:
    west, _, east, north = tile_bounds(14, 4741, 9325)
    side = east - west

    def at(u: float, v: float) -> tuple[float, float]:
        return west + u / EXTENT * side, north - v / EXTENT * side

    hole = [at(150, 150), at(250, 150), at(250, 250), at(150, 250)]
    shapes = [
        shapely.Point(at(10, 20)),
        shapely.MultiPoint([at(1, 2), at(3, 4)]),
        shapely.LineString([at(0, 0), at(100, 50), at(200, 0)]),
        shapely.Polygon([at(100, 100), at(300, 100), at(300, 300), at(100, 300)], [hole]),
        shapely.MultiPolygon([shapely.box(*at(10, 20), *at(20, 10)), shapely.box(*at(40, 60), *at(60, 40))]),
    ]
    layer = tile_of(14, 4741, 9325, shapes)
    assert (layer["extent"], layer["version"]) == (EXTENT, 2)
    found = [feature["geometry"] for feature in layer["features"]]
    assert found[0] == {"type": "Point", "coordinates": [10, 20]}
    assert found[1] == {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}
    assert found[2] == {"type": "LineString", "coordinates": [[0, 0], [100, 50], [200, 0]]}
    polygon = shapely.geometry.shape(found[3])
    assert (polygon.area, len(polygon.interiors)) == (200 * 200 - 100 * 100, 1)
    assert shapely.geometry.shape(found[4]).area == 10 * 10 + 20 * 20
    assert [feature["properties"]["id"] for feature in layer["features"]] == [f"a:{n}" for n in range(5)]


def test_values_keep_their_kinds_and_what_has_none_is_left_out() -> None:
    west, south, east, north = tile_bounds(3, 2, 4)
    values = {"t": "街", "i": -7, "big": 2**62, "f": 1.5, "b": True, "n": None, "nan": float("nan"), "huge": 2**70}
    layer = tile_of(3, 2, 4, [shapely.Point((west + east) / 2, (south + north) / 2)], lambda _: values)
    assert layer["features"][0]["properties"] == {
        **{name: values[name] for name in ("t", "i", "big", "f", "b")}, "huge": float(2**70), "id": "a:0"
    }  # fmt: skip


def test_what_leaves_the_tile_is_cut_at_its_border() -> None:
    west, south, east, north = tile_bounds(10, 300, 500)
    layer = tile_of(10, 300, 500, [shapely.box(west - 1e6, south - 1e6, east + 1e6, north + 1e6)])
    ring = np.array(layer["features"][0]["geometry"]["coordinates"][0])
    assert (ring.min(), ring.max()) == (-TILE_BUFFER, EXTENT + TILE_BUFFER)


def test_a_ring_that_crosses_itself_and_one_that_shrinks_away_do_no_harm() -> None:
    west, south, east, north = tile_bounds(5, 10, 10)
    bow = shapely.Polygon([(west - 1e6, south), (east, north), (east, south), (west - 1e6, north)])
    tiny = shapely.box(west + 1, south + 1, west + 2, south + 2)
    layer = tile_of(5, 10, 10, [bow, tiny, None, shapely.Polygon()])
    assert [feature["properties"]["id"] for feature in layer["features"]] == ["a:0"]
    assert tile_of(5, 10, 10, [tiny]) is None


@pytest.mark.parametrize("place", [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8)])
def test_a_tile_that_the_scheme_has_not_is_not_found(place: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound):
        tile_bounds(*place)
