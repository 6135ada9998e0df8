"""``cim ingest``: files into the city, and back out again."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from zoneinfo import available_timezones

import orjson
from cyclopts import App, Parameter

from cim.config import Settings
from cim.delivery import sources_of
from cim.errors import InvalidInput

RunJob: TypeAlias = Callable[[Settings, str, Mapping[str, object], str], int]
"""Runs a job of a kind with parameters and a title, here or in the server; returns the exit code."""

UNDOABLE: Final = ("ingest", "undo")
"""Kinds of jobs of which it is said how they are taken back."""

MAPPING_BYTES_MAX: Final = 1024 * 1024
"""Text of a field mapping."""


def add_ingest(app: App, run: RunJob) -> None:
    """Add the command ``ingest`` to the command line."""

    @app.command
    def ingest(
        paths: Sequence[Path] = (),
        /,
        *,
        data: Annotated[
            Path | None, Parameter(name="--data", help="The city's data directory (CIM_DATA, else ./cim-data).")
        ] = None,
        dataset: str | None = None,
        crs: str | None = None,
        working_crs: str | None = None,
        title: str | None = None,
        title_zh: str | None = None,
        time_zone: str | None = None,
        network: str | None = None,
        mapping: Path | None = None,
        invalid: str | None = None,
        priority: str | None = None,
        match_id: str | None = None,
        undo: str | None = None,
    ) -> int:
        """Take files into the city; a running server does it, if one has the directory.

        Example: cim ingest rotterdam.city.json --data ./rotterdam

        Args:
            paths: Files or folders of a format that is read, or a delivery .toml that lists them.
            data: The city's data directory.
            dataset: Short name of the source in ids (default: from the file's name).
            crs: The source's coordinate system, where the file does not say it: EPSG:28992.
            working_crs: The city's own metric coordinate system, at its first ingest (default: the source's or UTM).
            title: The city's title, at its first ingest.
            title_zh: The city's title in Chinese, at its first ingest.
            time_zone: The city's time zone, at its first ingest: Europe/Amsterdam.
            network: Name of the network that an EPANET file becomes (default: water).
            mapping: Which field of the file is which fact, as TOML or JSON (default: guessed from the names).
            invalid: What becomes of invalid geometry: keep (marked) or quarantine.
            priority: Whose word counts where sources disagree: "geometry=models; height_m=lidar,register".
            match_id: The attribute that holds the id of the same building in another source (default: same_as).
            undo: Take back what the job of this id did, instead of taking something in.
        """
        settings = Settings() if data is None else Settings(data=data)
        if undo is not None:
            if paths:
                raise InvalidInput("--undo takes no files.", hint="cim ingest --undo JOB", code="usage")
            return run(settings, "undo", {"job": undo}, f"undo {undo}")
        if not paths:
            raise InvalidInput("There is nothing to take in.", hint="cim ingest FILE", code="usage")
        if dataset is not None and len(paths) > 1:
            raise InvalidInput("One --dataset cannot name several files.", hint="Ingest them one by one.", code="usage")
        _check_time_zone(time_zone)
        given: dict[str, object] = {
            "dataset": dataset,
            "source_crs": crs,
            "title_en": title,
            "title_zh": title_zh,
            "time_zone": time_zone,
            "working_crs": working_crs,
            "network_id": network,
            "mapping": None if mapping is None else _read_mapping(mapping),
            "invalid": invalid,
            "priority": priority,
            "match_id": match_id,
        }
        for source in (source for path in paths for source in sources_of(path, given)):
            code = run(settings, "ingest", source.params, source.path.name)
            if code:
                return code
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
