"""One unit of the tree as a job: its rows in, its tiles, its document and its part of the plan on disk.

A job that was done before, by a build that was ended or by the one that this one follows, leaves a note under the
digest of all that went in; then its files are taken as they are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tiles.content import Content
from tiles.files import TileFiles
from tiles.ground import ground_shapes
from tiles.ground_tree import Stand, build_ground
from tiles.intake import read_city
from tiles.leaves import Leaves
from tiles.massing import Raster
from tiles.placing import given_feet
from tiles.plan import FORM, PLAN_FOLDER, PlanTile, closed, read_unit, unit_bytes
from tiles.report import Counts
from tiles.site import Site
from tiles.soup import Bounds, FloatArray
from tiles.terrain import feet_of, lowest
from tiles.tileset import unit_json
from tiles.tree import Branch
from tiles.unit import make

OBJECT_COLUMNS: Final = ("id", "type", "parent_id", "attributes", "place")
GEOMETRY_COLUMNS: Final = ("object_id", "lod", "kind", "surfaces", "structure")
PAINTED_COLUMNS: Final = ("id", "type", "attributes", "place")
NOTE: Final = ".made"
TWINS: Final = ("", ".br", ".gz")


@dataclass(frozen=True, slots=True)
class UnitJob:
    """``rows`` are the objects and the geometries as Arrow streams; ``above`` is the cell of the tile over the unit."""

    branch: Branch
    above: Bounds | None
    site: Site
    rows: tuple[bytes, bytes]
    out: Path
    before: Path | None
    alone: bool

    def digest(self) -> str:
        """Return what tells this job from any whose files would be others."""
        branch = self.branch
        head = [
            FORM,
            self.site.digest(),
            branch.cell,
            branch.depth,
            branch.count,
            branch.weight,
            self.above,
            self.alone,
        ]
        digest = hashlib.sha256(orjson.dumps(head))
        for piece in self.rows:
            digest.update(piece)
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class UnitMade:
    """The unit, closed unless it is alone; what its leaves draw; its files with their bytes, and which are leaves."""

    branch: Branch
    counts: Counts
    files: dict[str, int]
    leaves: list[str]
    reused: bool = False


def make_unit(job: UnitJob) -> UnitMade:
    """Make the tiles of a unit, or take those that were made from the same before."""
    note = f"{PLAN_FOLDER}/{job.digest()}{NOTE}"
    for folder in (job.out, job.before):
        made = None if folder is None else _made_before(job, folder, note)
        if made is not None:
            return made
    files = TileFiles(job.out)

    def keep(content: Content) -> str:
        return files.add_content("buildings", content.glb)

    branch, above = job.branch, None if job.above is None else Raster.over(job.above)
    made_leaves = Leaves.over((_table(job.rows[0]), _table(job.rows[1])), branch, above, job.site, keep)
    make(branch, above, job.site, keep, made_leaves.finish)
    branch = finish_unit(branch, files, alone=job.alone)
    assert branch.drawn is not None
    leaves = [leaf.drawn.uri for leaf in branch.leaves() if leaf.drawn is not None and leaf.drawn.uri]
    made = UnitMade(branch if job.alone else closed(branch), made_leaves.counts, files.written, leaves)
    files.write(note, orjson.dumps(_noted(made)))
    return made


def finish_unit(branch: Branch, files: TileFiles, *, alone: bool, plans: bool = True) -> Branch:
    """Write the plan of a unit that is made, and its tileset unless it is the whole city's."""
    assert branch.drawn is not None
    if not alone and len(branch.drawn.low):
        branch.document = files.add_named_json("buildings", unit_json(branch))
    branch.unit = None
    name, content = unit_bytes(branch)
    if plans:
        files.write(f"{PLAN_FOLDER}/{name}", content)
    branch.unit = name
    return branch


def _noted(made: UnitMade) -> dict[str, Any]:
    return {
        "unit": made.branch.unit, "document": made.branch.document, "counts": asdict(made.counts),
        "files": made.files, "leaves": made.leaves,
    }  # fmt: skip


