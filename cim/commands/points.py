"""``cim tiles points``: a point cloud as a tileset beside the city's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cyclopts import App

from cim.errors import InvalidInput
from cim.jobs.actor import ChildActor
from cim.jobs.model import JobLimits
from cim.ports import SystemClock

ENTRY: Final = "ingest.worker:tile_cloud"


def add_points(tiles: App) -> None:
    """Add the command ``points`` to ``cim tiles``."""

    @tiles.command
    def points(file: Path, out: Path, /, *, crs: str | None = None) -> int:
        """Write a LAS or LAZ point cloud as 3D Tiles into a folder that any web server can offer.

        Example: cim tiles points survey.laz ./survey-tiles --crs EPSG:28992

        Args:
            file: A LAS or LAZ file.
            out: A folder that does not exist yet.
            crs: The file's coordinate system, where it does not say it.
        """
        if out.exists():
            raise InvalidInput(f"{out} exists already.", hint="Name a folder that does not.", code="exists")
        if not file.is_file():
            raise InvalidInput(f"There is no file {file}.", hint="Check the path.", code="no-file")
        params = {"file": str(file.absolute()), "out": str(out.absolute()), "crs": crs}
        child = ChildActor(ENTRY, params, JobLimits(), SystemClock())
        child.run(on_progress=_ignore, on_payload=_ignore, is_cancelled=_never)
        print(f"{out}/tileset.json")  # noqa: T201 -- a command says where its result is
        return 0


def _ignore(_: object) -> None:
    """Do without what the child reports."""


def _never() -> bool:
    return False
