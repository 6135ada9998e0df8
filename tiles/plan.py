"""What a build leaves behind, so that one chain of its tree can be built again without the rest of the city.

The tree's shape, which building is in which leaf, where everything is, how large its blocks are from far away,
and the ground that all stands on.  Kept beside the tiles in one file that is not served.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Bounds = tuple[float, float, float, float]

PLAN_NAME: Final = "plan.npz"
BLOCKS_MAX: Final = 512
"""Blocks that one inner tile draws: the largest."""
_ARRAYS: Final = ("box", "far_owner", "far_size_m", "far_roof_error_m")


@dataclass(slots=True)
class PlanTile:
    """A tile as it was built: the name, bounds (3,) and error of its own content, and what lies in it.

    The bounds of a tile without content are empty.
    ``rows`` are the buildings of a leaf, by their rows in the plan; ``cell`` is that of a tile of ground.
    """

    uri: str | None
    low: Sequence[float]
    high: Sequence[float]
    error_m: float
    rows: Sequence[int] = ()
    cell: Bounds | None = None
    children: list[PlanTile] = field(default_factory=list)

    def leaves(self) -> Iterator[PlanTile]:
        """Yield the leaves from left to right."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def every_row(self) -> IntArray:
        """Return the buildings of all leaves under a tile, ascending."""
        found = [np.asarray(leaf.rows, dtype=np.int64) for leaf in self.leaves()]
        return np.sort(np.concatenate(found))


@dataclass(slots=True)
class Plan:
    """The plan of one build of the base city.

    ``ids`` are its buildings, ``parts`` the ids of what stands for some of them; ``box`` (n, 4) is each
    building's xmin, ymin, xmax, ymax in the working CRS.  ``far_*`` are the blocks that inner tiles choose
    from, in the order in which they do, those from ``far_bodies_from`` on being bodies.  ``grid`` is the
    ground's (corner, spacing, heights), ``None`` for flat ground.
    """

    frame: Mapping[str, Any]
    sheet: Bounds
    ids: list[str]
    parts: dict[str, list[str]]
    box: FloatArray
    far_owner: IntArray
    far_size_m: FloatArray
    far_roof_error_m: FloatArray
    far_bodies_from: int
    grid: tuple[tuple[float, float], float, FloatArray] | None
    buildings: PlanTile | None
    ground: PlanTile

    def save(self, path: Path) -> None:
        """Write the plan."""
        facts = {
            "frame": dict(self.frame),
            "sheet": self.sheet,
            "ids": self.ids,
            "parts": self.parts,
            "far_bodies_from": self.far_bodies_from,
            "buildings": None if self.buildings is None else asdict(self.buildings),
            "ground": asdict(self.ground),
        }
        text = orjson.dumps(facts, option=orjson.OPT_SERIALIZE_NUMPY)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if self.grid is not None:
            low, cell_m, heights = self.grid
            arrays |= {"grid_low": np.array(low), "grid_cell_m": np.array(cell_m), "grid": heights}
        with path.open("wb") as file:
            np.savez_compressed(file, facts=np.frombuffer(text, dtype=np.uint8), **arrays)

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read a plan; raises :class:`FileNotFoundError` where a build has none."""
        with np.load(path, allow_pickle=False) as stored:
            facts = orjson.loads(stored["facts"].tobytes())
            arrays = {name: stored[name] for name in _ARRAYS}
            grid = None
            if "grid" in stored:
                east, north = stored["grid_low"].tolist()
                grid = (east, north), float(stored["grid_cell_m"]), stored["grid"]
        west, south, east, north = facts["sheet"]
        return cls(
            frame=facts["frame"],
            sheet=(west, south, east, north),
            ids=facts["ids"],
            parts=facts["parts"],
            far_bodies_from=facts["far_bodies_from"],
            grid=grid,
            buildings=None if facts["buildings"] is None else _tile(facts["buildings"]),
            ground=_tile(facts["ground"]),
            **arrays,
        )

    def needed(self, touched: Collection[str], places: Sequence[tuple[float, float]]) -> list[str]:
        """Return the ids of the objects that the chains of some buildings are made from, parts among them.

        ``touched`` are buildings that are changed or gone, ``places`` the middles of new ones.
        """
        if self.buildings is None:
            return []
        row_of = {identifier: row for row, identifier in enumerate(self.ids)}
        rows = {row_of[identifier] for identifier in touched if identifier in row_of}
        # An inner tile draws its largest blocks: as many can move up as may leave.
        spare = int(np.isin(self.far_owner, list(rows)).sum())
        leaves = {id(leaf) for leaf in self.homes(places)}
        wanted: set[int] = set()

        def gather(tile: PlanTile) -> bool:
            if not tile.children:
                hit = id(tile) in leaves or not rows.isdisjoint(tile.rows)
                wanted.update(tile.rows if hit else ())
                return hit
            hits = [gather(child) for child in tile.children]
            if not any(hits):
                return False
            wanted.update(self._largest(tile, spare))
            return True

        gather(self.buildings)
        found = [self.ids[row] for row in sorted(wanted)]
        return [name for identifier in found for name in (identifier, *self.parts.get(identifier, ()))]

    def _largest(self, tile: PlanTile, spare: int) -> list[int]:
        under = np.zeros(len(self.ids), dtype=np.bool_)
        under[tile.every_row()] = True
        blocks = np.flatnonzero(under[self.far_owner])
        order = np.argsort(-self.far_size_m[blocks], kind="stable")[: BLOCKS_MAX + spare]
        found: list[int] = self.far_owner[blocks[order]].tolist()
        return found

    def homes(self, places: Sequence[tuple[float, float]]) -> list[PlanTile]:
        """Return the leaf that each place belongs to: that whose buildings' box is nearest, of equals the first."""
        if self.buildings is None:
            return []
        leaves = list(self.buildings.leaves())
        boxes = np.array([self._extent(leaf) for leaf in leaves])
        found = []
        for place in places:
            gap = np.maximum(np.maximum(boxes[:, :2] - place, place - boxes[:, 2:]), 0.0)
            middle = np.hypot(*((boxes[:, :2] + boxes[:, 2:]) / 2 - place).T)
            found.append(leaves[int(np.lexsort((middle, np.hypot(*gap.T)))[0])])
        return found

    def _extent(self, leaf: PlanTile) -> list[float]:
        box = self.box[np.asarray(leaf.rows, dtype=np.int64)]
        return [*box[:, :2].min(axis=0).tolist(), *box[:, 2:].max(axis=0).tolist()]


def _tile(members: Mapping[str, Any]) -> PlanTile:
    cell = members["cell"]
    children = [_tile(child) for child in members["children"]]
    return PlanTile(**{**members, "cell": None if cell is None else tuple(cell), "children": children})
