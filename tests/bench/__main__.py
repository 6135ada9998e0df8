"""Runs every benchmark in turn, each in a process of its own, and writes docs/benchmarks.md.

Run: ``make bench`` or ``python -m tests.bench``.
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


def main() -> int:
    """Run all, write the page, return 1 if one failed."""
    failed = 0
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; each part also runs alone by the command that stands above it. Both sides of a ratio",
        "were taken in one run, imports excluded. Machines differ: read the ratios, not the times.",
        "",
        (
            f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, Python {platform.python_version()}, "
            f"{os.cpu_count()} cores, {processor()}"
        ),
    ]
    for module, title in BENCHES.items():
        print(f"bench: {title}", flush=True)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", module], cwd=ROOT, capture_output=True, text=True, check=False
        )
        print(done.stdout, flush=True)
        if done.returncode:
            failed = 1
            print(done.stderr, file=sys.stderr)
        else:
            lines += ["", f"## {title}", "", f"`python -m {module}`", "", "```", done.stdout.strip("\n"), "```"]
    (ROOT / "docs/benchmarks.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main())
