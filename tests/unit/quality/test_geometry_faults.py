"""Solids with one planted fault: it is found, and nothing else.

The faults are those of the unit tests that val3dity publishes (a cube without its top, with a face turned, with a
face in the middle, two cubes in one shell …), made anew.
"""

from __future__ import annotations

import numpy as np
import pytest

from cim.geometry.surfaces import Geometry
from cim.quality.codes import Tolerances
from cim.quality.geometry import examine
from tests.support.made_solids import box, cube, geometry_of, moved, rotated, rows_of, turned, with_surface

HOLE = [[2.0, 2.0, 10.0], [2.0, 4.0, 10.0], [4.0, 4.0, 10.0], [4.0, 2.0, 10.0]]
TOP = cube()[1][0]
FOLD = [
    [[0, 0, 0], [5, 0, 0], [5.002, 0, 0.004], [10, 0, 0.004]],
    [[10, 10, 0.004], [5.002, 10, 0.004], [5, 10, 0], [0, 10, 0]],
]
BENT_TOP = [*TOP[:2], [10.0, 10.0, 10.5], TOP[3]]


def codes(*geometries: Geometry) -> list[int]:
    found = examine(rows_of(*geometries), Tolerances()).found
    return sorted(set(found.codes.tolist()))


def roof(*rings: list[list[float]]) -> Geometry:
    return geometry_of("MultiSurface", with_surface(cube(), 1, *rings))


def solid(surfaces: list) -> Geometry:
    return geometry_of("Solid", surfaces)


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y, 10.0], [x, y + side, 10.0], [x + side, y + side, 10.0], [x + side, y, 10.0]]


FAULTS = {
    "102 a vertex twice": (102, solid(with_surface(cube(), 1, [TOP[0], TOP[1], TOP[1], *TOP[2:]]))),
    "102 half a millimetre apart": (
        102,
        solid(with_surface(cube(), 1, [TOP[0], TOP[1], [10.0, 0.0005, 10.0], *TOP[2:]])),
    ),
    "104 bow tie": (104, solid(with_surface(cube(), 1, [TOP[0], TOP[2], TOP[1], TOP[3]]))),
    "104 touches itself": (
        104,
        roof([[0, 0, 10], [5, 5, 10], [10, 0, 10], [10, 10, 10], [5, 5, 10], [0, 10, 10]]),
    ),
    "104 collapsed to a line": (104, roof([[0, 0, 10], [5, 0, 10], [10, 0, 10]])),
    "104 a spike": (104, roof([*TOP[:2], [14.0, 0.0, 10.0], *TOP[1:]])),
    "201 hole over the edge": (201, roof(TOP, square(8, 2, 4))),
    "201 hole along the edge": (201, roof(TOP, square(8, 2, 2))),
    "201 holes overlap": (201, roof(TOP, HOLE, square(3, 3, 3))),
    "201 holes share a side": (201, roof(TOP, HOLE, square(4, 2, 2))),
    "202 a hole twice": (202, roof(TOP, HOLE, HOLE)),
    "203 a vertex off the plane": (203, geometry_of("MultiSurface", [[BENT_TOP]])),
    "204 a small fold": (204, geometry_of("MultiSurface", [[[*FOLD[0], *FOLD[1]]]])),
    "205 a hole cuts the inside": (205, roof(TOP, [[5, 0, 10], [0, 5, 10], [5, 10, 10], [10, 5, 10]])),
    "206 a hole outside": (206, roof(TOP, square(12, 2, 2))),
    "207 a hole in a hole": (207, roof(TOP, square(2, 2, 6), square(3, 3, 2))),
    "208 a hole that turns as its outline": (208, roof(TOP, HOLE[::-1])),
    "301 three polygons": (301, solid(cube()[:3])),
    "302 no floor": (302, solid(cube()[1:])),
    "302 a hole that is not filled": (302, solid(with_surface(cube(), 1, TOP, HOLE))),
    "302 a vertex on the side of a neighbour": (
        302,
        solid(with_surface(cube(), 1, [TOP[0], [5.0, 0.0, 10.0], *TOP[1:]])),
    ),
    "303 a face in the middle": (
        303,
        solid([*cube(), [[[0.0, 0, 0], [10, 0, 0], [10, 10, 10], [0, 10, 10]]]]),
    ),
    "303 two cubes at one corner": (303, solid([*cube(), *cube((10, 10, 10))])),
    "303 two cubes along one edge": (303, solid([*cube(), *cube((10, 10, 0))])),
    "303 a face that hangs on a corner": (
        303,
        solid([*cube(), [[[10.0, 10, 10], [20, 20, 20], [20, 10, 20]]]]),
    ),
    "305 two cubes": (305, solid([*cube(), *cube((0, 0, 30))])),
    "305 a face in the air": (305, solid([*cube(), [[[50.0, 0, 0], [60, 0, 0], [60, 10, 0]]]])),
    "307 one face turned": (307, solid(with_surface(cube(), 1, TOP[::-1]))),
    "405 all faces turned": (405, solid(turned(cube()))),
    "405 the shell of a hollow faces as the outer one": (
        405,
        geometry_of("Solid", [*cube(), *cube((3, 3, 3), 2)], shells=[6, 12]),
    ),
}


