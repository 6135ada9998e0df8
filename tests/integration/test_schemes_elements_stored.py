"""Elements of stored networks in schemes: changed, closed, taken back, merged, moved to a newer baseline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cim.accounts.model import Role
from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.networks.store import write_network
from tests.support.scheme_city import MEI, Planned, X, Y, deliver, opened, plain_city


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Planned]:
    with opened(tmp_path) as city:
        yield city


def test_a_main_of_the_city_is_changed_closed_and_put_back(planned: Planned) -> None:
    planned.database.submit(lambda c: write_network(c, water_row(X, Y), 1)).result()
    scheme = planned.branch()
    planned.edit(scheme, "network.size", "test:water/P1", diameter_m=0.4)
    closed = planned.edit(scheme, "network.close", "test:water/P2")
    (finding,) = closed.edit.findings
    assert (finding.rule, finding.measured, finding.object_id) == ("network-cuts-off", 1.0, "test:water/P2")
    seen = planned.schemes.seen(scheme, Role.PLANNER)
    assert [one.rule for one in planned.schemes.findings(seen)] == ["network-cuts-off"]
    planned.schemes.undo(scheme, MEI)
    assert planned.schemes.findings(planned.schemes.seen(scheme, Role.PLANNER)) == []
    planned.schemes.redo(scheme, MEI)
    planned.edit(scheme, "object.remove", "test:water/P1")
    state = planned.schemes.shelf.actor(scheme).state()
    assert not state.exists("test:water/P1")
    assert state.value("test:water/P2", "closed") is True
    other = planned.branch("Other")
    planned.edit(other, "network.size", "test:water/P1", diameter_m=0.3)
    outcome = planned.joining.merge(scheme, other, MEI)
    assert [(c.target, c.field) for c in outcome.conflicts] == [("test:water/P1", "exists")]
    planned.city.reload()
    deliver(planned.city, "second", plain_city(7))
    # The networks of the older baseline are those of the newer one too: the scheme can move on.
    assert not planned.joining.rebase(scheme, MEI).conflicts
    assert not planned.schemes.shelf.actor(scheme).state().exists("test:water/P1")


def water_row(x: float, y: float) -> Network:
    """A reservoir and two pipes in a row."""
    nodes = (
        NetworkNode("R", "reservoir", x, y),
        NetworkNode("J1", "junction", x + 50, y),
        NetworkNode("J2", "junction", x + 99, y),
    )
    links = (
        NetworkLink("P1", "pipe", "R", "J1", np.array([[x, y], [x + 50, y]]), {"diameter_m": 0.2}),
        NetworkLink("P2", "pipe", "J1", "J2", np.array([[x + 50, y], [x + 99, y]]), {"diameter_m": 0.1}),
    )
    return Network("water", "water", "test", nodes, links)
