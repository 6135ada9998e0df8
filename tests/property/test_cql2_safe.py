"""No text is ever part of the SQL, and whatever is asked is answered or refused by name."""

from __future__ import annotations

import re

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim.errors import InvalidInput
from cim.features.conditions import Named
from cim.features.cql2_sql import compiled
from cim.features.cql2_tree import read_filter
from cim.features.model import ItemsQuery
from tests.support.feature_city import MemorySource

SOURCE = MemorySource()
NAMES = [Named("name", "string"), Named("height_m", "number"), Named("generated", "boolean")]
COLUMNS = SOURCE.members()["buildings"].columns
SAFE = re.compile(
    r"(?:\(|\)|[ap]\d+|\?|,| |=|<>|<=|>=|<|>|AND|OR|NOT|LIKE|ESCAPE|'\\'|BETWEEN|IN|IS|NULL|TRUE|FALSE"
    r"|lower|strip_accents)+"
)
texts = st.text(max_size=30) | st.sampled_from(
    ["'; DROP TABLE features; --", "x' OR '1'='1", "%", "_", "\\", "\0", "p0", "/*", "$1", "?"]
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@st.composite
def conditions(draw, depth: int = 0):
    kind = draw(st.integers(0, 8 if depth < 4 else 5))
    text = quoted(draw(texts))
    number = draw(st.integers(-1000, 1000) | st.floats(-1e6, 1e6).map(lambda v: round(v, 3)))
    simple = [
        f"name = {text}",
        f"CASEI(name) <> CASEI({text})",
        f"height_m >= {number}",
        f"name IN ({text}, {text})",
        "name IS NULL",
        f"S_INTERSECTS(geometry, POINT({abs(number) % 90} 60.1))",
    ]
    if kind < 6:
        return simple[kind]
    inner = [draw(conditions(depth + 1)) for _ in range(2)]
    return [f"({inner[0]} AND {inner[1]})", f"({inner[0]} OR {inner[1]})", f"NOT ({inner[0]})"][kind - 6]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions())
def test_sql_holds_only_words_of_our_own(text: str) -> None:
    try:
        condition = read_filter(text, "cql2-text", NAMES)
    except InvalidInput:
        return
    made = compiled([condition], COLUMNS)
    assert SAFE.fullmatch(made.sql), made.sql
    assert made.sql.count("?") == len(made.parameters)
    SOURCE.items("buildings", ItemsQuery(where=(condition,)))
    assert len(SOURCE.items("buildings", ItemsQuery(limit=1000)).features) == 250, "the features are all there still"


@settings(max_examples=150, deadline=None)
@given(texts)
def test_a_text_is_found_as_it_is(text: str) -> None:
    try:
        condition = read_filter(f"name = {quoted(text)}", "cql2-text", NAMES)
    except InvalidInput:
        return
    assert compiled([condition], COLUMNS).parameters == [text]


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60) | st.text(alphabet="()'\"=<>+-*/^ ANDORTLIKEnameht_m0123456789,.:{}[]", max_size=80),
    st.sampled_from(["cql2-text", "cql2-json"]),
)
def test_any_text_is_read_or_refused(text: str, lang: str) -> None:
    try:
        condition = read_filter(text, lang, NAMES)
    except InvalidInput as refused:
        code = refused.problem_code
    else:
        SOURCE.items("buildings", ItemsQuery(where=(condition,)))
        code = "filter"
    assert code in ("filter", "filter-property", "filter-limit")


@pytest.mark.parametrize("depth", [1, 8, 30])
def test_shapes_may_be_of_any_kind(depth: int) -> None:
    ring = shapely.Point(24.95, 60.15).buffer(0.03, quad_segs=depth)
    line = shapely.LineString(ring.exterior.coords)
    for made in (ring, line, shapely.MultiPoint(ring.exterior.coords), shapely.MultiPolygon([ring])):
        text = shapely.to_wkt(made, rounding_precision=5)
        shape = shapely.from_wkt(text)
        condition = read_filter(f"S_INTERSECTS(geometry, {text})", "cql2-text", NAMES)
        found = {one.id for one in SOURCE.items("buildings", ItemsQuery(limit=1000, where=(condition,))).features}
        assert found == {one.id for one in SOURCE.features["buildings"] if one.geometry.intersects(shape)}
