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
from tests.bench.bench_tiles import check_triangles, generated, tokyo
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


def first_picture(out: Path, error_px: float = 6.0, height_px: int = 900) -> None:
    """What a viewer loads that stands over the middle of the city and looks down on two kilometres of it."""
    plan = Plan.load(out / PLAN_NAME)
    span_m = 2_000.0
    metres_per_px = span_m / height_px
    total, tiles = 0, 0

    def wanted(branch, box) -> None:
        nonlocal total, tiles
        whole = plan.opened(branch)
        tile = branch_tile(whole, opened=True)
        low, high = np.array(tile.low[:2]), np.array(tile.high[:2])
        if (low > box[1]).any() or (high < box[0]).any():
            return
        kids = whole.below()
        if tile.error_m / metres_per_px > error_px and kids:
            for kid in kids:
                wanted(kid, box)
            return
        if tile.uri:
            total += (out / "buildings" / f"{tile.uri}.br").stat().st_size
            tiles += 1

    middle = np.zeros(2)
    wanted(plan.crown, (middle - span_m / 2, middle + span_m / 2))
    top = sum((out / name).stat().st_size for name in ("tileset.json.br", "buildings/tileset.json.br"))
    print(f"  first picture of {span_m:,.0f} m: {tiles} tiles, {(total + top) / MB:.2f} MB (aim 5)")


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
    parser.add_argument("--schemes", type=int, default=HUNDRED)
    parser.add_argument("--check", action="store_true", help="also hold every tile against the rules and the source")
    wanted = parser.parse_args()
    objects, _, frame = tokyo() if wanted.tokyo else generated(wanted.buildings)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build(objects, frame, work / "city")
        first_picture(work / "city")
        one_change(objects, work / "city", work)
        schemes(objects, work / "city", work, wanted.schemes)
        if wanted.check:
            print(f"  faults: {len(verify_tileset(work / 'city'))}; {check_triangles(objects, work / 'city')}")


if __name__ == "__main__":
    main()
