"""The command line: ``cim``.

Exit codes: 0 done, 1 failed, 2 used wrongly.  On a terminal progress is drawn in place; elsewhere
it is a plain line a step.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal, TextIO

from cyclopts import App, CycloptsError, Parameter

from cim.commands.ingest import add_ingest, merge_lines
from cim.commands.points import add_points
from cim.commands.proposals import schemes_app
from cim.commands.quality import add_quality
from cim.commands.report import report
from cim.config import Settings
from cim.console import JobDisplay, say_error
from cim.db.directory import DataDirectory
from cim.doctor import examine
from cim.errors import CimError, InvalidInput, Unavailable
from cim.export import write_whole
from cim.handover import Handover, running_server
from cim.ids import dataset_slug
from cim.interrupts import INTERRUPTED
from cim.main import (
    City,
    build_server,
    bundle_path,
    copy_tiles,
    export_collection,
    export_view,
    observations_of,
    open_city,
    run_job,
    serve_city,
    verify_tiles,
    version,
)
from cim.server import is_free
from cim.tilesets.model import BASE_SCHEME
from cim.wiring.exports import Chosen
from cim.wiring.recovery import recover_directory, scrub_directory

FAILED: Final = 1
USAGE: Final = 2
SAMPLE_SEED: Final = 1

app = App(name="cim", help="City Information Model server: one city from many sources, live, in 3D.", version=version)
tiles = App(name="tiles", help="Build, check and export the 3D tiles.")
app.command(tiles)
app.command(report)

DataOption = Annotated[
    Path | None, Parameter(name="--data", help="The city's data directory (CIM_DATA, else ./cim-data).")
]


def run(tokens: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    try:
        result = app(tokens, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return USAGE
    except CimError as error:
        say_error(error)
        return USAGE if error.problem_code == "usage" else FAILED
    except RuntimeError as error:
        # DuckDB's word for a Ctrl-C that came in the middle of a query of this thread.
        if str(error) != "Query interrupted":
            raise
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _settings(data: Path | None, **chosen: Any) -> Settings:
    given = {name: value for name, value in {"data": data, **chosen}.items() if value is not None}
    return Settings(**given)


@app.command
def demo(*, data: DataOption = None, host: str | None = None, port: int | None = None) -> int:
    """Build the sample city if it is not there, serve it, and print the address.

    Example: cim demo --data ./cim-data --port 8000
    """
    settings = _settings(data, host=host, port=port)
    with open_city(settings.data, settings) as opened:
        if opened.city.baseline_version == 0:
            job = _shown(lambda show: run_job(opened, "sample", _sample_params(SAMPLE_SEED), "Sample city", show))
            if job["state"] != "succeeded":
                return _report(job)
        print("serve …", flush=True)
        if "port" not in settings.model_fields_set and not is_free(settings.host, settings.port):
            print(f"Port {settings.port} is in use by another program; another is taken.")
            settings = settings.model_copy(update={"port": 0})
        return 0 if serve_city(opened, settings, _say_address) else FAILED


@app.command
def serve(*, data: DataOption = None, host: str | None = None, port: int | None = None) -> int:
    """Serve the city of a data directory.

    Example: cim serve --data ./rotterdam --port 0

    Args:
        data: The city's data directory.
        host: Address to listen on (default 127.0.0.1).
        port: Port to listen on (default 8000); 0 takes a free one.
    """
    settings = _settings(data, host=host, port=port)
    with open_city(settings.data, settings) as opened:
        return 0 if serve_city(opened, settings, _say_address) else FAILED


@app.command
def sample(*, data: DataOption = None, seed: int = SAMPLE_SEED) -> int:
    """Build the sample city into the data directory: central Helsinki and generated parts on it.

    Example: cim sample --data ./cim-data

    Args:
        data: The city's data directory.
        seed: The same seed makes the same city.
    """
    return _run(_settings(data), "sample", _sample_params(seed), "Sample city")


@tiles.command
def build(*, data: DataOption = None, scheme: str = BASE_SCHEME) -> int:
    """Build the tiles of the newest baseline, or those in which a published scheme differs from it.

    Example: cim tiles build --data ./cim-data

    Args:
        data: The city's data directory.
        scheme: The id of a published scheme.
    """
    if scheme == BASE_SCHEME:
        return _run(_settings(data), "tiles", {}, "tiles")
    return _run(_settings(data), "scheme-tiles", {"scheme": scheme}, f"tiles {scheme}")


@tiles.command
def verify(*, data: DataOption = None, scheme: str = BASE_SCHEME) -> int:
    """Check nesting, errors, ids and every file of the current tiles.

    Example: cim tiles verify --data ./cim-data

    Args:
        data: The city's data directory.
        scheme: The id of a published scheme; without it the city as it is.
    """
    faults = verify_tiles(_settings(data).data, scheme)
    for fault in faults:
        print(f"{fault.code}  {fault.where}  {fault.detail}")
    print(f"{len(faults)} faults" if faults else "The tiles are sound.")
    return FAILED if faults else 0


@tiles.command(name="export")
def export_tiles(
    out: Path,
    /,
    *,
    data: DataOption = None,
    scheme: str = BASE_SCHEME,
    format_: Annotated[Literal["directory", "3tz"], Parameter(name="--format")] = "directory",
) -> int:
    """Copy the current tiles into a folder that any web server can offer, or into one archive.

    Example: cim tiles export ./helsinki-tiles --data ./cim-data

    Args:
        out: A folder, or a file, that does not exist yet.
        data: The city's data directory.
        scheme: The id of a published scheme; without it the city as it is.
        format_: A folder, or a 3D Tiles archive.
    """
    if out.exists():
        raise InvalidInput(f"{out} exists already.", hint="Name one that does not.", code="exists")
    copy_tiles(_settings(data).data, scheme, out, archive=format_ == "3tz")
    print(out if format_ == "3tz" else f"{out}/tileset.json")
    return 0


@app.command
def export(
    out: Path,
    /,
    *,
    data: DataOption = None,
    view: str = "explore",
    collection: str | None = None,
    chosen: Annotated[Chosen | None, Parameter(name="*")] = None,
) -> int:
    """Write a view of the city as one HTML file that needs no server, or a collection as a file for other programs.

    Example: cim export buildings.parquet --format geoparquet --filter "height_m > 20" --data ./cim-data

    Args:
        out: A file that does not exist yet.
        data: The city's data directory; a server may have it open.
        view: The view that the HTML file shows.
        collection: Write this collection instead, as GeoJSON: buildings, streets, trees, sensors …
        chosen: What of the collection, and as what.
    """
    settings = _settings(data)
    if out.exists():
        raise InvalidInput(f"{out} exists already.", hint="Name a file that does not.", code="exists")

    def write(source: City | Handover) -> int:
        parts = (chosen or Chosen()).parts(source, collection or "buildings", version())
        if parts is None:
            parts = iter([export_view(source, view)]) if collection is None else export_collection(source, collection)
        return write_whole(out, parts)

    server = running_server(DataDirectory(settings.data))
    if server is not None:
        size_bytes = write(server)
    else:
        with open_city(settings.data, settings) as opened:
            size_bytes = write(opened)
    print(f"{out}  {size_bytes / 1e6:,.1f} MB")
    return 0


@app.command
def replay(path: Path, /, *, data: DataOption = None, dataset: str | None = None, speed: float = 1.0) -> int:
    """Send the observations of a file to the running server, in their own rhythm.

    Example: cim replay week.csv --speed 60

    Args:
        path: Observations as CSV or Parquet.
        data: The data directory that the server owns.
        dataset: The dataset in the ids of the datastreams (default: from the file's name).
        speed: Seconds of the file per second of the clock.
    """
    settings = _settings(data)
    if speed <= 0:
        raise InvalidInput("The speed is more than 0.", code="usage")
    server = running_server(DataDirectory(settings.data))
    if server is None:
        raise Unavailable("No server has this city open.", hint="Start one: cim serve", code="no-server")
    slug = dataset or dataset_slug(path.name.split(".")[0])
    sent = server.replay(observations_of(path, slug), speed, time.sleep)
    print(f"done: {sent} observations")
    return 0


@app.command
def recover(*, data: DataOption = None, accept_loss: bool = False) -> int:
    """Make a city open again that does not; the originals are kept.

    Example: cim recover --data ./cim-data

    Args:
        data: The city's data directory.
        accept_loss: Go on even where acknowledged writes are gone for good.
    """
    report = recover_directory(_settings(data).data, accept_loss=accept_loss)
    if not report.needed:
        print("The city opens; there was nothing to do.")
        return 0
    print(f"The city opens again. The originals are in {report.kept_in}.")
    print(f"log: {report.log_bytes_before:,} bytes before, {report.log_bytes_after:,} after")
    if report.groups_lost:
        print(f"{report.groups_lost} acknowledged groups of writes are gone.")
    return 0


@app.command
def doctor(*, data: DataOption = None, scrub: bool = False) -> int:
    """Say what this machine lacks, and how to get it.

    Example: cim doctor --data ./cim-data --scrub

    Args:
        data: The city's data directory.
        scrub: Also read every column of the stored city, to find rot.
    """
    settings = _settings(data)
    if scrub:
        found = scrub_directory(settings.data)
        print(f"read {found.rows:,} rows of {found.tables} tables")
        for fault in found.faults:
            print(f"damaged  {fault.table}.{fault.column}" + (f" at byte {fault.byte}" if fault.byte else ""))
        if not found.sound:
            return FAILED
    checks = examine(settings.data, bundle_path())
    for check in checks:
        mark = "ok     " if check.good else "MISSING" if check.needed else "missing"
        print(f"{mark}  {check.name:<28} {check.found}")
        if not check.good:
            print(f"         {check.remedy}")
    return FAILED if any(not check.good and check.needed for check in checks) else 0


@app.command(name="version")
def print_version() -> None:
    """Print the version.

    Example: cim version
    """
    print(version())


def _sample_params(seed: int) -> dict[str, object]:
    return {
        "dataset": "helsinki",
        "path": "Helsinki.osm.pbf",
        "title_en": "Central Helsinki",
        "title_zh": "赫尔辛基市中心",
        "time_zone": "Europe/Helsinki",
        # Railway Station square from the south, the National Theatre and the bay behind it.
        "first_view": [24.9441, 60.1708, 16.25, 52.0, -22.0],
        "seed": seed,
    }


def _run(settings: Settings, kind: str, params: Mapping[str, object], title: str) -> int:
    """Run a job: through the server that owns the directory, else in this process."""
    server = running_server(DataDirectory(settings.data))
    if server is not None:
        return _report(_shown(lambda show: server.run(kind, params, title, show)))
    with open_city(settings.data, settings) as opened:
        return _report(_shown(lambda show: run_job(opened, kind, params, title, show)))


def _look(settings: Settings, params: Mapping[str, object], title: str) -> Mapping[str, Any]:
    """Make a dry run; where there is no city yet, beside a city that is thrown away."""
    server = running_server(DataDirectory(settings.data))
    if server is not None:
        job = _shown(lambda show: server.run("preview", params, title, show), sys.stderr)
    else:
        with TemporaryDirectory(prefix="cim-look-") as empty:
            data = settings.data if settings.data.is_dir() else Path(empty)
            with open_city(data, settings) as opened:
                job = _shown(lambda show: run_job(opened, "preview", params, title, show), sys.stderr)
    if job["state"] != "succeeded":
        _report(job)
    return job


def _shown(
    work: Callable[[Callable[[Mapping[str, Any]], None]], Mapping[str, Any]], out: TextIO | None = None
) -> Mapping[str, Any]:
    display = JobDisplay(out or sys.stdout)
    try:
        return work(display.show)
    finally:
        display.close()


def _report(job: Mapping[str, Any]) -> int:
    if job["state"] == "succeeded":
        facts = ", ".join(f"{name} {value}" for name, value in job["summary"].items() if isinstance(value, int))
        print(f"done: {facts}" if facts else "done")
        for kind in ("quarantined_by_code", "findings", "faults"):
            for code, count in job["summary"].get(kind, {}).items():
                print(f"  {kind.partition('_')[0]}: {count} × {code}")
        for line in merge_lines(job):
            print(f"  {line}")
        if job["summary"].get("faults"):
            print(f"  what is wrong with it: cim quality {job['id']}")
        return 0
    problem = job["error"] or {}
    say_error(
        CimError(
            str(problem.get("detail", f"The job was {job['state']}. The city is as it was.")),
            hint=str(problem.get("hint", "")),
            code=str(problem.get("code", job["state"])),
        )
    )
    return FAILED


def _say_address(address: str, plan_address: str) -> None:
    print(f"The city is at {address}", flush=True)
    print(f"Plan it at {plan_address}", flush=True)


app.command(schemes_app(_run))
add_points(tiles)
add_quality(app, open_city, build_server, run_job)
add_ingest(app, _run, _look)
