"""What runs in a job's child process: reading sources, making the sample city, building tiles.

Every entry takes the job's parameters and the channel to the parent; nothing here touches the store.
What only one entry needs is imported there: a child that reads a file has no use for the solvers.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from cim.city.model import Quarantined
from cim.quality.codes import Criteria, Policy
from cim.quality.model import QualityNotes
from ingest.columns import Piece, gather
from ingest.prepared import Preparation
from ingest.records import Progress, ReadContext, Record, SourceHeader
from tiles.crew import Crew

READER_OPTIONS: Final = ("time_zone", "network_id", "mapping", "invalid", "vertical_error_m")
"""Parameters of a job that readers may ask for by name."""
CREW_ROWS_MIN: Final = 10_000
"""A smaller city is drawn before a second process has started."""


class Reporting(Protocol):
    """The channel to the parent."""

    def step(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Begin a step."""

    def progress(self, done: int, total: int | None = None) -> None:
        """Report how far the step is."""

    def payload(self, body: object) -> None:
        """Hand a piece over; waits while the parent is behind."""


def read_source(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Read one file into the city; ``params`` are those of :class:`ingest.intake.IntakeKind`."""
    channel.step("read", None, "")
    with Crew(os.cpu_count() or 1) as crew:
        reader, records = _records_of(params, {}, crew)
        summary = _hand_over(records, channel, params)
    return {**summary, "sha256": _sha256(Path(str(params["path"]))), "reader": reader}


def preview_source(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Read one file as :func:`read_source` does, and only say what it would give."""
    from ingest.preview import Preview

    channel.step("read", None, "")
    preview = Preview()
    with Crew(os.cpu_count() or 1) as crew:
        reader, records = _records_of(params, {"preview": True}, crew)
        for piece in _pieces(records, channel, params):
            preview.take(piece)
    return {**preview.summary(), "reader": reader}


def _records_of(params: Mapping[str, object], more: Mapping[str, bool], crew: Crew) -> tuple[str, Iterable[Record]]:
    """Return the name of the reader of a job's file, and what it gives while the crew is there."""
    from ingest.readers.registry import reader_for

    path = Path(str(params["path"]))
    reader = reader_for(path)
    seen_on_the_way = params.get("selection") is not None or params.get("standing") is not None
    context = ReadContext(
        dataset=str(params["dataset"]),
        working_crs=_text(params, "working_crs"),
        source_crs=_text(params, "source_crs"),
        options={**{name: str(params[name]) for name in READER_OPTIONS if params.get(name) is not None}, **more},
        crew=crew,
        prepare=None if seen_on_the_way else Preparation(_criteria(params)),
    )
    records: Iterable[Record] = reader.read(path, context)
    if params.get("selection") is not None:
        from ingest.selection import read_selection, selected

        records = selected(records, read_selection(str(params["selection"])))
    if params.get("standing") is not None:
        from ingest.joining import joined, take_up

        records = joined(records, take_up(Path(str(params["standing"]))))
    return reader.name, records


def make_sample(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Read the Helsinki extract and make the generated parts on it, from ``params["seed"]``."""
    from ingest.sample.city import extract_path, sample_records

    channel.step("read", None, "")
    seed = params["seed"]
    assert isinstance(seed, int)
    summary = _hand_over(sample_records(seed, channel.step, channel.progress), channel, params)
    return {**summary, "sha256": _sha256(extract_path())}


def read_model(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Read one building's model from ``params["path"]`` and write its triangles to ``params["out"]``."""
    import numpy as np

    from ingest.model_reading import read_model_triangles

    channel.step("read", None, "")
    triangles = read_model_triangles(Path(str(params["path"])))
    with Path(str(params["out"])).open("wb") as file:
        np.save(file, triangles, allow_pickle=False)
    return {"triangles": len(triangles)}


def tile_cloud(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Write the point cloud ``params["file"]`` as a tileset to ``params["out"]``."""
    from ingest.point_tiles import tile_points

    channel.step("points", None, "")
    tile_points(Path(str(params["file"])), Path(str(params["out"])), _text(params, "crs"))
    return {}


def model_proposals(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Make models of the objects whose rows the parent has laid down in ``params["rows"]``."""
    from cim.city.columns import columns_to_objects
    from ingest.proposal_models import model_of

    folder = Path(str(params["rows"]))
    found = columns_to_objects(_read_table(folder / "objects.arrow"), _read_table(folder / "geometries.arrow"))
    channel.step("models", len(found), "models")
    made = 0
    for number, proposed in enumerate(found, 1):
        model = model_of(proposed)
        if model is not None:
            channel.payload(model)
            made += 1
        channel.progress(number, len(found))
    return {"models_read": made}


def check_city(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Check the objects whose rows the parent has laid down in ``params["rows"]``."""
    from cim.quality.inspector import Inspector
    from cim.quality.stored import batches_of

    folder = Path(str(params["rows"]))
    objects, geometries = _read_table(folder / "objects.arrow"), _read_table(folder / "geometries.arrow")
    channel.step("check", objects.num_rows, "objects")
    inspector = Inspector(Criteria(year_now=_criteria(params).year_now))
    inspector.learn(str(params["crs"]))
    done = 0
    for rows in batches_of(objects, geometries):
        inspector.look(rows)
        done += len(rows)
        channel.progress(done, objects.num_rows)
    channel.payload(inspector.notes())
    return {"objects": done}


def build_scheme_tiles(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Build what a scheme's tiles have that the city's have not, from rows that the parent has laid down."""
    from tiles.chain import Altered, boxes_of_ground, build_chains
    from tiles.draft import Draft, members_of
    from tiles.plan import Plan

    folder, out = Path(str(params["rows"])), Path(str(params["out"]))
    tables = {path.stem: _read_table(path) for path in folder.glob("*.arrow")}
    channel.step("read", 1, "")
    gone, new = members_of(tables["gone"]), members_of(tables["new"])
    altered = Altered(Draft(gone, new, tables["objects"], tables["geometries"]))
    if "ground" in tables:
        altered = Altered(altered.draft, tables["ground"], boxes_of_ground(tables["ground_changed"]))
    built = build_chains(Plan.load(Path(str(params["plan"]))), altered, out, _steps_to(channel))
    return {"tiles": built.tiles, "units": built.units, "bytes_brotli": built.bytes_brotli}


def _steps_to(channel: Reporting) -> Callable[[str, int, int], None]:
    steps_seen: set[str] = set()

    def report(step: str, done: int, total: int) -> None:
        if step not in steps_seen:
            steps_seen.add(step)
            channel.step(step, total, "")
        channel.progress(done, total)

    return report


def build_tiles(params: Mapping[str, object], channel: Reporting) -> Mapping[str, object]:
    """Build a tileset from a snapshot that the parent has laid down as Arrow files."""
    from tiles.build import build_tileset
    from tiles.frame import TileFrame

    folder, out = Path(str(params["snapshot"])), Path(str(params["out"]))
    frame_members: Any = params["frame"]
    objects = _read_table(folder / "objects.arrow")
    with Crew((os.cpu_count() or 1) if objects.num_rows > CREW_ROWS_MIN else 1) as crew:
        built = build_tileset(
            objects,
            _read_table(folder / "geometries.arrow"),
            TileFrame(**frame_members),
            out,
            _steps_to(channel),
            crew=crew,
            before=None if params.get("before") is None else Path(str(params["before"])),
        )
    return {
        "buildings": built.buildings,
        "triangles": built.triangles,
        "tiles": built.building_tiles + built.ground_tiles,
        "units": built.units,
        "units_reused": built.units_reused,
        "bytes_brotli": built.bytes_brotli,
        "not_drawn": len(built.quarantined),
    }


def _hand_over(records: Iterable[Record], channel: Reporting, params: Mapping[str, object]) -> dict[str, object]:
    kept = quarantined = 0
    for piece in _pieces(records, channel, params):
        if isinstance(piece, Quarantined):
            quarantined += 1
        elif not isinstance(piece, SourceHeader | QualityNotes):
            kept += 1
        channel.payload(piece)
    return {"pieces": kept, "quarantined": quarantined}


def _pieces(records: Iterable[Record], channel: Reporting, params: Mapping[str, object]) -> Iterator[Piece]:
    """Yield what the records become, checked and inspected; report the progress among them."""
    from cim.quality.inspector import Inspector

    unit = ""
    for piece in gather(records, Inspector(_criteria(params))):
        if not isinstance(piece, Progress):
            yield piece
            continue
        if piece.unit != unit:
            unit = piece.unit
            channel.step("read", piece.total, unit)
        channel.progress(piece.done, piece.total)


def _criteria(params: Mapping[str, object]) -> Criteria:
    year, policy = params.get("year_now"), Policy(str(params.get("invalid") or Policy.KEEP))
    return Criteria(policy, year_now=year if isinstance(year, int) else None)


def _read_table(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _sha256(path: Path) -> str:
    if path.is_dir():
        return _sha256_of_folder(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of_folder(folder: Path) -> str:
    """Return the digest of the names and digests of all files, in the order of names."""
    whole = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()):
        whole.update(f"{file.relative_to(folder).as_posix()}\0{_sha256(file)}\n".encode())
    return whole.hexdigest()


def _text(params: Mapping[str, object], name: str) -> str | None:
    value = params.get(name)
    return None if value is None else str(value)
