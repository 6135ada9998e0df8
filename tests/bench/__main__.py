"""Runs every benchmark in turn, each in a process of its own, and writes docs/benchmarks.md.

Run: ``make bench`` or ``python -m tests.bench``; with names (``bench_tiles``) those alone are measured again.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHES = {
    "tests.bench.bench_cityjson": "CityJSON to the committed store",
    "tests.bench.bench_tiles": "Store to tiles",
    "tests.bench.bench_tokyo": "A city of 258,000 buildings to tiles",
    "tests.bench.bench_flythrough": "A flight through 258,000 buildings in a browser",
    "tests.bench.bench_edit": "Edit to a subscribed screen",
    "tests.bench.bench_impact": "Edit to indicators",
    "tests.bench.bench_light": "Hours of sun",
    "tests.bench.bench_live": "Live stream",
    "tests.bench.bench_features": "Features over 258,000 buildings",
    "tests.bench.bench_merge": "Merge of two sources",
    "tests.bench.bench_start": "Start and first view",
    "tests.bench.bench_schemes": "Schemes: weight, opening, editing",
    "tests.bench.bench_quality": "Checks of geometry",
}


HEAD = """# Benchmarks

Written by `make bench`; each part also runs alone by the command that stands above it. Both sides of a ratio
were taken in one run, imports excluded. Machines differ: read the ratios, not the times.
"""


def commit() -> str:
    """The commit that was measured, with a mark if the tree was changed."""
    words = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _sections(page: str) -> dict[str, str]:
    """Return what stands on the page by its headings."""
    parts = page.split("\n## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip("\n") for part in parts}


def _measured(module: str) -> str | None:
    """Run one benchmark and return its section, ``None`` if it failed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(done.stdout, flush=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores, {processor()}"
    when = f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, {where}"
    return f"`python -m {module}`: {when}\n\n```\n{done.stdout.strip(chr(10))}\n```"


def main(names: list[str]) -> int:
    """Run all, or those that are named; write the page, of which the others stay; return 1 if one failed."""
    page = ROOT / "docs/benchmarks.md"
    sections = _sections(page.read_text(encoding="utf-8")) if names else {}
    failed = 0
    for module, title in BENCHES.items():
        if names and module.rpartition(".")[2] not in names:
            continue
        print(f"bench: {title}", flush=True)
        section = _measured(module)
        if section is None:
            failed = 1
        else:
            sections[title] = section
        told = [f"## {one}\n\n{sections[one]}\n" for one in BENCHES.values() if one in sections]
        page.write_text("\n".join([HEAD, *told]), encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
