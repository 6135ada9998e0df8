"""Light before and after a scheme: only what the changed solids can shade is asked again.

A :class:`BaseLight` belongs to one baseline, one standard and one day; it fills lazily, object by object, where
questions come.  For a scheme the objects around the change and all that its shadow can reach are looked at; of
their places only the pairs of place and sun whose ray passes the box of a changed solid are cast again.
Every other pair is as in the base, because nothing on its ray is different.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import CityObject
from cim.impact.light.rays import (
    Flags,
    grid_of,
    pivot_of,
    reached_pairs,
    shaded_objects,
    sun_table,
    terrain,
    trace,
)
from cim.impact.light.receivers import ABOVE_GROUND_M, Receivers, Roofs, join_receivers, receivers_of
from cim.impact.light.scene import PARK_TYPES, SOLID_TYPES, Scene, scene_of_objects
from cim.impact.light.sun import SunPath
from cim.impact.light.walls import FloatArray, IntArray, no_faces

if TYPE_CHECKING:
    from cim.impact.light.cells import Grid

NEIGHBOURHOOD_M: Final = 150.0
"""Objects this near to a change are its neighbourhood, whether its shadow reaches them or not."""
COARSE_EVERY: Final = 4
"""The first answer looks at every fourth place of the sun."""
PLOTS_MAX: Final = 10_000
"""Objects whose light is kept, some 30 kB each; beyond this all that was not just asked for is let go."""
RELEVANT_TYPES: Final = (*SOLID_TYPES, *PARK_TYPES)


@dataclass(frozen=True, slots=True)
class Plot:
    """The places of one object of the base.

    ``open`` (n,) is false for places under a roof of the base, which are no façade; ``lit`` (n, s) tells where
    the sun is seen, for those places of the sun that are ``known`` (s,); both are filled in place.
    """

    receivers: Receivers
    open: NDArray[np.bool_]
    lit: Flags
    known: Flags


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of sun of the open places of one object, shape (n,) each.

    ``bare`` is what a place would get if nothing but its own wall stood in the light; ``side`` which of eight
    directions it looks to, -1 on ground; ``area_m2`` the ground that it stands for; ``xyz`` (n, 3) where it is.
    """

    hours: FloatArray
    bare: FloatArray
    side: IntArray
    area_m2: FloatArray
    xyz: FloatArray

    @staticmethod
    def of_plot(plot: Plot, suns: Flags, step_h: float, table: FloatArray) -> Hours:
        """Return the hours by the places of the sun that ``suns`` (s,) names, each of them ``step_h`` long."""
        column = plot.receivers.column_of[plot.open]
        normal = plot.receivers.xyn[:, 2:]
        is_ground = (plot.receivers.side < 0)[:, None]
        faces = (normal @ table[:, :2].T > 0.0) | is_ground
        return Hours(
            (plot.lit[plot.open] * suns).sum(axis=1) * step_h,
            (faces * suns).sum(axis=1)[column] * step_h,
            plot.receivers.side[column],
            plot.receivers.area_m2[column],
            np.column_stack((plot.receivers.xyn[column, :2], plot.receivers.z[plot.open])),
        )


@dataclass(frozen=True, slots=True)
class ObjectLight:
    """One building or park before and after.

    ``before`` is ``None`` for what the scheme adds, ``after`` for what it takes away.  Where the object is not
    ``changed`` itself, both have the same places in the same order.
    """

    id: str
    name: str
    home: bool
    park: bool
    changed: bool
    near: bool
    """Whether it belongs to the neighbourhood that is averaged over; else it is only reached by the shadow."""
    before: Hours | None
    after: Hours | None


@dataclass(frozen=True, slots=True)
class LightComparison:
    """Light of a neighbourhood before and after; ``complete`` is false for a first, coarse answer."""

    sun: SunPath
    complete: bool
    step_h: float
    """How long each place of the sun that was looked at stands for."""
    objects: tuple[ObjectLight, ...]


