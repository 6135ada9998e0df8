"""The composition root: opens a city, wires its services, and serves it.

The only module that sees all four packages; only ``cim.cli`` imports it.  Heavy libraries are
imported by the jobs' child processes, never here, so that a server answers soon after its start.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib import metadata, resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request

from cim.app import Services, build_app
from cim.city.service import CityService
from cim.config import Settings
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import Forbidden, NotFound, Unavailable
from cim.export import Read, collection_geojson, gather_view, reading
from cim.features.api import feature_routes
from cim.features.model import Collection
from cim.handover import Handover
from cim.interrupts import leaving_at_once
from cim.jobs.api import jobs_router
from cim.jobs.model import Job, JobState, as_json, as_public_json
from cim.jobs.service import JobService
from cim.live.api import live_router
from cim.live.hub import LiveHub
from cim.live.topic import TopicKind
from cim.networks.service import NetworkService
from cim.ports import Clock, SystemClock
from cim.quality.api import quality_router
from cim.quality.service import QualityService
from cim.sensing.actor import ReplayActor
from cim.sensing.api import sensing_router
from cim.sensing.feed import Observe
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.sensing.quality import iso_time
from cim.sensing.service import SensingService
from cim.server import address_of, bind, run
from cim.tilesets.model import BASE_SCHEME, Pointer
from cim.tilesets.service import TilesetService
from cim.tilesets.store import TilesetStore
from cim.web.logs import configure_logs
from cim.web.security import origin_check
from cim.wiring.features import extent_of, wire_features
from cim.wiring.impact import Impact, wire_impact
from cim.wiring.merging import attach, city_routers, undo_kind
from cim.wiring.recovery import START_CHECKS
from cim.wiring.schemes import Planning, wire_planning
from cim.wiring.uploads import LARGE_BODIES, wire_uploads
from ingest.checking import CheckingKind
from ingest.intake import IntakeKind
from ingest.preview import PreviewKind
from ingest.proposal_schemes import ProposalSchemesKind
from ingest.sample.replay import build_replay, local_time_of_day_s, observe, replay
from ingest.sample.schemes import make_missing_schemes
from ingest.scheme_tiling import Draughtsman, SchemeTilingKind
from ingest.tiling import TilingKind, tiles_are_old
from tiles.archive import write_archive
from tiles.verify import Fault, verify_tileset
from viewer.export import Bundle, ExportedView, check_size, export_html
from viewer.specs import view_document

LIVE_TOPICS = ("observations", "jobs", "alarms")
READ_STEPS = ("read",)
SAMPLE_STEPS = ("read", "parcels", "water", "power", "traffic", "energy", "sensors")


def version() -> str:
    """Return the version of the installed distribution."""
    return metadata.version("cim-twin")


@dataclass(frozen=True, slots=True)
class City:
    """A city that is open in this process: its store, its services, its jobs."""

    directory: DataDirectory
    database: Database
    city: CityService
    networks: NetworkService
    sensing: SensingService
    tilesets: TilesetService
    jobs: JobService
    hub: LiveHub
    planning: Planning
    impact: Impact
    clock: Clock


@contextmanager
def open_city(data: Path, settings: Settings, *, clock: Clock | None = None) -> Iterator[City]:
    """Open the city in a directory, alone; raises :class:`cim.errors.DirectoryInUse` if another has it."""
    clock = clock or SystemClock()
    with ExitStack() as opened:
        # Killed here, a city is as it was; interrupted here, a library or a query would fail with words of its own.
        with leaving_at_once():
            # Arrow asks for it at the first table, in whichever thread that is; half loaded, it fails every later one.
            import pandas as pd  # noqa: F401, PLC0415 - not at the top, for the commands that open no city

            directory = opened.enter_context(DataDirectory(data))
            database = opened.enter_context(Database.open(directory, clock=clock, checks=START_CHECKS))
            city = _wire(directory, database, settings, clock)
        yield city


def _wire(directory: DataDirectory, database: Database, settings: Settings, clock: Clock) -> City:
    hub = LiveHub(secrets.token_hex(8), clock=clock)
    for topic in LIVE_TOPICS:
        hub.open_topic(topic)
    hub.open_topic("tiles", TopicKind.EVENTS)
    city = CityService(database)

    def swapped(scheme: str, pointer: Pointer, changed: Sequence[str] | None) -> None:
        said = {"scheme": scheme, "baseline_version": pointer.baseline_version, "changed": changed}
        hub.call_threadsafe(lambda: hub.publish_event("tiles", scheme, "cim.tiles.swapped", said))

    tilesets = TilesetService(TilesetStore(directory.path / "tiles"), swapped, builds_kept=settings.tile_builds_kept)
    sensing = SensingService(database, hub, frame=lambda: city.view.working, clock=clock)
    sensing.load()

    def published() -> None:
        hub.call_threadsafe(sensing.load)

    networks = NetworkService(database)
    planning = wire_planning(database, city, hub, clock, settings.chromium, networks)
    attach(city, planning.schemes, sensing, networks)

    def sample_published() -> None:
        published()
        make_missing_schemes(planning.schemes, planning.joining)

    def kind(name: str, entry: str, steps: tuple[str, ...], then: Callable[[], None] = published) -> IntakeKind:
        return IntakeKind(name, entry, steps, city, sensing, clock, then)

    jobs = JobService(
        database,
        [
            kind("ingest", "ingest.worker:read_source", READ_STEPS),
            PreviewKind(lambda: city.view.frame, clock),
            kind("sample", "ingest.worker:make_sample", SAMPLE_STEPS, sample_published),
            TilingKind(city, tilesets, directory.path / "work"),
            CheckingKind(city, QualityService(database, city), clock, directory.path / "work"),
            SchemeTilingKind(city, tilesets, directory.path / "work", planning.published),
            undo_kind(database, city, clock),
            ProposalSchemesKind(city, planning, clock, directory.path / "work"),
        ],
        clock=clock,
    )
    impact = wire_impact(planning, city, clock)
    return City(directory, database, city, networks, sensing, tilesets, jobs, hub, planning, impact, clock)


def build_server(opened: City, settings: Settings, *, token: str) -> FastAPI:
    """Return the application over an open city; ``token`` is what the command line proves itself with."""
    city, hub, sensing, jobs = opened.city, opened.hub, opened.sensing, opened.jobs
    replay = ReplayActor(
        sensing, _make_observe, time_zone=lambda: _zone(city), clock=opened.clock, speed=settings.replay_speed
    )

    def may_write(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Forbidden("Writing needs the server's token.", hint="Use the cim command on the same machine.")

    def job_changed(job: Job) -> None:
        hub.publish_threadsafe("jobs", [as_public_json(job)])
        drawing.after(job)

    uploads, bringing = wire_uploads(opened.directory.path, jobs, opened.planning.accounts, opened.clock)
    drawing = Draughtsman(city, opened.tilesets, jobs, opened.planning.all_published, opened.planning.published)
    opened.planning.schemes.listen(lambda _, done: drawing.look_soon() if done is None else None)

    base, features = wire_features(
        city,
        opened.planning,
        opened.networks.networks,
        lambda: sensing.datastreams,
        version=version(),
        clock=opened.clock,
    )

    async def start() -> None:
        hub.start()
        sensing.load()
        jobs.subscribe(job_changed)
        await asyncio.to_thread(jobs.start)
        await asyncio.to_thread(uploads.start)
        # The topic begins where the list stands: a client that follows it need not ask for both.
        hub.publish_items("jobs", [as_public_json(job) for job in reversed(jobs.list())])
        await asyncio.to_thread(make_missing_schemes, opened.planning.schemes, opened.planning.joining)
        await asyncio.to_thread(drawing.look)
        replay.start()

    async def stop_jobs() -> None:
        await asyncio.to_thread(jobs.stop)

    services = Services(
        version=version(),
        bundle=bundle_path(),
        tiles=opened.tilesets,
        routers=[
            *city_routers(
                *(city, opened.database, jobs, sensing, opened.planning.accounts),
                extra=lambda: {**_extra(opened, replay), **extent_of(city, base)},
            ),
            sensing_router(sensing, may_write=may_write),
            jobs_router(jobs, may_write=may_write, tokens=(token, opened.planning.token)),
            quality_router(QualityService(opened.database, city), jobs),
            *opened.planning.routers(),
            *(bringing, *opened.impact.routers()),
            live_router(hub, allowed_origin=origin_check(settings.allowed_origins)),
        ],
        routes=feature_routes(features),
        health=lambda: {"baseline_version": city.baseline_version, "epoch": hub.epoch},
        card=opened.planning.pictures.card,
        view=lambda name: _view(name, {**city.summary(), **extent_of(city, base)}, base.collections()),
        starts=[start, opened.planning.start, opened.impact.start],
        stops=[stop_jobs, opened.impact.stop, opened.planning.stop, replay.stop, hub.stop],
        clock=opened.clock,
        uploads=LARGE_BODIES,
    )
    return build_app(services, settings)


def bundle_path() -> Path:
    """Return where the browser's bundle is, built or not."""
    return Path(str(resources.files("viewer"))) / "static"


