"""Which buildings of one source are which of the city: by id, by parcel, by footprint (pure).

Each incoming building finds at most one of the present ones and each present one at most one of the incoming.
Where one footprint covers several of the other side, that is said and nothing is decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

IOU_MIN: Final = 0.5
"""Shared part of the union above which two footprints are one building, whatever else they touch: where the
footprints of a source do not overlap one another, at most one of them can share more than half of the union."""

OVERLAP_MIN: Final = 0.5
"""Shared part of the smaller footprint above which it lies in the other rather than beside it."""

IOU_ALONE_MIN: Final = 0.25
"""Shared part of the union that is enough where neither has anybody else: a roof outline and a wall outline of a
small house share half of their union or less; a kiosk in a courtyard block shares less than this."""

PARCEL_OVERLAP_MIN: Final = 0.1
"""Shared part of the smaller footprint that is enough on one parcel, where sources agree on who the neighbours are."""

PARCEL_DISTANCE_M_MAX: Final = 10.0
"""Furthest that the only buildings of one parcel may stand apart: the offset between two surveys, not two sites."""

NATIVE_ID_LENGTH_MIN: Final = 6
"""Characters from which an id that two sources share is taken for one and not for a row's number in both."""

PAIRS_AT_ONCE: Final = 50_000
"""Pairs of footprints that are cut at once; bounds memory."""

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


class Match(StrEnum):
    """Why an object belongs to a building of the city."""

    FIRST = "first"
    """It was there first: the building goes by its id."""
    ID = "id"
    PARCEL = "parcel"
    OVERLAP = "overlap"
    PART = "part"
    """It is a part of a member whose geometry is not shown, and is not shown itself."""
    BODY = "body"
    """It is a part of the member whose geometry is shown."""


@dataclass(frozen=True, slots=True)
class Footprints:
    """Buildings to be matched, in columns.

    ``places`` are polygons in the working CRS or ``None``; ``names`` are the ids by which others may mean them;
    ``meant`` the ids that they say they are; ``parcels`` a parcel's id or ``""``.
    """

    ids: Sequence[str]
    places: NDArray[np.object_]
    names: Sequence[Sequence[str]]
    meant: Sequence[Sequence[str]]
    parcels: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)


class Pair(NamedTuple):
    """An incoming and a present building; ``overlap`` shared part of the smaller footprint, ``iou`` of the union."""

    incoming: str
    present: str
    match: Match
    overlap: float
    iou: float


class Block(NamedTuple):
    """Footprints that cover each other without being one building each: several on at least one side."""

    incoming: tuple[str, ...]
    present: tuple[str, ...]


class Doubt(NamedTuple):
    """An incoming and a present footprint that lie in one another but are not taken for one building."""

    incoming: str
    present: str
    overlap: float
    iou: float


@dataclass(slots=True)
class Matched:
    """What matching found; every list is in the order of ids."""

    pairs: list[Pair] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shared:
    """Pairs of footprints that share area: rows of both sides, part of the smaller, part of the union."""

    incoming: Rows
    present: Rows
    overlap: Numbers
    iou: Numbers

    def of(self, mask: NDArray[np.bool_]) -> Shared:
        """Return some of the pairs."""
        return Shared(self.incoming[mask], self.present[mask], self.overlap[mask], self.iou[mask])

    def sorted_pairs(self, incoming: Footprints, present: Footprints) -> Iterator[tuple[int, int, float, float]]:
        """Yield row, row, overlap, iou, the most alike first, of equals by id."""
        listed = zip(
            self.incoming.tolist(), self.present.tolist(), self.overlap.tolist(), self.iou.tolist(), strict=True
        )
        yield from sorted(listed, key=lambda one: (-one[3], -one[2], incoming.ids[one[0]], present.ids[one[1]]))


