"""The house holds: who imports whom, what is pure, how long things may be, what the wheel carries."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cim", "tiles", "ingest", "viewer")
SHELL_NAMES = {"store", "service", "api", "hub", "bus", "actor"}
GROUND_SHELLS = {
    # The ground floor's own shells: each is a door to the outside.
    "cim/app.py",
    "cim/main.py",
    "cim/cli.py",
    "cim/__main__.py",
    "cim/server.py",
    "cim/handover.py",
    "cim/console.py",
    "cim/doctor.py",
    "cim/ports.py",
    "cim/export.py",
    "cim/interrupts.py",
}
IMPURE_MODULES = {
    "asyncio",
    "duckdb",
    "fastapi",
    "httpx",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "shutil",
    "socket",
    "starlette",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uvicorn",
}
CAPABILITIES = (
    "city",
    "networks",
    "sensing",
    "live",
    "tilesets",
    "jobs",
    "features",
    "impact",
    "schemes",
    "accounts",
    "quality",
    "reports",
    "uploads",
)
ALLOWED_IMPURITY = {
    # A lock guards what is worked out once per baseline; nothing is read from outside.
    "features": {"cim/features/baseline.py": {"threading"}},
}
TIMED = {"tiles/build.py": {"time"}, "tiles/files.py": {"time"}}
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_NAMES = re.compile(r"(^|_)(utils?|managers?|helpers?|data|misc|common)(_|$)")


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of some packages: its path from the root, and its tree."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_packages_imported_are_ours() -> None:
    for package in PACKAGES:
        found = Path(str(importlib.import_module(package).__file__)).resolve()
        assert found.is_relative_to(ROOT), f"{package} comes from {found}"


def test_cim_itself_imports_nothing() -> None:
    tree = ast.parse((ROOT / "cim/__init__.py").read_text(encoding="utf-8"))
    assert imported(tree) == set()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_only_shells_touch_the_world(capability: str) -> None:
    """Within a capability, I/O, clocks and randomness stand in store, service, api, hub, bus and actor alone."""
    offenders = {}
    for path, tree in sources(f"cim/{capability}"):
        if Path(path).stem in SHELL_NAMES | {"__init__"}:
            continue
        impure = {name for name in imported(tree) if name.split(".")[0] in IMPURE_MODULES}
        if impure:
            offenders[path] = impure
    assert offenders == ALLOWED_IMPURITY.get(capability, {})


def test_the_ground_is_pure_but_for_its_named_doors() -> None:
    for path, tree in sources("cim"):
        if path.count("/") == 1 and path not in GROUND_SHELLS:
            impure = {name for name in imported(tree) if name.split(".")[0] in IMPURE_MODULES}
            assert impure == set(), path


def test_tiles_and_readers_have_no_clock_and_no_chance() -> None:
    """Outside cim, files are the business; time and chance are not. Progress in a build may be timed."""
    for path, tree in sources("tiles", "ingest", "viewer"):
        found = {name for name in imported(tree) if name.split(".")[0] in {"random", "secrets", "datetime", "time"}}
        assert found <= TIMED.get(path, {"datetime"}), path


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_capability_never_uses_anothers_store_or_api(capability: str) -> None:
    for path, tree in sources(f"cim/{capability}"):
        for name in imported(tree):
            parts = name.split(".")
            if parts[0] == "cim" and len(parts) == 3 and parts[1] in CAPABILITIES and parts[1] != capability:
                assert parts[2] not in {"store", "api"}, f"{path} uses {name}"


def test_files_stay_short() -> None:
    long = {
        path: count
        for path, _ in sources()
        if (count := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > LINES_MAX
    }
    assert long == {}


def test_functions_stay_short() -> None:
    long = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_route_table(node):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{node.lineno} {node.name} {lines}")
    assert long == []


def _is_route_table(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A router's builder holds one short function a route; they are measured one by one."""
    return node.name.endswith("_router") or any(
        isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) for child in node.body
    )


def test_names_are_the_fields_words() -> None:
    bad = [path for path, _ in sources() if BANNED_NAMES.search(Path(path).stem)]
    for path, tree in sources():
        bad += [
            f"{path}:{node.lineno} {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if BANNED_NAMES.search(node.name)
        ]
    assert bad == []


def test_nothing_heavy_is_imported_to_serve() -> None:
    """A server answers soon after its start: solvers, mesh libraries and plotting come only when needed."""
    heavy = "wntr numba matplotlib osmium power_grid_model trimesh py3dtiles scipy pandas networkx"
    script = f"import sys, cim.main; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not (ROOT / "viewer/static/explore.html").is_file(), reason="the bundle is not built: make bundle")
def test_the_wheel_carries_four_packages_and_the_bundle(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)
    assert "viewer/static/explore.html" in names
    assert "ingest/sample/helsinki/Helsinki.osm.pbf" in names
    assert any(name.startswith("cim/db/migrations/") and name.endswith(".sql") for name in names)
    assert not [name for name in names if name.startswith("viewer/web")]
