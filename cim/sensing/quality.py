"""What of a batch can be accepted, and how a result stands to its limits (pure)."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput, LimitExceeded
from cim.sensing.model import Datastream, ObservationBatch

PHENOMENON_TIME_MIN = np.datetime64("1900-01-01T00:00:00", "us")
PHENOMENON_TIME_MAX = np.datetime64("2200-01-01T00:00:00", "us")


class ResultQuality(StrEnum):
    """How a result stands to its datastream's limits."""

    OK = "ok"
    LIMIT_MIN = "limit_min"
    LIMIT_MAX = "limit_max"


def quality_of(datastream: Datastream, result: float) -> ResultQuality:
    """Compare a result with the limits; a result on a limit is within it."""
    if datastream.limit_min is not None and result < datastream.limit_min:
        return ResultQuality.LIMIT_MIN
    if datastream.limit_max is not None and result > datastream.limit_max:
        return ResultQuality.LIMIT_MAX
    return ResultQuality.OK


def sort_out(
    batch: ObservationBatch, known: Container[str], observations_max: int
) -> tuple[ObservationBatch, tuple[tuple[int, str], ...]]:
    """Return what can be stored, and ``(row, reason)`` for what cannot.

    Reasons: ``unknown-datastream``, ``result-not-finite``, ``phenomenon-time``.  Raises
    :class:`InvalidInput` where the columns do not fit, :class:`LimitExceeded` for too many rows.
    """
    count = len(batch.datastream_ids)
    if batch.results.shape != (count,) or batch.phenomenon_times.shape != (count,):
        raise InvalidInput("The columns of a batch have different lengths.", code="observation-batch")
    if count > observations_max:
        raise LimitExceeded(
            f"A batch may hold {observations_max} observations.",
            hint="Send several smaller ones.",
            limit="batch_observations_max",
            value=observations_max,
        )
    times = batch.phenomenon_times
    is_known = np.fromiter((name in known for name in batch.datastream_ids), dtype=np.bool_, count=count)
    is_finite = np.isfinite(batch.results)
    # Comparisons with NaT are false, so a missing time is refused too.
    is_dated = (times >= PHENOMENON_TIME_MIN) & (times < PHENOMENON_TIME_MAX)
    good = is_known & is_finite & is_dated
    if good.all():
        return batch, ()
    refused = tuple(
        (row, _reason(is_known=bool(is_known[row]), is_finite=bool(is_finite[row])))
        for row in np.flatnonzero(~good).tolist()
    )
    rows = np.flatnonzero(good)
    kept = ObservationBatch([batch.datastream_ids[row] for row in rows.tolist()], times[rows], batch.results[rows])
    return kept, refused


def _reason(*, is_known: bool, is_finite: bool) -> str:
    if not is_known:
        return "unknown-datastream"
    return "phenomenon-time" if is_finite else "result-not-finite"


def iso_times(times: NDArray[np.datetime64]) -> list[str]:
    """Return instants in ISO 8601, UTC, milliseconds."""
    return [f"{text}Z" for text in np.datetime_as_string(times, unit="ms").tolist()]


def iso_time(instant: datetime) -> str:
    """Return one instant in ISO 8601, UTC, milliseconds; naive means UTC."""
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