def match_footprints(incoming: Footprints, present: Footprints) -> Matched:
    """Match two sets of buildings; the result does not depend on their order."""
    shared = shared_area(incoming.places, present.places)
    matching = _Matching(incoming, present, shared)
    matching.by_id()
    matching.by_parcel()
    matching.by_overlap()
    found = matching.found
    found.pairs.sort()
    found.blocks.sort()
    found.doubts.sort()
    return found


def shared_area(incoming: NDArray[np.object_], present: NDArray[np.object_]) -> Shared:
    """Return all pairs of footprints that share area; lines and points share none."""
    ours, theirs = sound(incoming), sound(present)
    pairs = shapely.STRtree(theirs).query(ours, predicate="intersects")
    rows, others = (side.astype(np.int64) for side in pairs)
    area, other_area = shapely.area(ours), shapely.area(theirs)
    common = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        common[part] = shapely.area(shapely.intersection(ours[rows[part]], theirs[others[part]]))
    smaller = np.minimum(area[rows], other_area[others])
    union = area[rows] + other_area[others] - common
    kept = (common > 0) & (smaller > 0)
    overlap, iou = common[kept] / smaller[kept], common[kept] / union[kept]
    # Rounded, so that the last digit of a platform's arithmetic decides nothing.
    return Shared(rows[kept], others[kept], np.minimum(overlap, 1.0).round(6), np.minimum(iou, 1.0).round(6))


