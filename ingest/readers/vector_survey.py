"""The first pass over a layer: which dimensions it has, where it lies, what identifies a feature, known storeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.crs import LONLAT, in_area, parse_crs, transformer
from ingest.mapping import BUILDING, LayerMapping, complete
from ingest.mapping_names import ID_NAMES, plain
from ingest.readers.limits import COLUMNS_MAX, check_limit
from ingest.readers.osm_buildings import LEVEL_HEIGHT_M
from ingest.readers.source_crs import Projection, SourceCrs
from ingest.readers.vector_heights import KnownStoreys
from ingest.readers.vector_rows import USE_UNKNOWN
from ingest.readers.vector_shapes import AREA_MARGIN_DEG, SHARE_SWAPPED, turned
from ingest.readers.vector_source import LayerInfo, VectorSource
from ingest.readers.vector_values import numbers, plain_values, texts
from ingest.readers.vector_wkb import is_harmless, kind_of

SAMPLES_MAX: Final = 100_000
"""Positions of a layer that are kept to say where it lies."""
SAMPLE_VALUES: Final = 3
_DIMENSIONS: Final = {1: "point", 2: "line", 3: "area", 4: "point", 5: "line", 6: "area"}
_OF_KIND: Final = {"Point": "point", "LineString": "line", "Polygon": "area"}


@dataclass(slots=True)
class Survey:
    """What the first pass learns of one layer; coordinates are the source's own."""

    layer: LayerInfo
    mappings: dict[str, LayerMapping]
    features: int = 0
    samples: dict[str, list[Any]] = field(default_factory=dict)
    xy: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    storeys: list[tuple[list[str], NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=list)

    def position(self) -> tuple[float, float]:
        """Return the middle of the layer, which a few stray features do not move."""
        if not len(self.xy):
            return (np.nan, np.nan)
        x, y = np.median(self.xy, axis=0).tolist()
        return (float(x), float(y))

    def known(self, way: Projection) -> KnownStoreys:
        """Return the known storeys at their places in the working CRS."""
        known = KnownStoreys()
        turn = transformer(way.source.horizontal, way.working_crs)
        for uses, xy, storeys in self.storeys:
            known.add(uses, turned(turn, xy), storeys)
        self.storeys.clear()
        known.index()
        return known


def survey(source: VectorSource, layer: LayerInfo, declared: LayerMapping | None) -> Survey:
    """Read what must be known of a layer before its features can be made."""
    check_limit("COLUMNS_MAX", len(layer.columns), COLUMNS_MAX, f"The number of columns of {layer.name[:80]}")
    first = complete(declared, layer.name, "area", layer.columns)
    candidates = [] if first.id else [name for name in layer.columns if plain(name) in _ID_NAMES]
    asked = {rule.column for target, rule in first.attributes.items() if target in _FOR_HEIGHTS}
    swap = declared is not None and declared.swap_axes
    found = Survey(layer, {})
    dimensions: set[str] = set()
    unique = _Unique(candidates)
    pieces: list[NDArray[np.float64]] = []
    for batch in source.glance(layer, sorted(asked | set(candidates)), first.encoding):
        columns = {name: plain_values(column)[0] for name, column in batch.columns.items()}
        sound = [blob if blob is not None and is_harmless(blob) else None for blob in batch.shapes]
        shapes = shapely.from_wkb(np.array(sound, dtype=object), on_invalid="ignore")
        dimensions |= {_DIMENSIONS.get(kind_of(blob), "") for blob in batch.shapes if blob is not None}
        unique.take(columns)
        boxes = shapely.bounds(shapes).reshape(-1, 4)
        xy = (boxes[:, :2] + boxes[:, 2:]) / 2
        xy = xy[:, ::-1] if swap else xy
        if sum(map(len, pieces)) < SAMPLES_MAX:
            pieces.append(xy[np.isfinite(xy).all(axis=1)])
        if first.type == BUILDING:
            found.storeys.append(_known(first, columns, xy))
        found.features += len(batch)
    found.xy = np.concatenate(pieces) if pieces else found.xy
    known = _OF_KIND.get(layer.kind.removeprefix("Multi").partition(" ")[0])
    for dimension in (dimensions - {""}) or ({known} if known else {"area"}):
        found.mappings[dimension] = complete(declared, layer.name, dimension, layer.columns, unique.columns)
    return found


_ID_NAMES: Final = frozenset(plain(name) for name in ID_NAMES)
_FOR_HEIGHTS: Final = ("height_m", "storeys_above_ground", "function")


def _known(
    mapping: LayerMapping, columns: Mapping[str, list[Any]], xy: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return use, place and storeys of the buildings of a batch; a height says its storeys, too."""
    nothing = np.full(len(xy), np.nan)
    read = {
        target: numbers(target, rule, columns[rule.column])
        for target, rule in mapping.attributes.items()
        if target in {"height_m", "storeys_above_ground"}
    }
    height, storeys = read.get("height_m", nothing), read.get("storeys_above_ground", nothing)
    use = mapping.attributes.get("function")
    names = texts(columns[use.column]) if use is not None else [None] * len(xy)
    counted = np.where(np.isnan(storeys), height / LEVEL_HEIGHT_M, storeys)
    rows = np.flatnonzero(np.isfinite(counted) & np.isfinite(xy).all(axis=1))
    return [names[row] or USE_UNKNOWN for row in rows.tolist()], xy[rows], counted[rows]


class _Unique:
    """Tells which columns have a value in every feature and never the same one; memory: 8 bytes a value."""

    def __init__(self, columns: list[str]) -> None:
        self._digests: dict[str, list[NDArray[np.int64]]] = {name: [] for name in columns}

    def take(self, columns: Mapping[str, list[Any]]) -> None:
        """Note the values of a batch."""
        for name in list(self._digests):
            values = columns[name]
            if any(value is None or isinstance(value, list | dict) for value in values):
                del self._digests[name]
                continue
            self._digests[name].append(np.fromiter(map(hash, values), dtype=np.int64, count=len(values)))

    @property
    def columns(self) -> list[str]:
        """The columns that identify."""
        out = []
        for name, pieces in self._digests.items():
            values = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)
            if len(values) and len(np.unique(values)) == len(values):
                out.append(name)
        return out


def check_axes(layer: str, xy: NDArray[np.float64], source: SourceCrs, working_crs: str | None) -> None:
    """Refuse a layer that lies nowhere near the area of its CRS or of the city's.

    Raises :class:`InvalidInput`: ``axes-swapped`` where its places are inside once x and y are turned, else
    ``crs-does-not-fit``.  Single strays are left to be put aside.
    """
    if not len(xy):
        return
    areas = [source.horizontal] if working_crs is None else [source.horizontal, working_crs]
    if min(_share_inside(xy, source, area) for area in areas) > 1 - SHARE_SWAPPED:
        return
    if min(_share_inside(xy[:, ::-1], source, area) for area in areas) >= SHARE_SWAPPED:
        raise InvalidInput(
            f"The coordinates of {layer[:80]} are swapped: they fit the coordinate system only as (y, x).",
            hint="Export it again with longitude before latitude, or say swap_axes = true in a --mapping file.",
            code="axes-swapped",
            layer=layer[:80],
        )
    raise InvalidInput(
        f"The coordinates of {layer[:80]} do not lie where {source.horizontal[:40]}, or the city's coordinate system, "
        "is made for.",
        hint="Name the right one with --crs, for example --crs EPSG:28992.",
        code="crs-does-not-fit",
        layer=layer[:80],
    )


def _share_inside(xy: NDArray[np.float64], source: SourceCrs, area_of: str) -> float:
    """Return the share of places that lie in the area that a CRS is made for, with a margin."""
    lonlat = turned(transformer(source.horizontal, LONLAT), xy)
    area = parse_crs(area_of).area_of_use
    if source.is_geographic and area is not None and area.east - area.west >= 360:
        return float(((np.abs(lonlat) <= (360, 90)).all(axis=1)).mean())
    return float(in_area(area_of, lonlat, AREA_MARGIN_DEG).mean())
