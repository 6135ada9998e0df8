"""Sky and views: how much sky is seen from the streets, and from where a landmark is; pure.

Methods: docs/methods/sky-view-factor.md, landmark-visibility.md.  Buildings are prisms of their height
over even ground.  Observers stand on the streets of the baseline, so that a scheme is seen by the same eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.findings import Quality
from cim.impact.graph import SITE, Case, Node
from cim.impact.layers import Ints, Shapes
from cim.impact.model import Outcome, Range, Scope, Share, Title
from cim.impact.rows import CM_PER_M
from cim.impact.stock import Stock

EYE_M: Final = 1.6
SPACING_M: Final = 20.0
"""Distance between observers along a street."""
OBSERVERS_MAX: Final = 200
AROUND_SITE_M: Final = 60.0
"""Observers stand this near to the site."""
HORIZON_M: Final = 150.0
"""Buildings beyond this are not looked at for the sky."""
DIRECTIONS: Final = 36
VIEW_M: Final = 1_000.0
"""A landmark is looked for from this near."""
VIEW_M_MIN: Final = 30.0
LANDMARKS_MAX: Final = 3
BATCH: Final = 40
"""Observers worked out at once, so that a newer edit is noticed and memory stays small."""

Floats = NDArray[np.float64]


def street_points(stock: Stock) -> Floats:
    """Return observers on all walkable streets of a baseline, (n, 2), in the order of their places."""
    base = stock.base
    found: Floats | None = base.memo.get("street_points")
    if found is None:
        rows = [row for row in base.streets.rows().tolist() if base.streets.facts[row].walkable]
        points = shapely.get_coordinates(shapely.segmentize(base.streets.places[rows], SPACING_M))
        cells = np.unique(np.rint(points / (SPACING_M / 2)).astype(np.int64), axis=0, return_index=True)[1]
        points = points[np.sort(cells)]
        points = points[np.lexsort((points[:, 1], points[:, 0]))]
        inside = base.buildings.tree.query(shapely.points(points), predicate="intersects")[0]
        found = base.memo["street_points"] = np.delete(points, np.unique(inside), axis=0)
    return found


def thinned(points: Floats, most: int = OBSERVERS_MAX) -> Floats:
    """Return at most so many points, evenly picked from their order."""
    if len(points) <= most:
        return points
    return np.asarray(points[np.linspace(0, len(points) - 1, most).astype(np.int64)])


def observers(case: Case) -> Floats:
    """Return who looks at the sky: those near the site, or a sample of the city where there is no site."""
    points = street_points(case.stock)
    if case.site and len(points):
        units = case.stock.base.units.places[sorted(case.site)]
        memo = case.stock.base.memo
        if "street_tree" not in memo:
            memo["street_tree"] = shapely.STRtree(shapely.points(points))
        tree = memo["street_tree"]
        points = points[np.unique(tree.query(units, predicate="dwithin", distance=AROUND_SITE_M)[1])]
    return thinned(points)


@dataclass(frozen=True, slots=True)
class Outlines:
    """Outline edges (m, 4) of some buildings with heights above the eye (m,), by building: ``starts`` (n + 1,)."""

    edges: Floats
    height_m: Floats
    starts: Ints

    def of(self, items: Ints) -> tuple[Floats, Floats]:
        """Return the edges and heights of some of the buildings."""
        first, last = self.starts[items], self.starts[items + 1]
        counts = last - first
        picked = np.repeat(first - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
        return self.edges[picked], self.height_m[picked]


def _outlines(stock: Stock, rows: Ints) -> Outlines:
    rings, building = shapely.get_parts(shapely.boundary(stock.buildings.places[rows]), return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    follows = np.flatnonzero(ring[1:] == ring[:-1])
    edges = np.column_stack((coordinates[follows], coordinates[follows + 1]))
    owner = building[ring[follows]]
    height = stock.column("height_cm")[rows][owner] / CM_PER_M - EYE_M
    starts = np.searchsorted(owner, np.arange(len(rows) + 1))
    return Outlines(edges, height, starts.astype(np.int64))


def sky_factors(stock: Stock, points: Floats) -> Floats:
    """Return the sky view factor of each observer, 0 to 1.

    Horizon angles in :data:`DIRECTIONS` directions; a factor is the mean of cos² of them (Lambert's sky over a
    level surface; Johnson and Watson 1984).
    """
    if not len(points):
        return np.empty(0)
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    ux, uy = np.cos(angles), np.sin(angles)
    near = _near(stock, points)
    rows = np.unique(np.concatenate(near))
    outlines = _outlines(stock, rows)
    under = _covered(stock, points, rows)
    factors = np.ones(len(points))
    for item, found in enumerate(near):
        if len(found):
            edges, height = outlines.of(np.searchsorted(rows, found))
            tangent = np.maximum(0.0, _tangents(edges - np.tile(points[item], 2), height, ux, uy))
            factors[item] = float((1.0 / (1.0 + tangent * tangent)).sum()) / DIRECTIONS
    factors[under] = 0.0
    return factors


def _covered(stock: Stock, points: Floats, rows: Ints) -> Ints:
    """Return which points lie inside a building."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    tree = shapely.STRtree(stock.buildings.places[rows])
    return np.unique(tree.query(shapely.points(points), predicate="intersects")[0])


