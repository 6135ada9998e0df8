"""CityJSONSeq: a header line, then one CityJSONFeature per line (CityJSON 2.0.1, section 8).

Memory: one batch of lines and the ids; a line is at most ``FEATURE_BYTES_MAX``.  Batches of a large file are decoded by
processes beside the reader's, where it is given any, and made ready for the store there; what they give is taken in the
order of the file, and it is the reader that knows which ids came before and which parents wait for their children.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import orjson

from cim.city.model import Quarantined
from cim.city.rows import ObjectRows
from cim.errors import CimError, InvalidInput
from ingest.prepared import Prepare
from ingest.readers.cityjson_batch import FLATTENED_OBJECTS, Decoded, Decoder, Flat, RawObject
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
from tiles.crew import Crew

BATCH_BYTES: Final = 4 * 1024 * 1024
"""Text of features that are decoded together."""

LARGE_BYTES_MIN: Final = 2 * BATCH_BYTES
"""Text of features that are not decoded beside others: memory would grow with the number of processes."""

CREW_BYTES_MIN: Final = 128 * 1024 * 1024
"""Other processes take about as long to start as they save on a file of half of it."""


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
            decoder = Decoder(context.dataset, templates, way)
            stream = ObjectStream(decoder, appearances="appearance" in first)
            # Templates would go along with every batch.
            crew = context.crew if total >= CREW_BYTES_MIN and not templates.bodies else Crew(1)
            line_decoder = LineDecoder(decoder, transform, path, context.prepare if crew.workers > 1 else None)
            for lines, portion in _decoded(crew, line_decoder, file, stream):
                stream.appearances += portion.appearances
                yield from portion.faults
                yield from stream.take(portion.decoded)
                yield Progress(lines.stop, total, "bytes")
                # One batch at a time: the next is decoded before these names are given away.
                del lines, portion
            yield from stream.end()
            yield Progress(total, total, "bytes")


@dataclass(frozen=True, slots=True)
class Lines:
    """Text of whole lines that are decoded together, the ``first`` of that number, up to the byte ``stop`` of the file.

    ``known`` ids came before.
    """

    text: bytes
    first: int
    stop: int
    known: frozenset[str] = frozenset()

    def numbered(self) -> Iterator[tuple[int, bytes, bool]]:
        """Yield the lines that are not empty, each with its number, and whether it is whole: a file may be cut."""
        *whole, rest = self.text.split(b"\n")
        for number, line in enumerate(whole, self.first):
            if line and not line.isspace():
                yield number, line, True
        if rest and not rest.isspace():
            yield self.first + len(whole), rest, False


def _decoded(crew: Crew, decoder: LineDecoder, file: BinaryIO, stream: ObjectStream) -> Iterator[tuple[Lines, Portion]]:
    """Yield batches of lines with what they hold, in the order of the file, whoever decodes them."""
    ahead = _Ahead(_line_batches(file))
    while not ahead.is_over:
        for portion in chain(crew.run(decoder, ahead.shared()), map(decoder, ahead.alone())):
            lines = ahead.sent.popleft()
            known = stream.known(portion.native_ids)
            if known:
                # Ids that come again are rare: what they would push aside is found by decoding again without them.
                portion = decoder(replace(lines, known=known))  # noqa: PLW2901
            stream.remember(portion.native_ids)
            yield lines, portion
            del lines, portion


@dataclass(slots=True)
class _Ahead:
    """Batches of lines on their way: as many at once as somebody asks for, but one that is large goes alone."""

    batches: Iterator[Lines]
    sent: deque[Lines] = field(default_factory=deque)
    is_over: bool = False
    _large: Lines | None = None
    _fault: CimError | None = None

    def shared(self) -> Iterator[Lines]:
        """Yield batches up to a large one, to a fault or to the end."""
        try:
            for lines in self.batches:
                self.sent.append(lines)
                if len(lines.text) > LARGE_BYTES_MIN:
                    self._large = lines
                    return
                yield lines
        except CimError as error:
            # What was read before comes first.
            self._fault = error

    def alone(self) -> Iterator[Lines]:
        """Yield the large batch that stopped the others, once these are done; raise the fault that did."""
        large, self._large = self._large, None
        if self._fault is not None:
            raise self._fault
        self.is_over = large is None
        if large is not None:
            yield large


def _line_batches(file: BinaryIO) -> Iterator[Lines]:
    """Yield whole lines, as many as are decoded together, from the second line on."""
    number = 2
    while text := file.read(BATCH_BYTES):
        if text.count(b"\n") > BATCH_OBJECTS:
            rest = text.split(b"\n", BATCH_OBJECTS)[-1]
            file.seek(-len(rest), os.SEEK_CUR)
            text = text[: len(text) - len(rest)]
        if not text.endswith(b"\n"):
            # Only this line can be longer than a batch.
            begun = len(text) - text.rfind(b"\n") - 1
            rest = file.readline(max(1, FEATURE_BYTES_MAX + 1 - begun))
            last = number + text.count(b"\n")
            check_limit("FEATURE_BYTES_MAX", begun + len(rest), FEATURE_BYTES_MAX, f"The text of line {last} in bytes")
            text += rest
        yield Lines(text, number, file.tell())
        number += text.count(b"\n")


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
class Portion:
    """What some lines hold: the ids of all their objects, what is wrong with lines, and the objects."""

    native_ids: list[str] = field(default_factory=list)
    faults: list[Quarantined] = field(default_factory=list)
    decoded: list[Decoded | Quarantined] = field(default_factory=list)
    appearances: int = 0


@dataclass(frozen=True, slots=True)
class LineDecoder:
    """Decodes lines of one file; depends on nothing but them, so that it may run in any process."""

    decoder: Decoder
    transform: Transform
    path: Path
    prepare: Prepare | None = None

    def __call__(self, lines: Lines) -> Portion:
        """Return what the lines hold; raises :class:`InvalidInput` for a file that is cut or is two."""
        batch = _Batch(self.path, set(lines.known))
        flat: list[Flat | Quarantined] = []
        every = lines.numbered()
        # Whole batches: the collector must not stand still while nobody asks for more.
        with collection_paused():
            while some := list(islice(every, FLATTENED_OBJECTS)):
                for number, line, is_whole in some:
                    batch.add(line, number, is_whole=is_whole)
                rows = vertex_array(list(chain.from_iterable(batch.vertices)))
                pool = self.transform(rows) if len(rows) else np.empty((0, 3))
                flat.extend(self.decoder.flatten(batch.raws, pool))
                # What was parsed goes before the collector is back, or it would walk through all of it.
                batch.forget_parsed()
            batch.portion.decoded = [self._prepared(one) for one in self.decoder.settle(flat)]
        return batch.portion

    def _prepared(self, one: Decoded | Quarantined) -> Decoded | Quarantined:
        if self.prepare is None or isinstance(one, Quarantined) or not isinstance(one.rows, ObjectRows):
            return one
        return replace(one, rows=self.prepare(one.rows))


@dataclass(slots=True)
class _Batch:
    """Objects of some lines, and the vertices of their features one after the other."""

    path: Path
    seen: set[str]
    portion: Portion = field(default_factory=Portion)
    raws: list[RawObject] = field(default_factory=list)
    vertices: list[list[Any]] = field(default_factory=list)
    _rows: int = 0

    def forget_parsed(self) -> None:
        """Let go of what was parsed."""
        self.raws, self.vertices, self._rows = [], [], 0

    def add(self, line: bytes, number: int, *, is_whole: bool) -> None:
        """Parse one line; note what is wrong with it."""
        name = f"line {number}"
        try:
            feature = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not is_whole:
                # The last line of a file that was cut: what is missing cannot be known.
                raise damaged(self.path) from error
            self.portion.faults.append(Quarantined(name, "json-damaged", "The line is not JSON, or nested too deep."))
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
            self.portion.faults.append(Quarantined(name, "structure", "The line is not a CityJSONFeature."))
            return
        twice = member_twice(line, feature)
        if twice is not None:
            known = twice in objects
            self.portion.faults.append(
                Quarantined(twice[:80], "id-twice", f"{name} has this id twice.") if known else key_twice(name, twice)
            )
            return
        self.portion.appearances += "appearance" in feature
        window = (self._rows, len(vertices))
        for native_id, body in objects.items():
            if native_id in self.seen:
                self.portion.faults.append(id_twice(native_id))
                continue
            self.seen.add(native_id)
            self.portion.native_ids.append(native_id)
            self.raws.append(RawObject(native_id, body, window))
        self.vertices.append(vertices)
        self._rows += len(vertices)
