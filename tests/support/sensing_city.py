"""Sensors of a made city: datastreams, batches, a hub that remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import orjson

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame
from cim.live.filter import SubjectFacts
from cim.live.topic import Change
from cim.ports import SystemClock
from cim.sensing.limits import SensingLimits
from cim.sensing.model import Datastream, ObservationBatch, StateSeries
from cim.sensing.service import SensingService
from cim.sensing.store import OBSERVATIONS_GAPLESS

HELSINKI = WorkingFrame("EPSG:3879")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Heard:
    """A hub that remembers."""

    def __init__(self) -> None:
        self.published: list[list[dict]] = []
        self.facts: dict[str, SubjectFacts] = {}

    def publish(self, topic: str, changes: Sequence[Change]) -> int:
        assert topic == "observations"
        self.published.append([orjson.loads(change.json) for change in changes])
        return len(self.published)

    def describe(self, topic: str, facts: Mapping[str, SubjectFacts]) -> None:
        assert topic == "observations"
        self.facts |= facts


def stream(name: str, *, generated: bool = True, **more: object) -> Datastream:
    return Datastream(
        f"helsinki:sensor/{name}", f"Sensor {name}", f"传感器 {name}", "pressure_head", "m", 25496500.0, 6672500.0,
        "helsinki:way/1", "water", name, Quality.MODELLED, generated=generated, period_s=1.0, range_low=20.0,
        range_high=60.0, **({"limit_min": 28.0} | more),  # type: ignore[arg-type]
    )  # fmt: skip


def batch(values: Mapping[str, float], time: datetime = NOON) -> ObservationBatch:
    instant = np.datetime64(time.replace(tzinfo=None), "us")
    return ObservationBatch(
        [f"helsinki:sensor/{n}" for n in values], np.full(len(values), instant), np.array(list(values.values()))
    )


def open_database(directory: DataDirectory, **options: object) -> Database:
    return Database.open(directory, checks=[OBSERVATIONS_GAPLESS], **options)  # type: ignore[arg-type]


def service(database: Database, **limits: float) -> tuple[SensingService, Heard]:
    heard = Heard()
    made = SensingService(
        database,
        heard,
        frame=lambda: HELSINKI,
        clock=SystemClock(),
        limits=SensingLimits(**limits),  # type: ignore[arg-type]
    )
    made.load()
    return made, heard


def day(*names: str) -> StateSeries:
    hours = np.arange(24) * 3600.0
    columns = [hours / 3600.0 + 100.0 * i for i in range(len(names))]
    return StateSeries(tuple(f"helsinki:sensor/{n}" for n in names), hours, np.column_stack(columns))
