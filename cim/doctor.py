"""What a machine lacks for this program, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cim.db.directory import DataDirectory

FREE_MB_MIN: Final = 1_024
DESCRIPTORS_MIN: Final = 1_024
SOLVERS: Final = ("wntr", "power_grid_model", "osmium", "pyarrow", "duckdb", "mapbox_earcut")

BUNDLES: Final[Mapping[str, tuple[str, ...]]] = {
    "Viewer bundle": ("explore.html",),
    "Export bundle": ("export.js", "export.css"),
}
"""What `make bundle` leaves: the pages that are served, and what `cim export` puts into a page."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``remedy`` says how to get what is missing."""

    name: str
    good: bool
    found: str
    remedy: str = ""
    needed: bool = True


def examine(data: Path, bundle: Path) -> list[Check]:
    """Look at Python, the packages, the bundles, Chromium and fonts for tests, the disk and the directory."""
    checks = [_python(), *(_package(name) for name in SOLVERS)]
    checks.extend(_bundle(name, bundle, files) for name, files in BUNDLES.items())
    checks.extend((_disk(data), _descriptors()))
    checks.append(_directory(data))
    checks.append(_program("chromium", "Browser tests and pictures", "apt-get install chromium fonts-noto-cjk"))
    return checks


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info < (3, 14)
    return Check("Python", good, found, "Python 3.11, 3.12 or 3.13 is needed.")


def _package(name: str) -> Check:
    good = importlib.util.find_spec(name) is not None
    return Check(name, good, "installed" if good else "missing", "make setup")


def _bundle(name: str, bundle: Path, files: Sequence[str]) -> Check:
    missing = [file for file in files if not (bundle / file).is_file()]
    return Check(name, not missing, f"no {', '.join(missing)}" if missing else str(bundle), "make bundle")


def _disk(data: Path) -> Check:
    folder = next((path for path in (data, *data.absolute().parents) if path.exists()), Path("/"))
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    return Check("Free disk", free_mb >= FREE_MB_MIN, f"{free_mb:,} MB", f"{FREE_MB_MIN:,} MB are needed.")


def _descriptors() -> Check:
    # Only POSIX has this module; the program runs on nothing else.
    import resource  # noqa: PLC0415

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    good = soft >= DESCRIPTORS_MIN
    return Check("Open files", good, f"{soft:,}", "ulimit -n 4096, for many live clients", needed=False)


def _directory(data: Path) -> Check:
    if not data.exists():
        return Check("Data directory", good=True, found=f"{data} will be made")
    if not os.access(data, os.W_OK):
        return Check(
            "Data directory", good=False, found=f"{data} cannot be written", remedy="Choose another: --data DIR"
        )
    server = DataDirectory(data).read_address()
    return Check("Data directory", good=True, found=f"{data}, served at {server.address}" if server else str(data))


def _program(name: str, purpose: str, remedy: str) -> Check:
    path = shutil.which(name)
    return Check(purpose, path is not None, path or "missing", remedy, needed=False)
