from __future__ import annotations

import gzip

import brotli
import pytest

from cim.web.encodings import choose_coding, encode, entity_tag, has_entity, is_compressible


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("GZIP;Q=1", "gzip"),
        ("br;q=nonsense", None),
    ],
)
def test_the_coding_follows_the_weights(accept: str, expected: str | None) -> None:
    assert choose_coding(accept) == expected


def test_a_coding_that_is_not_at_hand_is_not_chosen() -> None:
    assert choose_coding("br, gzip;q=0.1", ("gzip",)) == "gzip"


def test_encoding_is_undone_by_the_reference_decoders_and_repeatable() -> None:
    body = b"city " * 1000
    assert brotli.decompress(encode(body, "br")) == body
    assert gzip.decompress(encode(body, "gzip")) == body
    assert encode(body, "gzip") == encode(body, "gzip")


def test_each_coding_has_its_own_validator() -> None:
    tags = {entity_tag("abc", None), entity_tag("abc", "br"), entity_tag("abc", "gzip")}
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("header", "known"),
    [(None, False), ('"abc"', True), ('W/"abc"', True), ('"x", "abc"', True), ("*", True), ('"abc-br"', False)],
)
def test_if_none_match(header: str | None, known: bool) -> None:
    assert has_entity(header, '"abc"') is known


def test_event_streams_and_pictures_are_left_alone() -> None:
    assert not is_compressible("text/event-stream; charset=utf-8")
    assert not is_compressible("image/png")
    assert is_compressible("application/vnd.oai.openapi+json;version=3.0")
