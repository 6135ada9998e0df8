"""What a build leaves behind, so that one chain of its tree can be built again without the rest of the city.

The site, the tree with what is in every leaf, and of every tile its name, its bounds, and what the tile above it
shows of it.  The tree's crown lies in one file, every unit below it in one of its own, named by what is in it: a
later build that changes one unit shares the others.  None of these files is served.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from cim.geometry.ground import Ground, even_ground
from tiles.files import TileFiles
from tiles.frame import TileFrame
from tiles.massing import from_batch, pooled, to_batch
from tiles.site import Site
from tiles.soup import Bounds
from tiles.tree import Branch, Drawn, Members

__all__ = [
    "FORM",
    "Bounds",
    "OtherForm",
    "Plan",
    "PlanTile",
    "closed",
    "is_of_this_form",
    "is_unit",
    "read_unit",
    "unit_bytes",
    "units_of",
]

FORM: Final = 8
"""The form of what is drawn and written: another number, and nothing that was made before is taken."""
PLAN_NAME: Final = "plan/crown.plan"
PLAN_FOLDER: Final = "plan"
UNIT_FEATURES_MAX: Final = 6_144
"""A unit of the tree has at most so many buildings, a tileset document of its own, and is built by one worker."""
_NUMBER: Final = "<Q"


@dataclass(slots=True)
class PlanTile:
    """A tile of the ground as it was built: the name, bounds (3,) and error of its own content, and its cell.

    The bounds of a tile without content are empty.
    """

    uri: str | None
    low: Sequence[float]
    high: Sequence[float]
    error_m: float
    rows: Sequence[int] = ()
    cell: Bounds | None = None
    children: list[PlanTile] = field(default_factory=list)

    def walk(self) -> Iterator[PlanTile]:
        """Yield the tile and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class OtherForm(ValueError):
    """A build was made by a version of the builder that draws or writes otherwise."""


