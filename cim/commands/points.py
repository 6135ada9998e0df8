"""``cim tiles points``: a point cloud as a tileset beside the city's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from cim.config import Settings
from cim.errors import InvalidInput
from cim.jobs.actor import ChildActor
from cim.jobs.model import JobLimits
from cim.ports import SystemClock
from cim.tilesets.model import BASE_SCHEME, POINTS, Pointer
from cim.tilesets.store import TilesetStore

ENTRY: Final = "ingest.worker:tile_cloud"


def add_points(tiles: App) -> None:
    """Add the command ``points`` to ``cim tiles``."""

    @tiles.command
    def points(
        file: Path,
        out: Path | None = None,
        /,
        *,
        data: Annotated[Path | None, Parameter(name="--data")] = None,
        crs: str | None = None,
    ) -> int:
        """Write a LAS or LAZ point cloud as 3D Tiles, into the city or into a folder that any web server can offer.

        Example: cim tiles points survey.laz --data ./cim-data --crs EPSG:28992

        Args:
            file: A LAS or LAZ file.
            out: A folder that does not exist yet; without it the server offers the points at
                /tiles/base/points/tileset.json, in place of those before.
            data: The city's data directory (CIM_DATA, else ./cim-data); a server may have it open.
            crs: The file's coordinate system, where it does not say it.
        """
        if out is not None and out.exists():
            raise InvalidInput(f"{out} exists already.", hint="Name a folder that does not.", code="exists")
        if not file.is_file():
            raise InvalidInput(f"There is no file {file}.", hint="Check the path.", code="no-file")
        if out is not None:
            _write(file, out, crs)
            print(f"{out}/tileset.json")  # noqa: T201 -- a command says where its result is
            return 0
        settings = Settings() if data is None else Settings(data=data)
        store = TilesetStore(settings.data / "tiles")
        build = f"points-{SystemClock().now():%Y%m%d%H%M%S%f}"
        staged = store.staging_path(POINTS, build)
        try:
            _write(file, staged, crs)
            store.publish(POINTS, staged, Pointer(build))
        except BaseException:
            store.discard(POINTS, build)
            raise
        print(f"/tiles/{BASE_SCHEME}/{POINTS}/tileset.json")  # noqa: T201 -- a command says where its result is
        return 0


def _write(file: Path, out: Path, crs: str | None) -> None:
    params = {"file": str(file.absolute()), "out": str(out.absolute()), "crs": crs}
    child = ChildActor(ENTRY, params, JobLimits(), SystemClock())
    child.run(on_progress=_ignore, on_payload=_ignore, is_cancelled=_never)


def _ignore(_: object) -> None:
    """Do without what the child reports."""


def _never() -> bool:
    return False
