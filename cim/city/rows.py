"""City objects of a batch as columns of numpy, before they become Arrow: for sources of very many objects; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import (
    COORDINATE_M_MAX,
    HEIGHT_M_MAX,
    LINE_VERTICES_MIN,
    RING_VERTICES_MIN,
    VERTICES_MAX,
    Quarantined,
)
from cim.geometry.surfaces import Geometry, GeometryKind
from cim.geometry.wkb import offsets_of

Counts = NDArray[np.int64]
_EMPTY: Final = ("geometry-empty", "A geometry or a footprint is empty.")
_TOO_MANY: Final = ("vertices-max", f"A geometry has more than {VERTICES_MAX:,} vertices.")
_TOO_SHORT: Final = ("ring-too-short", "A ring or a line has too few vertices.")
_ABSURD: Final = ("coordinate-absurd", "A coordinate is not a place on Earth.")
_ABSURD_HEIGHT: Final = ("height-absurd", "A height is beyond any on Earth.")


@dataclass(frozen=True, slots=True)
class GeometryRows:
    """Geometries one after the other in one ragged layout, as in :mod:`cim.geometry.surfaces`.

    ``owners`` the rows of their objects, ascending; ``coordinates`` (n, 3) metres; ``vertices``,
    ``rings`` and ``surfaces`` count per geometry, ``ring_counts`` vertices per ring,
    ``surface_counts`` rings per surface; points have no ring, lines no surface.  ``structures`` is the JSON of
    :mod:`cim.city.columns`.
    """

    owners: Counts
    kinds: list[GeometryKind]
    lods: list[str]
    structures: list[str | None]
    coordinates: NDArray[np.float64]
    vertices: Counts
    rings: Counts
    surfaces: Counts
    ring_counts: Counts
    surface_counts: Counts

    def __len__(self) -> int:
        return len(self.kinds)

    def ring_starts(self) -> Counts:
        """Return the first vertex of each ring; points belong to no ring, so it counts from its own geometry."""
        inside = offsets_of(self.ring_counts)[:-1]
        first_ring = offsets_of(self.rings)[:-1]
        base = offsets_of(self.ring_counts)[first_ring]
        of_geometry = np.repeat(np.arange(len(self)), self.rings)
        starts: Counts = offsets_of(self.vertices)[:-1][of_geometry] + inside - base[of_geometry]
        return starts

    def surface_rings(self) -> tuple[Counts, Counts]:
        """Return first vertex and number of vertices of the rings of surfaces, in the order of ``surface_counts``."""
        mask = np.repeat(self.surfaces > 0, self.rings)
        return self.ring_starts()[mask], self.ring_counts[mask]

    def bounds(self) -> NDArray[np.float64]:
        """Return xmin, ymin, zmin, xmax, ymax, zmax of each geometry, shape (n, 6); NaN without vertices."""
        boxes = np.full((len(self), 6), np.nan)
        filled = self.vertices > 0
        if filled.any():
            starts = offsets_of(self.vertices)[:-1][filled]
            boxes[filled, :3] = np.minimum.reduceat(self.coordinates, starts, axis=0)
            boxes[filled, 3:] = np.maximum.reduceat(self.coordinates, starts, axis=0)
        return boxes

    def only_owned(self, kept: NDArray[np.bool_]) -> GeometryRows:
        """Return the geometries of the objects that are ``kept``, which are counted anew."""
        mask = kept[self.owners]
        rows = np.flatnonzero(mask).tolist()
        of_ring = np.repeat(mask, self.rings)
        return GeometryRows(
            owners=(np.cumsum(kept) - 1)[self.owners[mask]],
            kinds=[self.kinds[row] for row in rows],
            lods=[self.lods[row] for row in rows],
            structures=[self.structures[row] for row in rows],
            coordinates=self.coordinates[np.repeat(mask, self.vertices)],
            vertices=self.vertices[mask],
            rings=self.rings[mask],
            surfaces=self.surfaces[mask],
            ring_counts=self.ring_counts[of_ring],
            surface_counts=self.surface_counts[np.repeat(mask, self.surfaces)],
        )


def joined_geometries(parts: Sequence[GeometryRows], objects: Sequence[int]) -> GeometryRows:
    """Return geometries one part after the other; ``objects`` says how many objects each part is of."""
    first = offsets_of(np.array(objects, dtype=np.int64))[:-1].tolist()

    def together(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return GeometryRows(
        owners=np.concatenate([part.owners + start for part, start in zip(parts, first, strict=True)]),
        kinds=[kind for part in parts for kind in part.kinds],
        lods=[lod for part in parts for lod in part.lods],
        structures=[structure for part in parts for structure in part.structures],
        coordinates=together("coordinates"),
        vertices=together("vertices"),
        rings=together("rings"),
        surfaces=together("surfaces"),
        ring_counts=together("ring_counts"),
        surface_counts=together("surface_counts"),
    )


@dataclass(frozen=True, slots=True)
class ObjectRows:
    """Objects of one data set; ``attributes`` is the JSON of :mod:`cim.city.columns`, ``places`` are 2D or ``None``.

    ``parsed`` are the attributes as values, in the same order, where the reader has them at hand anyway: who looks at
    them need not parse them again.  They are only read.
    """

    ids: list[str]
    types: list[str]
    parents: list[str | None]
    attributes: list[str]
    places: NDArray[np.object_]
    geometries: GeometryRows
    parsed: list[dict[str, Any]] | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to another process: places as WKB, all at once, and without what can be parsed again."""
        return _arrived, (
            *(self.ids, self.types, self.parents, self.attributes),
            *(shapely.to_wkb(self.places), self.geometries),
        )

    def only(self, kept: NDArray[np.bool_]) -> ObjectRows:
        """Return some of the objects, with their geometries."""
        rows = np.flatnonzero(kept).tolist()
        return ObjectRows(
            ids=[self.ids[row] for row in rows],
            types=[self.types[row] for row in rows],
            parents=[self.parents[row] for row in rows],
            attributes=[self.attributes[row] for row in rows],
            places=self.places[kept],
            geometries=self.geometries.only_owned(kept),
            parsed=None if self.parsed is None else [self.parsed[row] for row in rows],
        )


