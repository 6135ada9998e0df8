"""The whole sample on the made-up town: records, sensors, determinism, bad bases."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely

from cim.city.model import CityObject
from cim.errors import InvalidInput
from cim.networks.model import Network
from cim.sensing.model import Datastream, StateSeries
from cim.units import is_unit
from ingest.records import SourceHeader
from ingest.sample.build import DATASET, STEPS, build_sample
from ingest.sample.sensors import KINDS, spread, usual_range

ROOT = Path(__file__).resolve().parents[4]


def canonical(value: object) -> object:
    """Reduce a record to what can be compared byte for byte."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(value)
    if is_dataclass(value):
        return (type(value).__name__, *(canonical(getattr(value, item.name)) for item in fields(value)))
    if isinstance(value, dict):
        return tuple((key, canonical(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(canonical(item) for item in value)
    return value


def fingerprint(records: list[object]) -> str:
    return hashlib.sha256(repr([canonical(record) for record in records]).encode()).hexdigest()


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def records(base, told):
    return list(build_sample(base, 1, lambda *step: told.append(step)))


def test_the_header_comes_first_and_says_generated(records):
    header = records[0]
    assert isinstance(header, SourceHeader)
    assert header.generated
    assert "nobody" in header.attribution
    assert header.working_crs == "EPSG:3879"
    kinds = Counter(type(record).__name__ for record in records)
    assert kinds["SourceHeader"] == kinds["StateSeries"] == 1
    assert kinds["Network"] == 2


def test_every_step_is_told_in_order(records, told):
    assert records
    assert [name for name, done, _ in told if done == 0] == list(STEPS)
    assert [name for name, done, total in told if done == total] == list(STEPS)


def test_ids_are_unique_and_everything_points_at_something(records, base):
    streams = [record for record in records if isinstance(record, Datastream)]
    networks = {record.id: record for record in [*records, *base] if isinstance(record, Network)}
    elements = {name: {item.element_id for item in (*net.nodes, *net.links)} for name, net in networks.items()}
    objects = {record.id for record in [*records, *base] if isinstance(record, CityObject)}
    assert len({stream.id for stream in streams}) == len(streams)
    for stream in streams:
        assert stream.id.startswith(f"{DATASET}:")
        assert stream.network_id is not None or stream.object_id is not None
        if stream.network_id is not None:
            assert stream.element_id in elements[stream.network_id]
        if stream.object_id is not None:
            assert stream.object_id in objects
        assert is_unit(stream.unit)
        assert stream.range_low < stream.range_high
        assert stream.generated
    assert {stream.observed_property for stream in streams} == set(KINDS)
    for attribute in ("name_en", "name_zh"):
        assert len({getattr(stream, attribute) for stream in streams}) == len(streams)


def test_the_states_are_a_finite_day_of_every_datastream(records):
    series = next(record for record in records if isinstance(record, StateSeries))
    streams = {record.id: record for record in records if isinstance(record, Datastream)}
    assert set(series.datastream_ids) == set(streams)
    assert series.results.shape == (96, len(streams))
    assert np.isfinite(series.results).all()
    assert series.time_of_day_s[0] == 0.0
    assert series.time_of_day_s[-1] == 86400.0 - 900.0
    for column, name in enumerate(series.datastream_ids):
        day = series.results[:, column]
        inside = (day >= streams[name].range_low) & (day <= streams[name].range_high)
        assert inside.mean() >= 0.88


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(records, base):
    assert fingerprint(list(build_sample(base, 1))) == fingerprint(records)
    assert fingerprint(list(build_sample(base, 2))) != fingerprint(records)


def test_no_order_of_a_set_leaks_into_the_records(records):
    """Another process with another hash seed writes the same bytes."""
    script = (
        "from tests.unit.ingest.sample.conftest import town_base\n"
        "from tests.unit.ingest.sample.test_build import fingerprint\n"
        "from ingest.sample.build import build_sample\n"
        "print(fingerprint(list(build_sample(town_base(), 1))))\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == fingerprint(records)


def test_the_order_of_the_base_does_not_matter(records, base):
    header, *rest = base
    assert fingerprint(list(build_sample([header, *reversed(rest)], 1))) == fingerprint(records)


@pytest.mark.parametrize("missing", ["header", "streets", "buildings"])
def test_a_base_without_what_it_takes_is_refused(base, missing):
    kinds = {"header": SourceHeader, "streets": Network, "buildings": CityObject}
    with pytest.raises(InvalidInput) as caught:
        list(build_sample([record for record in base if not isinstance(record, kinds[missing])], 1))
    assert caught.value.problem_code == "sample-base"


def test_spread_takes_the_corners_first():
    xy = np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 10.0), (10.0, 10.0), (5.0, 5.0), (5.1, 5.0)])
    assert spread(xy, 5) == [0, 1, 2, 3, 4]
    assert spread(np.zeros((4, 2)), 3) == [0]


def test_a_still_day_still_has_a_range():
    low, high = usual_range(np.full(96, 50.0))
    assert low < 50.0 < high