@dataclass(slots=True)
class Plan:
    """The plan of one build: the ``crown`` of the tree of buildings, closed at its units, and the ground.

    ``orphans`` says which building has taken which part that has no parent, as (part, building); ``missing`` are the
    parents that parts name and the city has not.
    """

    site: Site
    crown: Branch | None
    ground: PlanTile
    folder: Path
    orphans: dict[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    _read: dict[str, Branch] = field(default_factory=dict)

    def save(self, folder: Path, files: TileFiles) -> None:
        """Write the crown's file; those of the units are written as the units are made."""
        site = self.site
        header = {
            "form": FORM,
            "frame": asdict(site.frame),
            "sheet": site.sheet,
            "terrain": site.terrain,
            "ground": _ground_members(self.ground),
            "orphans": self.orphans,
            "missing": sorted(self.missing),
        }
        surface = site.surface
        if surface.levels_m.size > 1 and files.beside is None:
            (folder / PLAN_FOLDER).mkdir(parents=True, exist_ok=True)
            path = folder / PLAN_FOLDER / "surface.npz"
            np.savez(path, low=np.array(surface.low), cell_m=np.array(surface.cell_m), levels_m=surface.levels_m)
        crown = None if self.crown is None else closed(self.crown)
        files.write(PLAN_NAME, _packed(header, crown))

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read a plan by its crown's file.

        Raises :class:`FileNotFoundError` where a build has none, :class:`OtherForm` for that of another version.
        """
        header, crown = _unpacked(path.read_bytes())
        if header.get("form") != FORM:
            raise OtherForm(path.name)
        west, south, east, north = header["sheet"]
        origin = header["frame"]["origin"]
        frame = TileFrame(**{**header["frame"], "origin": origin and (origin[0], origin[1])})
        surface = even_ground()
        if (path.parent / "surface.npz").is_file():
            with np.load(path.parent / "surface.npz", allow_pickle=False) as stored:
                x, y = stored["low"].tolist()
                surface = Ground((x, y), float(stored["cell_m"]), stored["levels_m"])
        site = Site(frame, (west, south, east, north), surface, header["terrain"])
        ground, missing = _ground_tile(header["ground"]), frozenset(header["missing"])
        return cls(site, crown, ground, path.parent.parent, header["orphans"], missing)

    def opened(self, branch: Branch) -> Branch:
        """Return a branch with its kids, read from its unit's file where it has not been."""
        if not branch.is_closed:
            return branch
        assert branch.unit is not None
        found = self._read.get(branch.unit)
        if found is None:
            found = self._read[branch.unit] = read_unit(self.folder / PLAN_FOLDER / branch.unit)
        return Branch(
            branch.cell, branch.depth, branch.count, branch.weight, found.members, found.kids, branch.drawn,
            branch.unit, branch.document,
        )  # fmt: skip

    def units(self) -> Iterator[Branch]:
        """Yield the units, as they are in the crown."""
        if self.crown is not None:
            yield from units_of(self.crown)

    def find(self, identifier: str, place: tuple[float, float]) -> Members | None:
        """Return a building of the plan, given the middle of its box; ``None`` where there is no such there."""
        branch = self.crown
        while branch is not None:
            branch = self.opened(branch)
            if branch.members is not None:
                rows = [row for row, name in enumerate(branch.members.ids) if name == identifier]
                return branch.members.select(np.array(rows)) if rows else None
            branch = next((k for k in branch.kids if _holds(k.cell, place)), None)
        return None

    def search(self, identifier: str) -> Members | None:
        """Return a building of the plan of which nobody knows where it lies."""
        for unit in self.units():
            for leaf in self.opened(unit).leaves():
                if leaf.members is not None and identifier in leaf.members.ids:
                    return leaf.members.select(np.array([leaf.members.ids.index(identifier)]))
        return None


def is_of_this_form(path: Path) -> bool:
    """Tell whether the plan of a build is there, and of the form that this version makes."""
    try:
        content = path.read_bytes()
        (size,) = struct.unpack_from(_NUMBER, content)
        return bool(orjson.loads(content[16 : 16 + size]).get("form") == FORM)
    except (OSError, ValueError, struct.error, AttributeError):
        return False


def _holds(cell: Bounds, place: tuple[float, float]) -> bool:
    return cell[0] <= place[0] < cell[2] and cell[1] <= place[1] < cell[3]


def units_of(branch: Branch) -> Iterator[Branch]:
    """Yield the tops of the units under a branch: the highest tiles with no more than a unit's buildings."""
    if is_unit(branch):
        yield branch
        return
    for kid in branch.kids:
        yield from units_of(kid)


def is_unit(branch: Branch) -> bool:
    """Tell whether a branch, under none that is one, is a unit."""
    return branch.has_tile and (branch.count <= UNIT_FEATURES_MAX or branch.members is not None)


def closed(branch: Branch) -> Branch:
    """Return a branch as the crown's file has it: closed at its units."""
    if branch.unit is not None:
        return Branch(
            branch.cell, branch.depth, branch.count, branch.weight, drawn=branch.drawn, unit=branch.unit,
            document=branch.document,
        )  # fmt: skip
    kids = [closed(kid) for kid in branch.kids]
    return Branch(branch.cell, branch.depth, branch.count, branch.weight, kids=kids, drawn=branch.drawn)


def read_unit(path: Path) -> Branch:
    """Return a unit with all that is in it."""
    _, found = _unpacked(path.read_bytes())
    assert found is not None
    return found


def unit_bytes(branch: Branch) -> tuple[str, bytes]:
    """Return the file of a unit, and its name."""
    content = _packed({}, branch)
    return f"{hashlib.sha256(content).hexdigest()[:16]}.plan", content


def _packed(header: Mapping[str, Any], top: Branch | None) -> bytes:
    """Return a file: a header with the branches in JSON, the members' numbers, and all massings as one batch."""
    nodes: list[dict[str, Any]] = []
    numbers: list[np.ndarray[Any, Any]] = []
    massings = []
    row = 0

    def add(branch: Branch) -> int:
        nonlocal row
        node: dict[str, Any] = {name: getattr(branch, name) for name in ("cell", "depth", "count", "weight")}
        at = len(nodes)
        nodes.append(node)
        if branch.unit is not None:
            node |= {"unit": branch.unit, "document": branch.document}
        if branch.members is not None:
            node |= {"ids": branch.members.ids, "parts": branch.members.parts}
            numbers.append(np.column_stack((branch.members.box, branch.members.weight)))
        if branch.drawn is not None:
            drawn = branch.drawn
            size = 0 if drawn.massing is None else len(drawn.massing)
            node["drawn"] = [drawn.uri, drawn.low, drawn.high, drawn.error_m, row, row + size]
            massings.extend([] if drawn.massing is None else [drawn.massing])
            row += size
        node["kids"] = [add(kid) for kid in branch.kids]
        return at

    if top is not None:
        add(top)
    text = orjson.dumps({**header, "nodes": nodes})
    table = np.concatenate(numbers).astype("<f8").tobytes() if numbers else b""
    sink = pa.BufferOutputStream()
    if massings:
        # Taken row by row, the same blocks make the same bytes, whatever larger batches they were parts of.
        batch = to_batch(pooled(massings).select(np.arange(row)))
        with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_batch(batch)
    lengths = b"".join(struct.pack(_NUMBER, len(piece)) for piece in (text, table))
    return b"".join((lengths, text, table, sink.getvalue().to_pybytes()))


def _unpacked(content: bytes) -> tuple[dict[str, Any], Branch | None]:
    text_size, table_size = (struct.unpack_from(_NUMBER, content, at)[0] for at in (0, 8))
    header = orjson.loads(content[16 : 16 + text_size])
    numbers = np.frombuffer(content, dtype="<f8", count=table_size // 8, offset=16 + text_size).reshape(-1, 5)
    rest = content[16 + text_size + table_size :]
    massing = from_batch(pa.ipc.open_stream(rest).read_next_batch()) if rest else None
    nodes = header.pop("nodes")
    row = 0

    def make(at: int) -> Branch:
        nonlocal row
        node = nodes[at]
        members = None
        if "ids" in node:
            found = numbers[row : row + len(node["ids"])]
            row += len(node["ids"])
            members = Members(node["ids"], found[:, :4], found[:, 4], node["parts"])
        cell = (node["cell"][0], node["cell"][1], node["cell"][2], node["cell"][3])
        branch = Branch(cell, node["depth"], node["count"], node["weight"], members)
        branch.unit, branch.document = node.get("unit"), node.get("document")
        branch.kids = [make(kid) for kid in node["kids"]]
        if "drawn" in node:
            assert massing is not None
            uri, low, high, error_m, first, end = node["drawn"]
            own = massing.part(first, end) if branch.has_tile else None
            branch.drawn = Drawn(uri, low, high, error_m, own)
        return branch

    return header, make(0) if nodes else None


def _ground_members(tile: PlanTile) -> dict[str, Any]:
    found = {name: getattr(tile, name) for name in ("uri", "low", "high", "error_m", "rows", "cell")}
    return {**found, "children": [_ground_members(child) for child in tile.children]}


def _ground_tile(members: Mapping[str, Any]) -> PlanTile:
    cell = members["cell"]
    children = [_ground_tile(child) for child in members["children"]]
    return PlanTile(**{**members, "cell": None if cell is None else tuple(cell), "children": children})