def _tangents(edges: Floats, height: Floats, ux: Floats, uy: Floats) -> Floats:
    """Return the tangent of the horizon in each direction from the origin."""
    ax, ay = edges[:, 0, None], edges[:, 1, None]
    ex, ey = edges[:, 2, None] - ax, edges[:, 3, None] - ay
    turn = ux * ey - uy * ex
    with np.errstate(divide="ignore", invalid="ignore"):
        away = (ax * ey - ay * ex) / turn
        along = (ax * uy - ay * ux) / turn
        seen = (away > 0) & (along >= 0) & (along <= 1) & (away <= HORIZON_M)
        tangent = np.where(seen, height[:, None] / away, 0.0)
    return np.asarray(tangent.max(axis=0, initial=0.0))


def _near(stock: Stock, points: Floats) -> list[Ints]:
    """Return the living buildings near each observer."""
    buildings = stock.buildings
    shapes = shapely.points(points)
    which, row = buildings.base.tree.query(shapes, predicate="dwithin", distance=HORIZON_M)
    alive = buildings.alive[row]
    which, row = which[alive], row[alive]
    order = np.argsort(which, kind="stable")
    groups = np.split(row[order], np.searchsorted(which[order], np.arange(1, len(points))))
    extra = np.array(list(buildings.extra_rows()), dtype=np.int64)
    if not len(extra):
        return groups
    distance = shapely.distance(shapes[:, None], buildings.places[extra][None, :])
    return [np.concatenate((group, extra[own <= HORIZON_M])) for group, own in zip(groups, distance, strict=True)]


def sky_view(case: Case) -> Outcome:
    """Return the mean sky view factor of the observers; the breakdown has the least."""
    points = observers(case)
    found = []
    for first in range(0, len(points), BATCH):
        case.check()
        found.append(sky_factors(case.stock, points[first : first + BATCH]))
    factors = np.concatenate(found) if found else np.empty(0)
    if not len(factors):
        return Outcome(None)
    shares = (Share("least", float(factors.min())), Share("observers", float(len(factors)), "1"))
    return Outcome(Range.exact(float(factors.sum()) / len(factors)), shares)


# -- landmarks --------------------------------------------------------------------------------------------


def landmarks(case: Case) -> list[str]:
    """Return the landmarks of a baseline: those that its factor set names, else its highest named buildings."""
    base = case.stock.base
    named = [identifier for identifier in case.factors.landmarks if base.buildings.row(identifier) is not None]
    if named:
        return named
    rows = sorted(base.own_rows.names, key=lambda row: (-int(base.own_rows.height_cm[row]), base.buildings.ids[row]))
    return [base.buildings.ids[row] for row in rows[:LANDMARKS_MAX]]


