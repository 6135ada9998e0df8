"""SQL of datastreams, observations and replayed states.

Functions take an open DuckDB connection: the writer's inside a transaction, or a reader's cursor.
Every TIMESTAMP is UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from cim.db.lending import lent
from cim.db.settings import StartCheck
from cim.findings import Quality
from cim.sensing.model import Datastream, Observation, ObservationBatch, StateSeries

_COLUMNS: Final = (
    "id, name_en, name_zh, observed_property, unit, x, y, object_id, network_id, element_id, quality, generated,"
    " period_s, range_low, range_high, limit_min, limit_max"
)
_NAMES: Final = tuple(_COLUMNS.split(", "))

OBSERVATIONS_GAPLESS: Final = StartCheck(
    "observation_batch.batch_id is gapless",
    """
    SELECT format('{} rows from {} to {}, pruned to {}', n, lo, hi, pruned_to) FROM (
        SELECT count(*) AS n, min(batch_id) AS lo, max(batch_id) AS hi, count(DISTINCT batch_id) AS d
        FROM observation_batch), observation_horizon
    WHERE n > 0 AND (lo <> pruned_to + 1 OR hi <> pruned_to + n OR d <> n)
    """,
)
"""Numbers run from the last pruned one without a gap: a log that was cut short shows here."""


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """A series as it was asked for: ``rows`` are (time, result) or (time, mean, low, high)."""

    rows: list[tuple[datetime, float] | tuple[datetime, float, float, float]]
    count: int
    bucket_s: float | None


def write_datastreams(connection: duckdb.DuckDBPyConnection, datastreams: Sequence[Datastream]) -> None:
    """Add datastreams, replacing those with the same id."""
    if not datastreams:
        return
    found = connection.execute("SELECT coalesce(max(position), -1) + 1 FROM datastream").fetchall()
    start = int(found[0][0])
    columns: dict[str, object] = {"position": pa.array(range(start, start + len(datastreams)), pa.int32())}
    for name in _NAMES:
        columns[name] = [getattr(stream, name) for stream in datastreams]
    columns["quality"] = [stream.quality.value for stream in datastreams]
    for name in ("object_id", "network_id", "element_id"):
        columns[name] = pa.array(columns[name], pa.string())
    for name in ("limit_min", "limit_max"):
        columns[name] = pa.array(columns[name], pa.float64())
    with lent(connection, "incoming_datastream", pa.table(columns)):
        connection.execute("DELETE FROM datastream WHERE id IN (SELECT id FROM incoming_datastream)").fetchall()
        connection.execute(
            f"INSERT INTO datastream (position, {_COLUMNS})"  # noqa: S608 - identifiers from code
            f" SELECT position, {_COLUMNS} FROM incoming_datastream ORDER BY position"
        ).fetchall()


def read_datastreams(connection: duckdb.DuckDBPyConnection) -> list[Datastream]:
    """Return all datastreams in the order in which they were registered."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM datastream ORDER BY position").fetchall()  # noqa: S608 - identifiers from code
    named = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    return [Datastream(**{**members, "quality": Quality(members["quality"])}) for members in named]


def write_states(connection: duckdb.DuckDBPyConnection, name: str, states: StateSeries) -> None:
    """Replace the states that are replayed under a name."""
    count = len(states.datastream_ids)
    numbers = pa.list_(pa.float64())
    table = pa.table(
        {
            "name": [name] * count,
            "position": pa.array(range(count), pa.int32()),
            "datastream_id": list(states.datastream_ids),
            "time_of_day_s": pa.array([states.time_of_day_s] * count, numbers),
            "results": pa.array(list(np.ascontiguousarray(states.results.T)), numbers),
        }
    )
    connection.execute("DELETE FROM state_series WHERE name = ?", [name]).fetchall()
    with lent(connection, "incoming_states", table):
        connection.execute("INSERT INTO state_series SELECT * FROM incoming_states").fetchall()


def read_states(connection: duckdb.DuckDBPyConnection) -> dict[str, StateSeries]:
    """Return all replayed states by name."""
    rows = connection.execute(
        "SELECT name, datastream_id, time_of_day_s, results FROM state_series ORDER BY name, position"
    ).fetchall()
    by_name: dict[str, list[tuple[str, list[float], list[float]]]] = {}
    for name, datastream_id, times, results in rows:
        by_name.setdefault(name, []).append((datastream_id, times, results))
    return {
        name: StateSeries(
            tuple(column[0] for column in columns),
            np.array(columns[0][1], dtype=np.float64),
            np.ascontiguousarray(np.array([column[2] for column in columns], dtype=np.float64).T),
        )
        for name, columns in by_name.items()
    }


