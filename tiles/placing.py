"""The city set on its ground and into its chart, ready to be cut into tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from cim.geometry.ground import Ground as Surface
from cim.geometry.triangles import area_vectors
from tiles.content import SkirtMesh
from tiles.drawing import Drawing, by_tile, drawing_of, together
from tiles.extrude import extrude
from tiles.footprints import UNDERSIDE_M, footprints_of
from tiles.frame import Chart, TileFrame
from tiles.intake import City
from tiles.metadata import Column
from tiles.outlines import Outlines, joined
from tiles.prisms import are_plain, prism_drawing
from tiles.skirt import skirts_around
from tiles.soup import FloatArray, IntArray, Soup, join, length, ranges
from tiles.terrain import SUNK_M, by_feature, feet_of, lowest, lowest_under, stand

NEAR_GROUND_M: Final = 2.0
"""A block that hangs higher than this throws no contact shade."""


@dataclass(slots=True)
class PlacedCity:
    """The city with its ground: ``box`` (features, 4) is each building's xmin, ymin, xmax, ymax, NaN for none."""

    city: City
    chart: Chart
    surface: Surface
    bodies: Soup
    outlines: Outlines
    outline_owner: IntArray
    body_starts: IntArray
    block_order: IntArray
    block_starts: IntArray
    foot_m: FloatArray
    box: FloatArray
    plain: NDArray[np.bool_]
    sunk_m: float

    def drawing(self, rows: IntArray, starts: IntArray) -> Drawing:
        """Return how some features are drawn, tile by tile ``rows[starts[i] : starts[i + 1]]``.

        Owners are positions among those rows, which ascend.
        """
        chosen = self._blocks(rows)
        blocks, foot_m, plain = self.city.blocks.select(chosen), self.foot_m[chosen], self.plain[chosen]
        bodies, ground = self._bodies(rows), self.city.features.ground_m
        short, long = np.flatnonzero(plain), np.flatnonzero(~plain)
        drawings: list[Drawing] = []
        if len(short):
            prisms = blocks.select(short)
            own_ground = ground[prisms.owner]
            prisms = replace(prisms, owner=np.searchsorted(rows, prisms.owner))
            drawings.append(prism_drawing(prisms, own_ground, foot_m[short], self.chart))
        if len(long) or bodies.surface_count or not drawings:
            extruded = extrude(blocks.select(long), ground, foot_m[long])
            drawings.append(drawing_of(self._charted(join([extruded, bodies]), rows)))
        return by_tile(together(drawings), starts)

    def _charted(self, soup: Soup, rows: IntArray) -> Soup:
        """Carry surfaces into the chart, sorted by feature; owners become positions in ``rows``."""
        if not soup.surface_count:
            return soup
        in_order = bool((np.diff(soup.owner) >= 0).all())
        kept = soup if in_order else soup.select(np.argsort(soup.owner, kind="stable"))
        return Soup(
            self.chart.to_local(kept.coordinates), kept.ring_ends, kept.surface_ends,
            np.searchsorted(rows, kept.owner), kept.height_m, kept.meaning,
        )  # fmt: skip

    def skirt(self, rows: IntArray, starts: IntArray) -> SkirtMesh:
        """Return the contact skirts, tile by tile around the features ``rows[starts[i] : starts[i + 1]]``."""
        chosen = self._blocks(rows)
        standing = chosen[self.city.blocks.floor_m[chosen] < NEAR_GROUND_M]
        outlined = np.isin(self.outline_owner, rows)
        owner = np.concatenate((self.city.blocks.owner[standing], self.outline_owner[outlined]))
        group = np.searchsorted(starts, np.searchsorted(rows, owner), side="right") - 1
        order = np.argsort(group, kind="stable")
        footprints = joined([self.city.blocks.footprint[standing], self.outlines[outlined]])
        skirt = skirts_around(footprints[order], group[order])
        placed = np.column_stack((skirt.xy, self.surface.height_m(skirt.xy) + SUNK_M / 2))
        positions = self.chart.to_local(placed).T[:, skirt.course].T
        return SkirtMesh(positions, skirt.far, np.searchsorted(skirt.group, np.arange(len(starts))))

    def columns(self, rows: IntArray) -> dict[str, Column]:
        """Return the property columns of some features; rows ascend."""
        features = self.city.features
        begin = int(rows[0]) if len(rows) else 0
        whole = len(rows) == 0 or int(rows[-1]) - begin + 1 == len(rows)
        some = slice(begin, begin + len(rows)) if whole else rows
        texts = features.texts.slice(begin, len(rows)) if whole else features.texts.take(pa.array(rows))
        return {
            **dict(zip(texts.schema.names, texts.columns, strict=True)),
            **{name: column[some] for name, column in features.numbers.items()},
            "ground_m": features.ground_m[some],
        }

    def _blocks(self, rows: IntArray) -> IntArray:
        first = self.block_starts[rows]
        return self.block_order[ranges(first, self.block_starts[rows + 1] - first)]

    def _bodies(self, rows: IntArray) -> Soup:
        first = self.body_starts[rows]
        return self.bodies.select(ranges(first, self.body_starts[rows + 1] - first))


