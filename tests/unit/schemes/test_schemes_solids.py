"""Solids under roofs: closed, with the volume that a hand computes; trimesh is the judge."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from cim.geometry.surfaces import Geometry
from cim.schemes.fields import ROOFS
from cim.schemes.solids import Rings, lifted, solid_of
from tests.support.solid_mesh import mesh_of

FOOT_M, EAVES_M = 4.0, 10.0
RECTANGLE = shapely.box(0, 0, 20, 10)
WITH_COURT = shapely.box(0, 0, 30, 24) - shapely.box(10, 8, 20, 16)
ANGLE = shapely.Polygon([(0, 0), (24, 0), (24, 9), (9, 9), (9, 30), (0, 30)])


def rings_of(plan: shapely.Polygon) -> Rings:
    return tuple(tuple(map(tuple, ring.coords[:-1])) for ring in (plan.exterior, *plan.interiors))


@pytest.mark.parametrize(
    ("plan", "roof", "volume_m3"),
    [
        (RECTANGLE, "flat", 200 * 6),
        (RECTANGLE, "gabled", 200 * 6 + 200 * 3 / 2),
        (RECTANGLE, "shed", 200 * 6 + 200 * 3 / 2),
        # A wedge 10 m long between two half pyramids of 5 m: 10*10*3/2 + 10*10*3/3.
        (RECTANGLE, "hipped", 200 * 6 + 150 + 100),
        (RECTANGLE, "pyramidal", 200 * 6 + 200 * 3 / 3),
        (shapely.box(0, 0, 12, 12), "hipped", 144 * 6 + 144 * 3 / 3),
        (WITH_COURT, "flat", (720 - 80) * 6),
        # The gable over the whole less what stands over the court: mean height 3*(1 - 2/12) over |t| < 4.
        (WITH_COURT, "gabled", 640 * 6 + 720 * 3 / 2 - 80 * 3 * (1 - 2 / 12)),
    ],
)
def test_the_volume_is_what_a_hand_computes(plan: shapely.Polygon, roof: str, volume_m3: float) -> None:
    mesh = mesh_of(solid_of(rings_of(plan), FOOT_M, EAVES_M, roof, 0.0 if roof == "flat" else 3.0))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(volume_m3, rel=2e-4)
    top_m = EAVES_M if roof == "flat" else EAVES_M + 3.0
    assert (mesh.bounds[0][2], mesh.bounds[1][2]) == pytest.approx((FOOT_M, top_m), abs=2e-3)


@settings(deadline=None, max_examples=300)
@given(
    plan=st.sampled_from([RECTANGLE, WITH_COURT, ANGLE, shapely.Point(0, 0).buffer(9, 4)]),
    roof=st.sampled_from(ROOFS),
    turn_deg=st.floats(0, 360),
    east_m=st.floats(0, 25_500_000),
    rise_m=st.floats(0.1, 12),
)
def test_any_roof_on_any_plan_is_closed_and_as_high_as_it_says(
    plan: shapely.Polygon, roof: str, turn_deg: float, east_m: float, rise_m: float
) -> None:
    placed = shapely.set_precision(affinity.translate(affinity.rotate(plan, turn_deg), east_m, 6_672_000.0), 0.001)
    geometry = solid_of(rings_of(placed), FOOT_M, EAVES_M, roof, 0.0 if roof == "flat" else rise_m)
    local = Geometry(
        geometry.kind, geometry.lod, geometry.coordinates - [east_m, 6_672_000.0, 0.0],
        geometry.ring_ends, geometry.surface_ends,
    )  # fmt: skip
    mesh = mesh_of(local)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    least, most = placed.area * (EAVES_M - FOOT_M), placed.area * (EAVES_M - FOOT_M + rise_m)
    assert least * 0.999 <= mesh.volume <= most
    assert mesh.bounds[0][2] >= FOOT_M - 1e-6
    assert mesh.bounds[1][2] <= EAVES_M + rise_m + 1e-6


def test_a_lifted_house_keeps_its_roof_and_gains_its_walls() -> None:
    house = solid_of(rings_of(RECTANGLE), FOOT_M, EAVES_M, "hipped", 3.0)
    higher = lifted(house, 2.5, 2.0)
    assert higher is not None
    assert mesh_of(higher).is_watertight
    assert mesh_of(higher).volume - mesh_of(house).volume == pytest.approx(200 * 2.5, rel=1e-6)
    assert lifted(house, -4.5, 2.0) is None


def test_a_body_on_a_slope_is_not_lifted() -> None:
    house = solid_of(rings_of(RECTANGLE), FOOT_M, EAVES_M, "flat", 0.0)
    sloping = house.coordinates.copy()
    low = sloping[:, 2] == FOOT_M
    sloping[low, 2] += sloping[low, 0] * 0.1
    leaning = Geometry(house.kind, house.lod, sloping, house.ring_ends, house.surface_ends, house.shell_ends)
    assert lifted(leaning, 3.0, 2.0) is None
