"""A city of 258,000 buildings to a tileset: ``python -m tests.bench.bench_tokyo [--tokyo] [--buildings N]``.

Built by as many processes as there are cores, compressed and made durable; then one building is changed and its
chain drawn, as a server does it, and a hundred schemes are laid over the city.  ``--tokyo`` takes the footprints of
central Tokyo from the shared data instead of generated ones.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from copy import copy
from pathlib import Path

import numpy as np
import pyarrow as pa

from cim.city.columns import GEOMETRY_SCHEMA
from tests.bench.bench_tiles import generated, source_surfaces, tokyo
from tests.support.tile_triangles import check_triangles
from tiles.build import build_tileset
from tiles.chain import Altered, build_chains, build_delta
from tiles.crew import Crew
from tiles.draft import draft_chains
from tiles.plan import PLAN_NAME, Plan
from tiles.tileset import branch_tile
from tiles.verify import verify_tileset

EDITS = 10
HIGHER = '{"height_m":{"v":61.5},"scheme_change":{"v":"changed"}}'
HUNDRED = 100
MB = 1_000_000
HEIGHT_PX, ERROR_PX = 900, 6.0
CACHE_MB = 70
"""About what the 100 MiB of arrays come to in files that the map holds of buildings; bench_flythrough measures it."""


class Rows:
    """The rows of a city of blocks, by id, some of them others than they were."""

    def __init__(self, objects: pa.Table) -> None:
        self._objects = objects
        self._row_of = {name: row for row, name in enumerate(objects["id"].to_pylist())}
        self._others: dict[str, str] = {}
        self._none = GEOMETRY_SCHEMA.empty_table()

    def but(self, others: dict[str, str]) -> Rows:
        """Return the same rows with other facts of some."""
        made = copy(self)
        made._others = others
        return made

    def read(self, ids) -> tuple[pa.Table, pa.Table]:
        """Return some rows."""
        found = self._objects.take([self._row_of[name] for name in ids if name in self._row_of])
        facts = [
            self._others.get(i, f)
            for i, f in zip(found["id"].to_pylist(), found["attributes"].to_pylist(), strict=True)
        ]
        at = found.column_names.index("attributes")
        return found.set_column(at, "attributes", pa.array(facts, pa.string())), self._none


def disk(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def build(objects: pa.Table, frame, out: Path) -> None:
    """Build, and say what it took."""
    with Crew(os.cpu_count() or 1) as crew:
        report = build_tileset(objects, GEOMETRY_SCHEMA.empty_table(), frame, out, crew=crew)
    mine, theirs = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"{report.buildings:,} buildings, {os.cpu_count()} cores, {report.units} units, {report.building_tiles} leaves"
    )
    print(f"  tiles       {report.buildings_s:8.1f} s  {report.buildings_per_s:10,.0f} buildings/s")
    print(f"  compression {report.compress_s:8.1f} s  {report.buildings / report.compress_s:10,.0f} buildings/s")
    print(
        f"  peak memory {mine:8,.0f} MB here with the city's rows, {theirs:,.0f} MB in the largest worker (aim 2,048)"
    )
    print(f"  leaves      {report.bytes_per_building:8.1f} bytes/building, brotli, ids included (aim 250)")
    print(f"  all         {report.bytes_brotli / MB:8.1f} MB brotli, {disk(out) / MB:.1f} MB on disk in all forms")


def seen(plan: Plan, middle: np.ndarray, span_m: float) -> list[str]:
    """Return the tiles that a map shows that looks straight down on a square of the chart."""
    metres_per_px = span_m / HEIGHT_PX
    low, high = middle - span_m / 2, middle + span_m / 2
    found: list[str] = []
    pending = [plan.crown]
    while pending:
        branch = plan.opened(pending.pop())
        tile = branch_tile(branch, opened=True)
        if (np.array(tile.low[:2]) > high).any() or (np.array(tile.high[:2]) < low).any():
            continue
        if tile.error_m / metres_per_px > ERROR_PX and branch.below():
            pending.extend(branch.below())
        elif tile.uri:
            found.append(tile.uri)
    return found


def first_picture(out: Path, span_m: float = 2_000.0) -> None:
    """What a map loads that stands over the middle of the city."""
    tiles = seen(Plan.load(out / PLAN_NAME), np.zeros(2), span_m)
    files = ["tileset.json", "buildings/tileset.json", *(f"buildings/{name}" for name in tiles)]
    total = sum((out / f"{name}.br").stat().st_size for name in files)
    print(f"  first picture of {span_m:,.0f} m: {len(tiles)} tiles, {total / MB:.2f} MB (aim 5)")


def flight(out: Path) -> None:
    """What a map holds that flies down from all of the city and then across it, by the rule of its cache."""
    plan = Plan.load(out / PLAN_NAME)
    assert plan.crown is not None
    assert plan.crown.drawn is not None
    corner = np.abs(np.array([plan.crown.drawn.low[:2], plan.crown.drawn.high[:2]])).min() * 0.8
    down = [(np.zeros(2), span_m) for span_m in np.geomspace(4 * corner, 600.0, 15)]
    across = [(np.full(2, share * corner), 900.0) for share in np.linspace(-1, 1, 40)]
    held: dict[str, int] = {}
    views = len(down) + len(across)
    most = loaded = 0
    for middle, span_m in [*down, *across]:
        shown = seen(plan, middle, span_m)
        for name in shown:
            loaded += 0 if name in held else (out / f"buildings/{name}.br").stat().st_size
            held[name] = held.pop(name, 0) or (out / "buildings" / name).stat().st_size
        for name in list(held):
            if sum(held.values()) > CACHE_MB * MB and name not in shown:
                del held[name]
        most = max(most, sum(held.values()))
    print(f"  flight of {views} views: {most / MB:.0f} MB held at most (aim 300), {loaded / MB:.1f} MB sent")


def one_change(objects: pa.Table, out: Path, work: Path) -> None:
    """Draw the chain of one higher building, as a server does."""
    taken, shares, rows = [], [], Rows(objects)
    for turn in range(5):
        name = objects["id"][objects.num_rows // 2 + 37 * turn].as_py()
        now = rows.but({name: '{"height_m":{"v":77.5}}'})
        begun, busy = time.perf_counter(), time.process_time()
        plan = Plan.load(out / PLAN_NAME)
        draft = draft_chains(plan, [name], rows.read, now.read)
        report = build_delta(plan, Altered(draft), work / f"delta{turn}", plan.site.frame, twins=False)
        taken.append(time.perf_counter() - begun)
        shares.append((report.tiles, time.process_time() - busy))
    tiles, busy = shares[-1]
    print(
        f"one building: {tiles} tiles anew; best of 5 {min(taken) * 1000:.0f} ms, {busy * 1000:.0f} ms busy (aim 300)"
    )


def schemes(objects: pa.Table, out: Path, work: Path, count: int) -> None:
    """Lay schemes over the city, each with some buildings higher in one place."""
    ids = objects["id"].to_pylist()
    rows = Rows(objects)
    total = packed = 0
    for scheme in range(count):
        first = (scheme * 25_793) % (len(ids) - EDITS)
        chosen = ids[first : first + EDITS]
        now = rows.but(dict.fromkeys(chosen, HIGHER))
        plan = Plan.load(out / PLAN_NAME)
        draft = draft_chains(plan, chosen, rows.read, now.read)
        report = build_chains(plan, Altered(draft), work / f"scheme{scheme}")
        total += disk(work / f"scheme{scheme}")
        packed += report.bytes_brotli
    whole = disk(out)
    brotli = sum(path.stat().st_size for path in out.rglob("*.br"))
    share = 100 * HUNDRED / count
    print(f"{count} schemes of {EDITS} edits: {total / count / 1000:.0f} kB each; a hundred of them are")
    print(
        f"  {share * total / whole:.1f} % of the city's tiles on disk (aim 5), {share * packed / brotli:.1f} % brotli"
    )


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=258_000)
    parser.add_argument("--tokyo", action="store_true")
    parser.add_argument("--schemes", type=int, default=20)
    parser.add_argument("--check", action="store_true", help="also hold every tile against the rules and the source")
    wanted = parser.parse_args()
    objects, _, frame = tokyo() if wanted.tokyo else generated(wanted.buildings)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build(objects, frame, work / "city")
        first_picture(work / "city")
        flight(work / "city")
        one_change(objects, work / "city", work)
        schemes(objects, work / "city", work, wanted.schemes)
        if wanted.check:
            sources = source_surfaces(objects, GEOMETRY_SCHEMA.empty_table())
            found = check_triangles(work / "city", frame.crs, sources)
            print(
                f"  faults: {len(verify_tileset(work / 'city'))}; {found.triangles:,} triangles held against their "
                f"sources, {len(found.faults)} faults"
            )


if __name__ == "__main__":
    main()
