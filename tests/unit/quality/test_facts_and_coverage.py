"""Facts that cannot be, objects in the wrong place, and what is missing."""

from __future__ import annotations

import math
import pickle

import numpy as np
import orjson
import pytest
import shapely

from cim.city.columns import objects_to_columns, objects_to_rows
from cim.city.model import Attribute, CityObject
from cim.findings import Quality
from cim.quality.codes import CHECKS, Criteria, Policy
from cim.quality.evidence import WORST_MAX
from cim.quality.inspector import Inspector
from cim.quality.model import with_validity
from cim.quality.ranges import check_facts
from cim.quality.stored import batches_of
from cim.quality.text import report_lines
from ingest.columns import gather
from ingest.prepared import ObjectBatch, Preparation
from tests.support.made_solids import building, cube, geometry_of, moved


def facts(drawn_m: float = math.nan, **values: object) -> dict[str, float]:
    attributes = {name: {"v": value} for name, value in values.items()}
    return dict(check_facts("Building", attributes, drawn_m, 2026))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"height_m": 12.0, "storeys_above_ground": 4, "year_of_construction": 1962}, {}),
        ({"height_m": 0.0}, {"height-not-positive": 0.0}),
        ({"height_m": -3.0}, {"height-not-positive": -3.0}),
        ({"height_m": 828.0}, {}),
        ({"height_m": 1200.0}, {"height-beyond-tallest": 1200.0}),
        ({"storeys_above_ground": -1}, {"storeys-negative": -1.0}),
        ({"storeys_above_ground": 2.5}, {}),
        ({"storeys_above_ground": 2.3}, {"storeys-not-whole": 2.3}),
        ({"height_m": 60.0, "storeys_above_ground": 2}, {"storey-height-odd": 30.0}),
        ({"height_m": 12.0, "storeys_above_ground": 40}, {"storey-height-odd": 0.3}),
        ({"year_of_construction": 2027}, {"year-in-future": 2027.0}),
        ({"year_of_construction": 1}, {"year-too-early": 1.0}),
        ({"floor_area_m2": -5.0}, {"area-negative": -5.0}),
        ({"height_m": "unknown"}, {"not-a-number": 1.0}),
        ({"height_m": None, "year_of_construction": ""}, {}),
    ],
)
def test_a_fact_outside_what_there_is(values: dict[str, object], expected: dict[str, float]) -> None:
    found = facts(**values)
    assert found == {code: pytest.approx(value) for code, value in expected.items()}
    assert set(found) <= set(CHECKS)


def test_a_height_is_compared_with_what_is_drawn_only_where_it_was_recorded() -> None:
    assert facts(10.0, height_m=12.0) == {}
    assert facts(10.0, height_m=40.0) == {"height-not-as-drawn": 30.0}
    modelled = {"height_m": {"v": 40.0, "q": "modelled"}}
    assert dict(check_facts("Building", modelled, 10.0, 2026)) == {}
    assert dict(check_facts("Road", {"height_m": {"v": -1.0}}, 10.0, 2026)) == {}


def placed(number: int, x: float, y: float, side: float = 10.0, type_: str = "Building") -> CityObject:
    return CityObject(f"made:{number}", type_, place=shapely.box(x, y, x + side, y + side))


def report_of(*objects: CityObject, policy: Policy = Policy.KEEP) -> dict:
    inspector = Inspector(Criteria(policy, year_now=2026))
    inspector.look(objects_to_rows(objects))
    return inspector.notes().document


def fault(document: dict, code: str) -> dict | None:
    return next((one for one in document["faults"] if one["code"] == code), None)


