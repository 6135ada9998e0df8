"""Networks: junctions and what joins them; a network is a snapshot of a baseline.

Words follow EPANET (junction, reservoir, tank, pipe, pump, valve) and IEC 61968 (bus, feeder,
transformer).  ``element_id`` is unique within its network over nodes and links together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NetworkKind = Literal["water", "power", "street", "gas"]


@dataclass(frozen=True, slots=True)
class NetworkNode:
    """A node: ``kind`` junction, reservoir, tank, bus, source, transformer, intersection.

    ``x``, ``y`` metres in the working CRS, ``z`` metres of elevation.
    """

    element_id: str
    kind: str
    x: float
    y: float
    z: float = 0.0
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkLink:
    """A link: ``kind`` pipe, pump, valve, line, street.  ``line`` has shape (n, 2), metres."""

    element_id: str
    kind: str
    from_node: str
    to_node: str
    line: NDArray[np.float64]
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Network:
    """A whole network: ``id`` is a short word (``water``), ``dataset`` says where it comes from.

    ``attributes`` are facts of the network as a whole, such as how it is run, as JSON can say them.
    """

    id: str
    kind: NetworkKind
    dataset: str
    nodes: tuple[NetworkNode, ...]
    links: tuple[NetworkLink, ...]
    generated: bool = False
    attributes: Mapping[str, object] = field(default_factory=dict)
