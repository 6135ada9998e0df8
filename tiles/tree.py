"""The spatial tree: a square cell is halved again and again until what lies in each half makes one tile.

Where a cell is halved depends on the cell alone, and whether it is, on what lies in it: so a change in one place
changes the tree in that place and nowhere else, and a tree that is mended is the tree that is grown anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tiles.massing import Massing, pooled
from tiles.soup import Bounds, FloatArray, IntArray

LEAF_FEATURES_MAX: Final = 384
LEAF_VERTICES_MAX: Final = 48_000
"""Keeps a leaf of several features below 65,535 vertices, edges and skirt apart."""
FAR_FEATURES_MIN: Final = 2 * LEAF_FEATURES_MAX
FAR_VERTICES_MIN: Final = 2 * LEAF_VERTICES_MAX
"""An inner tile stands for more than so many buildings or vertices: over less it merges next to nothing."""
DEPTH_MAX: Final = 48
"""Of halvings: beyond it, what lies in one place stays together."""


@dataclass(frozen=True, slots=True)
class Members:
    """Buildings by ascending id: ``box`` (n, 4) metres in the working CRS, ``weight`` (n,) about their vertices.

    ``parts`` are the ids of what stands for some of them; ``rows`` (n,) is where a stock has them, while it is at hand.
    """

    ids: Sequence[str]
    box: FloatArray
    weight: FloatArray
    parts: dict[str, list[str]] = field(default_factory=dict)
    rows: IntArray | None = None

    @property
    def centre(self) -> FloatArray:
        """The middles of the boxes, shape (n, 2)."""
        middle: FloatArray = (self.box[:, :2] + self.box[:, 2:]) / 2
        return middle

    def select(self, rows: IntArray) -> Members:
        """Return some members, in the order given."""
        ids = [self.ids[row] for row in rows.tolist()]
        parts = {name: self.parts[name] for name in ids if name in self.parts} if self.parts else {}
        return Members(ids, self.box[rows], self.weight[rows], parts, None if self.rows is None else self.rows[rows])

    def object_ids(self) -> list[str]:
        """Return the ids of all objects that the members are drawn from."""
        return [*self.ids, *(part for parts in self.parts.values() for part in parts)]


def joined(every: Sequence[Members]) -> Members:
    """Return several as one, by ascending id."""
    if not every:
        return Members([], np.empty((0, 4)), np.empty(0))
    ids = [name for members in every for name in members.ids]
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    parts = {name: found for members in every for name, found in members.parts.items()}
    box, weight = (np.concatenate([getattr(m, name) for m in every]) for name in ("box", "weight"))
    return Members(ids, box, weight, parts).select(order)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile that is made: ``low`` and ``high`` (3,) bound it and all below it, metres in the chart, empty for nothing.

    ``error_m`` is how far its content lies from the whole, at least a little more than of any tile below.  What a
    branch without a tile hands up is what its kids do: it has no ``massing`` of its own.
    """

    uri: str | None
    low: Sequence[float]
    high: Sequence[float]
    error_m: float
    massing: Massing | None


@dataclass(slots=True)
class Branch:
    """A cell of the tree; a leaf has ``members``, any other one or two ``kids``.

    ``drawn`` is the tile of a leaf or of an even depth, and what the tile above shows of the whole branch; ``None``
    until it is made.  Branches of odd depths that are no leaves, and those with too little to merge, have no tile:
    their kids hang from the tile above.
    ``unit`` and ``document`` are the files that hold the branch and its tileset, where it is the top of a unit; the
    kids and members of one that is not opened lie there alone.
    """

    cell: Bounds
    depth: int
    count: int
    weight: float
    members: Members | None = None
    kids: list[Branch] = field(default_factory=list)
    drawn: Drawn | None = None
    unit: str | None = None
    document: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether members and kids are only in the unit's file."""
        return self.members is None and not self.kids

    @property
    def has_tile(self) -> bool:
        """Whether this is a tile of the tileset."""
        if self.members is not None or self.unit is not None or not self.depth:
            return True
        return self.depth % 2 == 0 and (self.count > FAR_FEATURES_MIN or self.weight > FAR_VERTICES_MIN)

    def leaves(self) -> Iterator[Branch]:
        """Yield the leaves, in order."""
        if self.members is not None:
            yield self
        for kid in self.kids:
            yield from kid.leaves()

    def below(self) -> list[Branch]:
        """Return the tiles that hang from this one."""
        found: list[Branch] = []
        for kid in self.kids:
            found.extend([kid] if kid.has_tile else kid.below())
        return found


