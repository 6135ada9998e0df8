"""The .osm.pbf file itself: what pyosmium reads of it, and nothing about cities.

Each entity comes out as a :class:`RawFeature` in degrees.  pyosmium keeps the positions of nodes in
memory up to ``MEMORY_INDEX_BYTES_MAX`` of file, on disk above it, and the members of those
multipolygons that carry one of the area keys until their last member is read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import osmium
from numpy.typing import NDArray

from cim.errors import InvalidInput
from ingest.readers.damage import damaged
from ingest.readers.osm_ground import AREA_KEYS

MEMORY_INDEX_BYTES_MAX: Final = 256 * 1024**2
"""Above this size of file the positions of nodes are kept in a file of their own."""

PBF_MARK: Final = b"\n\tOSMHeader"
"""Bytes 4 to 14 of every .osm.pbf: field 1 of the first BlobHeader (https://wiki.openstreetmap.org/wiki/PBF_Format)."""

_KEYS: Final = (*AREA_KEYS, "type")
FeatureKind = Literal["node", "line", "area", "ring", "relation"]


@dataclass(frozen=True, slots=True)
class RawFeature:
    """One entity in degrees.

    ``node``: ``line`` has one row.  ``line``: a way; ``pieces`` are its runs of known nodes, more
    than one, or shorter than the way, where the border cuts it (``cut``).  ``ring``: a closed way
    that the border cuts.  ``area``: an assembled polygon as ``wkb``.  ``relation``: a multipolygon's
    tags alone, to tell whether an area came of it.
    """

    kind: FeatureKind
    native_id: str
    number: int
    tags: dict[str, str]
    wkb: bytes = b""
    pieces: tuple[tuple[list[int], NDArray[np.float64]], ...] = ()
    closed: bool = False
    cut: bool = False


def header_box(path: Path) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north in degrees from the header, or ``None``.

    Raises :class:`InvalidInput` for a damaged header, and for a file with history.
    """
    try:
        with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as reader:
            header = reader.header()
            history = header.has_multiple_object_versions
            box = header.box()
            found = (
                (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)
                if box.valid()
                else None
            )
    except RuntimeError as error:
        raise damaged(path) from error
    if history:
        raise InvalidInput(
            f"{path.name} holds the history of its objects, not one state of them.",
            hint="Extract one state first, for example with osmium time-filter.",
            code="osm-history",
        )
    return found


def features(path: Path) -> Iterator[RawFeature]:
    """Yield every tagged node, way and area of a file that has one of the area keys.

    Raises :class:`InvalidInput` when the file turns out to be damaged.
    """
    with tempfile.TemporaryDirectory(prefix="cim-osm-") as folder:
        storage = "flex_mem"
        if path.stat().st_size > MEMORY_INDEX_BYTES_MAX:
            storage = f"sparse_file_array,{folder}/nodes"
        keys = osmium.filter.KeyFilter(*_KEYS)
        areas = osmium.filter.KeyFilter(*AREA_KEYS)
        factory = osmium.geom.WKBFactory()
        try:
            for entity in osmium.FileProcessor(str(path)).with_locations(storage).with_areas(areas).with_filter(keys):
                feature = _feature(entity, factory)
                if feature is not None:
                    yield feature
        except RuntimeError as error:
            raise damaged(path) from error


def _feature(entity: Any, factory: Any) -> RawFeature | None:
    tags = {tag.k: tag.v for tag in entity.tags}
    if entity.is_area():
        number = entity.orig_id()
        native_id = f"{'way' if entity.from_way() else 'relation'}/{number}"
        wkb = _polygon(entity, factory)
        return None if wkb is None else RawFeature("area", native_id, number, tags, wkb=wkb)
    if entity.is_node():
        if not entity.location.valid():
            return RawFeature("node", f"node/{entity.id}", entity.id, tags)
        piece = ([entity.id], np.array([[entity.location.lon, entity.location.lat]]))
        return RawFeature("node", f"node/{entity.id}", entity.id, tags, pieces=(piece,))
    if entity.is_way():
        return _way(entity, tags)
    if entity.is_relation() and tags.get("type") in {"multipolygon", "boundary"}:
        return RawFeature("relation", f"relation/{entity.id}", entity.id, tags)
    return None


def _polygon(area: Any, factory: Any) -> bytes | None:
    """Return the WKB of an area, ``None`` where its outline crosses itself: then nothing was assembled."""
    try:
        return bytes.fromhex(factory.create_multipolygon(area))
    except RuntimeError:
        return None


def _way(entity: Any, tags: dict[str, str]) -> RawFeature:
    pieces: list[tuple[list[int], list[tuple[float, float]]]] = []
    joined = False
    cut = False
    for node in entity.nodes:
        location = node.location
        if not location.valid():
            joined, cut = False, True
            continue
        if not joined:
            pieces.append(([], []))
            joined = True
        pieces[-1][0].append(node.ref)
        pieces[-1][1].append((location.lon, location.lat))
    closed = len(entity.nodes) > 2 and bool(entity.ends_have_same_id())
    return RawFeature(
        "ring" if closed else "line",
        f"way/{entity.id}",
        entity.id,
        tags,
        pieces=tuple((refs, np.array(points)) for refs, points in pieces),
        closed=closed,
        cut=cut,
    )
