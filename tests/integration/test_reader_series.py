"""Observations from CSV and Parquet; rows that are wrong are told one by one."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from cim.sensing.model import Datastream, ObservationBatch
from ingest.readers.registry import reader_for
from ingest.records import ReadContext

ROWS = """datastream_id,phenomenon_time,result
p1,2026-01-01T00:00:00Z,1.5
p1,2026-01-01T00:15:00+02:00,2.5
p1,2026-01-01T00:30:00,3.5
p1,2026-13-01T00:00:00Z,3.5
p1,,3.5
p1,1026-01-01T00:00:00Z,3.5
p1,2026-01-01T01:00:00Z,NaN
p1,2026-01-01T01:00:00Z,inf
p1,2026-01-01T01:00:00Z,1e999
p1,2026-01-01T01:00:00Z,wet
p1,2026-01-01T01:00:00Z,
,2026-01-01T01:00:00Z,1
p1,2026-01-01T01:00:00Z
p1,2026-01-01T01:00:00Z,1,2
other:p2,2026-01-01T02:00:00.25Z,-4
"""


def read(path, **context):
    context.setdefault("working_crs", "EPSG:3879")
    return list(reader_for(path).read(path, ReadContext("made", **context)))


def split(records):
    batches = [record for record in records if isinstance(record, ObservationBatch)]
    observations = [
        (name, time, result)
        for batch in batches
        for name, time, result in zip(batch.datastream_ids, batch.phenomenon_times, batch.results, strict=True)
    ]
    return observations, [record for record in records if isinstance(record, Quarantined)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_row_by_row(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    path.write_text(ROWS.replace(",", delimiter))
    observations, faults = split(read(path))
    assert observations == [
        ("made:p1", np.datetime64("2026-01-01T00:00:00", "us"), 1.5),
        ("made:p1", np.datetime64("2025-12-31T22:15:00", "us"), 2.5),
        ("other:p2", np.datetime64("2026-01-01T02:00:00.250", "us"), -4.0),
    ]
    codes = [fault.code for fault in faults]
    assert {code: codes.count(code) for code in set(codes)} == {
        "time-wrong": 4, "result-wrong": 5, "object-id": 1, "row-structure": 2,
    }  # fmt: skip


def test_a_time_zone_may_be_stated_for_times_without_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("datastream_id,phenomenon_time,result\np1,2026-07-01T12:00:00,1\n")
    observations, faults = split(read(path, options={"time_zone": "Europe/Helsinki"}))
    assert not faults
    assert observations[0][1] == np.datetime64("2026-07-01T09:00:00", "us")
    with pytest.raises(InvalidInput):
        read(path, options={"time_zone": "Mars/Olympus"})


def test_parquet_with_descriptions(tmp_path):
    path = tmp_path / "a.parquet"
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    table = pa.table(
        {
            "datastream_id": ["a", "b", "a", "c"],
            "phenomenon_time": pa.array([moment, moment, None, moment], pa.timestamp("ms", "UTC")),
            "result": [1.0, float("nan"), 3.0, 4.0],
            "observed_property": ["flow"] * 4,
            "unit": ["m3/s", "m3/s", "m3/s", "furlong"],
            "lon": [24.94] * 4,
            "lat": [60.17] * 4,
        }
    )
    pq.write_table(table, path)
    records = read(path, working_crs=None)
    assert records[0].working_crs == "EPSG:32635"
    observations, faults = split(records)
    assert [one[0] for one in observations] == ["made:a"]
    assert sorted(fault.code for fault in faults) == ["result-wrong", "time-wrong", "unit"]
    (stream,) = [record for record in records if isinstance(record, Datastream)]
    assert (stream.id, stream.unit) == ("made:a", "m3/s")
    # East of the zone's middle meridian (27°) by -2.06° at 60.17° N: 114 km west, 6,672 km north.
    assert (stream.x, stream.y) == pytest.approx((385_700, 6_672_127), abs=2)


def test_without_a_city_and_without_places_it_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("datastream_id,phenomenon_time,result\np1,2026-07-01T12:00:00Z,1\n")
    with pytest.raises(InvalidInput) as caught:
        read(path, working_crs=None)
    assert caught.value.problem_code == "crs-missing"


def test_a_truncated_parquet_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"datastream_id": ["a"], "phenomenon_time": ["x"], "result": [1.0]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert caught.value.problem_code == "file-damaged"


def test_many_rows_stream_in_batches(tmp_path):
    path = tmp_path / "a.csv"
    line = "p{},2026-01-01T00:00:00Z,{}\n"
    with path.open("w") as out:
        out.write("datastream_id,phenomenon_time,result\n")
        out.writelines(line.format(n % 7, n) for n in range(300_000))
    records = read(path)
    assert sum(isinstance(record, ObservationBatch) for record in records) > 1
    assert len(split(records)[0]) == 300_000