def append_batch(connection: duckdb.DuckDBPyConnection, batch: ObservationBatch, committed_at: datetime) -> int:
    """Append a batch, not empty, and return its number in the gapless sequence."""
    numbered = connection.execute(
        "SELECT greatest(coalesce((SELECT max(batch_id) FROM observation_batch), 0),"
        " (SELECT max(pruned_to) FROM observation_horizon)) + 1"
    ).fetchall()
    batch_id = int(numbered[0][0])
    table = pa.table(
        {
            "datastream_id": pa.array(batch.datastream_ids, pa.string()),
            "phenomenon_time": pa.array(batch.phenomenon_times.astype("datetime64[us]"), pa.timestamp("us")),
            "result": pa.array(batch.results, pa.float64()),
        }
    )
    with lent(connection, "incoming_observation", table):
        connection.execute(
            "INSERT INTO observation SELECT ?, datastream_id, phenomenon_time, result FROM incoming_observation",
            [batch_id],
        ).fetchall()
    newest = batch.phenomenon_times.max().astype("datetime64[us]").item()
    connection.execute(
        "INSERT INTO observation_batch VALUES (?, ?, ?, ?)",
        [batch_id, _naive(committed_at), len(batch.datastream_ids), newest],
    ).fetchall()
    return batch_id


def read_latest(connection: duckdb.DuckDBPyConnection) -> list[Observation]:
    """Return the newest observation of every datastream."""
    rows = connection.execute(
        "SELECT datastream_id, max(phenomenon_time), arg_max(result, phenomenon_time)"
        " FROM observation GROUP BY datastream_id"
    ).fetchall()
    return [Observation(name, time.replace(tzinfo=UTC), result) for name, time, result in rows]


def read_last_batch(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the last batch, 0 before the first."""
    rows = connection.execute(
        "SELECT greatest(coalesce((SELECT max(batch_id) FROM observation_batch), 0),"
        " (SELECT max(pruned_to) FROM observation_horizon))"
    ).fetchall()
    return int(rows[0][0])


def read_series(
    connection: duckdb.DuckDBPyConnection,
    datastream_id: str,
    begin: datetime | None,
    end: datetime | None,
    limit: int,
) -> SeriesRows:
    """Return a datastream's observations from ``begin`` to ``end``, both included, in order of time.

    More than ``limit`` are thinned to at most ``limit`` equal spans of time: the time of the first
    observation in the span, then mean, least and greatest result.
    """
    conditions = ["datastream_id = ?"]
    values: list[object] = [datastream_id]
    for sign, instant in ((">=", begin), ("<=", end)):
        if instant is not None:
            conditions.append(f"phenomenon_time {sign} ?")
            values.append(_naive(instant))
    chosen = f"FROM observation WHERE {' AND '.join(conditions)}"
    extent = connection.execute(
        f"SELECT count(*), epoch_us(min(phenomenon_time)), epoch_us(max(phenomenon_time)) {chosen}",
        values,
    ).fetchall()
    count, first_us, last_us = extent[0]
    if count <= limit:
        rows = connection.execute(
            f"SELECT phenomenon_time, result {chosen} ORDER BY phenomenon_time",
            values,
        ).fetchall()
        return SeriesRows([(time.replace(tzinfo=UTC), result) for time, result in rows], count, None)
    width_us = (last_us - first_us) // limit + 1
    rows = connection.execute(
        "SELECT min(phenomenon_time), avg(result), min(result), max(result)"
        f" {chosen} GROUP BY (epoch_us(phenomenon_time) - ?) // ? ORDER BY 1",
        [*values, first_us, width_us],
    ).fetchall()
    thinned = [(time.replace(tzinfo=UTC), mean, low, high) for time, mean, low, high in rows]
    return SeriesRows(list(thinned), count, width_us / 1e6)


def prune_generated(connection: duckdb.DuckDBPyConnection, oldest: datetime, rows_max: int) -> int:
    """Delete generated observations of the oldest batches; return how many rows left.

    A batch goes when everything in it is before ``oldest`` or when newer batches already hold
    ``rows_max`` rows; only a run of batches from the first on, so that the rest stays numbered.
    """
    found = connection.execute(
        """
        SELECT greatest(
            coalesce((SELECT min(batch_id) - 1 FROM observation_batch WHERE phenomenon_time_max >= ?), 0),
            coalesce((SELECT max(batch_id) FROM (
                SELECT batch_id, sum(observations) OVER (ORDER BY batch_id DESC) AS held FROM observation_batch
            ) WHERE held > ?), 0))
        """,
        [_naive(oldest), rows_max],
    ).fetchall()
    last = int(found[0][0])
    gone = connection.execute(
        "DELETE FROM observation WHERE batch_id <= ? AND datastream_id IN (SELECT id FROM datastream WHERE generated)",
        [last],
    ).fetchall()
    connection.execute("DELETE FROM observation_batch WHERE batch_id <= ?", [last]).fetchall()
    connection.execute("UPDATE observation_horizon SET pruned_to = greatest(pruned_to, ?)", [last]).fetchall()
    return int(gone[0][0])


def _naive(instant: datetime) -> datetime:
    """Return UTC without its zone; an instant at the edge of the calendar has no UTC and stays as it is."""
    try:
        return instant.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return instant.replace(tzinfo=None)