def house(tip_z: float) -> Geometry:
    """Return a cube whose roof is a pyramid up, or down, to a tip."""
    tip = [5.0, 5.0, tip_z]
    eaves = zip(TOP, TOP[1:] + TOP[:1], strict=True)
    return solid([*cube()[:1], *cube()[2:], *([[one, two, tip]] for one, two in eaves)])


def prism(outline: list[tuple[float, float]], low: float, high: float) -> list:
    """Return the surfaces of an upright prism."""
    sides = zip(outline, outline[1:] + outline[:1], strict=True)
    return [
        [[[x, y, low] for x, y in outline[::-1]]],
        [[[x, y, high] for x, y in outline]],
        *([[[*one, low], [*two, low], [*two, high], [*one, high]]] for one, two in sides),
    ]


def torus(inner: list[tuple[float, float]]) -> Geometry:
    """Return a block with a hole right through it."""
    outer = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    floor, roof_, *walls = prism(outer, 0, 4)
    hole_floor, hole_roof, *hole_walls = prism(inner, 0, 4)
    return solid(
        [[*floor, hole_floor[0][::-1]], [*roof_, hole_roof[0][::-1]], *walls, *turned(hole_walls)],
    )


CORNERED = [(0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (5.0, 5.0), (5.0, 10.0), (0.0, 10.0)]
FAULTS |= {
    "306 a roof that dips through the floor": (306, house(-3.0)),
    "306 a roof whose tip touches the floor": (306, house(0.0)),
}


def hollow(*inner: list) -> Geometry:
    """Return a cube with the inner shells that are given as bodies."""
    surfaces = [*cube(), *(surface for body in inner for surface in turned(body))]
    ends = np.cumsum([6, *(len(body) for body in inner)]).tolist()
    return geometry_of("Solid", surfaces, shells=ends)


def pyramid(base: list[list[float]], tip: list[float]) -> list:
    """Return a pyramid over a base that is counter-clockwise from above."""
    return [[base[::-1]], *([[one, two, tip]] for one, two in zip(base, base[1:] + base[:1], strict=True))]


BASE = [[2.0, 2.0, 2.0], [6.0, 2.0, 2.0], [6.0, 6.0, 2.0], [2.0, 6.0, 2.0]]
FLOOR = [[x, y, 0.0] for x, y, _ in BASE]
FAULTS |= {
    "401 a hollow goes through the roof": (401, hollow(pyramid(BASE, [4.0, 4.0, 14.0]))),
    "401 a hollow shares a part of the floor": (401, hollow(pyramid(FLOOR, [4.0, 4.0, 5.0]))),
    "401 hollows share a face": (401, hollow(cube((2, 2, 2), 3), cube((5, 2, 2), 3))),
    "401 hollows cross": (401, hollow(cube((2, 2, 2), 3), cube((4, 3, 3), 3))),
    "401 a hollow in a hollow": (401, hollow(cube((2, 2, 2), 6), cube((3, 3, 3), 2))),
    "402 a hollow twice": (402, hollow(cube((2, 2, 2), 3), cube((2, 2, 2), 3))),
    "402 a hollow as large as the solid": (402, hollow(cube())),
    "403 a hollow outside": (403, hollow(cube((20, 2, 2), 3))),
    "403 a hollow around the solid": (403, hollow(cube((-5, -5, -5), 30))),
}
SOUND = {
    "a hollow that touches the roof at a point": hollow(pyramid(BASE, [4.0, 4.0, 10.0])),
    "hollows that touch at a point": hollow(cube((2, 2, 2), 2), cube((4, 4, 4), 2)),
    "hollows that touch along a line": hollow(cube((2, 2, 2), 2), cube((4, 4, 2), 2)),
    "a house": house(15.0),
    "a house with a dip in its roof": house(5.0),
    "a flat roof of four triangles": house(10.0),
    "a building round a corner": solid(prism(CORNERED, 0, 6)),
    "a block with a hole through it": torus([(3.0, 3.0), (6.0, 3.0), (6.0, 6.0), (3.0, 6.0)]),
    "a cube": solid(cube()),
    "a cube of a million": solid(moved(cube(), (99_999_990.0, 99_999_990.0, 0.0))),
    "a cube below": solid(moved(cube(), (0.0, 0.0, -100.0))),
    "a hole in the roof that a roof light fills": solid(
        [*with_surface(cube(), 1, TOP, HOLE), [[HOLE[3], HOLE[2], HOLE[1], HOLE[0]]]]
    ),
    "a hollow": geometry_of("Solid", [*cube(), *turned(cube((3, 3, 3), 2))], shells=[6, 12]),
    "a hole that touches its outline at a point": roof(TOP, [[0, 5, 10], [3, 7, 10], [3, 3, 10]]),
    "a composite surface need not be closed": geometry_of("CompositeSurface", cube()[1:]),
    "surfaces by themselves need not meet": geometry_of("MultiSurface", [*cube()[:2], *turned(cube((30, 0, 0)))]),
    "a fold within the tolerance": geometry_of("MultiSurface", [[[*TOP[:2], [10.0, 10.0, 10.02], TOP[3]]]]),
    "two solids": geometry_of("MultiSolid", [*cube(), *cube((30, 0, 0))], shells=[6, 12], solids=[1, 2]),
}


@pytest.mark.parametrize(("code", "geometry"), FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_found_and_nothing_else(code: int, geometry: Geometry) -> None:
    assert codes(geometry) == [code]


@pytest.mark.parametrize("geometry", SOUND.values(), ids=SOUND.keys())
def test_what_is_sound_has_no_fault(geometry: Geometry) -> None:
    assert codes(geometry) == []


def test_faults_are_those_of_their_own_geometry_in_a_batch() -> None:
    geometries = [geometry for _, geometry in FAULTS.values()] + list(SOUND.values())
    found = examine(rows_of(*geometries), Tolerances()).found
    expected = [(row, code) for row, (code, _) in enumerate(FAULTS.values())]
    assert sorted(set(zip(found.geometries.tolist(), found.codes.tolist(), strict=True))) == expected


def test_vertices_that_meet_within_a_millimetre_are_one_wherever_the_grid_lies() -> None:
    """The same corner is written in three ways, up to 0.4 mm apart, on either side of a cell's border."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        shaken = [[(np.array(ring) + rng.uniform(-2e-4, 2e-4, (4, 3))).tolist() for ring in face] for face in cube()]
        assert codes(solid(moved(shaken, rng.uniform(0, 1, 3).tolist()))) == []


def test_a_turn_in_space_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        matrix = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        matrix *= np.sign(np.linalg.det(matrix))
        assert codes(solid(rotated(cube(), matrix))) == []
        assert codes(solid(rotated(cube()[1:], matrix))) == [302]
        assert codes(solid(rotated(with_surface(cube(), 1, TOP, HOLE), matrix))) == [302]


def test_what_is_measured() -> None:
    found = examine(rows_of(solid(cube()[1:])), Tolerances()).found
    assert found.measured.tolist() == [40.0]
    quad = geometry_of("MultiSurface", [[BENT_TOP]])
    found = examine(rows_of(quad), Tolerances()).found
    # Half a metre at one corner of a square is an eighth of it at each, to the plane that fits best.
    assert found.measured[0] == pytest.approx(0.125, abs=2e-4)
    found = examine(rows_of(geometry_of("Solid", turned(box((0, 0, 0), (2, 3, 4))))), Tolerances()).found
    assert found.measured.tolist() == [24.0]


def test_tolerances_are_asked() -> None:
    geometry = geometry_of("MultiSurface", [[BENT_TOP]])
    assert len(examine(rows_of(geometry), Tolerances(plane_m=0.2)).found) == 0
    assert codes(roof([*TOP[:2], [10.0, 0.0015, 10.0], *TOP[2:]])) == []
    assert (
        examine(rows_of(roof([*TOP[:2], [10.0, 0.0015, 10.0], *TOP[2:]])), Tolerances(snap_m=0.002)).found.codes[0]
        == 102
    )
