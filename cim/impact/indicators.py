"""All indicators of the city; a new one is added to this list."""

from __future__ import annotations

from collections.abc import Iterable

from cim.impact.access import access_nodes
from cim.impact.carbon import carbon_nodes
from cim.impact.connection import connection_nodes
from cim.impact.cost import cost_nodes
from cim.impact.graph import Graph, Node
from cim.impact.land import land_nodes
from cim.impact.people import people_nodes
from cim.impact.sky import sky_nodes


def indicator_graph(more: Iterable[Node] = ()) -> Graph:
    """Return the graph of all indicators, and of ``more`` that other capabilities add."""
    own = (land_nodes(), people_nodes(), cost_nodes(), carbon_nodes(), access_nodes(), connection_nodes(), sky_nodes())
    return Graph(node for group in (*own, tuple(more)) for node in group)
