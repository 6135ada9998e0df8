"""Field mappings: declared in TOML or JSON, guessed from names in four languages, refused with what is wrong."""

import orjson
import pytest

from cim.errors import InvalidInput
from ingest.mapping import as_members, complete, mapping_of, read_mapping

TOML = b"""
type = "Building"
id = "KEY"
licence = "CC0-1.0"
[attributes]
height_m = {column = "H", unit = "ft"}
name = "N"
[layers."trees*"]
type = "SolitaryVegetationObject"
"""


def test_toml_and_json_say_the_same():
    said = {
        "type": "Building", "id": "KEY", "licence": "CC0-1.0",
        "attributes": {"height_m": {"column": "H", "unit": "ft"}, "name": "N"},
        "layers": {"trees*": {"type": "SolitaryVegetationObject"}},
    }  # fmt: skip
    mapping = read_mapping(TOML, "m.toml")
    assert mapping == mapping_of(said) == read_mapping(orjson.dumps(said), "m.json")
    assert mapping.of("trees 2026").type == "SolitaryVegetationObject"
    assert mapping.of("anything").attributes["height_m"].metres == pytest.approx(0.3048)


@pytest.mark.parametrize(
    "said",
    [
        [], {"typ": "Building"}, {"type": "House"}, {"type": 5}, {"attributes": []}, {"attributes": {"height_m": 5}},
        {"attributes": {"height_m": {"column": "h", "unit": "furlong"}}}, {"attributes": {"a b": "h"}},
        {"attributes": {"name": {"column": "h", "unit": "ft"}}}, {"layers": {"a": {"licence": "x"}}},
        {"type": {"column": "c", "values": {"x": "House"}}}, {"keep": "yes"}, {"id": "x" * 3000}, {"layers": []},
    ],
)  # fmt: skip
def test_what_is_no_mapping_is_refused(said):
    with pytest.raises(InvalidInput) as caught:
        mapping_of(said)
    assert caught.value.problem_code == "mapping"
    assert caught.value.hint


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"a = ", b"x" * 2_000_000, b'{"a":' * 100_000])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidInput):
        read_mapping(text, "m")


@pytest.mark.parametrize(
    ("layer", "dimension", "columns", "type_", "attributes"),
    [
        ("Gebäude", "area", ["Geschosse", "Baujahr", "Nutzung"], "Building",
         {"storeys_above_ground": "Geschosse", "year_of_construction": "Baujahr", "function": "Nutzung"}),
        ("建筑", "area", ["层数", "建筑高度", "名称"], "Building",
         {"height_m": "建筑高度", "storeys_above_ground": "层数", "name": "名称"}),
        ("建物", "area", ["計測高さ", "地上階数"], "Building",
         {"height_m": "計測高さ", "storeys_above_ground": "地上階数"}),
        ("x", "area", ["NUM_FLOORS", "HEIGHT_FT"], "Building",
         {"height_m": "HEIGHT_FT", "storeys_above_ground": "NUM_FLOORS"}),
        ("ward_2", "area", ["PID_LONG"], "+Parcel", {}),
        ("wards", "area", ["NAME"], "+District", {"name": "NAME"}),
        ("centerlines", "line", ["ST_NAME"], "Road", {"name": "ST_NAME"}),
        ("Bäume", "point", ["kronendurchmesser"], "SolitaryVegetationObject",
         {"crown_diameter_m": "kronendurchmesser"}),
        ("hydrants", "point", [], "CityFurniture", {}),
        ("things", "area", ["a"], "+GenericCityObject", {}),
    ],
)  # fmt: skip
def test_well_known_names_are_guessed(layer, dimension, columns, type_, attributes):
    mapping = complete(None, layer, dimension, columns)
    assert mapping.type == type_
    assert {target: rule.column for target, rule in mapping.attributes.items()} == attributes
    # What is guessed can be written down and read again.
    assert complete(mapping_of(as_members(mapping)).default, layer, dimension, columns) == mapping


def test_units_are_guessed_from_names():
    assert complete(None, "b", "area", ["height_ft"]).attributes["height_m"].unit == "ft"
    assert complete(None, "b", "area", ["height"]).attributes["height_m"].unit == "m"


def test_a_column_identifies_only_where_its_values_differ():
    assert complete(None, "b", "area", ["OBJECTID", "name"]).id is None
    assert complete(None, "b", "area", ["OBJECTID", "name"], unique=["OBJECTID"]).id == "OBJECTID"


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(InvalidInput) as caught:
        complete(mapping_of({"id": "KEY"}).default, "b", "area", ["a", "b"])
    assert caught.value.problem_code == "mapping-column"
    assert "a, b" in caught.value.hint
