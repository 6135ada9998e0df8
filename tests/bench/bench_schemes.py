"""100 branches of a generated city of 100,000 buildings: what they weigh, how fast they open, how fast they are edited.

Run: ``python -m tests.bench.bench_schemes``
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from cim.accounts.model import Role, Who
from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityObject
from cim.city.service import CityService
from cim.city.store import Act
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.geometry.surfaces import Geometry, multi_surface
from cim.ports import SystemClock
from cim.schemes.joining.service import JoiningService
from cim.schemes.model import Text, Words
from cim.schemes.service import SchemeService, Wish
from tests.support.scheme_city import AT, FRAME, X, Y

BUILDINGS, BRANCHES, EDITS = 100_000, 100, 50
BATCH = 10_000
ROW = 320
MEI = Who("Mei")


def box(x: float, y: float, width_m: float, depth_m: float, height_m: float) -> Geometry:
    """A block as six surfaces."""
    low = np.array([[x, y], [x + width_m, y], [x + width_m, y + depth_m], [x, y + depth_m]])
    foot, top = np.column_stack([low, np.zeros(4)]), np.column_stack([low, np.full(4, height_m)])
    walls = [np.array([foot[i], foot[(i + 1) % 4], top[(i + 1) % 4], top[i]]) for i in range(4)]
    return multi_surface("1", [[foot[::-1]], [top], *([wall] for wall in walls)])


def generated(count: int, seed: int = 1) -> Iterator[CityObject]:
    """Blocks on a grid, with the facts that a register has."""
    chance = np.random.default_rng(seed)
    heights = np.round(chance.gamma(4.0, 3.5, count) + 3.0, 2)
    for n in range(count):
        x, y, height = X + 30.0 * (n % ROW), Y + 24.0 * (n // ROW), float(heights[n])
        facts = {
            "height_m": height,
            "storeys_above_ground": max(1, round(height / 3.2)),
            "function": ("apartments", "office", "retail", "house")[n % 4],
            "year_of_construction": 1890 + n % 130,
            "name": f"House {n}",
            "address": f"Street {n // ROW} {n % ROW}",
        }
        attributes = {name: Attribute(value) for name, value in facts.items()}
        place = shapely.box(x, y, x + 18.0, y + 12.0)
        yield CityObject(f"gen:b{n}", "Building", place, (box(x, y, 18.0, 12.0, height),), attributes)


def fill(city: CityService, count: int) -> None:
    """Publish the generated city."""
    batch: list[CityObject] = []
    done = 0
    for item in generated(count):
        batch.append(item)
        if len(batch) == BATCH:
            city.stage("gen", done, *objects_to_columns(batch))
            done += len(batch)
            batch = []
    if batch:
        city.stage("gen", done, *objects_to_columns(batch))
    city.publish(Act("gen", "local", "bench", AT), FRAME, [])


def weight(database: Database) -> int:
    """Bytes of the city on disk, the log moved into the file; blocks that are free for what comes do not count."""
    database.submit(lambda c: None).result()
    with database._guard:
        root = database._root
        assert root is not None
        root.execute("CHECKPOINT").fetchall()
        block_bytes, used = root.execute("SELECT block_size, used_blocks FROM pragma_database_size()").fetchall()[0]
    return int(block_bytes) * int(used) + database.wal_bytes


def wishes(branch: int, number: int, buildings: int) -> Wish:
    """The edits of a branch: a fifth of each kind, each branch elsewhere."""
    n = (branch * 997 + number * 31) % buildings
    target, kind = f"gen:b{n}", number % 5
    if kind == 0:
        # On the free ground between four blocks.
        x, y = X + 30.0 * (n % ROW) + 19.0, Y + 24.0 * (n // ROW) + 13.0
        ring = [[x, y], [x + 10.0, y], [x + 10.0, y + 10.0], [x, y + 10.0]]
        return Wish("building.add", None, {"footprint": [ring], "storeys": [[3.2, "residential"]] * 6})
    if kind == 1:
        return Wish("building.demolish", target)
    if kind == 2:
        return Wish("building.height", target, {"height_m": 60.0 + number})
    if kind == 3:
        return Wish("building.use", target, {"use": "hotel"})
    return Wish("building.solar", target, {"solar_share": 0.6})


def say(label: str, seconds: list[float]) -> None:
    """Print how long something took."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    print(f"{label:<58} p50 {p50:8.2f} ms   p95 {p95:8.2f} ms")


