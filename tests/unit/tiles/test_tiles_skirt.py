"""The band of shade around buildings with bodies of their own lies outside them, however many pieces they have."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject
from cim.geometry.surfaces import multi_surface
from cim.geometry.triangles import area_vectors
from tests.support.tile_city import at, tables
from tiles.build import build_tileset
from tiles.footprints import footprints_of
from tiles.frame import TileFrame
from tiles.intake import read_city
from tiles.outlines import Outlines
from tiles.skirt import WIDTH_M, skirts_around


def cubes(name: str, *corners: tuple[float, float], size: float = 10.0) -> CityObject:
    """One building of several cubes on the ground."""
    faces = []
    for x, y in corners:
        a, b, c, d = ((*at(x + i, y + j), 0.0) for i, j in ((0, 0), (size, 0), (size, size), (0, size)))
        e, f, g, h = ((p[0], p[1], size) for p in (a, b, c, d))
        faces += [[a, d, c, b], [e, f, g, h], [a, b, f, e], [b, c, g, f], [c, d, h, g], [d, a, e, h]]
    return CityObject(name, "Building", geometries=(multi_surface("2", [[np.array(face)] for face in faces]),))


def outlines_of(*objects: CityObject):
    bodies = read_city(*tables(list(objects))).bodies
    return footprints_of(bodies, area_vectors(bodies))


@pytest.mark.parametrize("corners", [((0, 0),), ((0, 0), (10, 0)), ((0, 0), (30, 0)), ((0, 0), (10, 0), (40, 5))])
def test_it_lies_outside(corners):
    outlines, owner = outlines_of(cubes("t:a", *corners))
    assert (shapely.get_type_id(outlines) == shapely.GeometryType.POLYGON).all()
    assert set(owner.tolist()) == {0}
    skirt = skirts_around(Outlines.of(outlines), np.zeros(len(outlines), dtype=np.int64))
    triangles = skirt.xy[skirt.course][np.arange(len(skirt.course) - 2)[:, None] + np.arange(3)]
    triangles[1::2] = triangles[1::2, ::-1]
    # Every second triangle of a strip runs the other way: as a client turns them, all lie with their faces up.
    assert (np.linalg.det(triangles[:, 1:] - triangles[:, :1]) > -1e-6).all()
    band = shapely.union_all(shapely.polygons(triangles[shapely.area(shapely.polygons(triangles)) > 1e-9]))
    inside = shapely.union_all([shapely.box(*at(x, y), *at(x + 10, y + 10)) for x, y in corners])
    assert band.intersection(inside).area < 1e-6
    # A mitred band covers at least what a round one would.
    assert inside.buffer(WIDTH_M - 0.01).difference(inside).difference(band.buffer(0.01)).area < 1e-3


def test_pieces_beside_a_neighbour_are_drawn(tmp_path):
    city = [cubes("t:a", (0, 0), (30, 0)), cubes("t:b", (10, 0)), cubes("t:c", (20, 2), (50, 0))]
    report = build_tileset(*tables(city), TileFrame("EPSG:3879", "interpolated", "Test", 1), tmp_path, compress=False)
    assert (report.buildings, report.quarantined) == (3, [])
