"""What a solver says of a day: states of the elements of a network, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.findings import Finding
from cim.networks.model import Network, NetworkLink, NetworkNode
from cim.units import SECONDS_PER_DAY

FloatArray = NDArray[np.float64]

STEP_S: Final = 900.0
"""States are kept every quarter of an hour."""

TIMES_S: Final[FloatArray] = np.arange(0.0, SECONDS_PER_DAY, STEP_S, dtype=np.float64)
"""Seconds after local midnight of every state, shape (96,)."""


@dataclass(frozen=True, slots=True)
class States:
    """One observed property of many elements over a day.

    ``values`` has shape (96, n), in ``unit`` (UCUM), one column per element id.
    """

    observed_property: str
    unit: str
    element_ids: tuple[str, ...]
    values: FloatArray

    def column(self, element_id: str) -> FloatArray:
        """Return the day of one element, shape (96,)."""
        return np.asarray(self.values[:, self.element_ids.index(element_id)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Solved:
    """A network with its states of one day and the solver's findings."""

    network: Network
    states: tuple[States, ...]
    findings: tuple[Finding, ...]

    def of(self, observed_property: str) -> States:
        """Return the states of an observed property; ``KeyError`` if there are none."""
        for states in self.states:
            if states.observed_property == observed_property:
                return states
        raise KeyError(observed_property)


Facts = Mapping[str, Mapping[str, float]]
"""What the day says of an element, by element id and attribute name."""


def with_facts(network: Network, facts: Facts) -> Network:
    """Add what the solved day says of the elements to their attributes, rounded to six digits."""

    def joined(item: NetworkNode | NetworkLink) -> dict[str, str | int | float | bool | None]:
        said = {name: float(f"{value:.6g}") for name, value in facts.get(item.element_id, {}).items()}
        return {**item.attributes, **said}

    return replace(
        network,
        nodes=tuple(replace(node, attributes=joined(node)) for node in network.nodes),
        links=tuple(replace(link, attributes=joined(link)) for link in network.links),
    )


def over_the_day(hourly: FloatArray) -> FloatArray:
    """Interpolate 24 values at the full hours, the day repeating, to shape (96,)."""
    hours = np.arange(25) * 3600.0
    return np.asarray(np.interp(TIMES_S, hours, np.append(hourly, hourly[0])), dtype=np.float64)
