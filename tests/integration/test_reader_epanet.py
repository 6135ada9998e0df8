"""EPANET networks as wntr reads them, and rows that are wrong."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from cim.city.model import Quarantined
from cim.errors import InvalidInput
from cim.networks.model import Network
from ingest.readers.registry import reader_for
from ingest.records import ReadContext

SMALL = """[TITLE]
Small
[JUNCTIONS]
 J1 100 10
 J2 90 5
 J3 80 5
 J1 70 1
 J4 nan 1
 J5 60 1
[RESERVOIRS]
 R1 120
[TANKS]
 T1 100 5 0 10 50 0
[PIPES]
 P1 R1 J1 1000 12 100 0 Open
 P2 J1 J2 500 8 100 0 CV
 P3 J2 J5 500 8 100
 P4 J2 J3 -5 8 100
 P5 J2 J2 5 8 100
 P6 J2
[PUMPS]
 U1 J3 T1 POWER 10
[VALVES]
 V1 J2 J3 8 PRV 50 0
[OPTIONS]
 Units {units}
[COORDINATES]
 J1 1000 2000
 J2 1500 2000
 J3 2000 2000
 J4 2000 3000
 J5 inf 2000
 R1 0 2000
 T1 2500 2000
[VERTICES]
 P2 1200 2100
[END]
"""


def read(path, crs="EPSG:32616", **context):
    records = list(reader_for(path).read(path, ReadContext("net", source_crs=crs, **context)))
    (network,) = [record for record in records if isinstance(record, Network)]
    return network, [record for record in records if isinstance(record, Quarantined)]


def small(tmp_path, units="GPM"):
    path = tmp_path / "small.inp"
    path.write_text(SMALL.format(units=units))
    return path


@pytest.mark.reference
@pytest.mark.parametrize(("name", "crs"), [("Net3", "EPSG:32616"), ("Net6", "EPSG:32616"), ("ky4", "EPSG:3547")])
def test_networks_are_as_wntr_has_them(reference, name, crs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wntr

        path = reference / "networks" / f"{name}.inp"
        oracle = wntr.network.WaterNetworkModel(str(path))
    network, faults = read(path, crs)
    assert not faults
    assert (len(network.nodes), len(network.links)) == (oracle.num_nodes, oracle.num_links)
    ids = [element.element_id for element in (*network.nodes, *network.links)]
    assert len(ids) == len(set(ids))
    for node in network.nodes:
        want = oracle.get_node(node.attributes["epanet_id"])
        assert node.kind == want.node_type.lower()
        if node.kind == "junction":
            demand = sum(series.base_value for series in want.demand_timeseries_list)
            assert node.attributes["demand_m3_s"] == pytest.approx(demand, rel=1e-5)
            assert node.z == pytest.approx(want.elevation)
        elif node.kind == "tank":
            assert node.attributes["diameter_m"] == pytest.approx(want.diameter)
            assert node.attributes["initial_level_m"] == pytest.approx(want.init_level)
        else:
            assert node.attributes["head_m"] == pytest.approx(want.base_head)
    for link in network.links:
        want = oracle.get_link(link.attributes["epanet_id"])
        ends = (link.from_node.partition("/")[2], link.to_node.partition("/")[2])
        assert ends == (want.start_node_name, want.end_node_name)
        assert len(link.line) == 2 + len(want.vertices)
        if link.kind == "pipe":
            assert link.attributes["length_m"] == pytest.approx(want.length)
            assert link.attributes["diameter_m"] == pytest.approx(want.diameter)
        if link.attributes.get("power_kw"):
            assert link.attributes["power_kw"] * 1000 == pytest.approx(want.power, rel=1e-5)


@pytest.mark.reference
def test_state_plane_feet_become_metres(reference):
    network, _ = read(reference / "networks" / "ky4.inp", "EPSG:3547")
    pipes = [link for link in network.links if link.kind == "pipe"]
    drawn = np.array([np.hypot(*np.diff(link.line, axis=0).T).sum() for link in pipes])
    said = np.array([link.attributes["length_m"] for link in pipes])
    # Drawn and stated lengths agree only if coordinates and lengths are in the same unit.
    assert np.median(drawn / said) == pytest.approx(1.0, abs=0.02)


def test_rows_that_are_wrong_are_kept_out_one_by_one(tmp_path):
    network, faults = read(small(tmp_path))
    assert {node.element_id for node in network.nodes} == {
        "junction/J1", "junction/J2", "junction/J3", "reservoir/R1", "tank/T1",
    }  # fmt: skip
    assert {link.element_id for link in network.links} == {"pipe/P1", "pipe/P2", "pump/U1", "valve/V1"}
    said = sorted(fault.feature.split(": ")[1] for fault in faults)
    assert said == ["J1", "J4", "J5", "J5", "P3", "P4", "P5", "P6"]
    links = {link.element_id: link for link in network.links}
    assert links["pipe/P2"].attributes["status"] == "check_valve"
    assert len(links["pipe/P2"].line) == 3


def test_units_follow_the_flow_unit(tmp_path):
    us, _ = read(small(tmp_path, "gpm"))
    metric, _ = read(small(tmp_path, "LPS"))
    pick = lambda network: {link.element_id: link.attributes for link in network.links}  # noqa: E731
    assert pick(us)["pipe/P1"]["diameter_m"] == pytest.approx(0.3048)
    assert pick(metric)["pipe/P1"]["diameter_m"] == pytest.approx(0.012)
    assert pick(us)["valve/V1"]["setting_m"] == pytest.approx(35.17, abs=0.01)
    assert pick(us)["pump/U1"]["power_kw"] == pytest.approx(7.457, abs=1e-3)
    assert metric.nodes[0].attributes["demand_m3_s"] == pytest.approx(0.01)
    assert us.nodes[0].attributes["demand_m3_s"] == pytest.approx(6.309e-4, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "crs", "code"),
    [
        (("", ""), None, "crs-missing"),
        (("", ""), "EPSG:0", "unknown-crs"),
        (("Units GPM", "Units BPM"), "EPSG:32616", "flow-unit"),
        (("[COORDINATES]", "[LABELS]"), "EPSG:32616", "network-empty"),
    ],
)
def test_the_whole_file_is_refused(tmp_path, change, crs, code):
    path = tmp_path / "a.inp"
    path.write_text(SMALL.format(units="GPM").replace(*change))
    with pytest.raises(InvalidInput) as caught:
        read(path, crs)
    assert caught.value.problem_code == code
    assert caught.value.hint


def test_a_storm_sewer_model_is_not_taken_for_a_water_network(tmp_path):
    path = Path(tmp_path / "swmm.inp")
    path.write_text("[TITLE]\n[OPTIONS]\nFLOW_UNITS CFS\n[JUNCTIONS]\nJ1 1 2\n[CONDUITS]\nC1 J1 J2 10 0.01\n")
    with pytest.raises(InvalidInput):
        reader_for(path)
