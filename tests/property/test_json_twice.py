"""A member that stands twice is found whatever the text looks like, and nothing else is."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers.json_twice import member_twice

WORDS = st.text(alphabet='ab:"\\{}, é', max_size=4)
VALUES = st.recursive(
    st.one_of(WORDS, st.integers(-9, 9), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
TEXTURES = st.dictionaries(WORDS, st.fixed_dictionaries({"values": VALUES}) | VALUES, max_size=2) | VALUES
GEOMETRY = st.fixed_dictionaries({"boundaries": VALUES, "semantics": VALUES}, optional={"texture": TEXTURES}) | VALUES
BODIES = st.fixed_dictionaries({"attributes": VALUES, "geometry": st.lists(GEOMETRY, max_size=2)}) | VALUES
FEATURES = st.fixed_dictionaries(
    {"CityObjects": st.dictionaries(WORDS, BODIES, max_size=2), "vertices": VALUES, "id": WORDS},
    optional={"appearance": st.fixed_dictionaries({"vertices-texture": VALUES}) | VALUES},
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (",", " :"), (",", "\n:")])


def in_disguise(text):
    """Write every quote and colon inside of strings as an escape."""
    out, inside, at = [], False, 0
    while at < len(text):
        step = 2 if text[at] == "\\" else 1
        piece = text[at : at + step]
        if inside and piece in {'\\"', ":"}:
            out.append("\\u0022" if step == 2 else "\\u003A")
        else:
            inside ^= piece == '"'
            out.append(piece)
        at += step
    return "".join(out)


@given(FEATURES | BODIES, SEPARATORS, st.booleans(), st.booleans())
def test_nothing_twice(value, separators, ascii_only, disguised):
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    text = in_disguise(text) if disguised else text
    assert orjson.loads(text) == value
    assert member_twice(text.encode(), value) is None


@given(FEATURES, SEPARATORS, st.booleans(), WORDS, VALUES, VALUES)
def test_a_member_twice(feature, separators, disguised, key, one, two):
    pair = "{" + ",".join(f"{json.dumps(key)}{separators[1]}{json.dumps(value)}" for value in (one, two)) + "}"
    for place in ("CityObjects", "vertices", "id"):
        text = json.dumps({**feature, place: "PAIR"}, separators=separators).replace('"PAIR"', pair)
        text = in_disguise(text) if disguised else text
        assert member_twice(text.encode(), orjson.loads(text)) is not None


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":"\\u0022:"}',
        '{"a":1,"a":"\\u003a"}',
        '{"geometry":[{"boundaries":{"a":1,"a":2}}]}',
        '{"geometry":[{"boundaries":0,"texture":{"t":{"values":{"a":1,"a":2}}}}]}',
        '{"appearance":{"vertices-texture":{"a":1,"a":2}}}',
    ],
)
def test_counts_that_could_make_up_for_each_other(text):
    assert member_twice(text.encode(), orjson.loads(text)) == "a"