class BaseLight:
    """Light of one baseline on one day, worked out where it is asked for.

    Not safe between threads: a service holds one lock over its use.
    """

    def __init__(self, scene: Scene, sun: SunPath, *, threads: int = 2) -> None:
        self.scene = scene
        self.sun = sun
        self.threads = threads
        self.table = sun_table(sun)
        self.pivot = pivot_of(scene.box)
        self.extent = extents(scene)
        self._plots: dict[int, Plot] = {}
        self._made: tuple[Grid, Grid, Roofs] | None = None

    @property
    def hidden_none(self) -> Flags:
        """No object of the base left out."""
        return np.zeros(len(self.scene) + 1, dtype=np.uint8)

    def solids(self) -> tuple[Grid, Grid, Roofs]:
        """Return the grid of the base, an empty one, and the roofs, made at the first question."""
        if self._made is None:
            grid = grid_of(self.scene.faces, self.pivot, len(self.scene), terrain(self.scene.ground, self.pivot))
            self._made = grid, grid_of(no_faces(), self.pivot, 0), Roofs(self.scene.faces)
        return self._made

    def around(self, boxes: FloatArray, distance_m: float) -> IntArray:
        """Return the rows of buildings and parks whose extent is within a distance of one of some boxes (b, 4)."""
        near = np.zeros(len(self.scene), dtype=bool)
        for box in boxes:
            gap_x = np.maximum(self.extent[:, 0] - box[2], box[0] - self.extent[:, 3])
            gap_y = np.maximum(self.extent[:, 1] - box[3], box[1] - self.extent[:, 4])
            near |= np.hypot(np.maximum(gap_x, 0.0), np.maximum(gap_y, 0.0)) <= distance_m
        return np.flatnonzero(near)

    def shaded(self, boxes: FloatArray) -> IntArray:
        """Return the rows of buildings and parks on which the shadow of boxes (b, 6) can fall."""
        return shaded_objects(self.extent, self.table, boxes)

    def plots(self, rows: IntArray, suns: Flags) -> list[Plot]:
        """Return the places of some objects, worked out for the places of the sun that ``suns`` (s,) names."""
        new = np.array([row for row in rows.tolist() if row not in self._plots], dtype=np.int64)
        if len(new):
            if len(self._plots) + len(new) > PLOTS_MAX:
                asked = set(rows.tolist())
                self._plots = {row: plot for row, plot in self._plots.items() if row in asked}
            self._place(new)
        found = [self._plots[row] for row in rows.tolist()]
        self._light([plot for plot in found if not plot.known[suns > 0].all()], suns)
        return found

    def _place(self, rows: IntArray) -> None:
        """Put places on some objects."""
        *_, roofs = self.solids()
        receivers = receivers_of(self.scene, rows)
        is_open = ~roofs.covers(receivers, self.hidden_none)
        owner = receivers.owner[receivers.column_of]
        starts, ends = (np.searchsorted(owner, rows, side=side).tolist() for side in ("left", "right"))
        for row, start, end in zip(rows.tolist(), starts, ends, strict=True):
            lit = np.zeros((end - start, len(self.table)), dtype=np.uint8)
            known = np.zeros(len(self.table), dtype=np.uint8)
            self._plots[row] = Plot(receivers.of_owner(row), is_open[start:end], lit, known)

    def _light(self, plots: Sequence[Plot], suns: Flags) -> None:
        """Cast what is not known yet."""
        if not plots:
            return
        grid, empty, _ = self.solids()
        receivers = join_receivers([plot.receivers for plot in plots])
        is_open = np.concatenate([plot.open for plot in plots])
        lit = np.concatenate([plot.lit for plot in plots])
        asked = np.repeat([suns & ~plot.known & 1 for plot in plots], [len(p.receivers) for p in plots], axis=0)
        asked &= columns_with(receivers, is_open)[:, None]
        trace(
            receivers, self.table, (grid, empty), self.hidden_none, asked,
            pivot=self.pivot, lit=lit, threads=self.threads,
        )  # fmt: skip
        lit[~is_open] = 0
        start = 0
        for plot in plots:
            end = start + len(plot.lit)
            plot.lit[:] = lit[start:end]
            plot.known[:] |= suns
            start = end