def seen_from_above(soup: Soup, up: FloatArray) -> Soup:
    """Return surfaces, whose area vectors are ``up``, without the undersides that lie on the ground."""
    if not soup.surface_count:
        return soup
    down = up[:, 2] < -0.9 * length(up)
    return soup.select(np.flatnonzero(~(down & (soup.height_m[soup.surface_starts] < UNDERSIDE_M))))


def place_city(city: City, frame: TileFrame, surface: Surface, chart: Chart) -> PlacedCity:
    """Set a part of the city, or all of it, on the ground of the whole and into its chart."""
    features, count = city.features, len(city.features.ids)
    if (np.diff(city.bodies.owner) < 0).any():
        city.bodies = city.bodies.select(np.argsort(city.bodies.owner, kind="stable"))
    lowest_m = lowest(city.bodies, count)
    sunk = 0.0
    if frame.ground != "flat":
        feet = feet_of(city.bodies, lowest_m)
        sunk = float(np.max(surface.height_m(feet[:, :2]) - feet[:, 2], initial=0.0)) if len(feet) else 0.0
    features.ground_m, foot = _grounds(city, lowest_m, surface, flat=frame.ground == "flat")
    bodies = stand(city.bodies, features.ground_m, surface) if count else city.bodies
    up = area_vectors(bodies)
    outlines, outline_owner = footprints_of(bodies, up)
    bodies = seen_from_above(bodies, up)
    boxes = _boxes(city, count)
    _fill_heights(city, lowest_m)
    block_order = np.argsort(city.blocks.owner, kind="stable")
    every = np.arange(count + 1)
    return PlacedCity(
        city=city,
        chart=chart,
        surface=surface,
        bodies=bodies,
        outlines=Outlines.of(outlines),
        outline_owner=outline_owner,
        body_starts=np.searchsorted(bodies.owner, every),
        block_order=block_order,
        block_starts=np.searchsorted(city.blocks.owner[block_order], every),
        foot_m=foot,
        box=boxes,
        plain=are_plain(city.blocks, bodies.owner),
        sunk_m=sunk,
    )


def given_feet(city: City) -> FloatArray:
    """Return the ground heights that buildings state, at the middle of their blocks."""
    stated = city.features.ground_m[city.blocks.owner]
    middle = shapely.get_coordinates(shapely.centroid(city.blocks.footprint.shapes))
    known = np.isfinite(stated)
    return np.column_stack((middle[known], stated[known]))


def _grounds(city: City, lowest_m: FloatArray, surface: Surface, *, flat: bool) -> tuple[FloatArray, FloatArray]:
    """Return each feature's ground and each block's foot, metres."""
    blocks, count = city.blocks, len(city.features.ids)
    if flat:
        return np.zeros(count), np.zeros(len(blocks.owner))
    ground = np.where(np.isfinite(lowest_m), lowest_m, city.features.ground_m)
    outlines = blocks.footprint
    under = lowest_under(surface, outlines.coordinates, outlines.ring_ends[outlines.surface_ends - 1])
    found = np.full(count, np.inf)
    np.minimum.at(found, blocks.owner, under)
    ground = np.where(np.isfinite(ground), ground, np.where(np.isfinite(found), found, 0.0))
    foot = np.minimum(ground[blocks.owner], under) - SUNK_M
    return ground, foot


def _boxes(city: City, count: int) -> FloatArray:
    bounds = city.blocks.footprint.bounds.T
    boxes = np.empty((count, 4))
    for side, reduce in enumerate((np.minimum, np.minimum, np.maximum, np.maximum)):
        boxes[:, side] = by_feature(reduce, city.bodies, city.bodies.coordinates[:, side % 2], count)
        found = np.full(count, -np.inf if reduce is np.maximum else np.inf)
        reduce.at(found, city.blocks.owner, bounds[side])
        found[np.isinf(found)] = np.nan
        boxes[:, side] = (np.fmin if reduce is np.minimum else np.fmax)(boxes[:, side], found)
    boxes[~np.isfinite(boxes).all(axis=1)] = np.nan
    return boxes


def _fill_heights(city: City, lowest_m: FloatArray) -> None:
    """Give buildings without a stated height that of their form."""
    top = np.full(len(city.features.ids), -np.inf)
    np.maximum.at(top, city.blocks.owner, city.blocks.top_m)
    top = np.fmax(top, by_feature(np.maximum, city.bodies, city.bodies.coordinates[:, 2], len(top)) - lowest_m)
    height = city.features.numbers["height_m"]
    city.features.numbers["height_m"] = np.where(np.isnan(height) & np.isfinite(top), np.round(top, 2), height)
