"""Datastreams and observations: registered, appended, published, asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import duckdb
import numpy as np
import orjson

from cim.db.store import Database
from cim.errors import InvalidInput, LimitExceeded, NotFound
from cim.geometry.crs import WorkingFrame
from cim.live.filter import SubjectFacts
from cim.live.topic import Change
from cim.ports import Clock
from cim.sensing import store
from cim.sensing.limits import SensingLimits
from cim.sensing.model import Datastream, Observation, ObservationBatch, StateSeries
from cim.sensing.quality import iso_time, iso_times, quality_of, sort_out

TOPIC = "observations"


class Publisher(Protocol):
    """What sensing needs of the live hub."""

    def publish(self, topic: str, changes: Sequence[Change]) -> int:
        """Publish changes of one instant."""
        ...

    def describe(self, topic: str, facts: Mapping[str, SubjectFacts]) -> None:
        """Say where subjects are and what they observe."""
        ...


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch; ``batch_id`` is ``None`` where nothing of it could be stored."""

    batch_id: int | None
    accepted: int
    refused: tuple[tuple[int, str], ...]


class SensingService:
    """The city's sensors; used in the event loop's thread, questions from any thread.

    ``frame`` gives the city's working CRS, ``None`` while the city is empty.
    """

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        *,
        frame: Callable[[], WorkingFrame | None],
        clock: Clock,
        limits: SensingLimits | None = None,
    ) -> None:
        self.limits = limits or SensingLimits()
        self._database = database
        self._publisher = publisher
        self._frame = frame
        self._clock = clock
        self._streams: dict[str, Datastream] = {}
        self._places: dict[str, tuple[float, float]] = {}
        self._latest: dict[str, Observation] = {}
        self._states: dict[str, StateSeries] = {}
        self._batch_id = 0

    @property
    def datastreams(self) -> tuple[Datastream, ...]:
        """All datastreams in the order of registration."""
        return tuple(self._streams.values())

    @property
    def states(self) -> Mapping[str, StateSeries]:
        """The solved days that are replayed, by name."""
        return self._states

    @property
    def batch_id(self) -> int:
        """Number of the last batch that was committed and published."""
        return self._batch_id

    @property
    def generated_until(self) -> datetime | None:
        """The newest phenomenon time of a generated datastream."""
        times = [o.phenomenon_time for o in self._latest.values() if self._is_generated(o.datastream_id)]
        return max(times, default=None)

    def load(self) -> None:
        """Read datastreams, states and the latest observations; publish them as the state of the topic.

        At start, and again after something else registered datastreams in a transaction of its own.
        """
        with self._database.read() as cursor:
            streams = store.read_datastreams(cursor)
            self._states = store.read_states(cursor)
            latest = store.read_latest(cursor)
            self._batch_id = store.read_last_batch(cursor)
        self._streams = {stream.id: stream for stream in streams}
        self._place()
        fresh = [o for o in latest if o.datastream_id in self._streams and self._is_news(o)]
        self._publish(fresh)

    def registration(
        self, datastreams: Sequence[Datastream], states: Mapping[str, StateSeries]
    ) -> Callable[[duckdb.DuckDBPyConnection], None]:
        """Return the write that registers datastreams and states, for a transaction of the caller's.

        ``load`` has to follow.  Raises :class:`InvalidInput` or :class:`LimitExceeded`.
        """
        ids = {stream.id for stream in datastreams}
        if len(ids) != len(datastreams):
            raise InvalidInput("A datastream's id comes twice.", code="datastream-twice")
        if len(ids | self._streams.keys()) > self.limits.datastreams_max:
            raise LimitExceeded(
                f"A city may have {self.limits.datastreams_max} datastreams.",
                limit="datastreams_max",
                value=self.limits.datastreams_max,
            )
        for series in states.values():
            if series.results.shape != (len(series.time_of_day_s), len(series.datastream_ids)):
                raise InvalidInput("The states do not fit their times and datastreams.", code="replay-states")

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            store.write_datastreams(connection, datastreams)
            for name, series in states.items():
                store.write_states(connection, name, series)

        return work

    def recording(
        self, registered: Sequence[Datastream], batches: Sequence[ObservationBatch]
    ) -> Callable[[duckdb.DuckDBPyConnection], None]:
        """Return the write that stores batches, for a transaction of the caller's that also registers datastreams.

        ``load`` has to follow.  Rows of datastreams that are neither known nor ``registered`` are left out.
        """
        known = self._streams.keys() | {stream.id for stream in registered}
        kept = [sort_out(batch, known, self.limits.batch_observations_max)[0] for batch in batches]
        now = self._clock.now()

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            for batch in kept:
                if batch.datastream_ids:
                    store.append_batch(connection, batch, now)

        return work

    async def register(
        self, datastreams: Sequence[Datastream], states: Mapping[str, StateSeries] | None = None
    ) -> None:
        """Register datastreams, replacing those with the same id, and the states they replay."""
        await self._database.write(self.registration(datastreams, states or {}))
        self.load()

    async def append_observations(
        self, batch: ObservationBatch, *, idempotency_key: str | None = None, fingerprint: str = ""
    ) -> Appended:
        """Store a batch durably, then publish it; what cannot be stored is refused row by row."""
        kept, refused = sort_out(batch, self._streams, self.limits.batch_observations_max)
        if not kept.datastream_ids:
            return Appended(None, 0, refused)
        now = self._clock.now()
        loop = asyncio.get_running_loop()

        def committed(batch_id: int) -> None:
            # In the writer's thread, in the order of commits: the loop publishes in that order too.
            loop.call_soon_threadsafe(self._on_commit, batch_id, kept)

        batch_id = await self._database.write(
            lambda connection: store.append_batch(connection, kept, now),
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
            on_commit=committed,
        )
        return Appended(batch_id, len(kept.datastream_ids), refused)

    async def prune(self) -> int:
        """Delete generated observations that are over age or over number; return how many."""
        newest = self.generated_until
        if newest is None:
            return 0
        oldest = newest - timedelta(days=self.limits.generated_age_days_max)
        return await self._database.write(
            lambda connection: store.prune_generated(connection, oldest, self.limits.generated_rows_max)
        )

    def latest(self, datastream_id: str) -> Observation | None:
        """Return the newest observation by phenomenon time."""
        return self._latest.get(datastream_id)

    def card(self, datastream_id: str) -> dict[str, Any]:
        """Return a datastream as JSON; raises :class:`NotFound`."""
        return self._card(self._stream(datastream_id))

    def cards(self) -> list[dict[str, Any]]:
        """Return all datastreams as JSON."""
        return [self._card(stream) for stream in self.datastreams]

    def cards_of(self, object_id: str) -> list[dict[str, Any]]:
        """Return the datastreams on a city object as JSON."""
        return [self._card(stream) for stream in self.datastreams if stream.object_id == object_id]

    def series(self, datastream_id: str, begin: datetime | None, end: datetime | None, limit: int) -> dict[str, Any]:
        """Return a datastream's observations as JSON, thinned and saying so where there are more than ``limit``."""
        stream = self._stream(datastream_id)
        if not 1 <= limit <= self.limits.series_items_max:
            raise LimitExceeded(
                f"A series may be asked for in 1 to {self.limits.series_items_max} items.",
                limit="series_items_max",
                value=self.limits.series_items_max,
            )
        with self._database.read() as cursor:
            found = store.read_series(cursor, stream.id, begin, end, limit)
        return {
            "datastream_id": stream.id,
            "items": [[iso_time(row[0]), *row[1:]] for row in found.rows],
            "columns": ["phenomenon_time", "result"]
            if found.bucket_s is None
            else ["phenomenon_time", "mean", "low", "high"],
            "count": found.count,
            "thinned": found.bucket_s is not None,
            "bucket_s": found.bucket_s,
        }

    def _stream(self, datastream_id: str) -> Datastream:
        stream = self._streams.get(datastream_id)
        if stream is None:
            raise NotFound("There is no such datastream.", code="datastream-not-found")
        return stream

    def _is_generated(self, datastream_id: str) -> bool:
        stream = self._streams.get(datastream_id)
        return stream is not None and stream.generated

    def _is_news(self, observation: Observation) -> bool:
        known = self._latest.get(observation.datastream_id)
        return known is None or observation.phenomenon_time > known.phenomenon_time

    def _place(self) -> None:
        """Find every datastream's longitude and latitude and hand them to the filters."""
        frame = self._frame()
        if frame is None or not self._streams:
            self._places = {}
        else:
            xy = np.array([(stream.x, stream.y) for stream in self._streams.values()], dtype=np.float64)
            lonlat = np.round(frame.to_lonlat(xy), 7).tolist()
            self._places = {name: (lon, lat) for name, (lon, lat) in zip(self._streams, lonlat, strict=True)}
        facts = {
            name: SubjectFacts(lon, lat, self._streams[name].observed_property)
            for name, (lon, lat) in self._places.items()
        }
        self._publisher.describe(TOPIC, facts)

    def _on_commit(self, batch_id: int, batch: ObservationBatch) -> None:
        self._batch_id = batch_id
        times = batch.phenomenon_times.astype("datetime64[us]").tolist()
        results = batch.results.tolist()
        newest: dict[str, Observation] = {}
        for name, time, result in zip(batch.datastream_ids, times, results, strict=True):
            observation = Observation(name, time.replace(tzinfo=UTC), result)
            held = newest.get(name)
            if self._is_news(observation) and (held is None or observation.phenomenon_time >= held.phenomenon_time):
                newest[name] = observation
        self._publish(list(newest.values()))

    def _publish(self, observations: Sequence[Observation]) -> None:
        if not observations:
            return
        times = iso_times(
            np.array([o.phenomenon_time.replace(tzinfo=None) for o in observations], dtype="datetime64[us]")
        )
        changes = []
        for observation, time in zip(observations, times, strict=True):
            name = observation.datastream_id
            self._latest[name] = observation
            stream = self._streams.get(name)
            if stream is not None:
                item = {"id": name, "t": time, "v": observation.result, "q": quality_of(stream, observation.result)}
                changes.append(Change(name, orjson.dumps(item)))
        self._publisher.publish(TOPIC, changes)

    def _card(self, stream: Datastream) -> dict[str, Any]:
        latest = self._latest.get(stream.id)
        place = self._places.get(stream.id)
        return {
            "id": stream.id,
            "name": {"en": stream.name_en, "zh": stream.name_zh},
            "observed_property": stream.observed_property,
            "unit": stream.unit,
            "location": None if place is None else list(place),
            "object_id": stream.object_id,
            "network_id": stream.network_id,
            "element_id": stream.element_id,
            "quality": stream.quality.value,
            "generated": stream.generated,
            "limit_min": stream.limit_min,
            "limit_max": stream.limit_max,
            "period_s": stream.period_s,
            "range": [stream.range_low, stream.range_high],
            "latest": None
            if latest is None
            else {"phenomenon_time": iso_time(latest.phenomenon_time), "result": latest.result},
        }
