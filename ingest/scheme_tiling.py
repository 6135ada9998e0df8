"""The job that turns a published scheme into tiles: the parent's half."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from cim.city.columns import objects_to_columns
from cim.city.model import CityObject
from cim.city.service import GROUND_TYPES, CityService
from cim.errors import NotFound, Unavailable
from cim.jobs.model import Job, JobLimits, Recovery
from cim.jobs.service import JobService
from cim.schemes.published import Published
from cim.tilesets.model import Pointer
from cim.tilesets.service import TilesetService
from ingest.tile_delta import bring_up_to_date
from ingest.tiling import build_name, tiles_are_old
from ingest.workspace import Workspace, write_table
from tiles.draft import draft_chains, members_table
from tiles.plan import PLAN_NAME, OtherForm, Plan

BASE_KIND: Final = "tiles"
KIND: Final = "scheme-tiles"
_log = logging.getLogger(__name__)
STEPS: Final = ("read", "buildings", "ground", "compress", "sync")
_BUILDINGS: Final = ("Building", "BuildingPart")


class SchemeTilingKind:
    """Builds the tiles in which a scheme differs from the city, in a child process, and swaps them in."""

    name = KIND
    entry = "ingest.worker:build_scheme_tiles"
    steps = STEPS
    limits = JobLimits()

    def __init__(self, city: CityService, tilesets: TilesetService, workspace: Path, published: Published) -> None:
        self._city = city
        self._tilesets = tilesets
        self._workspace = Workspace(workspace, "scheme-tiles")
        self._published = published
        self._begun: dict[str, tuple[Pointer, int]] = {}

    def begin(self, job: Job) -> Mapping[str, object]:
        """Lay the rows of the touched chains down and return where."""
        scheme = str(job.params["scheme"])
        found, base = self._published(scheme), self._tilesets.refresh()
        if found is None:
            raise NotFound("There is no such published scheme.", code="scheme-not-found", id=scheme[:40])
        if base is None or base.baseline_version is None:
            raise Unavailable("The tiles of the city come first.", hint="Run: cim tiles build", code="tiles-not-built")
        folder = self._workspace.lay_out(job)
        plan_path = self._tilesets.base_file(base.build, PLAN_NAME)
        try:
            plan = Plan.load(plan_path)
        except (FileNotFoundError, OtherForm):
            raise Unavailable(
                "The tiles of the city were built by another version.",
                hint="Run: cim tiles build",
                code="tiles-not-built",
            ) from None
        for name, table in altered_rows(self._city, base.baseline_version, plan, found.changes()).items():
            write_table(folder / f"{name}.arrow", table)
        self._begun[job.id] = (base, found.sequence)
        return {
            "rows": str(folder),
            "plan": str(plan_path),
            "out": str(self._tilesets.stage(build_name(job), scheme)),
        }

    def on_payload(self, job: Job, payload: object) -> None:  # noqa: ARG002 -- the kind's own form
        """Tiles go to disk, not through the channel."""
        raise TypeError(type(payload).__name__)

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Make the build current, unless the scheme has been withdrawn meanwhile."""
        base, sequence = self._begun.pop(job.id)
        scheme = str(job.params["scheme"])
        self._workspace.clear(job)
        if self._published(scheme) is None:
            self._tilesets.remove(scheme)
            return summary
        self._tilesets.publish(build_name(job), base.baseline_version or 0, scheme, base=base.build, sequence=sequence)
        return {**summary, "scheme": scheme, "sequence": sequence}

    def abort(self, job: Job) -> None:
        """Remove the rows and the unfinished build; the build before stays current."""
        self._begun.pop(job.id, None)
        self._workspace.clear(job)
        self._tilesets.discard(build_name(job), str(job.params["scheme"]))

    def recover(self, job: Job) -> Recovery:
        """Begin again: tiles are derived, nothing is lost."""
        self._workspace.clear(job)
        return Recovery.RESUME


