"""Buildings of two sources matched and published as one city, beside a city of one source.

``python -m tests.bench.bench_merge [--buildings N]``.  The footprints of the second source are those of the first,
moved by up to a metre and turned a little, in another order; both have a recorded height and six more facts.  What is
timed: matching alone (shared areas and decisions), and publishing the second source from what is staged to what is
durable, beside publishing the same source into an empty city.  While a source is published or taken back somebody
else edits a scheme, an edit after the other: the table says how long the longest of these waited until it was durable.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import numpy as np
import shapely

from cim.accounts.model import Who
from cim.city.columns import objects_to_columns
from cim.city.matching import Footprints, match_footprints
from cim.city.model import Attribute, CityObject
from cim.city.store import Act
from cim.city.undoing.service import UndoService
from cim.ports import SystemClock
from cim.schemes.model import Text, Words
from cim.schemes.service import SchemeService, Wish
from tests.support.merged_city import AT, FRAME, MergedCity, X, Y, dataset, merged_city, roof

BATCH = 2_000
WHO = Who("Mei")
T = TypeVar("T")


def footprints(count: int, seed: int | None = None) -> np.ndarray:
    """Squares of 10 m every 20 m; with a seed moved and turned a little."""
    side = int(np.ceil(np.sqrt(count)))
    rows = np.arange(count)
    corners = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5], [-5, -5]], dtype=float)
    middle = np.column_stack([X + 20 * (rows % side), Y + 20 * (rows // side)]).astype(float)
    if seed is None:
        return shapely.polygons(middle[:, None, :] + corners)
    random = np.random.default_rng(seed)
    angle = random.uniform(-0.05, 0.05, count)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    turned = corners[None] @ turn
    return shapely.polygons(middle[:, None, :] + random.uniform(-1, 1, (count, 1, 2)) + turned)


def objects(source: str, places: np.ndarray) -> list[CityObject]:
    """One building a place, with seven facts and one geometry."""
    lod = "2" if source == "first" else "1"
    return [
        CityObject(
            f"{source}:{row}",
            "Building",
            place,
            (roof(place, lod, 10.0),),
            {
                "height_m": Attribute(10.0 + row % 7 + (source == "second"), "m"),
                "year_of_construction": Attribute(1900 + row % 100),
                f"{source}_use": Attribute("dwelling"),
                f"{source}_name": Attribute(f"House {row}"),
                "storeys_above_ground": Attribute(3 + row % 4),
                f"{source}_owner": Attribute("city"),
                f"{source}_code": Attribute(row),
            },
        )
        for row, place in enumerate(places.tolist())
    ]


class Editor:
    """Plants a tree in a scheme, again and again, from a thread of its own; remembers how long each edit took."""

    PAUSE_S = 0.05

    def __init__(self, city: MergedCity) -> None:
        self._schemes = SchemeService(city.database, city.city, SystemClock())
        self._scheme = self._schemes.create(Words(Text("Trees", "树")), WHO).scheme.id
        self._stop = threading.Event()
        self.waits_s: list[float] = []

    def _edit(self) -> None:
        while not self._stop.wait(self.PAUSE_S):
            start = time.perf_counter()
            self._schemes.edit(self._scheme, Wish("tree.add", None, {"place": [X - 50, Y - 50]}), WHO)
            self.waits_s.append(time.perf_counter() - start)

    @contextmanager
    def editing(self) -> Iterator[list[float]]:
        """Edit while something else is done."""
        self._stop.clear()
        self.waits_s = []
        thread = threading.Thread(target=self._edit)
        thread.start()
        try:
            yield self.waits_s
        finally:
            self._stop.set()
            thread.join()


class Clock:
    """Takes times and prints them as rows of a table."""

    def __init__(self, count: int) -> None:
        self._count = count
        print(
            "| step | seconds | of them busy | buildings per busy second | edits meanwhile | median, ms | longest, ms |"
        )
        print("|---|---|---|---|---|---|---|")

    def row(self, step: str, work: Callable[[], T], editor: Editor | None = None) -> T:
        """Time one step: by the clock, and by the processor for machines that have other work, too."""
        with nullcontext([]) if editor is None else editor.editing() as waits_s:
            start, busy = time.perf_counter(), time.process_time()
            result = work()
            took_s, busy = time.perf_counter() - start, time.process_time() - busy
        ms = sorted(1000 * wait_s for wait_s in waits_s)
        waits = f"{len(ms)} | {ms[len(ms) // 2]:.0f} | {ms[-1]:.0f}" if ms else "| |"
        print(f"| {step} | {took_s:.2f} | {busy:.2f} | {self._count / busy:,.0f} | {waits} |", flush=True)
        return result


def stage(city: MergedCity, job: str, found: list[CityObject]) -> Callable[[], object]:
    """Stage a source; return what publishes it."""
    for start in range(0, len(found), BATCH):
        city.city.stage(job, start, *objects_to_columns(found[start : start + BATCH]))
    act, name = Act(job, "local", "bench", AT), found[0].dataset
    return lambda: city.city.publish(act, FRAME, [dataset(name)])


def columns(source: str, places: np.ndarray) -> Footprints:
    """The same for matching alone."""
    none: list[tuple[str, ...]] = [()] * len(places)
    return Footprints([f"{source}:{row}" for row in range(len(places))], places, none, none, [""] * len(places))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--buildings", type=int, default=100_000)
    count = parser.parse_args().buildings
    first, second = footprints(count), footprints(count, seed=1)
    order = np.random.default_rng(2).permutation(count)
    print(f"`python -m tests.bench.bench_merge --buildings {count}`\n")
    clock = Clock(count)
    mine, theirs = columns("second", second[order]), columns("first", first)
    found = clock.row(f"{count:,} footprints matched with {count:,}", lambda: match_footprints(mine, theirs))
    assert len(found.pairs) == count
    with tempfile.TemporaryDirectory() as folder, merged_city(Path(folder)) as alone:
        clock.row("the second source published alone", stage(alone, "one", objects("second", second)))
    with tempfile.TemporaryDirectory() as folder, merged_city(Path(folder)) as city:
        stage(city, "one", objects("first", first))()
        editor = Editor(city)
        clock.row("the second source published into the first", stage(city, "two", objects("second", second)), editor)
        assert len(city.city.view.index) == count
        clock.row("the same again, nothing changed", stage(city, "three", objects("second", second)), editor)
        undo = UndoService(city.database, city.city)
        clock.row("that taken back", lambda: undo.take_back(Act("four", "local", "undo", AT), "three"), editor)
        clock.row(
            "the second source taken back", lambda: undo.take_back(Act("five", "local", "undo", AT), "two"), editor
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the process, a source's objects and the store in it: {peak:,.0f} MiB.")


if __name__ == "__main__":
    main()
