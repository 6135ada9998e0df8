"""What is selected of a source: by place in degrees and by value, the same for objects and for rows."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
import shapely

from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityObject
from cim.city.rows import ObjectRows, geometry_rows
from cim.errors import InvalidInput
from cim.findings import Finding
from cim.geometry.surfaces import multi_surface
from ingest.records import SourceHeader
from ingest.selection import Selection, read_selection, selected
from tests.support.city_records import objects_of

HEADER = SourceHeader("t", "EPSG:32632", None, "flat", "", "", "r", "1")
WITHIN = (8.99, 47.99, 9.01, 48.01)
MIDDLE = (500_000.0, 5_316_300.0)  # about 9 E, 48 N


def square(number, east_m, kind="tree"):
    x, y = MIDDLE[0] + east_m, MIDDLE[1]
    ring = np.array([[x, y, 0], [x + 5, y, 0], [x + 5, y + 5, 0], [x, y + 5, 0]], dtype=float)
    return CityObject(
        f"t:{number}",
        "Building",
        shapely.Polygon(ring[:, :2]),
        (multi_surface("1", [[ring]] * (number % 3 + 1)),) if number % 4 else (),
        {"class": Attribute(kind), "height_m": Attribute(3.0, "m")},
    )


OBJECTS = [square(number, 300.0 * number, "tree" if number % 2 else "wood") for number in range(12)]


def as_rows(objects):
    table, _ = objects_to_columns(objects)
    owned = [(row, geometry) for row, one in enumerate(objects) for geometry in one.geometries]
    return ObjectRows(
        [one.id for one in objects],
        [one.type for one in objects],
        [one.parent_id for one in objects],
        table["attributes"].to_pylist(),
        np.array([one.place for one in objects], dtype=object),
        geometry_rows([one for _, one in owned], [row for row, _ in owned], [None] * len(owned)),
    )


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), range(12)),
        (Selection(WITHIN), range(3)),
        (Selection(None, {"class": frozenset({"tree"})}), range(1, 12, 2)),
        (Selection(WITHIN, {"class": frozenset({"tree", "bush"})}), [1]),
        (Selection(None, {"nothing": frozenset({"x"})}), []),
    ],
)
def test_objects_and_rows_alike(selection, wanted):
    for records in ([HEADER, *OBJECTS], [HEADER, as_rows(OBJECTS[:7]), as_rows(OBJECTS[7:])]):
        found = list(selected(records, selection))
        kept = objects_of(found)
        assert list(kept) == [f"t:{number}" for number in wanted]
        for number in wanted:
            was, now = OBJECTS[number], kept[f"t:{number}"]
            assert [one.coordinates.tolist() for one in now.geometries] == [
                one.coordinates.tolist() for one in was.geometries
            ]
            assert now.place.equals(was.place)
            assert now.attributes == dict(was.attributes)
        left_out = [one.measured for one in found if isinstance(one, Finding)]
        assert left_out == ([12.0 - len(list(wanted))] if len(list(wanted)) < 12 else [])


def test_the_citys_words_take_the_place_of_the_sources():
    selection = Selection(words={"class": {"tree": "oak", "bush": "x"}, "nobody": {"3.0": "y"}, "height_m": {"9": "z"}})
    for records in ([HEADER, *OBJECTS], [HEADER, as_rows(OBJECTS)]):
        kept = objects_of(selected(records, selection))
        assert [one.attributes["class"].value for one in kept.values()] == ["wood", "oak"] * 6
        assert {one.attributes["height_m"] for one in kept.values()} == {Attribute(3.0, "m")}


def test_a_part_goes_with_its_parent():
    parent = square(9, 9_000.0)
    part = CityObject("t:part", "BuildingPart", None, parent.geometries, parent_id=parent.id)
    lone = CityObject("t:lone", "BuildingPart", None, parent.geometries, parent_id="t:0")
    assert list(objects_of(selected([HEADER, OBJECTS[0], parent, part, lone], Selection(WITHIN)))) == ["t:0", "t:lone"]


@pytest.mark.parametrize(
    "said",
    [
        3, {"x": 1}, {"within": [1, 2, 3]}, {"within": [1, 2, 0, 3]}, {"within": [1, 95, 2, 99]}, {"within": "x"},
        {"within": [None, 1, 2, 3]}, {"where": 3}, {"where": {"a": "b"}},
        {"words": []}, {"words": {"a": 3}}, {"words": {"a": {"b": 3}}}, {"words": {"a": {"b": "\n"}}},
    ],
)  # fmt: skip
def test_what_cannot_be_selected_by_is_refused(said):
    with pytest.raises(InvalidInput) as caught:
        read_selection(orjson.dumps(said).decode())
    assert caught.value.problem_code == "selection"


def test_a_selection_is_read():
    assert read_selection('{"within":[9,48,10,49],"where":{"a":[1]}}') == Selection(
        (9.0, 48.0, 10.0, 49.0), {"a": frozenset({"1"})}
    )
    with pytest.raises(InvalidInput):
        read_selection("{")


def test_what_a_reader_has_parsed_is_not_believed_where_words_were_changed():
    rows = replace(as_rows(OBJECTS), parsed=[{"class": {"v": "wood"}}] * len(OBJECTS))
    found = list(selected([HEADER, rows], Selection(words={"class": {"wood": "forest"}})))
    (worded,) = [one for one in found if isinstance(one, ObjectRows)]
    assert '"forest"' in worded.attributes[0]
    assert worded.parsed is None
