"""The scanner finds what a parser finds, however the text is written and wherever a chunk ends."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import json_scan
from ingest.readers.json_scan import UnclosedJson, members

texts = st.text(alphabet=st.sampled_from('ab"\\{}[],: \n\t\u00e9\U0001f600'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(texts, values, max_size=5)


@settings(max_examples=300, deadline=None)
@given(documents, st.sampled_from([None, 1, 4]), st.booleans(), st.integers(1, 40))
def test_members_are_those_of_a_parser(document, indent, ascii_only, chunk):
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    whole = json_scan.CHUNK_BYTES
    try:
        json_scan.CHUNK_BYTES = chunk
        found = list(members(text))
    finally:
        json_scan.CHUNK_BYTES = whole
    assert [member.key for member in found] == list(document)
    assert [json.loads(member.value(text)) for member in found] == list(document.values())


@settings(max_examples=100, deadline=None)
@given(documents, st.data())
def test_a_text_that_ends_early_is_refused(document, data):
    text = json.dumps(document).encode()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(UnclosedJson):
        list(members(text[:cut]))


def test_an_id_twice_is_seen_twice():
    assert [member.key for member in members(b'{"a":1,"b":{},"a":2}')] == ["a", "b", "a"]