def altered_rows(
    city: CityService, version: int, plan: Plan, changes: Mapping[str, CityObject | None]
) -> dict[str, pa.Table]:
    """Return the rows that the chains are made from, by name; those of the ground where it is another."""
    old, shapes = city.rows_at(version, list(changes))
    type_of = dict(zip(old["id"].to_pylist(), old["type"].to_pylist(), strict=True))
    kinds = {name: type_of.get(name, "") if item is None else item.type for name, item in changes.items()}
    built = {name: changes[name] for name, kind in kinds.items() if kind in _BUILDINGS}

    def now(ids: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        """Read rows as the scheme has them: what replaces a building replaces its parts."""
        objects, geometries = city.rows_at(version, ids)
        gone = set(built)
        pairs = list(zip(objects["id"].to_pylist(), objects["parent_id"].to_pylist(), strict=True))
        while more := {n for n, parent in pairs if n not in gone and (parent or plan.orphans.get(n)) in gone}:
            gone |= more
        return _replaced(objects, geometries, gone, [item for n in ids if (item := built.get(n)) is not None])

    def then(ids: Sequence[str]) -> tuple[pa.Table, pa.Table]:
        return city.rows_at(version, ids)

    draft = draft_chains(plan, sorted(built), then, now, strict=False)
    tables = {
        "objects": draft.objects,
        "geometries": draft.geometries,
        "gone": members_table(draft.gone),
        "new": members_table(draft.new),
    }
    painted = {n: i for n, i in changes.items() if n not in built and _is_painted(kinds[n], i)}
    if painted:
        ground = city.ground_rows(version)
        drawn = [item for item in painted.values() if item is not None]
        tables["ground"], _ = _replaced(ground, shapes, set(painted), drawn)
        before = ground.filter(pc.is_in(ground["id"], pa.array(list(painted), pa.string())))
        tables["ground_changed"], _ = _replaced(before, shapes, set(), drawn)
    return tables


def _is_painted(kind: str, item: CityObject | None) -> bool:
    return kind in GROUND_TYPES or (item is not None and "ground_kind" in item.attributes)


def _replaced(
    objects: pa.Table, geometries: pa.Table, gone: set[str], now: Sequence[CityObject]
) -> tuple[pa.Table, pa.Table]:
    """Return rows without some, and with others."""
    names = pa.array(list(gone), pa.string())
    kept = objects.filter(pc.invert(pc.is_in(objects["id"], names)))
    shapes = geometries.filter(pc.invert(pc.is_in(geometries["object_id"], names)))
    if not now:
        return kept, shapes
    rows, bodies = (pa.Table.from_batches([batch]) for batch in objects_to_columns(now))
    kept, shapes = kept.select(rows.column_names), shapes.select(bodies.column_names)
    return pa.concat_tables([kept, rows.cast(kept.schema)]), pa.concat_tables([shapes, bodies.cast(shapes.schema)])


class Draughtsman:
    """Keeps the tiles of the city and of its published schemes as new as they are."""

    def __init__(
        self,
        city: CityService,
        tilesets: TilesetService,
        jobs: JobService,
        every: Callable[[], Sequence[str]],
        published: Published,
    ) -> None:
        self._city = city
        self._tilesets = tilesets
        self._jobs = jobs
        self._every = every
        self._published = published
        self._drawing = threading.Lock()

    def after(self, job: Job) -> None:
        """Look after a job: not for what has just failed to be drawn."""
        if job.ended and job.kind not in (BASE_KIND, KIND):
            self.look()
        elif job.ended and job.kind == BASE_KIND:
            self.look_at_schemes()

    def look(self) -> None:
        """Have the tiles of the city built where they are old, then those of the schemes."""
        tiling = any(job.kind == BASE_KIND and not job.ended for job in self._jobs.list())
        if tiling:
            return
        with self._drawing:
            is_old = tiles_are_old(self._city, self._tilesets)
            if is_old and not self._bring_up_to_date():
                self._jobs.submit(BASE_KIND, title=BASE_KIND)
                return
        self.look_at_schemes()

    def _bring_up_to_date(self) -> bool:
        try:
            return bring_up_to_date(self._city, self._tilesets)
        except Exception:  # noqa: BLE001 -- the whole build, in a process of its own, says what is wrong
            _log.exception("the tiles could not be brought up to date; they are all drawn again")
            return False

    def look_soon(self) -> None:
        """Look at the schemes in a thread of its own: who calls may hold one of them."""
        threading.Thread(target=self.look_at_schemes, name="scheme-tiles", daemon=True).start()

    def look_at_schemes(self) -> None:
        """Have the tiles of schemes built that are old, and remove those of what is no longer published."""
        base = self._tilesets.refresh()
        there = set(self._every())
        for scheme in self._tilesets.schemes():
            if scheme not in there:
                self._tilesets.remove(scheme)
        if base is None or base.baseline_version != self._city.baseline_version:
            return
        waiting = {str(job.params.get("scheme")) for job in self._jobs.list() if job.kind == KIND and not job.ended}
        for scheme in sorted(there - waiting):
            found, drawn = self._published(scheme), self._tilesets.refresh(scheme)
            if found is not None and (drawn is None or (drawn.base, drawn.sequence) != (base.build, found.sequence)):
                self._jobs.submit(KIND, {"scheme": scheme}, title=f"tiles {scheme}")
