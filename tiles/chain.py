"""The tiles of a city in which some objects are others, as what differs from an earlier build.

Only the leaves of the objects that changed, the tiles above them and the ground that meets them are made; all
others keep their names, so that one file serves both.  Where a leaf lies follows from its cell, and a tile depends on
the objects under it alone: so what is made here is, byte for byte, what a whole build of the same site makes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import shapely

from tiles.build import silent, write_documents
from tiles.content import Content
from tiles.draft import Draft
from tiles.files import ProgressFunction, TileFiles
from tiles.frame import TileFrame
from tiles.ground import CASING_M, WIDTH_M_MAX, ground_shapes, painted
from tiles.ground_tree import Again, Keep, Stand, build_ground
from tiles.leaves import Leaves
from tiles.making import NOTE, finish_unit, link
from tiles.plan import PLAN_FOLDER, Plan, PlanTile, is_unit, read_unit, units_of
from tiles.site import Site
from tiles.soup import FloatArray
from tiles.tree import Branch, mend
from tiles.unit import make

_REACH_M = WIDTH_M_MAX / 2 + CASING_M
"""How far a street's paint reaches from its axis."""


@dataclass(frozen=True, slots=True)
class Altered:
    """What is other than in the planned build.

    ``draft`` are the buildings; ``ground`` are all rows of the ground as it is now, ``None`` where nothing on it has
    changed; ``ground_boxes`` (n, 4) is where it has.
    """

    draft: Draft
    ground: pa.Table | None = None
    ground_boxes: FloatArray = field(default_factory=lambda: np.empty((0, 4)))


@dataclass(slots=True)
class ChainReport:
    """How many tiles were made anew, of how many units anew, and their bytes.

    ``changed`` are the contents and documents that are new, ``dropped`` those that nothing leads to any more; paths
    in the tileset.
    """

    tiles: int = 0
    units: int = 0
    bytes_brotli: int = 0
    changed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)


def boxes_of_ground(rows: pa.Table) -> FloatArray:
    """Return where objects are painted on the ground, shape (n, 4), streets with their width."""
    _, _, places, _ = painted(rows)
    reach = np.array([-_REACH_M, -_REACH_M, _REACH_M, _REACH_M])
    boxes: FloatArray = shapely.bounds(places).reshape(-1, 4) + reach
    return boxes


def build_chains(plan: Plan, altered: Altered, out: Path, progress: ProgressFunction = silent) -> ChainReport:
    """Write to ``out`` the documents and those contents that the planned build has not, packed."""
    files = TileFiles(out, beside=plan.folder)
    report = _build(plan, altered, files, plan.site, progress, plans=False)
    files.pack(progress)
    files.sync(progress)
    report.bytes_brotli = files.bytes_brotli
    return report


def build_delta(plan: Plan, altered: Altered, out: Path, frame: TileFrame, *, twins: bool = True) -> ChainReport:
    """Write to ``out`` the whole build in which the planned one is brought up to date, sharing all that stays.

    ``frame`` is the plan's with another version of the city.  Files that stay are second names of the planned
    build's.  Without ``twins`` what is new is not compressed yet: :func:`add_twins`.
    """
    files = TileFiles(out, beside=plan.folder)
    report = _build(plan, altered, files, replace(plan.site, frame=frame), silent, plans=True)
    for name in files.written if twins else ():
        files.add_twin(name)
    files.sync(silent)
    _share(plan.folder, out, set(report.dropped))
    report.bytes_brotli = files.bytes_brotli
    return report


def add_twins(folder: Path, report: ChainReport) -> None:
    """Compress what is new in a build."""
    files = TileFiles(folder)
    for name in (*report.changed, "tileset.json"):
        files.add_twin(name)
    files.sync(silent, twins_alone=True)


