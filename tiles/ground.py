"""The ground as shapes on the map: land, water, green, streets, classed and ranked for painting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from tiles.facts import read_facts
from tiles.footprints import POLYGONAL, clean_footprints
from tiles.intake import BUILDING, PART
from tiles.soup import IntArray

PAINT_ORDER: Final = (
    "land", "sea", "water", "green", "forest", "pitch", "plaza", "parking", "road_casing", "road_path", "road_street",
    "road_arterial", "road_motorway", "rail",
)  # fmt: skip
"""Kinds of ground, first painted first."""

COLOURS: Final = {
    "land": (242, 239, 232), "sea": (190, 214, 228), "water": (190, 214, 228), "green": (214, 228, 204),
    "forest": (198, 217, 187), "pitch": (203, 224, 196), "plaza": (236, 231, 221), "parking": (232, 229, 224),
    "road_casing": (221, 216, 207), "road_path": (246, 243, 236), "road_street": (255, 255, 255),
    "road_arterial": (253, 247, 227), "road_motorway": (250, 233, 196), "rail": (203, 200, 197),
}  # fmt: skip
"""Base colours for clients that draw the tiles as they are."""

MARGIN_M: Final = 150.0
"""The land sheet reaches this far beyond what stands on it."""
CASING_M: Final = 0.6
"""A street's casing shows this much on either side."""
WIDTH_M: Final = {"road_motorway": 12.0, "road_arterial": 9.0, "road_street": 6.0, "road_path": 2.0, "rail": 3.0}
"""Widths of lines whose width is not given."""
WIDTH_M_MAX: Final = 60.0
CASED: Final = frozenset({"road_motorway", "road_arterial", "road_street"})
FAR_KINDS: Final = frozenset(
    {"land", "sea", "water", "green", "forest", "road_casing", "road_arterial", "road_motorway", "rail"}
)
"""What is still drawn from far away."""
SIMPLIFY_M: Final = 0.1
ROUND_SEGMENTS: Final = 2
"""Segments of a quarter circle at a line's end."""


@dataclass(frozen=True, slots=True)
class GroundShapes:
    """Single polygons in the working CRS, in paint order; ``ids`` are ``""`` for what is no object."""

    polygons: NDArray[np.object_]
    ids: NDArray[np.object_]
    rank: IntArray

    def select(self, rows: IntArray) -> GroundShapes:
        """Return some shapes."""
        return GroundShapes(self.polygons[rows], self.ids[rows], self.rank[rows])


@dataclass(frozen=True, slots=True)
class Ground:
    """What is painted: ``shapes``, and the streets with their casings' width, whose union is painted under them.

    The union is taken tile by tile, so that a tile depends on what meets it and on nothing else.
    """

    shapes: GroundShapes
    streets: NDArray[np.object_]

    def casing(self, cell: tuple[float, float, float, float]) -> NDArray[np.object_]:
        """Return the casing of the streets that meet a cell (xmin, ymin, xmax, ymax), as single polygons."""
        union = np.array([shapely.union_all(self.streets[self._meets(cell)])], dtype=object)
        return clean_footprints(union[~shapely.is_empty(union)], SIMPLIFY_M)[0]

    def near(self, cell: tuple[float, float, float, float]) -> bool:
        """Tell whether a street comes near a cell."""
        return bool(self._meets(cell).any())

    def _meets(self, cell: tuple[float, float, float, float]) -> NDArray[np.bool_]:
        low_x, low_y, high_x, high_y = shapely.bounds(self.streets).reshape(-1, 4).T
        meets: NDArray[np.bool_] = (low_x < cell[2]) & (high_x > cell[0]) & (low_y < cell[3]) & (high_y > cell[1])
        return meets


def cased(shapes: GroundShapes, casing: NDArray[np.object_]) -> GroundShapes:
    """Return shapes with a casing at its place in the paint order."""
    rank = PAINT_ORDER.index("road_casing")
    joined = GroundShapes(
        np.concatenate((shapes.polygons, casing)),
        np.concatenate((shapes.ids, np.full(len(casing), "", dtype=object))),
        np.concatenate((shapes.rank, np.full(len(casing), rank))),
    )
    return joined.select(np.argsort(joined.rank, kind="stable"))


def ground_shapes(objects: pa.Table, *, sheet: tuple[float, float, float, float]) -> Ground:
    """Return what is painted on the ground, on a land sheet that covers ``sheet`` (xmin, ymin, xmax, ymax)."""
    ids, kinds, shapes, widths = painted(objects)
    rank_of = {kind: rank for rank, kind in enumerate(PAINT_ORDER)}
    lines = np.isin(shapely.get_type_id(shapes), (1, 5))
    areas = np.isin(shapely.get_type_id(shapes), POLYGONAL)
    polygons = [np.array([shapely.box(*sheet)], dtype=object), shapes[areas]]
    names = [np.array([""], dtype=object), ids[areas]]
    ranks = [np.array([0]), np.array([rank_of[kind] for kind in kinds[areas]], dtype=np.int64)]
    streets = [np.empty(0, dtype=object)]
    for kind, default in WIDTH_M.items():
        rows = np.flatnonzero(lines & (kinds == kind))
        if not len(rows):
            continue
        width = np.where(np.isfinite(widths[rows]) & (widths[rows] > 0), widths[rows], default)
        half = np.minimum(width, WIDTH_M_MAX) / 2
        polygons.append(_buffer(shapes[rows], half))
        names.append(ids[rows])
        ranks.append(np.full(len(rows), rank_of[kind]))
        if kind in CASED:
            streets.append(_buffer(shapes[rows], half + CASING_M))
    cleaned, origin = clean_footprints(np.concatenate(polygons), SIMPLIFY_M)
    found = GroundShapes(cleaned, np.concatenate(names)[origin], np.concatenate(ranks).astype(np.int64)[origin])
    # Within a kind the larger is painted first, so that what lies on it stays seen.
    ordered = found.select(np.lexsort((found.ids.astype(str), -shapely.area(cleaned), found.rank)))
    return Ground(ordered, np.concatenate(streets))


def _buffer(lines: NDArray[np.object_], half_m: NDArray[np.float64]) -> NDArray[np.object_]:
    simple = shapely.simplify(shapely.force_2d(lines), SIMPLIFY_M)
    made: NDArray[np.object_] = shapely.buffer(simple, half_m, quad_segs=ROUND_SEGMENTS)
    return made


def painted(
    objects: pa.Table,
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_], NDArray[np.float64]]:
    """Return ids, kinds, places and widths of the objects that have a known kind of ground and a place."""
    rows = objects.filter(pc.invert(pc.is_in(objects["type"], pa.array([BUILDING, PART]))))
    facts = read_facts(rows["attributes"].to_pylist(), numbers=("width_m",), texts=("ground_kind",))
    kinds = facts.texts["ground_kind"]
    places = shapely.from_wkb(rows["place"].to_numpy(zero_copy_only=False))
    keep = np.isin(kinds.astype(str), PAINT_ORDER) & ~shapely.is_missing(places) & ~shapely.is_empty(places)
    return rows["id"].to_numpy(zero_copy_only=False)[keep], kinds[keep], places[keep], facts.numbers["width_m"][keep]
