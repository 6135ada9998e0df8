"""What the checks find is what independent judges find: GEOS, trimesh, numpy's decomposition, exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import shapely
import trimesh
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cim.geometry.surfaces import Geometry
from cim.quality.codes import Tolerances
from cim.quality.geometry import examine
from tests.support.made_solids import cube, geometry_of, moved, rotated, rows_of, turned
from tests.support.solid_mesh import mesh_of

TOLERANCES = Tolerances()
RINGS = {104, 201, 202, 205, 206, 207}
Outline = list[tuple[int, int]]


def codes(geometry: Geometry) -> set[int]:
    return set(examine(rows_of(geometry), TOLERANCES).found.codes.tolist())


def turn(seed: int) -> np.ndarray:
    """Return a matrix that turns space, (3, 3)."""
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return matrix * np.sign(np.linalg.det(matrix))


points = st.tuples(st.integers(0, 12), st.integers(0, 12))
rings = st.lists(points, min_size=3, max_size=7, unique=True)


@settings(max_examples=250, deadline=None)
@given(rings, st.lists(rings, max_size=2), st.integers(0, 50))
def test_a_surface_is_valid_where_geos_says_so(outer: Outline, inner: list[Outline], seed: int) -> None:
    """Rings on a grid of a metre, laid on a plane somewhere in space: GEOS sees them flat, we do not."""
    polygons = [shapely.Polygon(ring) for ring in (outer, *inner)]
    # GEOS has nothing against a hole that turns as its outline does; ISO 19107 has, and we make them right.
    assume(all(polygon.area > 0 for polygon in polygons))
    oriented = [
        ring if shapely.LinearRing(ring).is_ccw == (number == 0) else ring[::-1]
        for number, ring in enumerate((outer, *inner))
    ]
    expected = shapely.Polygon(outer, inner).is_valid
    flat = [[[float(x), float(y), 0.0] for x, y in ring] for ring in oriented]
    placed = moved(rotated([flat], turn(seed)), (85_000.0, 446_000.0, 12.0))
    found = codes(geometry_of("MultiSurface", placed))
    assert found <= RINGS
    assert (not found) == expected


def star(radii: list[int], height: int) -> list:
    """Return an upright prism whose outline is seen whole from its middle."""
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    outline = [(r * np.cos(a), r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    sides = zip(outline, outline[1:] + outline[:1], strict=True)
    return [
        [[[x, y, 0.0] for x, y in outline[::-1]]],
        [[[x, y, float(height)] for x, y in outline]],
        *([[[*a, 0.0], [*b, 0.0], [*b, float(height)], [*a, float(height)]]] for a, b in sides),
    ]


solids = st.builds(star, st.lists(st.integers(2, 9), min_size=3, max_size=9), st.integers(1, 20))


@settings(max_examples=100, deadline=None)
@given(solids, st.integers(0, 50), st.data())
def test_a_shell_is_closed_and_faces_one_way_where_trimesh_says_so(body: list, seed: int, data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(0, len(body) - 1), max_size=1), label="gone")
    flipped = data.draw(st.sets(st.integers(0, len(body) - 1), max_size=2), label="flipped")
    changed = [
        turned([surface])[0] if number in flipped else surface
        for number, surface in enumerate(body)
        if number not in gone
    ]
    assume(len(changed) >= 4)
    geometry = geometry_of("Solid", rotated(changed, turn(seed)))
    mesh = mesh_of(geometry)
    found = codes(geometry)
    if not mesh.is_watertight:
        assert found == {302}
    elif not mesh.is_winding_consistent:
        assert found == {307}
    else:
        assert found == (set() if mesh.volume > 0 else {405})


@settings(max_examples=150, deadline=None)
@given(st.lists(solids, min_size=1, max_size=3), st.integers(0, 60))
def test_pieces_are_those_of_trimesh(bodies: list[list], gap: int) -> None:
    placed = [moved(body, (number * (20.0 + gap), 0.0, 0.0)) for number, body in enumerate(bodies)]
    geometry = geometry_of("Solid", [surface for body in placed for surface in body])
    found = examine(rows_of(geometry), TOLERANCES).found
    pieces = len(trimesh.graph.connected_components(mesh_of(geometry).face_adjacency))
    assert found.codes.tolist() == ([] if pieces == 1 else [305])
    assert pieces == len(bodies) == (int(found.measured[0]) if len(found) else 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-0.08, 0.08), min_size=4, max_size=8), st.integers(0, 50))
def test_the_distance_from_the_plane_is_that_of_a_singular_value_decomposition(lifts: list[float], seed: int) -> None:
    angles = np.linspace(0, 2 * np.pi, len(lifts), endpoint=False)
    ring = np.column_stack((10 * np.cos(angles), 10 * np.sin(angles), lifts)) @ turn(seed).T + (9e4, 4e5, 5.0)
    centred = ring - ring.mean(axis=0)
    expected = np.abs(centred @ np.linalg.svd(centred)[2][2]).max()
    assume(abs(expected - TOLERANCES.plane_m) > 1e-6)
    found = examine(rows_of(geometry_of("MultiSurface", [[ring.tolist()]])), TOLERANCES).found
    if expected > TOLERANCES.plane_m:
        assert found.codes.tolist() == [203]
        assert abs(found.measured[0] - expected) < 1e-6
    else:
        assert found.codes.tolist() == []


Point = tuple[int, int, int]
Triangle = tuple[Point, Point, Point]


def house(tip: Point, second: Point) -> tuple[list, list[Triangle]]:
    """Return a cube with two roofs, one on each half, that rise or dip to their tips; and its triangles."""
    x, y, z = (0, 6, 12), (0, 10), 8
    eaves = [(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)]
    others = [(x[1], y[0], z), (x[2], y[0], z), (x[2], y[1], z), (x[1], y[1], z)]
    roofs = [
        (one, two, top)
        for corners, top in ((eaves, tip), (others, second))
        for one, two in zip(corners, corners[1:] + corners[:1], strict=True)
    ]
    low = [(px, py, 0) for px, py in ((0, 0), (0, 10), (6, 10), (12, 10), (12, 0), (6, 0))]
    floors = [[low[0], low[1], low[2], low[5]], [low[5], low[2], low[3], low[4]]]
    walls = [
        [low[5], (6, 0, z), (0, 0, z), low[0]],
        [low[4], (12, 0, z), (6, 0, z), low[5]],
        [low[3], (12, 10, z), (12, 0, z), low[4]],
        [low[2], (6, 10, z), (12, 10, z), low[3]],
        [low[1], (0, 10, z), (6, 10, z), low[2]],
        [low[0], (0, 0, z), (0, 10, z), low[1]],
    ]
    surfaces = [*([floor] for floor in floors), *([wall] for wall in walls), *([list(roof)] for roof in roofs)]
    triangles: list[Triangle] = list(roofs)
    for ring in (*floors, *walls):
        triangles += [(ring[0], ring[k], ring[k + 1]) for k in range(1, len(ring) - 1)]
    return [[[list(map(float, p)) for p in ring] for ring in surface] for surface in surfaces], triangles


def _side(a: Point, b: Point, c: Point, p: tuple[Fraction | int, ...]) -> Fraction | int:
    u, v = [b[k] - a[k] for k in range(3)], [c[k] - a[k] for k in range(3)]
    n = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return sum(n[k] * (p[k] - a[k]) for k in range(3))


def _pierces(p: Point, q: Point, t: Triangle) -> bool:
    """Tell, exactly, whether a segment whose ends are both off a triangle's plane, or one on it, meets the triangle."""
    one, two = _side(*t, p), _side(*t, q)
    if one * two > 0 or (one == 0 and two == 0):
        return False
    at = Fraction(one, one - two)
    m = tuple(p[k] + at * (q[k] - p[k]) for k in range(3))
    u, v = [t[1][k] - t[0][k] for k in range(3)], [t[2][k] - t[0][k] for k in range(3)]
    n = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    signs = []
    for k in range(3):
        a, b = t[k], t[(k + 1) % 3]
        e, w = [b[i] - a[i] for i in range(3)], [m[i] - a[i] for i in range(3)]
        c = (e[1] * w[2] - e[2] * w[1], e[2] * w[0] - e[0] * w[2], e[0] * w[1] - e[1] * w[0])
        signs.append(sum(n[i] * c[i] for i in range(3)))
    return all(sign >= 0 for sign in signs)


