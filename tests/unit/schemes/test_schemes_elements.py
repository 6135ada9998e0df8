"""Elements of the baseline's networks: what of them can be changed, closed and taken away, and who is cut off then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.schemes.edits import make_edit
from cim.schemes.elements import check_supply, read_elements
from cim.schemes.faults import EditConflict, EditRefused
from cim.schemes.making import Making
from cim.schemes.merge import merge
from cim.schemes.realise import realise
from cim.schemes.state import State, invert
from tests.support.scheme_base import MemoryBaseline


def line(*places: tuple[float, float]) -> Any:
    return np.array(places, dtype=np.float64)


def water() -> Network:
    """A plant, a pump, and J1 - J2 - J3 in a row, with a tank at the far end."""
    nodes = (
        NetworkNode("R", "reservoir", -50.0, 0.0),
        *(NetworkNode(f"J{n}", "junction", 100.0 * n, 0.0) for n in (1, 2, 3)),
        NetworkNode("T", "tank", 300.0, 100.0, 20.0, {"capacity_m3": 400.0}),
    )
    links = (
        NetworkLink("PU", "pump", "R", "J1", line((-50, 0), (100, 0))),
        NetworkLink("P1", "pipe", "J1", "J2", line((100, 0), (200, 0)), {"diameter_m": 0.2, "name": "Long Street"}),
        NetworkLink("P2", "pipe", "J2", "J3", line((200, 0), (300, 0)), {"diameter_m": 0.15}),
        NetworkLink("P3", "pipe", "J3", "T", line((300, 0), (300, 100)), {"diameter_m": 0.15}),
    )
    return Network("water", "water", "h", nodes, links)


def power() -> Network:
    nodes = (NetworkNode("G", "source", 0, 0), NetworkNode("S", "transformer", 50, 0), NetworkNode("B", "bus", 90, 0))
    links = (
        NetworkLink("TS", "transformer", "G", "S", line((0, 0), (50, 0)), {"rating_va": 400_000.0}),
        NetworkLink("L1", "line", "S", "B", line((50, 0), (90, 0))),
    )
    return Network("power", "power", "h", nodes, links)


class Networks(MemoryBaseline):
    """A baseline of networks alone: their elements are no city objects."""

    def object(self, target: str) -> None:
        return None


def state_of(*networks: Network) -> State:
    return State(Networks(1, read_elements(networks)))


def after(state: State, kind: str, target: str | None, **params: Any) -> State:
    return state.apply(make_edit(Making(state, "s1", 7, kind, target, params)).changes)


def test_each_kind_of_element_is_read() -> None:
    found = read_elements([water(), power()])
    assert {target: fields["type"] for target, fields in found.items()} == {
        "h:water/PU": "+Pump",
        "h:water/P1": "+Main",
        "h:water/P2": "+Main",
        "h:water/P3": "+Main",
        "h:water/T": "+Tank",
        "h:power/L1": "+Feeder",
        "h:power/S": "+Substation",
    }
    assert found["h:water/P1"]["diameter_m"] == 0.2
    assert found["h:water/P1"]["name"] == "Long Street"
    assert found["h:water/T"]["capacity"] == 400.0
    assert found["h:power/S"]["capacity"] == 400.0
    assert found["h:water/PU"]["place"] == [25.0, 0.0]


def test_a_main_is_made_wider_and_back() -> None:
    state = state_of(water())
    made = make_edit(Making(state, "s1", 7, "network.size", "h:water/P1", {"diameter_m": 0.4}))
    wider = state.apply(made.changes)
    assert wider.value("h:water/P1", "diameter_m") == 0.4
    (realised,) = realise(wider, wider.base).values()
    assert realised is not None
    assert realised.attributes["scheme_change"].value == "changed"
    assert shapely.equals(realised.place, shapely.LineString([(100, 0), (200, 0)]))
    assert wider.apply(invert(made.changes)) == state


@pytest.mark.parametrize(
    ("target", "params", "rule"),
    [
        ("h:water/P1", {}, "param-missing"),
        ("h:water/P1", {"diameter_m": 0.0}, "field-limit"),
        ("h:water/P1", {"diameter_m": "wide"}, "field-value"),
        ("h:water/P1", {"diameter_m": 0.2}, "edit-empty"),
        ("h:water/T", {"diameter_m": 0.2}, "field-unknown"),
        ("h:water/T", {"capacity": -1}, "field-limit"),
        ("h:water/J1", {"diameter_m": 0.2}, "target-unknown"),
    ],
)
def test_what_cannot_be_is_refused(target: str, params: dict[str, Any], rule: str) -> None:
    with pytest.raises(EditRefused) as refusal:
        after(state_of(water()), "network.size", target, **params)
    assert refusal.value.findings[0].rule == rule


def test_a_house_is_no_main() -> None:
    base = MemoryBaseline(1, {"h:b1": {"type": "Building"}})
    with pytest.raises(EditRefused) as refusal:
        after(State(base), "network.close", "h:b1")
    assert refusal.value.findings[0].rule == "target-type"


def test_closing_where_water_comes_from_both_sides_cuts_nobody_off() -> None:
    closed = after(state_of(water()), "network.close", "h:water/P2")
    assert check_supply([water()], closed, ["h:water/P2"]) == []
    assert after(closed, "network.open", "h:water/P2") == state_of(water())


def test_who_is_cut_off_is_found_and_a_new_main_brings_water_back() -> None:
    state = after(state_of(water()), "network.close", "h:water/P3")
    state = after(state, "object.remove", "h:water/P1")
    (finding,) = check_supply([water()], state, ["h:water/P1"])
    assert (finding.rule, finding.measured, finding.params["network"]) == ("network-cuts-off", 2.0, "water")
    assert sorted(shapely.get_coordinates(shapely.from_wkb(finding.witness_wkb)).tolist()) == [[200, 0], [300, 0]]
    assert check_supply([water()], state, ["s1:b/1"]) == []
    joined = after(state, "network.add", None, element="main", network_id="water", axis=[[105, 3], [295, 4]])
    assert check_supply([water()], joined, ["h:water/P1"]) == []
    elsewhere = after(state, "network.add", None, element="main", network_id="water", axis=[[105, 3], [250, 90]])
    assert len(check_supply([water()], elsewhere, ["h:water/P1"])) == 1


def test_a_tank_that_goes_is_no_source_and_a_substation_carries_its_feeders() -> None:
    state = after(after(state_of(water()), "network.close", "h:water/PU"), "object.remove", "h:water/T")
    (finding,) = check_supply([water()], state, ["h:water/T"])
    assert finding.measured == 3.0
    state = after(state_of(power()), "network.close", "h:power/S")
    (finding,) = check_supply([power()], state, ["h:power/S"])
    assert finding.measured == 1.0


def test_what_was_never_supplied_is_not_blamed_on_a_scheme() -> None:
    dry = replace(water(), nodes=tuple(node for node in water().nodes if node.kind == "junction"))
    dry = replace(dry, links=tuple(link for link in dry.links if link.element_id in {"P1", "P2"}))
    closed = after(state_of(dry), "network.close", "h:water/P1")
    assert check_supply([dry], closed, ["h:water/P1"]) == []


def test_two_planners_of_one_main_are_in_conflict_and_of_two_are_not() -> None:
    state = state_of(water())
    ours = after(state, "network.size", "h:water/P1", diameter_m=0.3)
    theirs = after(after(state, "network.size", "h:water/P1", diameter_m=0.5), "network.close", "h:water/P2")
    merged = merge(state, ours, theirs)
    assert [(c.target, c.field, c.ours, c.theirs) for c in merged.conflicts] == [("h:water/P1", "diameter_m", 0.3, 0.5)]
    gone = after(state, "object.remove", "h:water/P1")
    assert [c.field for c in merge(state, gone, ours).conflicts] == ["exists"]
    with pytest.raises(EditConflict):
        after(gone, "network.close", "h:water/P1")
