"""``cim ingest``: files into the city, and back out again."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from zoneinfo import available_timezones

import orjson
from cyclopts import App, Parameter

from cim.commands.preview import preview_lines
from cim.config import Settings
from cim.delivery import Source, sources_of
from cim.errors import InvalidInput

RunJob: TypeAlias = Callable[[Settings, str, Mapping[str, object], str], int]
"""Runs a job of a kind with parameters and a title, here or in the server; returns the exit code."""

LookAt: TypeAlias = Callable[[Settings, Mapping[str, object], str], Mapping[str, Any]]
"""Makes a dry run with parameters and a title; returns the job, its error said where it failed."""

FAILED: Final = 1
UNDOABLE: Final = ("ingest", "undo")
"""Kinds of jobs of which it is said how they are taken back."""

MAPPING_BYTES_MAX: Final = 1024 * 1024
"""Text of a field mapping."""


def _said(text: str) -> Parameter:
    return Parameter(help=text)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What may be said besides the files."""

    data: Annotated[Path | None, _said("The city's data directory (CIM_DATA, else ./cim-data).")] = None
    dataset: Annotated[str | None, _said("Short name of the source in ids (default: from the file's name).")] = None
    crs: Annotated[str | None, _said("The source's coordinate system, where the file does not say it: EPSG:28992.")] = (
        None
    )
    working_crs: Annotated[
        str | None,
        _said("The city's own metric coordinate system, at its first ingest (default: the source's or UTM)."),
    ] = None
    title: Annotated[str | None, _said("The city's title, at its first ingest.")] = None
    title_zh: Annotated[str | None, _said("The city's title in Chinese, at its first ingest.")] = None
    time_zone: Annotated[str | None, _said("The city's time zone, at its first ingest: Europe/Amsterdam.")] = None
    network: Annotated[str | None, _said("Name of the network that an EPANET file becomes (default: water).")] = None
    vertical_error: Annotated[
        float | None, _said("How far a terrain's triangles may be from its raster, metres (default: 0.25).")
    ] = None
    mapping: Annotated[
        Path | None, _said("Which field of the file is which fact, as TOML or JSON (default: guessed from the names).")
    ] = None
    invalid: Annotated[str | None, _said("What becomes of invalid geometry: keep (marked) or quarantine.")] = None
    priority: Annotated[
        str | None, _said('Whose word counts where sources disagree: "geometry=models; height_m=lidar,register".')
    ] = None
    match_id: Annotated[
        str | None, _said("The attribute that holds the id of the same building in another source (default: same_as).")
    ] = None
    undo: Annotated[str | None, _said("Take back what the job of this id did, instead of taking something in.")] = None
    dry_run: Annotated[bool, _said("Only say what would go in: objects, fields, mapping, what is put aside.")] = False
    json: Annotated[bool, _said("Say what a dry run finds as JSON.")] = False
    save_mapping: Annotated[Path | None, _said("Write the mapping of a dry run into a new file.")] = None

    def params(self) -> dict[str, object]:
        """Return the parameters of the job."""
        return {
            "dataset": self.dataset,
            "source_crs": self.crs,
            "title_en": self.title,
            "title_zh": self.title_zh,
            "time_zone": self.time_zone,
            "working_crs": self.working_crs,
            "network_id": self.network,
            "vertical_error_m": self.vertical_error,
            "mapping": None if self.mapping is None else _read_mapping(self.mapping),
            "invalid": self.invalid,
            "priority": self.priority,
            "match_id": self.match_id,
        }


_NOTHING_SAID: Final = IngestOptions()


