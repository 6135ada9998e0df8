"""Objects as rows: what is refused of them is what is refused of one object."""

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject, check_object
from cim.city.rows import ObjectRows, check_rows, geometry_rows
from cim.errors import InvalidInput
from cim.geometry.surfaces import Geometry, multi_surface

SQUARE = np.array([(0, 0, 1), (9, 0, 1), (9, 9, 2), (0, 9, 2)], dtype=np.float64)
SOUND = multi_surface("1", [[SQUARE]])


def with_vertex(*vertex):
    return multi_surface("1", [[np.vstack((SQUARE, [vertex]))]])


def lines(*counts):
    ends = np.cumsum(counts).astype(np.int32)
    return Geometry("MultiLineString", "0", np.zeros((int(ends[-1]), 3)), ring_ends=ends)


CASES = {
    "sound": (SOUND,),
    "none": (),
    "a line": (lines(2, 3),),
    "points": (Geometry("MultiPoint", "0", SQUARE),),
    "NaN": (SOUND, with_vertex(np.nan, 0, 0)),
    "far": (with_vertex(1e9, 0, 0),),
    "high": (with_vertex(0, 0, 1e6),),
    "short ring": (multi_surface("1", [[SQUARE], [SQUARE[:2]]]), SOUND),
    "short line": (lines(2, 1, 2),),
    "empty": (Geometry("MultiPoint", "0", np.empty((0, 3))),),
}
PLACES = {"far": shapely.Point(1e9, 0), "empty": shapely.Polygon(), "sound": shapely.Point(1, 2), "none": None}


def code(geometries, place):
    try:
        check_object(CityObject("a:1", "Building", place, geometries))
    except InvalidInput as error:
        return error.problem_code
    return None


def rows(objects):
    geometries = [geometry for own, _ in objects for geometry in own]
    owners = [row for row, (own, _) in enumerate(objects) for _ in own]
    return ObjectRows(
        ids=[f"a:{row}" for row in range(len(objects))],
        types=["Building"] * len(objects),
        parents=[None] * len(objects),
        attributes=["{}"] * len(objects),
        places=np.array([place for _, place in objects], dtype=object),
        geometries=geometry_rows(geometries, owners, [None] * len(geometries)),
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", CASES)
def test_rows_are_refused_for_what_an_object_is_refused_for(case, place):
    objects = [(CASES["sound"], None), (CASES[case], PLACES[place]), (CASES["a line"], None)]
    found = check_rows(rows(objects))
    wanted = code(CASES[case], PLACES[place])
    assert {row: fault.code for row, fault in found.items()} == ({} if wanted is None else {1: wanted})
    assert all(fault.feature == "a:1" for fault in found.values())