def landmark_observers(stock: Stock, identifier: str) -> Floats:
    """Return who looks for a landmark: a sample of those within :data:`VIEW_M` of where the baseline has it."""
    base = stock.base
    old = base.buildings.row(identifier)
    if old is None:
        return np.empty((0, 2))
    centre = shapely.get_coordinates(shapely.centroid(base.buildings.places[old]))[0]
    points = street_points(stock)
    away = np.hypot(*(points - centre).T)
    return thinned(points[(away >= VIEW_M_MIN) & (away <= VIEW_M)])


def landmark_share(stock: Stock, identifier: str, points: Floats) -> float | None:
    """Return the share of some observers who see a landmark's top; ``None`` without any."""
    if not len(points):
        return None
    row = stock.buildings.row(identifier)
    if row is None:
        return 0.0
    goal = shapely.get_coordinates(shapely.centroid(stock.buildings.places[row]))[0]
    top = float(stock.column("height_cm")[row]) / CM_PER_M
    hidden = _hidden(stock, points, goal, top, row)
    return int(len(points) - hidden.sum()) / len(points)


def _hidden(stock: Stock, points: Floats, goal: Floats, top_m: float, landmark: int) -> NDArray[np.bool_]:
    """Return from which points a building stands before the landmark's top."""
    buildings = stock.buildings
    sights = shapely.linestrings(np.stack((points, np.broadcast_to(goal, points.shape)), axis=1))
    which, row = buildings.base.tree.query(sights, predicate="intersects")
    extra = np.array(list(buildings.extra_rows()), dtype=np.int64)
    if len(extra):
        more = np.argwhere(shapely.intersects(sights[:, None], buildings.places[extra][None, :]))
        which, row = np.concatenate((which, more[:, 0])), np.concatenate((row, extra[more[:, 1]]))
    kept = buildings.alive[row] & (row != landmark)
    which, row = which[kept], row[kept]
    entries: Shapes = shapely.intersection(buildings.places[row], sights[which])
    # A sight line rises all the way, so it is lowest where it meets a building first.
    entry = shapely.distance(shapely.points(points[which]), entries)
    length = np.hypot(*(points[which] - goal).T)
    height = EYE_M + (top_m - EYE_M) * entry / length
    blocked = height < stock.column("height_cm")[row] / CM_PER_M
    return np.asarray(np.bincount(which[blocked], minlength=len(points)) > 0)


def landmark_visibility(case: Case) -> Outcome:
    """Return the mean share of observers who see a landmark; the breakdown has each landmark."""
    shares = []
    for identifier in landmarks(case):
        case.check()
        found = landmark_share(case.stock, identifier, landmark_observers(case.stock, identifier))
        if found is not None:
            shares.append(Share(identifier, found))
    if not shares:
        return Outcome(None)
    return Outcome(Range.exact(sum(share.value or 0.0 for share in shares) / len(shares)), tuple(shares))


def sky_nodes() -> tuple[Node, ...]:
    """Return the indicators of sky and views."""
    return (
        Node(
            "sky.view_factor",
            "1",
            Title("Sky view factor on the streets", "街道天空可视率"),
            ("buildings", "units", SITE),
            "sky-view-factor",
            sky_view,
            quality=Quality.MODELLED,
            better="more",
            scope=Scope.SITE,
            rank=50,
        ),
        Node(
            "sky.landmark_visibility",
            "1",
            Title("Streets from which the landmarks are seen", "地标可视率"),
            ("buildings",),
            "landmark-visibility",
            landmark_visibility,
            quality=Quality.MODELLED,
            better="more",
            scope=Scope.CITY,
            rank=51,
        ),
    )