def sound(places: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the same places with those mended that cross themselves."""
    broken = ~shapely.is_valid(places) & ~shapely.is_missing(places)
    if not broken.any():
        return places
    mended = places.copy()
    mended[broken] = shapely.make_valid(places[broken], method="structure", keep_collapsed=False)
    return mended


class _Matching:
    """One run: takes pairs away from both sides as they are found."""

    def __init__(self, incoming: Footprints, present: Footprints, shared: Shared) -> None:
        self.incoming, self.present, self.shared = incoming, present, shared
        self.found = Matched()
        self._free = np.ones(len(incoming), dtype=bool)
        self._open = np.ones(len(present), dtype=bool)
        self._measure: dict[tuple[int, int], tuple[float, float]] | None = None

    def _take(self, row: int, other: int, match: Match) -> None:
        if self._measure is None:
            shared = self.shared
            keys = zip(shared.incoming.tolist(), shared.present.tolist(), strict=True)
            values = zip(shared.overlap.tolist(), shared.iou.tolist(), strict=True)
            self._measure = dict(zip(keys, values, strict=True))
        overlap, iou = self._measure.get((row, other), (0.0, 0.0))
        self._free[row] = self._open[other] = False
        self.found.pairs.append(Pair(self.incoming.ids[row], self.present.ids[other], match, overlap, iou))

    def _left(self) -> Shared:
        return self.shared.of(self._free[self.shared.incoming] & self._open[self.shared.present])

    def by_id(self) -> None:
        """Match what says which building it is; the same native id counts where the footprints are alike, too."""
        present = _by_name(self.present.names)
        alike = self.shared.of(self.shared.iou >= IOU_ALONE_MIN)
        meet = set(zip(alike.incoming.tolist(), alike.present.tolist(), strict=True))
        said: list[tuple[int, str, int]] = []
        for row, meant in enumerate(self.incoming.meant):
            said.extend((0, self.incoming.ids[row], other) for name in meant for other in present.get(name, ()))
            said.extend(
                (1, self.incoming.ids[row], other)
                for name in self.incoming.names[row]
                if len(name) >= NATIVE_ID_LENGTH_MIN
                for other in present.get(name, ())
                if (row, other) in meet
            )
        incoming = _by_name(self.incoming.names)
        for other, meant in enumerate(self.present.meant):
            said.extend((0, self.incoming.ids[row], other) for name in meant for row in incoming.get(name, ()))
        row_of = {identifier: row for row, identifier in enumerate(self.incoming.ids)}
        for _, identifier, other in sorted(said, key=lambda one: (one[0], one[1], self.present.ids[one[2]])):
            if self._free[row_of[identifier]] and self._open[other]:
                self._take(row_of[identifier], other, Match.ID)

    def by_parcel(self) -> None:
        """Match the only buildings of a parcel, and of several those that share most."""
        ours = _on_parcels(self.incoming.parcels, self._free)
        theirs = _on_parcels(self.present.parcels, self._open)
        for parcel in sorted(ours.keys() & theirs.keys()):
            if len(ours[parcel]) == len(theirs[parcel]) == 1:
                row, other = ours[parcel][0], theirs[parcel][0]
                if _near(self.incoming.places[row], self.present.places[other]):
                    self._take(row, other, Match.PARCEL)
        left = self._left()
        ours_at, theirs_at = (np.array(side.parcels, dtype=object) for side in (self.incoming, self.present))
        same = (ours_at[left.incoming] == theirs_at[left.present]) & (ours_at[left.incoming] != "")
        enough = left.of(same.astype(bool) & (left.overlap >= PARCEL_OVERLAP_MIN) & (left.iou >= IOU_ALONE_MIN))
        self._take_best(enough, Match.PARCEL)

    def by_overlap(self) -> None:
        """Match footprints that share most of their union, then those that have nobody else; report the others."""
        left = self._left()
        self._take_best(left.of(left.iou >= IOU_MIN), Match.OVERLAP)
        left = self._left()
        for rows, others, pairs in _components(left.of(left.overlap >= OVERLAP_MIN)):
            if len(rows) == len(others) == 1:
                row, other, overlap, iou = pairs[0]
                if iou >= IOU_ALONE_MIN:
                    self._take(row, other, Match.OVERLAP)
                else:
                    self.found.doubts.append(Doubt(self.incoming.ids[row], self.present.ids[other], overlap, iou))
            else:
                self.found.blocks.append(
                    Block(
                        tuple(sorted(self.incoming.ids[row] for row in rows)),
                        tuple(sorted(self.present.ids[other] for other in others)),
                    )
                )

    def _take_best(self, candidates: Shared, match: Match) -> None:
        for row, other, _, _ in candidates.sorted_pairs(self.incoming, self.present):
            if self._free[row] and self._open[other]:
                self._take(row, other, match)


def _by_name(names: Sequence[Sequence[str]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, own in enumerate(names):
        for name in own:
            found[name].append(row)
    return found


def _on_parcels(parcels: Sequence[str], free: NDArray[np.bool_]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, parcel in enumerate(parcels):
        # Everybody counts, matched or not: the only one that is left of two is not the only one.
        if parcel:
            found[parcel].append(row)
    return {parcel: rows for parcel, rows in found.items() if all(free[row] for row in rows)}


def _near(one: shapely.Geometry | None, other: shapely.Geometry | None) -> bool:
    return one is None or other is None or bool(shapely.dwithin(one, other, PARCEL_DISTANCE_M_MAX))


Listed = list[tuple[int, int, float, float]]


def _components(shared: Shared) -> Iterator[tuple[set[int], set[int], Listed]]:
    """Yield the connected groups of pairs: rows of one side, of the other, and the pairs."""
    beside: dict[tuple[int, int], list[int]] = defaultdict(list)
    pairs = list(
        zip(
            shared.incoming.tolist(),
            shared.present.tolist(),
            shared.overlap.tolist(),
            shared.iou.tolist(),
            strict=True,
        )
    )
    for number, (row, other, _, _) in enumerate(pairs):
        beside[0, row].append(number)
        beside[1, other].append(number)
    seen = [False] * len(pairs)
    for start in range(len(pairs)):
        if seen[start]:
            continue
        waiting, group = [start], []
        seen[start] = True
        while waiting:
            number = waiting.pop()
            group.append(pairs[number])
            for near in (*beside[0, pairs[number][0]], *beside[1, pairs[number][1]]):
                if not seen[near]:
                    seen[near] = True
                    waiting.append(near)
        yield {one[0] for one in group}, {one[1] for one in group}, group