def assess_light(
    base: BaseLight, overlay: Mapping[str, CityObject | None], *, sites: FloatArray | None = None
) -> LightComparison:
    """Return the complete comparison of a scheme with its base; see :func:`refine_light`."""
    *_, last = refine_light(base, overlay, sites=sites)
    return last


def refine_light(
    base: BaseLight, overlay: Mapping[str, CityObject | None], *, sites: FloatArray | None = None
) -> Iterator[LightComparison]:
    """Yield a coarse comparison (every fourth place of the sun), then the complete one.

    ``overlay`` is what a scheme changes: objects by id, ``None`` for what is gone.  The neighbourhood lies around
    ``sites``, boxes (b, 4) xmin ymin xmax ymax; around what changes where none are given.
    """
    change = _Change(base, overlay)
    near = base.around(change.places[:, [0, 1, 3, 4]] if sites is None else sites, NEIGHBOURHOOD_M)
    own = base.around(change.places[:, [0, 1, 3, 4]], 0.0)
    rows = np.union1d(np.union1d(near, own), base.shaded(change.boxes))
    rows = rows[base.scene.top_row[rows] == rows]
    every = np.ones(len(base.table), dtype=np.uint8)
    coarse = every.copy()
    coarse[np.arange(len(every)) % COARSE_EVERY != COARSE_EVERY // 2] = 0
    if coarse.any():
        yield change.compared(rows, near, coarse, complete=False)
    yield change.compared(rows, near, every, complete=True)


class _Change:
    """A scheme against its base: what is hidden, what is added, and the boxes of both."""

    def __init__(self, base: BaseLight, overlay: Mapping[str, CityObject | None]) -> None:
        self.base = base
        self.near: frozenset[int] = frozenset()
        scene = base.scene
        relevant = {k: o for k, o in overlay.items() if o is None or o.type in RELEVANT_TYPES}
        gone = np.array([scene.row_of[k] for k in relevant if k in scene.row_of], dtype=np.int64)
        self.hidden = base.hidden_none
        self.hidden[:-1] = np.isin(np.arange(len(scene)), gone) | np.isin(scene.top_row, gone)
        self.replaced = np.flatnonzero(self.hidden[:-1])
        self.added = scene_of_objects([o for o in relevant.values() if o is not None], ground=scene.ground)
        self.grid = grid_of(self.added.faces, base.pivot, 0)
        self.roofs = Roofs(self.added.faces)
        self.boxes = _known(np.concatenate((scene.box[self.replaced], self.added.box)))
        self.places = _known(np.concatenate((base.extent[self.replaced], extents(self.added))))

    def compared(self, rows: IntArray, near: IntArray, suns: Flags, *, complete: bool) -> LightComparison:
        """Return the comparison by the places of the sun that ``suns`` (s,) names."""
        step_h = self.base.sun.step_h
        if not len(suns):
            return LightComparison(self.base.sun, complete, step_h, ())
        self.near = frozenset(near.tolist())
        before = self.base.plots(rows, suns)
        step_h *= len(suns) / int(suns.sum())
        stays = self.hidden[rows] == 0
        kept = [plot for plot, stay in zip(before, stays.tolist(), strict=True) if stay]
        found = self._kept(rows[stays], kept, suns, step_h)
        old = {
            row: Hours.of_plot(plot, suns, step_h, self.base.table)
            for row, plot, stay in zip(rows.tolist(), before, stays.tolist(), strict=True)
            if not stay
        }
        found += self._new(old, suns, step_h)
        found += [self._object(self.base.scene, row, hours, None) for row, hours in old.items()]
        return LightComparison(self.base.sun, complete, step_h, tuple(found))

    def _kept(self, rows: IntArray, plots: Sequence[Plot], suns: Flags, step_h: float) -> list[ObjectLight]:
        """Return what the scheme leaves as it is: only pairs whose ray passes a changed solid are cast again."""
        if not plots:
            return []
        base = self.base
        receivers = join_receivers([plot.receivers for plot in plots])
        is_open = np.concatenate([plot.open for plot in plots])
        lit = np.concatenate([plot.lit for plot in plots])
        asked = reached_pairs(receivers, base.table, self.boxes, base.pivot) & suns
        asked &= columns_with(receivers, is_open)[:, None]
        grid, _, _ = base.solids()
        trace(
            receivers, base.table, (grid, self.grid), self.hidden, asked,
            pivot=base.pivot, lit=lit, threads=base.threads,
        )  # fmt: skip
        lit[~is_open | self.roofs.covers(receivers, _nobody(self.added))] = 0
        ends = np.cumsum([len(plot.lit) for plot in plots])
        found = []
        for row, plot, end in zip(rows.tolist(), plots, ends.tolist(), strict=True):
            before = Hours.of_plot(plot, suns, step_h, base.table)
            after_h = (lit[end - len(plot.lit) : end] * suns).sum(axis=1)[plot.open] * step_h
            found.append(self._object(base.scene, row, before, replace(before, hours=after_h)))
        return found

    def _new(self, old: dict[int, Hours], suns: Flags, step_h: float) -> list[ObjectLight]:
        """Return what the scheme adds or puts in the place of something; takes that out of ``old``."""
        base, scene = self.base, self.added
        rows = np.flatnonzero(scene.top_row == np.arange(len(scene)))
        if not len(rows):
            return []
        grid, _, roofs = base.solids()
        receivers = receivers_of(scene, rows)
        is_open = ~(roofs.covers(receivers, self.hidden) | self.roofs.covers(receivers, _nobody(scene)))
        lit = np.zeros((len(receivers.z), len(suns)), dtype=np.uint8)
        asked = columns_with(receivers, is_open)[:, None] * suns
        trace(
            receivers, base.table, (grid, self.grid), self.hidden, asked,
            pivot=base.pivot, lit=lit, threads=base.threads,
        )  # fmt: skip
        owner = receivers.owner[receivers.column_of]
        found = []
        for row in rows.tolist():
            own = slice(*np.searchsorted(owner, [row, row + 1]).tolist())
            plot = Plot(receivers.of_owner(row), is_open[own], lit[own], suns)
            after = Hours.of_plot(plot, suns, step_h, base.table)
            before = old.pop(base.scene.row_of.get(scene.ids[row], -1), None)
            found.append(self._object(scene, row, before, after))
        return found

    def _object(self, scene: Scene, row: int, before: Hours | None, after: Hours | None) -> ObjectLight:
        return ObjectLight(
            id=scene.ids[row],
            name=scene.names[row],
            home=bool(scene.home[row]),
            park=scene.park[row] is not None,
            changed=scene is self.added or after is None,
            near=scene is self.added or row in self.near,
            before=before,
            after=after,
        )


def columns_with(receivers: Receivers, wanted: NDArray[np.bool_]) -> Flags:
    """Return (c,) 1 for the columns that have a wanted height."""
    found = np.zeros(len(receivers), dtype=np.uint8)
    found[receivers.column_of[wanted]] = 1
    return found


def extents(scene: Scene) -> FloatArray:
    """Return the box of each building with its parts, and of each park, shape (n, 6); NaN for the rest."""
    extent = np.full((len(scene), 6), np.nan)
    np.fmin.at(extent[:, :3], scene.top_row, scene.box[:, :3])
    np.fmax.at(extent[:, 3:], scene.top_row, scene.box[:, 3:])
    parks = np.flatnonzero([park is not None for park in scene.park])
    if len(parks):
        bounds = shapely.bounds(scene.park[parks])
        extent[parks, 0:2], extent[parks, 3:5] = bounds[:, 0:2], bounds[:, 2:4]
        extent[parks, 2] = float(scene.ground.levels_m.min())
        extent[parks, 5] = float(scene.ground.levels_m.max()) + ABOVE_GROUND_M
    return extent


def _known(boxes: FloatArray) -> FloatArray:
    known: FloatArray = boxes[np.isfinite(boxes).all(axis=1)]
    return known


def _nobody(scene: Scene) -> Flags:
    return np.zeros(len(scene) + 1, dtype=np.uint8)