def test_an_object_far_from_the_rest_is_named_and_no_other() -> None:
    city = [placed(number, 20.0 * (number % 10), 20.0 * (number // 10)) for number in range(100)]
    assert fault(report_of(*city), "far-from-the-rest") is None
    found = fault(report_of(*city, placed(100, 400_000.0, 0.0)), "far-from-the-rest")
    assert found is not None
    assert [one["id"] for one in found["worst"]] == ["made:100"]
    assert found["worst"][0]["measured"] == pytest.approx(400_000.0, rel=0.01)


@pytest.mark.parametrize(
    ("crs", "places", "astray"),
    [
        ("EPSG:28992", [(92_000, 437_000), (155_000, 463_000)], []),
        # Rotterdam with its axes swapped lies in the middle of France; one of two lies in the ocean.
        ("EPSG:28992", [(437_000, 92_000)], ["made:0"]),
        ("EPSG:25832", [(500_000, 5_400_000), (5_400_000, 500_000)], ["made:1"]),
        # The area of this one crosses the antimeridian (New Zealand to the Chathams).
        ("EPSG:2193", [(1_750_000, 5_430_000)], []),
        (None, [(437_000, 92_000)], []),
    ],
)
def test_what_lies_where_the_coordinate_system_is_not_made_for_is_named(
    crs: str | None, places: list[tuple[float, float]], astray: list[str]
) -> None:
    inspector = Inspector(Criteria(year_now=2026))
    if crs is not None:
        inspector.learn(crs)
    inspector.look(objects_to_rows([placed(number, *place) for number, place in enumerate(places)]))
    found = fault(inspector.notes().document, "outside-crs-area")
    assert [one["id"] for one in found["worst"]] == astray if found else astray == []


def test_what_is_part_of_nothing_or_of_itself_is_named() -> None:
    def part(name: str, parent: str | None) -> CityObject:
        return CityObject(f"made:{name}", "BuildingPart", place=shapely.box(0, 0, 1, 1), parent_id=parent)

    whole = part("whole", None)
    sound = [part("a", "made:whole"), part("b", "made:a")]
    lost = [part("gone", "made:nowhere"), part("self", "made:self"), part("c", "made:d"), part("d", "made:c")]
    # What hangs below a circle is in something that is there; the circle itself is named.
    below = part("below", "made:c")
    assert fault(report_of(whole, *sound), "parent-missing") is None
    found = fault(report_of(*lost, below, whole, *sound), "parent-missing")
    assert found is not None
    assert {one["id"] for one in found["worst"]} >= {one.id for one in lost}
    assert not {one["id"] for one in found["worst"]} & {one.id for one in (whole, *sound)}


def test_a_footprint_that_is_there_twice_is_named_wherever_its_outline_begins() -> None:
    ring = [(0.0, 0.0), (10.0, 0.0), (10.0, 7.0), (0.0, 5.0)]
    one = CityObject("made:1", "Building", place=shapely.Polygon(ring))
    two = CityObject("made:2", "Building", place=shapely.Polygon(ring[2:] + ring[:2]))
    part = CityObject("made:3", "BuildingPart", place=shapely.Polygon(ring))
    other = CityObject("made:4", "Building", place=shapely.Polygon([*ring[:3], (0.0, 5.5)]))
    found = fault(report_of(one, two, part, other), "footprint-twice")
    assert found is not None
    assert [(one["id"], one["measured"]) for one in found["worst"]] == [("made:2", 60.0)]


def test_an_object_that_is_nowhere_is_named() -> None:
    document = report_of(placed(1, 0, 0), CityObject("made:lost", "Road"), CityObject("made:whole", "Building"))
    found = fault(document, "nowhere")
    assert found is not None
    assert [(one["id"], one["place"]) for one in found["worst"]] == [("made:lost", None)]


def test_a_building_without_a_floor_is_named() -> None:
    whole = building("whole", geometry_of("MultiSurface", cube()))
    bare = building("bare", geometry_of("MultiSurface", moved(cube()[1:], (50.0, 0.0, 0.0))))
    found = fault(report_of(whole, bare), "no-ground-surface")
    assert found is not None
    assert [one["id"] for one in found["worst"]] == ["made:bare"]


def test_a_footprint_alone_is_checked_as_a_surface() -> None:
    bow_tie = CityObject("made:1", "Building", place=shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]))
    court = shapely.Polygon([(30, 0), (50, 0), (50, 20), (30, 20)], [[(35, 5), (45, 5), (45, 15), (35, 15)]])
    yard = CityObject("made:2", "Building", place=court)
    two = CityObject(
        "made:3", "LandUse", place=shapely.MultiPolygon([shapely.box(60, 0, 70, 10), shapely.box(75, 0, 80, 5)])
    )
    line = CityObject("made:4", "Road", place=shapely.LineString([(0, 0), (5, 5)]))
    inspector = Inspector()
    assert inspector.look(objects_to_rows([yard, bow_tie, two, line])) == {1: ("104",)}
    document = inspector.notes().document
    assert document["counts"]["surfaces"] == 4
    found = fault(document, "104")
    assert found is not None
    assert (found["worst"][0]["id"], found["worst"][0]["lod"]) == ("made:1", "0")


def test_completeness_tells_recorded_from_derived_and_leaves_our_own_mark_out() -> None:
    recorded = building("1", geometry_of("Solid", cube()[1:]), height_m=10.0)
    derived = CityObject("made:2", "Building", attributes={"height_m": Attribute(9.0, quality=Quality.MODELLED)})
    document = report_of(recorded, derived, CityObject("made:3", "Building"))
    (buildings,) = document["completeness"]
    by_name = {one["name"]: one for one in buildings["attributes"]}
    assert by_name["height_m"] == {"name": "height_m", "recorded": 1, "derived": 1, "missing": 1}
    assert "geometry_validity" not in by_name


def test_the_worst_are_named_first_and_no_more_than_there_is_room_for() -> None:
    roofs = [
        building(
            str(number),
            geometry_of("MultiSurface", [[[[0.0, 0, 0], [10, 0, 0], [10, 10, 0.1 * (number + 1)], [0, 10, 0]]]]),
        )
        for number in range(40)
    ]
    found = fault(report_of(*roofs), "203")
    assert found is not None
    assert (found["objects"], len(found["worst"])) == (40, WORST_MAX)
    measured = [one["measured"] for one in found["worst"]]
    assert measured == sorted(measured, reverse=True)
    assert found["worst"][0]["id"] == "made:39"


def test_a_delivery_in_another_order_of_batches_has_the_same_counts() -> None:
    objects = [building(str(n), geometry_of("Solid", cube((n * 30.0, 0, 0))[n % 2 :])) for n in range(20)]
    whole = Inspector(Criteria(year_now=2026))
    whole.look(objects_to_rows(objects))
    halves = Inspector(Criteria(year_now=2026))
    for part in (objects[:7], objects[7:]):
        halves.look(objects_to_rows(part))
    assert whole.notes().document == halves.notes().document


def test_the_mark_is_one_more_attribute() -> None:
    assert orjson.loads(with_validity("{}", ("203",))) == {
        "geometry_validity": {"v": "203", "q": "modelled", "m": "ISO 19107, codes of val3dity"}
    }
    marked = orjson.loads(with_validity('{"name":{"v":"A"}}', ("102", "302")))
    assert marked["name"] == {"v": "A"}
    assert marked["geometry_validity"]["v"] == "102 302"


def test_gathering_looks_at_everything_once_and_says_so_last() -> None:
    broken = building("open", geometry_of("Solid", cube()[1:]))
    nan = building("nan", geometry_of("Solid", moved(cube(), (math.nan, 0.0, 0.0))))
    inspector = Inspector(Criteria(Policy.QUARANTINE))
    *pieces, notes = gather([building("whole", geometry_of("Solid", cube())), broken, nan, broken], inspector)
    assert [type(piece).__name__ for piece in pieces] == ["Quarantined", "Quarantined", "Quarantined", "ObjectBatch"]
    assert notes.document["put_aside"] == [
        {"reason": "coordinate-absurd", "features": 1, "code": None},
        {"reason": "object-twice", "features": 1, "code": None},
        {"reason": "geometry-302", "features": 1, "code": "302"},
    ]
    assert (notes.document["counts"]["objects"], notes.document["counts"]["invalid"]) == (2, 1)
    batch = pieces[-1]
    assert isinstance(batch, ObjectBatch)
    assert batch.objects["id"].to_pylist() == ["made:whole"]


@pytest.mark.parametrize("policy", Policy)
def test_what_was_prepared_elsewhere_is_taken_as_what_is_looked_at_here(policy: Policy) -> None:
    def rows(first: int):
        return objects_to_rows(
            [
                building(f"{first}-whole", geometry_of("Solid", cube()), height_m=-2.0),
                building(f"{first}-open", geometry_of("Solid", moved(cube()[1:], (40.0 + first, 0.0, 0.0)))),
                building(f"{first}-nan", geometry_of("Solid", moved(cube(), (math.nan, 0.0, 0.0)))),
            ]
        )

    criteria, numbers = Criteria(policy, year_now=2026), range(WORST_MAX + 5)
    nobody = objects_to_rows([])
    here = list(gather([*map(rows, numbers), nobody], Inspector(criteria)))
    elsewhere = map(Preparation(criteria), [*map(rows, numbers), nobody])
    there = list(gather(pickle.loads(pickle.dumps(list(elsewhere))), Inspector(criteria)))
    assert here == there
    document = there[-1].document
    assert document["counts"]["objects"] == 2 * len(numbers)
    found = fault(document, "302")
    assert found is not None
    # Of equals the earlier are named, whoever found them.
    assert [one["id"] for one in found["worst"]][:2] == ["made:0-open", "made:1-open"]


def test_the_store_gives_the_checks_what_the_reader_gave_them() -> None:
    import pyarrow as pa

    objects = [
        building("1", geometry_of("Solid", cube()[1:])),
        CityObject("made:2", "Road", place=shapely.Point(1.0, 2.0)),
        building("3", geometry_of("MultiSolid", [*cube(), *cube((30, 0, 0))], shells=[6, 12], solids=[1, 2])),
        building("4", geometry_of("Solid", [*cube(), *cube((3, 3, 3), 2)], shells=[6, 12])),
    ]
    tables = [pa.Table.from_batches([batch]) for batch in objects_to_columns(objects)]
    shuffled = tables[1].take(pa.array([2, 0, 1]))
    (rows,) = batches_of(tables[0], shuffled)
    direct = objects_to_rows(objects)
    assert rows.ids == direct.ids
    for name in ("owners", "coordinates", "vertices", "rings", "surfaces", "ring_counts", "surface_counts"):
        assert np.array_equal(getattr(rows.geometries, name), getattr(direct.geometries, name)), name
    assert rows.geometries.kinds == direct.geometries.kinds
    one, two = Inspector(), Inspector()
    assert one.look(rows) == two.look(direct) == {0: ("302",), 3: ("405",)}


def test_the_text_names_every_fault() -> None:
    document = report_of(building("1", geometry_of("Solid", cube()[1:]), height_m=-2.0))
    lines = "\n".join(report_lines({**document, "title": "a.json", "dataset": "made", "baseline_version": 3}))
    assert "302 SHELL_NOT_CLOSED" in lines
    assert "height-not-positive" in lines
    assert "made:1  40 m" in lines