def _make_observe(streams: Sequence[Datastream], states: StateSeries, zone: tzinfo) -> Observe:
    setup = build_replay(streams, states, zone)
    return lambda phenomenon_time, tick: observe(setup, phenomenon_time, tick)


def _zone(city: CityService) -> ZoneInfo | None:
    frame = city.view.frame
    return None if frame is None else ZoneInfo(frame.time_zone)


def _extra(opened: City, replay: ReplayActor) -> Mapping[str, Any]:
    return {
        "views": ["explore"],
        "epoch": opened.hub.epoch,
        "simulation": {"speed": replay.speed} if replay.running else None,
        "networks": [n.id for n in opened.networks.networks(opened.city.baseline_version)],
    }


def _view(name: str, summary: Mapping[str, Any], collections: Sequence[Collection]) -> Mapping[str, Any]:
    document = view_document(name, summary, collections)
    if document is None:
        raise NotFound("There is no such view.", code="view")
    return document


def serve_city(opened: City, settings: Settings, say: Callable[[str, str], None]) -> bool:
    """Serve an open city until it is told to stop; return whether the application started.

    The address and a fresh token go into the data directory, readable by this user only, so that the
    command line hands its work over to the server.
    """
    configure_logs(as_json=settings.log_json)
    listening = bind(settings.host, settings.port)
    address, token = address_of(listening), secrets.token_urlsafe(32)

    def ready() -> None:
        opened.directory.publish_address(address, token)
        say(address, f"{address}/plan#token={opened.planning.token}")

    try:
        return run(
            build_server(opened, settings, token=token),
            listening,
            on_ready=ready,
            before_close=opened.hub.stop,
            stop_s_max=settings.stop_s_max,
        )
    finally:
        listening.close()