def timed(seconds: list[float], begun_s: float) -> None:
    """Note the time since ``begun_s``."""
    seconds.append(time.perf_counter() - begun_s)


def branch_out(database: Database, city: CityService, branches: int, edits: int, buildings: int) -> list[str]:
    """Make the branches; print how long each step took."""
    schemes = SchemeService(database, city, SystemClock())
    joining = JoiningService(schemes, SystemClock())
    made: list[str] = []
    branching: list[float] = []
    editing: list[float] = []
    for branch in range(branches):
        begun = time.perf_counter()
        parent = made[branch // 2] if branch % 4 == 3 else "base"
        scheme = schemes.create(Words(Text(f"Scheme {branch}", f"方案{branch}")), MEI, parent).scheme.id
        timed(branching, begun)
        made.append(scheme)
        for number in range(edits):
            begun = time.perf_counter()
            schemes.edit(scheme, wishes(branch, number, buildings), MEI)
            timed(editing, begun)
    say(f"branch ({branches}; a quarter of them off another scheme)", branching)
    say(f"edit, validated and durable ({branches * edits:,}, one planner)", editing)
    merging: list[float] = []
    for pair in range(0, min(20, branches - 1), 2):
        begun = time.perf_counter()
        joining.merge(made[pair], made[pair + 1], MEI, {})
        timed(merging, begun)
    say(f"three-way merge of branches of {edits} edits", merging)
    together(schemes, made, buildings)
    return made


def together(schemes: SchemeService, made: list[str], buildings: int) -> None:
    """Edit eight schemes at once, so that the writer commits in groups."""
    taken: list[float] = []

    def work(scheme: str, first: int) -> None:
        for number in range(20):
            begun = time.perf_counter()
            schemes.edit(
                scheme, Wish("building.solar", f"gen:b{(first + number) % buildings}", {"solar_share": 0.25}), MEI
            )
            timed(taken, begun)

    threads = [threading.Thread(target=work, args=(s, buildings // 2 + 1000 * n)) for n, s in enumerate(made[:8])]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(taken) / (time.perf_counter() - begun)
    say(f"edit, eight schemes at once ({rate:,.0f} edits/s)", taken)


def open_again(database: Database, city: CityService, made: list[str]) -> None:
    """Open every branch as after a restart; print how long each step took."""
    begun = time.perf_counter()
    schemes = SchemeService(database, city, SystemClock())
    print(f"{'all branches known after a start':<58} {(time.perf_counter() - begun) * 1000:12.2f} ms")
    opening: list[float] = []
    for scheme in made:
        begun = time.perf_counter()
        schemes.seen(scheme, Role.PLANNER).actor.overview()
        timed(opening, begun)
    say("open a branch: log, state, counts, extent", opening)


def main() -> None:
    """Print weights and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=BUILDINGS)
    parser.add_argument("--branches", type=int, default=BRANCHES)
    parser.add_argument("--edits", type=int, default=EDITS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with DataDirectory(path) as directory, Database.open(directory) as database:
            city = CityService(database)
            fill(city, chosen.buildings)
            before = weight(database)
            made = branch_out(database, city, chosen.branches, chosen.edits, chosen.buildings)
            after = weight(database)
        share = (after - before) / before
        print(
            f"{chosen.buildings:,} buildings {before / 1e6:,.1f} MB; {len(made)} branches of {chosen.edits} edits add",
            end=" ",
        )
        print(f"{(after - before) / 1e6:,.2f} MB: {share:.2%}")
        with DataDirectory(path) as directory, Database.open(directory) as database:
            open_again(database, CityService(database), made)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
