"""The sample city: the Helsinki extract as it is, then the generated parts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from cim.findings import Finding
from ingest.readers.osm import OsmReader
from ingest.records import Progress, ReadContext, Record, SourceHeader
from ingest.sample.build import DATASET, build_sample

BASE_DATASET: Final = "helsinki"
WORKING_CRS: Final = "EPSG:3879"
"""ETRS89 / GK25FIN, the City of Helsinki's own grid."""


def extract_path() -> Path:
    """Return the OpenStreetMap extract that comes with the program."""
    return Path(str(resources.files("ingest.sample"))) / "helsinki" / "Helsinki.osm.pbf"


def sample_records(
    seed: int, step: Callable[[str, int | None, str], None], progress: Callable[[int, int | None], None]
) -> Iterator[Record]:
    """Yield the real base, then what is generated on it; ``step`` and ``progress`` are told."""
    kept: list[Record] = []
    context = ReadContext(dataset=BASE_DATASET, working_crs=WORKING_CRS)
    for record in OsmReader().read(extract_path(), context):
        if not isinstance(record, Progress):
            kept.append(record)
        yield replace(record, dataset=BASE_DATASET) if isinstance(record, SourceHeader) else record

    def note(name: str, done: int, total: int) -> None:
        if done == 0:
            step(name, total, "")
        progress(done, total)

    findings: list[Finding] = []
    yield from _as_generated(build_sample(kept, seed, note, findings))
    yield from findings


def _as_generated(records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        yield replace(record, dataset=DATASET) if isinstance(record, SourceHeader) else record
