"""Point clouds to 3D Tiles 1.1 through py3dtiles; runs in a child process with bounds on memory and time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pyproj

from cim.errors import InvalidInput
from cim.geometry.crs import parse_crs
from ingest.readers.damage import damaged
from ingest.readers.las import check_header

EARTH_EPSG: Final = 4978
"""Earth-centred, earth-fixed: the frame of 3D Tiles."""

CACHE_MB: Final = 512
EXTRA: Final = ("classification",)


def tile_points(file: Path, out: Path, crs: str | None) -> None:
    """Write ``out/tileset.json`` and its points, the folder in one step; ``crs`` overrides what the file says.

    Raises :class:`InvalidInput` (``crs-missing``, ``file-damaged``).
    """
    # Compiles at import, and only this job needs it.
    from py3dtiles.constants import SpecVersion  # noqa: PLC0415
    from py3dtiles.convert import convert  # noqa: PLC0415
    from py3dtiles.exceptions import SrsInMissingException, TilerException  # noqa: PLC0415

    check_header(file)
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        convert(
            [str(file)],
            str(partial),
            jobs=1,
            cache_size=CACHE_MB,
            crs_out=pyproj.CRS.from_epsg(EARTH_EPSG),
            crs_in=None if crs is None else parse_crs(crs),
            force_crs_in=crs is not None,
            pyproj_always_xy=True,
            rgb=False,
            extra_fields=list(EXTRA),
            use_process_pool=False,
            spec_version=SpecVersion.V1_1,
        )
    except SrsInMissingException as error:
        raise InvalidInput(
            "The point cloud does not say which coordinate system it is in.",
            hint="Name it with --crs, for example --crs EPSG:28992.",
            code="crs-missing",
        ) from error
    except (TilerException, ValueError, OSError, RuntimeError, EOFError) as error:
        raise damaged(file) from error
    finally:
        if not (partial / "tileset.json").is_file():
            shutil.rmtree(partial, ignore_errors=True)
    partial.rename(out)
