"""CityJSON read, decoded, checked and committed, beside cjio and a bare JSON parser, in one run.

``python -m tests.bench.bench_cityjson [--buildings N] [--rounds N]``.  Imports are not counted; the
contenders take turns, and the median of the rounds is told.  What each does:

* ``orjson``      parses the bytes, and nothing else (a stream line by line), as it is called by
  default and with Python's cyclic collector off, which our readers do too;
* ``cjio.reader`` parses a document, and nothing else;
* ``cjio export jsonl``  parses a document and writes it as CityJSONSeq in memory;
* ``read``        sniffs, decodes, checks, gives Arrow columns;
* ``committed``   the same into the store, durable, published as a baseline.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from cjio import cityjson

from cim.city.model import CityFrame
from cim.city.service import CityService
from cim.city.store import Act
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Provenance
from ingest.columns import ObjectBatch, gather
from ingest.readers.collection import collection_paused
from ingest.readers.registry import reader_for
from ingest.records import ReadContext, SourceHeader
from tests.support.made_cityjson import write_document, write_stream

ROTTERDAM = Path(__file__).resolve().parents[3] / "shared" / "data" / "rotterdam" / "3-20-DELFSHAVEN.city.json"
DOCUMENT_BUILDINGS = 2_000
"""cjio takes time that grows with the square of the number of objects."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _read(path: Path) -> Iterator[object]:
    return iter(gather(reader_for(path).read(path, ReadContext("bench"))))


@contextmanager
def timed(out: list[float]) -> Iterator[None]:
    gc.collect()
    started = time.perf_counter()
    yield
    out.append(time.perf_counter() - started)


def count_read(path: Path) -> int:
    return sum(piece.objects.num_rows for piece in _read(path) if isinstance(piece, ObjectBatch))


def commit(path: Path, out: list[float]) -> int:
    """Read into a city that is open already; making its database is not counted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        DataDirectory(Path(folder) / "city") as directory,
        Database.open(directory) as database,
    ):
        city = CityService(database)
        with timed(out):
            return _commit_into(city, path)


def _commit_into(city: CityService, path: Path) -> int:
    sequence = 0
    header: SourceHeader | None = None
    for piece in _read(path):
        if isinstance(piece, ObjectBatch):
            city.stage("bench", sequence, piece.objects, piece.geometries)
            sequence += piece.objects.num_rows
        elif isinstance(piece, SourceHeader):
            header = piece
    assert header is not None
    frame = CityFrame("bench", "Bench", "Bench", header.working_crs, header.vertical_datum, header.ground, "UTC")
    dataset = Provenance("bench", "Bench", path.name, "", "", "", header.reader, header.reader_version, NOW)
    return city.publish(Act("bench", "local", "bench", NOW), frame, [dataset]).added


def without_collector(run: Callable[[Path], int]) -> Callable[[Path], int]:
    def wrapped(path: Path) -> int:
        with collection_paused():
            return run(path)

    return wrapped


def parse_document(path: Path) -> int:
    return len(orjson.loads(path.read_bytes())["CityObjects"])


def parse_stream(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(orjson.loads(line).get("CityObjects", ())) for line in file)


def bare(parse: Callable[[Path], int]) -> dict[str, Callable[[Path], int]]:
    return {"orjson": parse, "orjson, no gc": without_collector(parse)}


def cjio_reader(path: Path) -> int:
    with path.open() as file:
        return len(cityjson.reader(file).j["CityObjects"])


def cjio_export(path: Path) -> int:
    with path.open() as file:
        document = cityjson.reader(file)
    return document.export2jsonl().getvalue().count("\n") - 1


def measure(contenders: dict[str, Callable[[Path], int]], path: Path, rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in (*contenders, "committed")}
    for _ in range(rounds):
        for name, run in contenders.items():
            with timed(times[name]):
                count = run(path)
            assert count > 0, name
        assert commit(path, times["committed"]) > 0
    return {name: statistics.median(taken) for name, taken in times.items()}


def tell(title: str, path: Path, taken: dict[str, float], objects: int) -> None:
    megabytes = path.stat().st_size / 1e6
    print(f"\n{title}: {megabytes:.1f} MB, {objects:,} objects")
    for name, seconds in taken.items():
        print(
            f"  {name:18} {seconds * 1e3:9.1f} ms {megabytes / seconds:8.1f} MB/s {objects / seconds:9,.0f} objects/s"
        )
    if "cjio export jsonl" in taken:
        print(f"  committed is {taken['cjio export jsonl'] / taken['committed']:.1f} × cjio export jsonl (aim 3)")
    for name in ("orjson", "orjson, no gc"):
        print(f"  committed runs at {100 * taken[name] / taken['committed']:.1f} % of the rate of {name} (aim 10 %)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=20_000, help="in the stream")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    ours: dict[str, Callable[[Path], int]] = {"read": count_read}
    cjio: dict[str, Callable[[Path], int]] = {"cjio.reader": cjio_reader, "cjio export jsonl": cjio_export}
    with tempfile.TemporaryDirectory() as folder:
        document, stream = Path(folder) / "made.city.json", Path(folder) / "made.city.jsonl"
        write_document(document, DOCUMENT_BUILDINGS)
        write_stream(stream, wanted.buildings)
        if ROTTERDAM.is_file():
            taken = measure({**bare(parse_document), **cjio, **ours}, ROTTERDAM, wanted.rounds)
            tell("Rotterdam Delfshaven", ROTTERDAM, taken, parse_document(ROTTERDAM))
        taken = measure({**bare(parse_document), **cjio, **ours}, document, wanted.rounds)
        tell("Generated CityJSON", document, taken, DOCUMENT_BUILDINGS)
        taken = measure({**bare(parse_stream), **ours}, stream, wanted.rounds)
        tell("Generated CityJSONSeq", stream, taken, wanted.buildings)


if __name__ == "__main__":
    main()
