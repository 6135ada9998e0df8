"""CityJSONSeq: a header line, then one CityJSONFeature per line (CityJSON 2.0.1, section 8).

Memory: one batch of lines and the ids; a line is at most ``FEATURE_BYTES_MAX``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import orjson

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from ingest.readers.cityjson_batch import RawObject
from ingest.readers.cityjson_source import (
    BATCH_OBJECTS,
    ObjectStream,
    Transform,
    check_version,
    header,
    id_twice,
    key_twice,
    read_transform,
    way_in,
)
from ingest.readers.cityjson_templates import read_templates
from ingest.readers.cityjson_vertices import vertex_array
from ingest.readers.collection import collection_paused
from ingest.readers.damage import damaged
from ingest.readers.json_twice import member_twice
from ingest.readers.limits import FEATURE_BYTES_MAX, check_file_size, check_limit
from ingest.records import Progress, ReadContext, Record

BATCH_BYTES: Final = 8 * 1024 * 1024
"""Text of features that are decoded together."""


class CityJsonSeqReader:
    """Reads CityJSONSeq (.city.jsonl)."""

    name = "cityjsonseq"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell by the words of the standard, and by the name where a long header hides the second line."""
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not text.startswith(b"{") or b'"CityJSON"' not in text.partition(b"\n")[0]:
            return False
        return b'"CityJSONFeature"' in text or ".jsonl" in path.name.lower()

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the objects of each feature."""
        total = check_file_size(path)
        with path.open("rb") as file:
            first = _first_line(file, path)
            metadata = first.get("metadata")
            transform = read_transform(first.get("transform"))
            way = way_in(metadata, transform, context)
            yield header(path, metadata, way, self.name, self.version)
            templates = read_templates(first.get("geometry-templates"))
            stream = ObjectStream(context.dataset, templates, way, appearances="appearance" in first)
            for lines in _line_batches(file):
                # Whole batches, not a generator: the collector must not stand still while nobody asks for more.
                yield from _decode(lines, stream, transform, path)
                yield Progress(file.tell(), total, "bytes")
            yield from stream.end()
            yield Progress(total, total, "bytes")


def _line_batches(file: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """Yield numbered lines, as many as are decoded together."""
    lines: list[tuple[int, bytes]] = []
    size = 0
    number = 1
    while line := file.readline(FEATURE_BYTES_MAX + 1):
        number += 1
        check_limit("FEATURE_BYTES_MAX", len(line), FEATURE_BYTES_MAX, f"The text of line {number} in bytes")
        if not line.isspace():
            lines.append((number, line))
            size += len(line)
        if len(lines) >= BATCH_OBJECTS or size >= BATCH_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _decode(lines: list[tuple[int, bytes]], stream: ObjectStream, transform: Transform, path: Path) -> list[Record]:
    with collection_paused():
        batch = _Batch(stream, path)
        for number, line in lines:
            batch.add(line, number)
        rows = vertex_array(list(chain.from_iterable(batch.vertices)))
        pool = transform(rows) if len(rows) else np.empty((0, 3))
        records = [*batch.faults, *stream.decode(batch.raws, pool)]
        # What was parsed goes before the collector is back, or it would walk through all of it.
        del batch
    return records


def _first_line(file: BinaryIO, path: Path) -> dict[str, Any]:
    line = file.readline(FEATURE_BYTES_MAX + 1).removeprefix(b"\xef\xbb\xbf")
    check_limit("FEATURE_BYTES_MAX", len(line), FEATURE_BYTES_MAX, "The text of the first line in bytes")
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise damaged(path) from error
    if not isinstance(first, dict):
        raise damaged(path)
    check_version(first.get("type"), first.get("version"), path)
    return first


@dataclass(slots=True)
class _Batch:
    """Objects of some lines, and the vertices of their features one after the other."""

    stream: ObjectStream
    path: Path
    raws: list[RawObject] = field(default_factory=list)
    vertices: list[list[Any]] = field(default_factory=list)
    faults: list[Quarantined] = field(default_factory=list)
    _rows: int = 0

    def add(self, line: bytes, number: int) -> None:
        """Parse one line; note what is wrong with it."""
        name = f"line {number}"
        try:
            feature = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not line.endswith(b"\n"):
                # The last line of a file that was cut: what is missing cannot be known.
                raise damaged(self.path) from error
            self.faults.append(Quarantined(name, "json-damaged", "The line is not JSON, or nested too deep."))
            return
        kind = feature.get("type") if isinstance(feature, dict) else None
        if kind == "CityJSON":
            raise InvalidInput(
                f"Line {number} of {self.path.name} starts a second CityJSON stream.",
                hint="Ingest the streams as files of their own.",
                code="stream-twice",
                line=number,
            )
        objects = feature.get("CityObjects") if kind == "CityJSONFeature" else None
        vertices = feature.get("vertices") if kind == "CityJSONFeature" else None
        if not isinstance(objects, dict) or not isinstance(vertices, list):
            self.faults.append(Quarantined(name, "structure", "The line is not a CityJSONFeature."))
            return
        twice = member_twice(line, feature)
        if twice is not None:
            known = twice in objects
            self.faults.append(
                Quarantined(twice[:80], "id-twice", f"{name} has this id twice.") if known else key_twice(name, twice)
            )
            return
        self.stream.appearances += "appearance" in feature
        window = (self._rows, len(vertices))
        for native_id, body in objects.items():
            if self.stream.is_new(native_id):
                self.raws.append(RawObject(native_id, body, window))
            else:
                self.faults.append(id_twice(native_id))
        self.vertices.append(vertices)
        self._rows += len(vertices)