def _build(
    plan: Plan, altered: Altered, files: TileFiles, site: Site, progress: ProgressFunction, *, plans: bool
) -> ChainReport:
    """Make what is other, and write the documents, and the plan where there is to be one."""
    draft, report = altered.draft, ChainReport()

    def keeping(folder: str) -> Keep:
        def keep(content: Content) -> str:
            return files.add_content(folder, content.glb)

        return keep

    crown = mend(plan.crown, site.square, draft.gone, draft.new, plan.opened)
    if crown is not None and crown is not plan.crown:
        leaves = None
        if draft.objects.num_rows:
            leaves = Leaves.over((draft.objects, draft.geometries), crown, None, site, keeping("buildings"))
            report.quarantined = leaves.counts.quarantined
        make(crown, None, site, keeping("buildings"), _nothing if leaves is None else leaves.finish)
        crown = _with_units(crown, plan, files, report, top=True, plans=plans)
    progress("buildings", 1, 1)
    ground = plan.ground
    if altered.ground is not None:
        stand = Stand(site.chart, site.surface, site.sheet, bool(site.terrain))
        shapes = ground_shapes(altered.ground, sheet=site.sheet)
        again = Again(plan.ground, altered.ground_boxes)
        ground = build_ground(shapes, stand, keeping("ground"), lambda *n: progress("ground", *n), again)
    alone = crown is not None and crown.unit is not None
    write_documents(
        files, site, plan.opened(crown) if alone and crown is not None and crown.is_closed else crown, ground
    )
    if plans:
        Plan(site, crown, ground, files.directory, plan.orphans, plan.missing).save(files.directory, files)
    old, new = (_names(c, g) for c, g in ((plan.crown, plan.ground), (crown, ground)))
    touched = {name for name in old - new if name.endswith(".plan")}
    for name in touched:
        old |= _names_in(read_unit(plan.folder / name))
    for unit in units_of(crown) if crown is not None else ():
        if f"{PLAN_FOLDER}/{unit.unit}" not in old and not unit.is_closed:
            new |= _names_in(unit)
    report.dropped = sorted(old - new)
    report.changed = sorted(name for name in files.written if name != "tileset.json")
    report.tiles = sum(name.endswith(".glb") for name in files.written)
    return report


def _nothing(branch: Branch) -> bool:
    """Make no branch but from its kids: no leaf has changed."""
    assert branch.members is None
    return False


def _with_units(branch: Branch, plan: Plan, files: TileFiles, report: ChainReport, *, top: bool, plans: bool) -> Branch:
    """Return a mended tree with its units, those that are new written."""
    if branch.unit is not None and (top or not is_unit(branch) or branch.is_closed):
        return branch
    if not is_unit(branch):
        branch.unit = branch.document = None
        branch.kids = [_with_units(kid, plan, files, report, top=False, plans=plans) for kid in branch.kids]
        return branch
    if branch.unit is None:
        report.units += 1
        whole = _whole(branch, plan)
        return finish_unit(whole, files, alone=top, plans=plans)
    return branch


def _whole(branch: Branch, plan: Plan) -> Branch:
    """Return a branch with everything in it, whatever units it was made of."""
    found = plan.opened(branch)
    kids = [_whole(kid, plan) for kid in found.kids]
    return Branch(found.cell, found.depth, found.count, found.weight, found.members, kids, found.drawn)


def _names(crown: Branch | None, ground: PlanTile) -> set[str]:
    """Return the files that the crown and the ground name themselves."""
    names = {f"ground/{tile.uri}" for tile in ground.walk() if tile.uri is not None}

    def add(branch: Branch) -> None:
        if branch.drawn is not None and branch.drawn.uri is not None and branch.unit is None:
            names.add(f"buildings/{branch.drawn.uri}")
        if branch.unit is not None:
            names.add(f"{PLAN_FOLDER}/{branch.unit}")
            names.update([] if branch.document is None else [f"buildings/{branch.document}"])
            return
        for kid in branch.kids:
            add(kid)

    if crown is not None:
        add(crown)
    return names


def _names_in(unit: Branch) -> set[str]:
    found = {f"buildings/{unit.drawn.uri}"} if unit.drawn is not None and unit.drawn.uri is not None else set()
    return found.union(*(_names_in(kid) for kid in unit.kids))


def _share(folder: Path, out: Path, dropped: set[str]) -> None:
    """Give the files of a build second names in another, but for those that it has or that are dropped."""
    own = {_plain(name) for name in _names_under(out)} | dropped
    folders: set[str] = set()
    for name in _names_under(folder):
        if _plain(name) in own:
            continue
        if name.endswith(NOTE) and f"{PLAN_FOLDER}/{orjson.loads((folder / name).read_bytes())['unit']}" in dropped:
            continue
        parent = name.rpartition("/")[0]
        if parent not in folders:
            (out / parent).mkdir(parents=True, exist_ok=True)
            folders.add(parent)
        link(f"{folder}/{name}", f"{out}/{name}")


def _names_under(folder: Path) -> Iterator[str]:
    for top, _, names in os.walk(folder):
        inside = os.path.relpath(top, folder)
        yield from names if inside == "." else (f"{inside}/{name}" for name in names)


def _plain(name: str) -> str:
    return name.removesuffix(".br").removesuffix(".gz")
