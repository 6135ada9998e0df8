"""What a scheme adds to networks: each element with its place or line, and what it cannot be without."""

from __future__ import annotations

from typing import Any

import pytest

from cim.schemes.edits import make_edit
from cim.schemes.faults import EditRefused
from cim.schemes.making import Making
from cim.schemes.model import EXISTS, TYPE
from cim.schemes.state import State
from tests.support.scheme_base import small_city

LINE = {"axis": [[0.0, 0.0], [30.0, 0.0]]}
PLACE = {"place": [5.0, 5.0]}


def add(params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    state = State(small_city())
    after = state.apply(make_edit(Making(state, "s1", 7, "network.add", None, params)).changes)
    return after.type_of("s1:n/7") or "", dict(after.fields("s1:n/7"))


@pytest.mark.parametrize(
    ("element", "type_", "said"),
    [
        ("main", "+Main", {"network_id": "water", **LINE, "diameter_m": 0.2}),
        ("pump", "+Pump", {"network_id": "water", **PLACE, "capacity": 0.04}),
        ("tank", "+Tank", {"network_id": "water", **PLACE, "capacity": 500.0}),
        ("feeder", "+Feeder", {"network_id": "power", **LINE, "capacity": 800.0}),
        ("substation", "+Substation", {"network_id": "power", **PLACE}),
    ],
)
def test_an_element_keeps_what_is_said_of_it(element: str, type_: str, said: dict[str, Any]) -> None:
    made, fields = add({"element": element, **said})
    assert made == type_
    known = {
        name: value for name, value in fields.items() if value is not None and name not in {EXISTS, TYPE, "closed"}
    }
    assert known == said
    assert fields["closed"] is False


@pytest.mark.parametrize(
    "params",
    [
        {"element": "well", "network_id": "water", **PLACE},
        {"element": ["main"], "network_id": "water", **LINE},
        {"element": "main", "network_id": "water", **PLACE},
        {"element": "pump", "network_id": "water", **LINE},
        {"element": "tank", **PLACE},
        {"element": "main", "network_id": "water", "axis": [[0.0, 0.0], [0.0, 0.0]]},
        {"element": "main", "network_id": "water", **LINE, "diameter_m": -1},
        {"element": "tank", "network_id": "Water supply", **PLACE},
    ],
)
def test_what_cannot_be_an_element_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(EditRefused):
        add(params)
