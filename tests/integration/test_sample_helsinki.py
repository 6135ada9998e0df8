"""The sample on the real extract that comes with the program: sensible states, real links."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely

import ingest.sample
from cim.city.model import CityObject
from cim.networks.model import Network
from cim.sensing.model import Datastream, StateSeries
from ingest.readers.osm import OsmReader
from ingest.records import ReadContext
from ingest.sample.build import build_sample

EXTRACT = Path(ingest.sample.__file__).parent / "helsinki" / "Helsinki.osm.pbf"
SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def base():
    return list(OsmReader().read(EXTRACT, ReadContext("helsinki", "EPSG:3879")))


@pytest.fixture(scope="module")
def findings():
    return []


@pytest.fixture(scope="module")
def sample(base, findings):
    begun = time.monotonic()
    made = list(build_sample(base, 1, findings=findings))
    assert time.monotonic() - begun < SECONDS_MAX
    return made


@pytest.fixture(scope="module")
def streams(sample):
    return {record.id: record for record in sample if isinstance(record, Datastream)}


@pytest.fixture(scope="module")
def days(sample):
    series = next(record for record in sample if isinstance(record, StateSeries))
    return dict(zip(series.datastream_ids, series.results.T, strict=True))


def of(streams, days, observed_property):
    return np.array([days[name] for name, item in streams.items() if item.observed_property == observed_property])


def test_about_two_hundred_sensors_hang_on_real_things(base, sample, streams):
    count = Counter(item.observed_property for item in streams.values())
    assert 180 <= sum(count.values()) <= 240
    assert count["pressure_head"] == 48
    assert count["flow"] == 46
    networks = {record.id: record for record in [*base, *sample] if isinstance(record, Network)}
    objects = {record.id for record in base if isinstance(record, CityObject)}
    for item in streams.values():
        if item.network_id is not None:
            network = networks[item.network_id]
            assert item.element_id in {one.element_id for one in (*network.nodes, *network.links)}
        if item.object_id is not None:
            assert item.object_id in objects


def test_sensors_bear_the_names_of_real_streets(streams):
    assert any(item.name_en.startswith("Pressure, Mannerheimintie") for item in streams.values())
    assert any(item.name_zh.startswith("水压，Mannerheimintie") for item in streams.values())


def test_the_water_network_has_a_sensible_size_and_pressure(sample, streams, days):
    network = next(record for record in sample if isinstance(record, Network) and record.id == "water")
    pipes = [link for link in network.links if link.kind == "pipe"]
    assert 150 <= len(pipes) <= 300
    pressures = of(streams, days, "pressure_head")
    assert 28.0 < pressures.min() < pressures.max() < 60.0
    assert (pressures.max(axis=1) - pressures.min(axis=1)).min() > 0.5
    carried = {item.element_id for item in streams.values() if item.observed_property == "flow"}
    mains = {link.element_id for link in pipes if link.attributes["diameter_m"] >= 0.25}
    assert len(mains & carried) >= 0.9 * len(mains)


def test_voltages_and_loadings_keep_their_limits(streams, days):
    volts, loading = of(streams, days, "voltage"), of(streams, days, "loading")
    assert 0.95 < volts.min() < volts.max() < 1.05
    assert 0.0 < loading.min() < loading.max() < 100.0
    assert loading.max(axis=1).min() > 1.3 * loading.min(axis=1).min()


def test_traffic_moves(streams, days):
    volume, speed = of(streams, days, "traffic_volume"), of(streams, days, "traffic_speed")
    assert 100.0 < volume.max() < 6000.0
    assert 3.0 < speed.min() < speed.max() <= 80.0


def test_the_solvers_had_nothing_to_object(findings):
    assert {finding.rule: finding.verdict.value for finding in findings} == {"traffic-gap": "pass"}


def test_parcels_lie_on_the_land_and_hold_most_buildings(base, sample):
    parcels = [record.place for record in sample if isinstance(record, CityObject) and record.type == "+Parcel"]
    assert len(parcels) > 300
    total = sum(place.area for place in parcels)
    assert shapely.union_all(parcels).area == pytest.approx(total, rel=1e-6)
    tree = shapely.STRtree(parcels)
    buildings = [r.place for r in base if isinstance(r, CityObject) and r.type == "Building" and r.place.area > 60]
    held = [len(tree.query(shapely.point_on_surface(place), predicate="within")) > 0 for place in buildings]
    assert np.mean(held) > 0.95