def crosses_exactly(triangles: list[Triangle]) -> bool:
    """Tell by integers and fractions, pair by pair, whether triangles meet elsewhere than at corners they share."""
    for one, two in combinations(triangles, 2):
        shared = set(one) & set(two)
        if len(shared) >= 2:
            continue
        for a, b in ((one, two), (two, one)):
            for p, q in combinations(a, 2):
                if p not in shared and q not in shared and _pierces(p, q, b):
                    return True
    return False


tips = st.tuples(st.integers(-3, 15), st.integers(-3, 13), st.integers(-4, 16))


@settings(max_examples=120, deadline=None)
@given(tips, tips, st.integers(0, 50))
def test_a_shell_crosses_itself_where_exact_arithmetic_says_so(one: Point, two: Point, seed: int) -> None:
    surfaces, triangles = house(one, two)
    normals = [np.cross(np.subtract(t[1], t[0]), np.subtract(t[2], t[0])) for t in triangles]
    assume(all(np.any(normal) for normal in normals))
    corners = {p for t in triangles[8:] for p in t}
    assume(one not in corners and two not in corners and one != two)
    # Surfaces that lie in one plane overlap without a side of one piercing the other: asked elsewhere.
    planes = {tuple(np.round(n / np.linalg.norm(n), 9)) for n in normals[:8]}
    assume(len(planes) == 8 and not any(tuple(-np.array(p)) in planes for p in planes))
    geometry = geometry_of("Solid", rotated(surfaces, turn(seed)))
    found = codes(geometry)
    assume(not found & {104, 405})
    assert (found == {306}) == crosses_exactly(triangles)
    assert found <= {306}


def test_the_exact_judge_knows_a_crossing() -> None:
    assert not crosses_exactly(house((3, 5, 14), (9, 5, 12))[1])
    assert crosses_exactly(house((3, 5, -3), (9, 5, 12))[1])
    assert codes(geometry_of("Solid", house((3, 5, -3), (9, 5, 12))[0])) == {306}
    assert codes(geometry_of("Solid", cube())) == set()
