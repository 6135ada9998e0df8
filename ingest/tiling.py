"""The job that turns the newest baseline into tiles: the parent's half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cim.city.service import GROUND_TYPES, TILED_TYPES, CityService
from cim.city.terrain import TERRAIN_TYPE
from cim.jobs.model import Job, JobLimits, Recovery
from cim.tilesets.service import TilesetService
from ingest.workspace import Workspace, write_table
from tiles.plan import PLAN_NAME, is_of_this_form

TILE_STEPS: Final = ("read", "buildings", "ground", "compress", "sync")


class TilingKind:
    """Builds the tiles of the base city in a child process and swaps them in.

    The parent lays the rows down as Arrow files, because only it may read the store; the child
    never sees the database.
    """

    name = "tiles"
    entry = "ingest.worker:build_tiles"
    steps = TILE_STEPS
    limits = JobLimits()

    def __init__(self, city: CityService, tilesets: TilesetService, workspace: Path) -> None:
        self._city = city
        self._tilesets = tilesets
        self._workspace = Workspace(workspace, "tiles")
        self._versions: dict[str, int] = {}

    def begin(self, job: Job) -> Mapping[str, object]:
        """Lay the rows of the newest baseline down and return where."""
        snapshot = self._city.snapshot()
        pointer = self._tilesets.refresh()
        before = None if pointer is None else self._tilesets.base_file(pointer.build, PLAN_NAME).parents[1]
        folder = self._workspace.lay_out(job)
        write_table(folder / "objects.arrow", snapshot.objects)
        write_table(folder / "geometries.arrow", snapshot.geometries)
        self._versions[job.id] = snapshot.baseline_version
        return {
            "snapshot": str(folder),
            # What an ended attempt of this job has made is still there, and so is what the build before has.
            "out": str(self._tilesets.stage(build_name(job), afresh=False)),
            "before": None if before is None else str(before),
            "frame": {
                "crs": snapshot.frame.crs,
                "ground": snapshot.frame.ground,
                "title": snapshot.frame.title_en,
                "baseline_version": snapshot.baseline_version,
                "vertical_datum": snapshot.frame.vertical_datum,
            },
        }

    def on_payload(self, job: Job, payload: object) -> None:  # noqa: ARG002 -- the kind's own form
        """Tiles go to disk, not through the channel."""
        raise TypeError(type(payload).__name__)

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Make the build current."""
        version = self._versions.pop(job.id)
        self._tilesets.publish(build_name(job), version)
        self._workspace.clear(job)
        return {**summary, "baseline_version": version}

    def abort(self, job: Job) -> None:
        """Remove the rows and the unfinished build; the build before stays current."""
        self._versions.pop(job.id, None)
        self._workspace.clear(job)
        self._tilesets.discard(build_name(job))

    def recover(self, job: Job) -> Recovery:
        """Go on: the units that are made already are taken as they are."""
        self._workspace.clear(job)
        return Recovery.RESUME


def tiles_are_old(city: CityService, tilesets: TilesetService) -> bool:
    """Tell whether the city has a baseline, with something to draw, that its tiles do not show, or not as of now."""
    if not any(type_ in city.view.index.rows_of_type for type_ in (*TILED_TYPES, *GROUND_TYPES, TERRAIN_TYPE)):
        return False
    pointer = tilesets.refresh()
    if pointer is None or pointer.baseline_version != city.baseline_version:
        return True
    return not is_of_this_form(tilesets.base_file(pointer.build, PLAN_NAME))


def build_name(job: Job) -> str:
    """Return a name that a job taken up again finds its own unfinished build by."""
    return job.id.lower()