def handed_up(kids: Sequence[Branch]) -> Massing:
    """Return what the tile above shows of branches that are made, all together."""
    return pooled(list(_handed_up(kids)))


def _handed_up(kids: Sequence[Branch]) -> Iterator[Massing]:
    for kid in kids:
        if kid.drawn is not None and kid.drawn.massing is not None:
            yield kid.drawn.massing
        else:
            yield from _handed_up(kid.kids)


def is_small(count: int, weight: float) -> bool:
    """Tell whether so much makes one leaf."""
    return count < 2 or (count <= LEAF_FEATURES_MAX and weight <= LEAF_VERTICES_MAX)


def halves(cell: Bounds) -> tuple[int, float, Bounds, Bounds]:
    """Return the axis that a cell is halved across, where, and its two halves."""
    xmin, ymin, xmax, ymax = cell
    if xmax - xmin >= ymax - ymin:
        middle = (xmin + xmax) / 2
        return 0, middle, (xmin, ymin, middle, ymax), (middle, ymin, xmax, ymax)
    middle = (ymin + ymax) / 2
    return 1, middle, (xmin, ymin, xmax, middle), (xmin, middle, xmax, ymax)


def grow(members: Members, cell: Bounds, depth: int = 0) -> Branch:
    """Return the tree over what lies in a cell."""
    centre, weight = members.centre, members.weight

    def make(rows: IntArray, cell: Bounds, depth: int) -> Branch:
        total = float(weight[rows].sum())
        branch = Branch(cell, depth, len(rows), total)
        if is_small(len(rows), total) or depth >= DEPTH_MAX:
            branch.members = members.select(rows)
            return branch
        axis, middle, low, high = halves(cell)
        left = centre[rows, axis] < middle
        for chosen, half in ((rows[left], low), (rows[~left], high)):
            if len(chosen):
                branch.kids.append(make(chosen, half, depth + 1))
        return branch

    return make(np.arange(len(members.ids)), cell, depth)


def mend(
    branch: Branch | None,
    cell: Bounds,
    gone: Members,
    new: Members,
    opened: Callable[[Branch], Branch],
    depth: int = 0,
) -> Branch | None:
    """Return the tree without some buildings and with others: what is made anew has no tile yet, the rest stays.

    ``gone`` (with the boxes where they were) and ``new`` are those that lie in the cell; ``opened`` returns a branch
    with its kids, where it was not read yet.  A branch that nothing reaches is returned as it is.
    """
    if branch is None:
        return grow(new, cell, depth) if len(new.ids) else None
    branch = opened(branch)
    if branch.members is not None:
        return _mended_leaf(branch, branch.members, gone, new)
    axis, middle, *cells = halves(cell)
    added, lost = new.centre[:, axis] < middle, gone.centre[:, axis] < middle
    before = {kid.cell: kid for kid in branch.kids}
    kids: list[Branch] = []
    for half, comes, goes in zip(cells, (added, ~added), (lost, ~lost), strict=True):
        kid = before.get(half)
        if comes.any() or goes.any():
            coming, going = (m.select(np.flatnonzero(rows)) for m, rows in ((new, comes), (gone, goes)))
            kid = mend(kid, half, going, coming, opened, depth + 1)
        if kid is not None:
            kids.append(kid)
    if [id(kid) for kid in kids] == [id(kid) for kid in branch.kids]:
        return branch
    if not kids:
        return None
    count, weight = sum(kid.count for kid in kids), sum(kid.weight for kid in kids)
    if is_small(count, weight):
        everyone = [leaf.members for kid in kids for leaf in opened_leaves(kid, opened) if leaf.members is not None]
        return grow(joined(everyone), cell, depth)
    return Branch(cell, depth, count, weight, kids=kids)


def _mended_leaf(branch: Branch, members: Members, gone: Members, new: Members) -> Branch | None:
    out = set(gone.ids)
    kept = np.array([row for row, name in enumerate(members.ids) if name not in out], dtype=np.int64)
    if len(kept) == len(members.ids) and not len(new.ids):
        return branch
    now = joined([members.select(kept), new])
    return grow(now, branch.cell, branch.depth) if len(now.ids) else None


def opened_leaves(branch: Branch, opened: Callable[[Branch], Branch]) -> Iterator[Branch]:
    """Yield the leaves, each branch read where it was not."""
    branch = opened(branch)
    if branch.members is not None:
        yield branch
    for kid in branch.kids:
        yield from opened_leaves(kid, opened)