def _made_before(job: UnitJob, folder: Path, note: str) -> UnitMade | None:
    """Return the unit that was made in a folder, its files brought to this build; nothing unless all are there."""
    try:
        found = orjson.loads((folder / note).read_bytes())
        named = [f"{PLAN_FOLDER}/{found['unit']}", *found["files"]]
        if folder != job.out:
            (job.out / "buildings").mkdir(exist_ok=True)
            for name in [*named, note]:
                for twin in TWINS:
                    link(folder / f"{name}{twin}", job.out / f"{name}{twin}", must=not twin)
        if not all(_is_whole(job.out / name) for name in named):
            return None
        branch = read_unit(job.out / PLAN_FOLDER / found["unit"])
    except (OSError, KeyError, ValueError, orjson.JSONDecodeError):
        return None
    branch.unit, branch.document = found["unit"], found["document"]
    quarantined = [(name, code) for name, code in found["counts"].pop("quarantined")]
    counts = Counts(**found["counts"], quarantined=quarantined)
    return UnitMade(branch if job.alone else closed(branch), counts, found["files"], found["leaves"], reused=True)


def _is_whole(path: Path) -> bool:
    """Tell whether a file is what it is named by: one that was being written when the machine stopped is not."""
    return hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.stem)


def link(source: Path | str, target: Path | str, *, must: bool = True) -> None:
    """Give a file a second name, in a folder that is there; copy it where the disk knows no second names.

    Raises :class:`FileNotFoundError` where there is none and one must be.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        if must:
            raise
    except OSError:
        shutil.copyfile(source, target)


@dataclass(frozen=True, slots=True)
class FeetJob:
    """Rows of which the feet are wanted, for a surface through them."""

    rows: tuple[bytes, bytes]


def feet(job: FeetJob) -> tuple[FloatArray, FloatArray]:
    """Return where bodies meet the ground, and the heights of ground that are stated for blocks, shape (n, 3) each."""
    objects = _table(job.rows[0])
    city = read_city(objects.take(pc.sort_indices(objects["id"])), _table(job.rows[1]))
    if (np.diff(city.bodies.owner) < 0).any():
        city.bodies = city.bodies.select(np.argsort(city.bodies.owner, kind="stable"))
    return feet_of(city.bodies, lowest(city.bodies, len(city.features.ids))), given_feet(city)


@dataclass(frozen=True, slots=True)
class GroundJob:
    """``rows`` are the objects that may be painted on the ground, as an Arrow stream."""

    rows: bytes
    site: Site
    out: Path


@dataclass(frozen=True, slots=True)
class GroundMade:
    """The ground's tree, of how many objects, how many of its tiles are leaves, and its files with their bytes."""

    top: PlanTile
    features: int
    leaves: int
    files: dict[str, int]


def make_ground(job: GroundJob) -> GroundMade:
    """Make the tiles of the ground."""
    site, files, leaves = job.site, TileFiles(job.out), 0
    ground = ground_shapes(_table(job.rows), sheet=site.sheet)

    def keep(content: Content) -> str:
        return files.add_content("ground", content.glb)

    def told(done: int, _total: int) -> None:
        nonlocal leaves
        leaves = done

    top = build_ground(ground, Stand(site.chart, site.surface, site.sheet, bool(site.terrain)), keep, told)
    return GroundMade(top, len(set(ground.shapes.ids.tolist()) - {""}), leaves, files.written)


@dataclass(frozen=True, slots=True)
class TwinJob:
    """Files to be compressed."""

    folder: Path
    names: tuple[str, ...]


def make_twins(job: TwinJob) -> tuple[dict[str, int], int, int]:
    """Compress files that are not yet; return the bytes of each brotli twin, of all gzip twins, and how many files."""
    files = TileFiles(job.folder)
    for name in job.names:
        files.add_twin(name)
    return files.brotli_of, files.bytes_gzip, len(job.names)


def batches(names: Iterable[str], folder: Path, size: int = 16) -> Iterator[TwinJob]:
    """Yield the jobs of compressing."""
    every = list(names)
    for first in range(0, len(every), size):
        yield TwinJob(folder, tuple(every[first : first + size]))


def stream(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    whole = table.combine_chunks()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()
