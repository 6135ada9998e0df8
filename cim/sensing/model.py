"""Datastreams and observations, in the words of OGC SensorThings API 1.1 (18-088)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cim.findings import Quality


@dataclass(frozen=True, slots=True)
class Datastream:
    """A series of results of one observed property at one place.

    ``x``, ``y`` metres in the working CRS.  ``object_id`` names a city object, ``network_id`` and
    ``element_id`` an element of a network; any may be ``None``.  ``limit_min``/``limit_max`` raise
    an alarm; ``range_low``/``range_high`` is the usual range, for the colour scale.  ``unit`` is a
    UCUM code.
    """

    id: str
    name_en: str
    name_zh: str
    observed_property: str
    unit: str
    x: float
    y: float
    object_id: str | None
    network_id: str | None
    element_id: str | None
    quality: Quality
    generated: bool
    period_s: float
    range_low: float
    range_high: float
    limit_min: float | None = None
    limit_max: float | None = None


@dataclass(frozen=True, slots=True)
class ObservationBatch:
    """Results of many datastreams: ``datastream_ids[i]`` at ``phenomenon_times[i]`` was ``results[i]``.

    ``phenomenon_times`` is ``datetime64[us]`` in UTC, ``results`` float64.
    """

    datastream_ids: list[str]
    phenomenon_times: NDArray[np.datetime64]
    results: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """One result."""

    datastream_id: str
    phenomenon_time: datetime
    result: float


@dataclass(frozen=True, slots=True)
class StateSeries:
    """What a solver says of one day: the states that the sample's sensors replay.

    ``time_of_day_s`` has shape (t,), seconds after local midnight, ascending; ``results`` has shape
    (t, d) with one column per datastream, float64, units of the datastream.
    """

    datastream_ids: tuple[str, ...]
    time_of_day_s: NDArray[np.float64]
    results: NDArray[np.float64]
