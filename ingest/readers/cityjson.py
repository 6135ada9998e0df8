"""CityJSON 1.0, 1.1 and 2.0 documents (https://www.cityjson.org/specs/2.0.1/).

The document is one JSON value, so it is mapped, not read: a scan finds where its members lie, the
vertices become one array, and each object is parsed on its own.  Memory: 24 bytes per vertex of the
file, the ids, and one batch of objects; the text itself stays in the page cache.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from ingest.readers.cityjson_batch import FLATTENED_OBJECTS, Decoder, Flat, RawObject
from ingest.readers.cityjson_source import (
    BATCH_OBJECTS,
    ObjectStream,
    check_version,
    header,
    id_twice,
    key_twice,
    read_transform,
    way_in,
)
from ingest.readers.cityjson_templates import read_templates
from ingest.readers.cityjson_vertices import Vertices, read_vertices
from ingest.readers.collection import collection_paused
from ingest.readers.damage import damaged
from ingest.readers.json_scan import Member, UnclosedJson, members
from ingest.readers.json_twice import member_twice
from ingest.readers.limits import FEATURE_BYTES_MAX, VERTICES_BYTES_MAX, check_file_size, check_limit
from ingest.records import Progress, ReadContext, Record

_MARKS: Final = (b'"CityJSON"', b'"CityObjects"')
BATCH_BYTES: Final = 8 * 1024 * 1024
"""Text of objects that are parsed together."""


class CityJsonReader:
    """Reads a CityJSON document."""

    name = "cityjson"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the words of the standard."""
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return text.startswith(b"{") and any(mark in text for mark in _MARKS) and b'"CityJSONFeature"' not in text

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the objects in the order of the file."""
        size = check_file_size(path)
        if size == 0:
            raise damaged(path)
        with path.open("rb") as file:
            # Not closed by hand: arrays that look into the map may still be held by an error on its way.
            text = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            try:
                yield from self._read(text, path, context)
            except UnclosedJson as error:
                raise damaged(path) from error

    def _read(self, text: memoryview, path: Path, context: ReadContext) -> Iterator[Record]:
        top = _top_members(text, path)
        check_version(_parsed(text, top.get("type"), path), _parsed(text, top.get("version"), path), path)
        metadata = _parsed(text, top.get("metadata"), path)
        transform = read_transform(_parsed(text, top.get("transform"), path))
        way = way_in(metadata, transform, context)
        templates = read_templates(_parsed(text, top.get("geometry-templates"), path))
        objects, listed = top.get("CityObjects"), top.get("vertices")
        if objects is None or listed is None:
            raise damaged(path)
        check_limit("VERTICES_BYTES_MAX", listed.stop - listed.start, VERTICES_BYTES_MAX, "The text of the vertices")
        pool = transform(read_vertices(text, listed.start, listed.stop))
        yield header(path, metadata, way, self.name, self.version)
        stream = ObjectStream(Decoder(context.dataset, templates, way), appearances="appearance" in top)
        start, stop = _trimmed(text, objects)
        for batch in _member_batches(members(text, start, stop)):
            # Whole batches, not a generator: the collector must not stand still while nobody asks for more.
            yield from _decode(text, batch, stream, pool)
            yield Progress(batch[-1].stop - start, stop - start, "bytes")
        yield from stream.end()
        yield Progress(stop - start, stop - start, "bytes")


def _member_batches(found: Iterator[Member]) -> Iterator[list[Member]]:
    """Yield objects, as many as are decoded together."""
    batch: list[Member] = []
    size = 0
    for member in found:
        batch.append(member)
        size += member.stop - member.start
        if len(batch) >= BATCH_OBJECTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _decode(text: memoryview, batch: list[Member], stream: ObjectStream, pool: Vertices) -> list[Record]:
    with collection_paused():
        window = (0, len(pool))
        faults: list[Record] = []
        flat: list[Flat | Quarantined] = []
        for start in range(0, len(batch), FLATTENED_OBJECTS):
            found = [_raw(text, member, stream, window) for member in batch[start : start + FLATTENED_OBJECTS]]
            faults.extend(one for one in found if isinstance(one, Quarantined))
            flat.extend(stream.decoder.flatten([one for one in found if isinstance(one, RawObject)], pool))
            # What was parsed goes before the collector is back, or it would walk through all of it.
            del found
        return [*faults, *stream.take(stream.decoder.settle(flat))]


def _top_members(text: memoryview, path: Path) -> dict[str, Member]:
    start = 3 if bytes(text[:3]) == b"\xef\xbb\xbf" else 0
    found: dict[str, Member] = {}
    for member in members(text, start):
        if member.key in found:
            raise InvalidInput(
                f"{path.name} has the member {member.key[:40]!r} twice; nothing of it was taken in.",
                hint="Write the file anew with one of them.",
                code="member-twice",
                member=member.key[:40],
            )
        found[member.key] = member
    return found


def _trimmed(text: memoryview, member: Member) -> tuple[int, int]:
    """Return where a value really starts and stops, without white space and comma."""
    start, stop = member.start, member.stop
    while start < stop and text[start] in b" \t\r\n":
        start += 1
    while stop > start and text[stop - 1] in b" \t\r\n,":
        stop -= 1
    return start, stop


def _parsed(text: memoryview, member: Member | None, path: Path) -> Any:
    if member is None:
        return None
    check_limit("FEATURE_BYTES_MAX", member.stop - member.start, FEATURE_BYTES_MAX, f"The text of {member.key[:40]!r}")
    try:
        return orjson.loads(member.value(text))
    except orjson.JSONDecodeError as error:
        raise damaged(path) from error


def _raw(text: memoryview, member: Member, stream: ObjectStream, window: tuple[int, int]) -> RawObject | Quarantined:
    if not stream.is_new(member.key):
        return id_twice(member.key)
    if member.stop - member.start > FEATURE_BYTES_MAX:
        return Quarantined(member.key[:80], "feature-bytes-max", "The text of the object is over FEATURE_BYTES_MAX.")
    value = member.value(text)
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError:
        return Quarantined(member.key[:80], "json-damaged", "The text of the object is not JSON, or nested too deep.")
    twice = member_twice(value, body)
    if twice is not None:
        return key_twice(member.key, twice)
    return RawObject(member.key, body, window)