def _arrived(
    ids: list[str],
    types: list[str],
    parents: list[str | None],
    attributes: list[str],
    places: NDArray[np.object_],
    geometries: GeometryRows,
) -> ObjectRows:
    return ObjectRows(ids, types, parents, attributes, shapely.from_wkb(places), geometries)


def boxes_of(rows: ObjectRows) -> NDArray[np.float64]:
    """Return the box over place and geometries of each object, shape (n, 6); NaN where there is neither."""
    boxes = np.full((len(rows), 6), np.nan)
    flat = shapely.bounds(rows.places).reshape(-1, 4)
    boxes[:, 0:2], boxes[:, 3:5] = flat[:, 0:2], flat[:, 2:4]
    if len(rows.geometries):
        own = rows.geometries.bounds()
        # fmin and fmax pass over NaN, so a place without height and a geometry without place both count.
        np.fmin.at(boxes[:, :3], rows.geometries.owners, own[:, :3])
        np.fmax.at(boxes[:, 3:], rows.geometries.owners, own[:, 3:])
    return boxes


def geometry_rows(
    geometries: Sequence[Geometry], owners: Sequence[int], structures: Sequence[str | None]
) -> GeometryRows:
    """Return geometries as rows; ``owners`` ascending."""
    no_counts = np.empty(0, dtype=np.int64)
    return GeometryRows(
        owners=np.array(owners, dtype=np.int64),
        kinds=[geometry.kind for geometry in geometries],
        lods=[geometry.lod for geometry in geometries],
        structures=list(structures),
        coordinates=np.concatenate([np.empty((0, 3)), *(geometry.coordinates for geometry in geometries)]),
        vertices=np.array([len(geometry.coordinates) for geometry in geometries], dtype=np.int64),
        rings=np.array([len(geometry.ring_ends) for geometry in geometries], dtype=np.int64),
        surfaces=np.array([geometry.surface_count for geometry in geometries], dtype=np.int64),
        ring_counts=np.concatenate([no_counts, *(np.diff(geometry.ring_ends, prepend=0) for geometry in geometries)]),
        surface_counts=np.concatenate(
            [no_counts, *(np.diff(geometry.surface_ends, prepend=0) for geometry in geometries)]
        ),
    )


def check_rows(rows: ObjectRows) -> dict[int, Quarantined]:
    """Return what :func:`cim.city.model.check_object` would refuse, by row, in one pass over all."""
    found: dict[int, Quarantined] = {}
    geometries = rows.geometries
    boxes = geometries.bounds()
    flat = np.abs(boxes[:, [0, 1, 3, 4]])
    least = np.where(np.repeat(geometries.surfaces > 0, geometries.rings), RING_VERTICES_MIN, LINE_VERTICES_MIN)
    short = np.repeat(np.arange(len(geometries)), geometries.rings)[geometries.ring_counts < least]
    # A NaN fails every comparison, so these tests find it too.
    for rows_found, fault in (
        (np.flatnonzero(geometries.vertices == 0), _EMPTY),
        (np.flatnonzero(geometries.vertices > VERTICES_MAX), _TOO_MANY),
        (short, _TOO_SHORT),
        (np.flatnonzero(~(flat < COORDINATE_M_MAX).all(axis=1)), _ABSURD),
        (np.flatnonzero(~(np.abs(boxes[:, [2, 5]]) < HEIGHT_M_MAX).all(axis=1)), _ABSURD_HEIGHT),
    ):
        for row in geometries.owners[rows_found].tolist():
            found.setdefault(row, Quarantined(rows.ids[row], *fault))
    placed = ~shapely.is_missing(rows.places)
    empty = shapely.is_empty(rows.places) & placed
    far = placed & ~(np.abs(shapely.bounds(rows.places).reshape(-1, 4)) < COORDINATE_M_MAX).all(axis=1)
    for mask, fault in ((empty, _EMPTY), (far, _ABSURD)):
        for row in np.flatnonzero(mask).tolist():
            found.setdefault(row, Quarantined(rows.ids[row], *fault))
    return found
