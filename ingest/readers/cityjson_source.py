"""What CityJSON documents and CityJSONSeq streams have in common: version, transform, header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.city.model import Quarantined
from cim.errors import InvalidInput, UnsupportedFormat
from cim.findings import to_discuss
from ingest.readers.cityjson_batch import Decoded, Decoder, RawObject
from ingest.readers.cityjson_families import Families
from ingest.readers.cityjson_vertices import Vertices
from ingest.readers.source_crs import Projection, projection, source_crs
from ingest.records import ReadContext, Record, SourceHeader

VERSIONS: Final = ("1.0", "1.1", "2.0")
BATCH_OBJECTS: Final = 2_000
"""Objects that are decoded together."""

LICENCE_UNSTATED: Final = "unstated"


def check_version(kind: Any, version: Any, path: Path) -> None:
    """Raise :class:`UnsupportedFormat` unless a document says that it is CityJSON of a known version."""
    known = isinstance(version, str) and version.startswith(VERSIONS)
    if kind != "CityJSON" or not known:
        said = f"CityJSON {version}" if kind == "CityJSON" else str(kind)
        raise UnsupportedFormat(
            f"{path.name} says that it is {said[:60]}; CityJSON {', '.join(VERSIONS)} can be read.",
            hint="Upgrade it with cjio: cjio old.city.json upgrade save new.city.json.",
            file=path.name,
        )


@dataclass(frozen=True, slots=True)
class Transform:
    """From the whole numbers of the file to coordinates of its CRS."""

    scale: NDArray[np.float64] = field(default_factory=lambda: np.ones(3))
    translate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def __call__(self, vertices: Vertices) -> Vertices:
        """Return coordinates, shape (n, 3)."""
        return vertices * self.scale + self.translate


def read_transform(member: Any) -> Transform:
    """Return the transform of a file, the identity for none; raises :class:`InvalidInput` for a senseless one."""
    if member is None:
        return Transform()
    try:
        scale = np.array(member["scale"], dtype=np.float64)
        translate = np.array(member["translate"], dtype=np.float64)
    except (TypeError, ValueError, KeyError) as error:
        raise _bad_transform() from error
    if (
        scale.shape != (3,)
        or translate.shape != (3,)
        or not (np.isfinite([scale, translate]).all() and (scale > 0).all())
    ):
        raise _bad_transform()
    return Transform(scale, translate)


def _bad_transform() -> InvalidInput:
    return InvalidInput(
        "The transform of the file is not three positive scales and three shifts.",
        hint="Export the file again.",
        code="transform-damaged",
    )


def middle(metadata: Any, transform: Transform) -> tuple[float, float]:
    """Return some place of the file in its own coordinates: the middle of its extent, else its shift."""
    extent = metadata.get("geographicalExtent") if isinstance(metadata, dict) else None
    if isinstance(extent, list) and len(extent) == 6 and all(isinstance(value, int | float) for value in extent):
        return ((extent[0] + extent[3]) / 2, (extent[1] + extent[4]) / 2)
    return (float(transform.translate[0]), float(transform.translate[1]))


def way_in(metadata: Any, transform: Transform, context: ReadContext) -> Projection:
    """Return the projection from the file's CRS to the working CRS."""
    source = source_crs(metadata, context.source_crs)
    return projection(source, context.working_crs, middle(metadata, transform))


def header(path: Path, metadata: Any, way: Projection, reader: str, version: str) -> SourceHeader:
    """Return what the file says of itself."""
    said = metadata if isinstance(metadata, dict) else {}
    contact = said.get("pointOfContact")
    attribution = contact.get("contactName") if isinstance(contact, dict) else None
    return SourceHeader(
        title=_text(said.get("title") or said.get("datasetTitle")) or path.name,
        working_crs=way.working_crs,
        vertical_datum=way.source.vertical_datum,
        ground="interpolated",
        licence=_text(said.get("licence") or said.get("license")) or LICENCE_UNSTATED,
        attribution=_text(attribution),
        reader=reader,
        reader_version=version,
    )


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) and value.isprintable() else ""


@dataclass(slots=True)
class ObjectStream:
    """Batches of raw objects in, records out; keeps the ids that were seen, to refuse one twice."""

    decoder: Decoder
    appearances: int = 0
    """Documents and features that bring textures or materials."""
    _seen: set[str] = field(default_factory=set)
    _families: Families = field(default_factory=Families)

    def is_new(self, native_id: str) -> bool:
        """Tell whether an id comes for the first time, and remember it."""
        before = len(self._seen)
        self._seen.add(native_id)
        return len(self._seen) > before

    def known(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Return those ids that came before."""
        return frozenset(self._seen.intersection(native_ids))

    def remember(self, native_ids: Sequence[str]) -> None:
        """Remember ids that have come."""
        self._seen.update(native_ids)

    def decode(self, raws: list[RawObject], pool: Vertices) -> Iterator[Record]:
        """Yield the records of a batch."""
        return self.take(self.decoder.decode(raws, pool))

    def take(self, decoded: Iterable[Decoded | Quarantined]) -> Iterator[Record]:
        """Yield the records of a batch that was decoded."""
        for item in decoded:
            if isinstance(item, Quarantined):
                yield item
            else:
                yield from self._families.take(item)

    def end(self) -> Iterator[Record]:
        """Yield what waited for more."""
        yield from self._families.end()
        if self.appearances:
            yield to_discuss("cityjson-left-out", "textures and materials, which are not kept", self.appearances)


def key_twice(feature: str, key: str) -> Quarantined:
    """Return the fault of an object in whose text a member stands twice: nobody can tell which one is meant."""
    return Quarantined(feature[:80], "member-twice", f"It has the member {key[:40]!r} twice.")


def id_twice(native_id: str) -> Quarantined:
    """Return the fault of an object whose id was there before."""
    return Quarantined(native_id[:80], "id-twice", "The file has this id twice; the first one was taken.")
