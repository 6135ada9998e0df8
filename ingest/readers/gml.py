"""CityGML 1.0, 2.0 and 3.0, and the rooms of IndoorGML 1.0 (see docs/citygml.md).

The file is read feature by feature, triangles of reliefs one by one.  Features that refer to others
of the file wait on disk; then the file is read again for what they refer to, as often as that
refers on.  Memory: one feature, one batch of objects, and the elements that are referred to.
"""

from __future__ import annotations

import mmap
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from lxml import etree

from cim.city.model import Quarantined
from cim.findings import Finding, to_discuss
from cim.geometry.crs import epsg_code
from ingest.readers.cityjson_batch import Decoder, RawObject
from ingest.readers.cityjson_source import LICENCE_UNSTATED, ObjectStream, id_twice
from ingest.readers.cityjson_templates import Templates
from ingest.readers.gml_crs import GmlPlace, gml_place
from ingest.readers.gml_look import Look, look_at
from ingest.readers.gml_objects import GmlObject, identify, objects_of
from ingest.readers.gml_relief import ReliefStream
from ingest.readers.gml_shapes import LinksMissing
from ingest.readers.gml_types import LEFT_OUT, MEMBERS
from ingest.readers.gml_xml import Element, events, forget, local, named_attribute
from ingest.readers.limits import XML_LINKED_BYTES_MAX, check_file_size, check_limit
from ingest.readers.source_crs import Projection, SourceCrs
from ingest.records import Progress, ReadContext, Record, SourceHeader

BATCH_OBJECTS: Final = 500
BATCH_VERTICES: Final = 200_000
"""Objects and vertices that are decoded together."""
PASSES_MAX: Final = 16
"""How often a file is read again for what its references lead to."""
_MARKS: Final = ("opengis.net/citygml", "opengis.net/indoorgml")
_PATCHES: Final = ("Triangle", "PolygonPatch", "Polygon")
_RELIEF: Final = ("TINRelief", "tin")
_TAGS: Final = tuple(f"{{*}}{name}" for name in (*MEMBERS, *LEFT_OUT, *_PATCHES, *_RELIEF))
RULE_LEFT_OUT: Final = "gml-left-out"
RULE_OPEN: Final = "gml-ring-open"
RULE_AXES: Final = "gml-axis-order"


