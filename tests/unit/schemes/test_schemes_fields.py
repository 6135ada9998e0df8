"""Values in their one form, and what has none."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim.schemes.faults import EditRefused
from cim.schemes.fields import FIELDS, canonical
from cim.schemes.model import letter_of
from tests.support.scheme_base import SQUARE


@pytest.mark.parametrize(
    ("type_", "field", "given_", "form"),
    [
        ("Building", "ground_m", 2, 2.0),
        ("Building", "ground_m", -0.0, 0.0),
        ("Building", "ground_m", 2.00049, 2.0),
        ("Building", "storeys", ((3, "office"),), [[3.0, "office"]]),
        ("Building", "roof", {"type": "flat", "height_m": 9}, {"type": "flat", "height_m": 0.0}),
        ("Building", "roof", {"type": "gabled", "height_m": 4}, {"type": "gabled", "height_m": 4.0}),
        ("Building", "footprint", [[*SQUARE[0], SQUARE[0][0]]], SQUARE),
        ("Building", "footprint", [[[0, 0], [0, 0.0001], [20, 0], [20, 10], [0, 10]]], SQUARE),
        ("Building", "name", None, None),
        ("Road", "lanes", 2.0, 2),
        ("Road", "axis", [[0, 0], [1.23456, 2]], [[0.0, 0.0], [1.235, 2.0]]),
        ("SolitaryVegetationObject", "place", (1, 2), [1.0, 2.0]),
        ("+Main", "diameter_m", 0.3, 0.3),
    ],
)
def test_a_value_has_one_form(type_: str, field: str, given_: Any, form: Any) -> None:
    made = canonical(type_, field, given_)
    assert orjson.dumps(made) == orjson.dumps(form)
    assert orjson.dumps(canonical(type_, field, made)) == orjson.dumps(made)


@pytest.mark.parametrize(
    ("type_", "field", "value", "rule"),
    [
        ("Building", "ground_m", math.nan, "field-value"),
        ("Building", "ground_m", math.inf, "field-value"),
        ("Building", "ground_m", "2", "field-value"),
        ("Building", "ground_m", True, "field-value"),
        ("Building", "ground_m", 9_001, "field-limit"),
        ("Building", "storeys", [], "field-value"),
        ("Building", "storeys", [[3, "office"]] * 201, "field-limit"),
        ("Building", "storeys", [[1.0, "office"]], "field-limit"),
        ("Building", "storeys", [[3, "castle"]], "field-value"),
        ("Building", "storeys", [[3, ["office"]]], "field-value"),
        ("Building", "roof", {"type": "onion"}, "field-value"),
        ("Building", "roof", {"type": "gabled", "pitch": 3}, "field-value"),
        ("Building", "footprint", [[[0, 0], [10, 10], [10, 0], [0, 10]]], "footprint-invalid"),
        ("Building", "footprint", [[[0, 0], [10, 0], [20, 0]]], "footprint-invalid"),
        ("Building", "footprint", [[[0, 0], [10, 0]]], "field-value"),
        ("Building", "footprint", [[[0, 0], [1, 0], [math.nan, 1]]], "field-value"),
        ("Building", "footprint", [[[n, n * n] for n in range(3_000)]], "field-limit"),
        ("Building", "model", "../../etc/passwd", "field-value"),
        ("Building", "name", "a\nb", "field-value"),
        ("Building", "name", "x" * 201, "field-limit"),
        ("Building", "solar_share", 1.01, "field-limit"),
        ("Building", "colour", "red", "field-unknown"),
        ("Road", "lanes", 2.5, "field-value"),
        ("Road", "closed", 1, "field-value"),
        ("WaterBody", "footprint", SQUARE, "field-unknown"),
    ],
)
def test_what_has_no_form_is_refused(type_: str, field: str, value: Any, rule: str) -> None:
    with pytest.raises(EditRefused) as refused:
        canonical(type_, field, value)
    assert refused.value.findings[0].rule == rule


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from([(t, f) for t, fields in FIELDS.items() for f in fields]), json_values)
def test_anything_is_a_value_or_refused(key: tuple[str, str], value: Any) -> None:
    try:
        made = canonical(*key, value)
    except EditRefused:
        return
    assert canonical(*key, orjson.loads(orjson.dumps(made))) == made


def test_schemes_are_lettered_after_the_city_as_it_is() -> None:
    assert [letter_of(n) for n in (1, 2, 25, 26, 27, 51, 52)] == ["B", "C", "Z", "AA", "AB", "AZ", "BA"]