def run_job(
    opened: City, kind: str, params: Mapping[str, object], title: str, on_change: Callable[[Mapping[str, Any]], None]
) -> Mapping[str, Any]:
    """Run a job in this process, which owns the city, and then build the tiles that it made old, if no more comes."""
    opened.jobs.start()
    try:
        job = opened.jobs.run(kind, params, title=title, on_change=lambda job: on_change(as_json(job)))
        is_last = kind not in {"tiles", "preview"} and not params.get("more")
        if job.state is JobState.SUCCEEDED and is_last and tiles_are_old(opened.city, opened.tilesets):
            tiled = opened.jobs.run("tiles", title="tiles", on_change=lambda job: on_change(as_json(job)))
            if tiled.state is not JobState.SUCCEEDED:
                return as_json(tiled)
        return as_json(job)
    finally:
        opened.jobs.stop()


def copy_tiles(data: Path, scheme: str, out: Path, *, archive: bool = False) -> None:
    """Copy the current tiles of the city or of a published scheme; raises :class:`NotFound` before the first build."""
    TilesetStore(data / "tiles").copy(scheme, out, write_archive if archive else None)


def export_view(source: City | Handover, view: str) -> bytes:
    """Return one HTML file that shows a view of the city; see :mod:`viewer.export`."""
    bundle = _export_bundle()
    now = SystemClock().now() if isinstance(source, Handover) else source.clock.now()
    with _reader(source) as read:
        seen = gather_view(read, view, check_size)
    streams = seen.datastreams if isinstance(source, Handover) else _with_states(source, seen.datastreams, now)
    return export_html(ExportedView(view, now, seen.spec, seen.city, streams, seen.files), bundle)


def export_collection(source: City | Handover, name: str) -> Iterator[bytes]:
    """Yield a collection of the city as one GeoJSON document."""
    with _reader(source) as read:
        yield from collection_geojson(read, name)


@contextmanager
def _reader(source: City | Handover) -> Iterator[Read]:
    if isinstance(source, Handover):
        yield source.read
        return
    settings = Settings(data=source.directory.path, rate_per_s=0.0)
    with reading(build_server(source, settings, token=secrets.token_urlsafe(32))) as read:
        yield read


def _export_bundle() -> Bundle:
    script, style = bundle_path() / "export.js", bundle_path() / "export.css"
    if not script.is_file() or not style.is_file():
        raise Unavailable("The viewer has not been built.", hint="Run: make bundle", code="bundle-not-built")
    return Bundle(script.read_text("utf-8"), style.read_text("utf-8"))


def _with_states(opened: City, cards: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Give sensors that have not read anything yet what the solved day has for now."""
    zone = _zone(opened.city)
    known: dict[str, float] = {}
    for states in opened.sensing.states.values() if zone else ():
        results = replay(states, local_time_of_day_s(now, zone or UTC))
        known.update(zip(states.datastream_ids, results.tolist(), strict=True))
    instant = iso_time(now)
    return [
        {**card, "latest": {"phenomenon_time": instant, "result": known[card["id"]]}}
        if card["latest"] is None and card["id"] in known
        else card
        for card in cards
    ]


def verify_tiles(data: Path, scheme: str = BASE_SCHEME) -> list[Fault]:
    """Check the current tiles of a city or of a scheme; an empty list is a sound tileset."""
    with TemporaryDirectory(dir=data) as folder:
        out = Path(folder) / "tiles"
        copy_tiles(data, scheme, out)
        return verify_tileset(out)


def observations_of(path: Path, dataset: str) -> Iterator[ObservationBatch]:
    """Yield the observations of a file in the order in which it has them."""
    # Readers bring heavy libraries; only this command reads in its own process.
    from ingest.readers.registry import reader_for  # noqa: PLC0415
    from ingest.records import ReadContext  # noqa: PLC0415

    context = ReadContext(dataset=dataset)
    for record in reader_for(path).read(path, context):
        if isinstance(record, ObservationBatch):
            yield record