def add_ingest(app: App, run: RunJob, look: LookAt) -> None:
    """Add the command ``ingest`` to the command line."""

    @app.command
    def ingest(paths: Sequence[Path] = (), /, *, options: IngestOptions = _NOTHING_SAID) -> int:
        """Take files into the city; a running server does it, if one has the directory.

        Example: cim ingest rotterdam.city.json --data ./rotterdam

        Args:
            paths: Files, folders or archives of formats that are read, or a delivery .toml that lists them.
            options: What the files do not say themselves.
        """
        settings = Settings() if options.data is None else Settings(data=options.data)
        if options.undo is not None:
            if paths:
                raise InvalidInput("--undo takes no files.", hint="cim ingest --undo JOB", code="usage")
            return run(settings, "undo", {"job": options.undo}, f"undo {options.undo}")
        if not paths:
            raise InvalidInput("There is nothing to take in.", hint="cim ingest FILE", code="usage")
        if options.dataset is not None and len(paths) > 1:
            raise InvalidInput("One --dataset cannot name several files.", hint="Ingest them one by one.", code="usage")
        _check_time_zone(options.time_zone)
        given = options.params()
        sources = [source for path in paths for source in sources_of(path, given)]
        if options.dry_run or options.json or options.save_mapping is not None:
            return _dry_run(sources, options, settings, look)
        for source in sources:
            code = run(settings, "ingest", source.params, source.path.name)
            if code:
                return code
        return 0


def _dry_run(sources: Sequence[Source], options: IngestOptions, settings: Settings, look: LookAt) -> int:
    """Say what would go in; with several files one after the other."""
    saved = options.save_mapping
    if saved is not None and (saved.exists() or len(sources) > 1):
        raise InvalidInput("One new file is for the mapping of one source.", hint="Name a new file.", code="usage")
    for source in sources:
        job = look(settings, source.params, source.path.name)
        if job["state"] != "succeeded":
            return FAILED
        summary = job["summary"]
        if saved is not None:
            if summary["mapping"] is None:
                raise InvalidInput("This source needs no mapping.", hint="Leave --save-mapping out.", code="no-mapping")
            saved.write_bytes(orjson.dumps(summary["mapping"], option=orjson.OPT_INDENT_2) + b"\n")
        if options.json:
            print(orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode())
        else:
            print("\n".join(preview_lines(summary)))
    return 0


def merge_lines(job: Mapping[str, Any]) -> list[str]:
    """Return what a job's summary says of other sources, of what lost its object, and how it is taken back."""
    summary = job["summary"]
    lines = []
    if "merge" in summary:
        merge = summary["merge"]
        kinds = ", ".join(f"{count} by {kind}" for kind, count in merge["matched"].items() if kind != "count")
        numbers = ", ".join(f"{name} {merge[name]}" for name in ("conflicts", "blocks", "doubts"))
        lines.append(f"one building with other sources: {merge['matched']['count']} ({kinds}); {numbers}")
    if "attached_gone" in summary:
        gone = summary["attached_gone"]
        lines.append(f"attached to objects that went: {gone['count']}")
        lines.extend(f"  {one['kind']} {one['id']} to {one['object_id']}" for one in gone["items"])
    if "baseline_version" in summary and job["kind"] in UNDOABLE:
        lines.append(f"take it back with: cim ingest --undo {job['id']}")
    return lines


def _check_time_zone(name: str | None) -> None:
    if name is not None and name not in available_timezones():
        raise InvalidInput(f"{name!r} is not a time zone.", hint="Such as Europe/Amsterdam.", code="time-zone")


def _read_mapping(path: Path) -> str:
    """Return a mapping as JSON text, whichever of the two it is written in."""
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", hint="Check the path.", code="no-file")
    with path.open("rb") as file:
        text = file.read(MAPPING_BYTES_MAX + 1)
    _check_mapping_size(path, len(text))
    try:
        said = tomllib.loads(text.decode("utf-8")) if path.suffix.lower() == ".toml" else orjson.loads(text)
        return orjson.dumps(said).decode()
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_mapping(path, "is neither TOML nor JSON") from error


def _check_mapping_size(path: Path, size_bytes: int) -> None:
    """Refuse a mapping that is too long."""
    if size_bytes > MAPPING_BYTES_MAX:
        raise _no_mapping(path, f"is longer than {MAPPING_BYTES_MAX:,} bytes")


def _no_mapping(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"{path.name} {why}.", hint="See docs/formats.md for one.", code="mapping", file=path.name)
