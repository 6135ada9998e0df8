"""CityJSON decoded, checked and committed, beside cjio and a bare JSON parser, in one run.

``python -m tests.bench.bench_cityjson [--buildings N] [--copies N] [--rounds N]``.  Times are processor times of all
threads, so that other work on the machine does not count; the wall clock stands in brackets.  Imports are not counted;
the contenders take turns, and the round in the middle is told.  What each does:

* ``orjson``      parses the bytes, and nothing else (a stream line by line), as it is called by
  default and with Python's cyclic collector off, which our readers do too;
* ``cjio export jsonl``  parses a document and writes it as CityJSONSeq in memory; of the generated buildings it gets
  2,000, since its time grows with the square of their number, and the time for one building is compared;
* ``committed``   sniffs, decodes, checks the quality, makes Arrow columns and commits them into the store, durable,
  published as a baseline; in one process, where a job reads in a child while the writer stages.

The place is also taken many times over, side by side, so that what a delivery costs is told apart from what an object
costs; cjio's time for one object is that of the place itself.  That city is measured by the clock as well, as a job
takes it (:mod:`tests.bench.job_cityjson`).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from cjio import cityjson

from cim.city.rows import ObjectRows
from cim.city.service import CityService
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.jobs.actor import MEMORY_VARIABLES
from cim.quality.codes import Criteria
from cim.quality.inspector import Inspector
from cim.quality.model import QualityNotes
from ingest.columns import gather
from ingest.prepared import ObjectBatch
from ingest.readers.collection import collection_paused
from ingest.readers.registry import reader_for
from ingest.records import ReadContext, Record, SourceHeader
from tests.bench.job_cityjson import NOW, published, taken_by_clock
from tests.support.made_cityjson import write_copies, write_document, write_stream

ROTTERDAM = Path(__file__).resolve().parents[3] / "shared" / "data" / "rotterdam" / "3-20-DELFSHAVEN.city.json"
DOCUMENT_BUILDINGS = 2_000
"""cjio takes time that grows with the square of the number of objects."""
CJIO_AIM, ORJSON_AIM_PERCENT = 5, 20
READ, QUALITY, COMMIT = "parse and decode", "quality checks", "stage, commit, publish"


@dataclass(slots=True)
class Taken:
    """Seconds of one contender: on the processor, on the wall, and on the processor by phase."""

    processor_s: float = 0.0
    wall_s: float = 0.0
    phases_s: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.phases_s[name] += time.process_time() - started

    @contextmanager
    def whole(self) -> Iterator[None]:
        gc.collect()
        started, began = time.process_time(), time.perf_counter()
        yield
        self.processor_s, self.wall_s = time.process_time() - started, time.perf_counter() - began


Contender = Callable[[Path, Taken], int]


class TimedInspector(Inspector):
    """Checks, and says how long it took."""

    def __init__(self, taken: Taken) -> None:
        super().__init__(Criteria(year_now=NOW.year))
        self._taken = taken

    def look(self, rows: ObjectRows) -> dict[int, tuple[str, ...]]:
        with self._taken.phase(QUALITY):
            return super().look(rows)

    def notes(self) -> QualityNotes:
        with self._taken.phase(QUALITY):
            return super().notes()


def lapped(records: Iterable[Record], taken: Taken) -> Iterator[Record]:
    """Yield records, and time what it takes to get them."""
    waiting = iter(records)
    while True:
        with taken.phase(READ):
            record = next(waiting, None)
        if record is None:
            return
        yield record


def committed(path: Path, taken: Taken) -> int:
    """Read into a city that is open already; making its database is not counted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DataDirectory(Path(folder) / "city") as directory,
        Database.open(directory) as database,
    ):
        city = CityService(database)
        with taken.whole():
            return _commit_into(city, path, taken)


def _commit_into(city: CityService, path: Path, taken: Taken) -> int:
    sequence = 0
    headers: list[SourceHeader] = []
    records = lapped(reader_for(path).read(path, ReadContext("bench")), taken)
    for piece in gather(records, TimedInspector(taken)):
        if isinstance(piece, ObjectBatch):
            with taken.phase(COMMIT):
                city.stage("bench", sequence, piece.objects, piece.geometries)
            sequence += piece.objects.num_rows
        elif isinstance(piece, SourceHeader):
            headers.append(piece)
    with taken.phase(COMMIT):
        return published(city, headers, path)


def parse_document(path: Path) -> int:
    return len(orjson.loads(path.read_bytes())["CityObjects"])


def parse_stream(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(orjson.loads(line).get("CityObjects", ())) for line in file)


def timed(run: Callable[[Path], int]) -> Contender:
    def wrapped(path: Path, taken: Taken) -> int:
        with taken.whole():
            return run(path)

    return wrapped


def without_collector(run: Callable[[Path], int]) -> Callable[[Path], int]:
    def wrapped(path: Path) -> int:
        with collection_paused():
            return run(path)

    return wrapped


def cjio_export(path: Path) -> int:
    with path.open() as file:
        document = cityjson.reader(file)
    return document.export2jsonl().getvalue().count("\n") - 1


def write_exported(document: Path, path: Path) -> None:
    """Write a document as the stream that cjio makes of it."""
    with document.open() as file:
        path.write_text(cityjson.reader(file).export2jsonl().getvalue(), encoding="utf-8")