class GmlReader:
    """Reads CityGML."""

    name = "citygml"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002 -- the bytes say enough
        """Tell by the namespace of the standard."""
        wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = head.decode("utf-16" if wide else "latin-1", "replace").lstrip("\ufeffï»¿ \t\r\n")
        return text.startswith("<") and any(mark in text for mark in _MARKS)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the objects."""
        size = check_file_size(path)
        look = look_at(path, context.source_crs)
        place = gml_place(look.srs_name, context.source_crs, look.position, context.working_crs)
        ground = "terrain" if _mentions(path, b"TINRelief") else "interpolated"
        yield SourceHeader(
            title=look.title or path.name,
            working_crs=place.project.working_crs,
            vertical_datum=place.project.source.vertical_datum,
            ground=ground,
            licence=LICENCE_UNSTATED,
            attribution="",
            reader=self.name,
            reader_version=self.version,
        )
        if place.exchanged:
            yield _finding(RULE_AXES, None, 1, crs=place.project.source.horizontal)
        with tempfile.TemporaryFile(prefix="cim-gml-") as spool:
            waiting = _Waiting(spool)
            reading = _Reading(path, context, look, place, waiting)
            yield from reading.features(size)
            yield from reading.linked()
            yield from reading.end()
        yield Progress(size, size, "bytes")


def _mentions(path: Path, word: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(word) >= 0


def _finding(rule: str, identifier: str | None, count: int, **params: str | int) -> Finding:
    return to_discuss(rule, "OGC 12-019", count, object_id=identifier, **params)


@dataclass(slots=True)
class _Waiting:
    """Features that refer to elements elsewhere in the file, on disk, and which elements they ask for."""

    spool: IO[bytes]
    sizes: list[int] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)

    def keep(self, feature: Element, ids: set[str]) -> None:
        self.sizes.append(self.spool.write(etree.tostring(feature)))
        self.wanted |= ids

    def features(self) -> Iterator[Element]:
        self.spool.seek(0)
        for size in self.sizes:
            yield _parsed(self.spool.read(size))


def _parsed(text: bytes) -> Element:
    return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


@dataclass(slots=True)
class _Reading:
    """One file on its way: features in, records out."""

    path: Path
    context: ReadContext
    look: Look
    place: GmlPlace
    waiting: _Waiting
    batch: list[GmlObject] = field(default_factory=list)
    vertices: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    stream: ObjectStream = field(init=False)

    def __post_init__(self) -> None:
        working = self.place.project.working_crs
        already = Projection(working, SourceCrs(epsg_code(working), "", 1.0, is_geographic=False))
        self.stream = ObjectStream(Decoder(self.context.dataset, Templates(), already))

    def features(self, size: int) -> Iterator[Record]:
        """Yield what each feature of the file gives."""
        relief = ReliefStream(self.context.dataset, self.place, self.look.dimension)
        told = 0
        for event, element, done in events(self.path, _TAGS):
            if event == "end":
                yield from self._ended(element, relief)
                if done != told:
                    told = done
                    yield Progress(done, size, "bytes")
            elif local(element) == "tin" and element.getparent() is not None:
                relief.begin(element.getparent())

    def _ended(self, element: Element, relief: ReliefStream) -> Iterator[Record]:
        """Yield what an element gives that is whole now, and let go of it."""
        name = local(element)
        if name in _PATCHES:
            if not relief.is_open:
                return
            yield from relief.triangle(element)
        elif name == "tin":
            yield from relief.end()
        elif name in LEFT_OUT:
            self.left_out[name] += 1
        elif name in MEMBERS:
            for feature in list(element):
                yield from self._take(feature)
        else:
            return
        forget(element)

    def _take(self, feature: Element, others: dict[str, Element] | None = None) -> Iterator[Record]:
        name = local(feature)
        if name in {"TINRelief", "ReliefFeature"}:
            return
        if name == "RasterRelief":
            yield Quarantined(identify(feature)[:80], "relief-raster", "Its heights are a picture in another file.")
            return
        stranger = self._other_crs(feature)
        if stranger is not None:
            yield Quarantined(identify(feature)[:80], "crs-mixed", f"It is in {stranger[:60]}, the file is not.")
            return
        try:
            found = objects_of(feature, self.look.dimension, others)
        except LinksMissing as missing:
            self.waiting.keep(feature, missing.ids)
            return
        for one in found:
            if isinstance(one, Quarantined):
                yield one
                continue
            self.batch.append(one)
            self.vertices += one.corners.count
            if one.corners.open_rings:
                identifier = f"{self.context.dataset}:{one.native_id}"
                yield _finding(RULE_OPEN, identifier, one.corners.open_rings)
        if len(self.batch) >= BATCH_OBJECTS or self.vertices >= BATCH_VERTICES:
            yield from self._flush()

    def _other_crs(self, feature: Element) -> str | None:
        """Return the CRS of a geometry that is not that of the file."""
        if self.context.source_crs is not None:
            return None
        named = {str(srs) for srs in feature.xpath(".//@srsName")}
        return next((srs for srs in sorted(named) if not self.look.is_same_crs(srs)), None)

    def _flush(self) -> Iterator[Record]:
        raws, places, shifts, start = [], [], [], 0
        for one in self.batch:
            raws.append(RawObject(one.native_id, one.body, (start, one.corners.count), one.units))
            places.extend(one.corners.places)
            shifts.extend(one.corners.shifts_m)
            start += one.corners.count
        self.batch, self.vertices = [], 0
        pool = np.concatenate(places) if places else np.empty((0, 3))
        with np.errstate(invalid="ignore", over="ignore"):
            placed = self.place(pool) + np.concatenate(shifts) if len(pool) else pool
        fresh = []
        for raw in raws:
            if self.stream.is_new(raw.native_id):
                fresh.append(raw)
            else:
                yield id_twice(raw.native_id)
        yield from self.stream.decode(fresh, placed)

    def linked(self) -> Iterator[Record]:
        """Read the file again for what features refer to, and yield those features."""
        if not self.waiting.sizes:
            return
        known: dict[str, Any] = {}
        size = 0
        wanted = self.waiting.wanted
        for _ in range(PASSES_MAX):
            if not wanted:
                break
            asked = wanted
            wanted = set()
            for identifier, text in self._elements(asked):
                size += len(text)
                check_limit("XML_LINKED_BYTES_MAX", size, XML_LINKED_BYTES_MAX, "The text that features refer to")
                known[identifier] = _parsed(text)
                hrefs = known[identifier].xpath(".//@*[local-name()='href']")
                wanted |= {h[1:] for h in hrefs if h.startswith("#") and h[1:] not in asked and h[1:] not in known}
        for feature in self.waiting.features():
            yield from self._take(feature, known)

    def _elements(self, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
        for event, element, _ in events(self.path, ("{*}*",)):
            if event == "end":
                identifier = named_attribute(element, "id")
                if identifier in wanted:
                    yield identifier, etree.tostring(element, with_tail=False)
                if local(element) in (*MEMBERS, *LEFT_OUT):
                    forget(element)

    def end(self) -> Iterator[Record]:
        """Yield what waited for more, and say what was not kept."""
        yield from self._flush()
        yield from self.stream.end()
        for name, count in sorted(self.left_out.items()):
            yield _finding(RULE_LEFT_OUT, None, count, element=name)