def measure(path: Path, parse: Callable[[Path], int], document: Path, rounds: int) -> dict[str, list[Taken]]:
    """Let the contenders take turns; cjio gets a document."""
    contenders: dict[str, tuple[Contender, Path]] = {
        "orjson": (timed(parse), path),
        "orjson, no gc": (timed(without_collector(parse)), path),
        "cjio export jsonl": (timed(cjio_export), document),
        "committed": (committed, path),
    }
    took: dict[str, list[Taken]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (run, given) in contenders.items():
            taken = Taken()
            assert run(given, taken) > 0, name
            took[name].append(taken)
    return took


def middle(taken: list[Taken]) -> Taken:
    """Return the round of which the processor time is in the middle: whole, so that its phases add up."""
    return sorted(taken, key=lambda one: one.processor_s)[len(taken) // 2]


def tell(title: str, path: Path, took: dict[str, list[Taken]], objects: int, cjio_objects: int) -> None:
    print(f"\n{title}: {path.stat().st_size / 1e6:.1f} MB, {objects:,} objects")
    round_of = {name: middle(taken) for name, taken in took.items()}
    for name, one in round_of.items():
        each = one.processor_s * 1e6 / (cjio_objects if name.startswith("cjio") else objects)
        print(f"  {name:24} {one.processor_s * 1e3:9.1f} ms ({one.wall_s * 1e3:9.1f}) {each:8.1f} µs/object")
    tell_phases(round_of["committed"], round_of["orjson, no gc"].processor_s)
    whole = round_of["committed"].processor_s
    gain = round_of["cjio export jsonl"].processor_s / cjio_objects * objects / whole
    print(f"  committed is {gain:.1f} × cjio export jsonl (aim {CJIO_AIM})")
    for name in ("orjson", "orjson, no gc"):
        rate = 100 * round_of[name].processor_s / whole
        print(f"  committed runs at {rate:.1f} % of the rate of {name} (aim {ORJSON_AIM_PERCENT} %)")


def tell_phases(one: Taken, parse_s: float) -> None:
    parts = {"parse": parse_s, "decode": one.phases_s[READ] - parse_s, QUALITY: one.phases_s[QUALITY]}
    parts |= {"rows and Arrow columns": one.processor_s - one.phases_s.total(), COMMIT: one.phases_s[COMMIT]}
    for name, part_s in parts.items():
        print(f"    {name:22} {part_s * 1e3:9.1f} ms {100 * part_s / one.processor_s:5.0f} %")


def clocked(run: Callable[[Path], int], path: Path) -> float:
    """Return the seconds that a contender takes by the clock."""
    began = time.perf_counter()
    run(path)
    return time.perf_counter() - began


def measure_city(place: Path, path: Path, copies: int, rounds: int) -> None:
    """Measure a place many times over: by processor time, then by the clock."""
    objects = write_copies(place, path, copies)
    took = measure(path, parse_stream, ROTTERDAM, rounds)
    title = f"Rotterdam Delfshaven {copies} times side by side, CityJSONSeq"
    tell(title, path, took, objects, objects // copies)
    clocked_s: dict[str, list[float]] = {"orjson": [], "no gc": [], "cjio": [], "job": []}
    for _ in range(rounds):
        clocked_s["orjson"].append(clocked(parse_stream, path))
        clocked_s["no gc"].append(clocked(without_collector(parse_stream), path))
        clocked_s["cjio"].append(clocked(cjio_export, ROTTERDAM))
        clocked_s["job"].append(taken_by_clock(path)[0])
    parse, parse_no_gc, cjio, job = (statistics.median(found) for found in clocked_s.values())
    print(f"  by the clock, {os.cpu_count()} cores, a child reads while the writer stages")
    for name, seconds, count in (
        ("orjson", parse, objects),
        ("orjson, no gc", parse_no_gc, objects),
        ("cjio export jsonl", cjio, objects // copies),
        ("committed by a job", job, objects),
    ):
        print(f"  {name:24} {seconds * 1e3:9.1f} ms {seconds * 1e6 / count:21.1f} µs/object")
    print(f"  committed is {cjio * copies / job:.1f} × cjio export jsonl (aim {CJIO_AIM})")
    for name, seconds in (("orjson", parse), ("orjson, no gc", parse_no_gc)):
        print(f"  committed runs at {100 * seconds / job:.1f} % of the rate of {name} (aim {ORJSON_AIM_PERCENT} %)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=100_000, help="in the generated stream")
    parser.add_argument("--copies", type=int, default=48, help="of the place: a file that several processes decode")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    if not MEMORY_VARIABLES.items() <= os.environ.items():
        # As the child of a job has it; they are read when a process starts.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **MEMORY_VARIABLES})
    with tempfile.TemporaryDirectory() as folder:
        document, stream = Path(folder) / "made.city.json", Path(folder) / "made.city.jsonl"
        write_document(document, DOCUMENT_BUILDINGS)
        write_stream(stream, wanted.buildings)
        if ROTTERDAM.is_file():
            exported = Path(folder) / "rotterdam.city.jsonl"
            write_exported(ROTTERDAM, exported)
            objects = parse_document(ROTTERDAM)
            took = measure(exported, parse_stream, ROTTERDAM, wanted.rounds)
            tell("Rotterdam Delfshaven, CityJSONSeq", exported, took, objects, objects)
            took = measure(ROTTERDAM, parse_document, ROTTERDAM, wanted.rounds)
            tell("Rotterdam Delfshaven, CityJSON", ROTTERDAM, took, objects, objects)
            measure_city(exported, Path(folder) / "city.city.jsonl", wanted.copies, wanted.rounds)
        took = measure(stream, parse_stream, document, wanted.rounds)
        tell("Generated LoD1 blocks, CityJSONSeq", stream, took, wanted.buildings, DOCUMENT_BUILDINGS)


if __name__ == "__main__":
    main()
