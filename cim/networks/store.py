"""SQL of networks: each is written whole, as a snapshot of a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import shapely

from cim.db.lending import lent
from cim.networks.model import Network, NetworkLink, NetworkNode


def write_network(connection: duckdb.DuckDBPyConnection, network: Network, version: int) -> None:
    """Write a network as the snapshot of a baseline, in the caller's transaction."""
    connection.execute(
        "INSERT INTO network (id, baseline_version, kind, dataset, generated, attributes, withdrawn)"
        " VALUES (?, ?, ?, ?, ?, ?, false)",
        [network.id, version, network.kind, network.dataset, network.generated, _attributes(network.attributes)],
    )
    if network.nodes:
        _insert(connection, "network_node", _node_table(network, version))
    if network.links:
        _insert(connection, "network_link", _link_table(network, version))


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    with lent(connection, "incoming_elements", rows):
        connection.execute(f"INSERT INTO {table} SELECT * FROM incoming_elements")  # noqa: S608 -- two constant names


def _attributes(attributes: Mapping[str, object]) -> str:
    return orjson.dumps(dict(attributes)).decode()


def _node_table(network: Network, version: int) -> pa.Table:
    nodes = network.nodes
    return pa.table(
        {
            "network_id": [network.id] * len(nodes),
            "baseline_version": [version] * len(nodes),
            "element_id": [node.element_id for node in nodes],
            "kind": [node.kind for node in nodes],
            "x": [float(node.x) for node in nodes],
            "y": [float(node.y) for node in nodes],
            "z": [float(node.z) for node in nodes],
            "attributes": [_attributes(node.attributes) for node in nodes],
        }
    )


def _link_table(network: Network, version: int) -> pa.Table:
    links = network.links
    lines = shapely.to_wkb(np.array([shapely.linestrings(link.line[:, :2]) for link in links], dtype=object))
    return pa.table(
        {
            "network_id": [network.id] * len(links),
            "baseline_version": [version] * len(links),
            "element_id": [link.element_id for link in links],
            "kind": [link.kind for link in links],
            "from_node": [link.from_node for link in links],
            "to_node": [link.to_node for link in links],
            "line": pa.array(lines.tolist(), pa.binary()),
            "attributes": [_attributes(link.attributes) for link in links],
        }
    )


def read_networks(connection: duckdb.DuckDBPyConnection, version: int) -> list[Network]:
    """Return each network in its newest snapshot up to a baseline."""
    rows = connection.execute(
        """SELECT id, kind, dataset, generated, attributes, baseline_version FROM network WHERE baseline_version <= ?
           QUALIFY row_number() OVER (PARTITION BY id ORDER BY baseline_version DESC) = 1
               AND NOT coalesce(withdrawn, false) ORDER BY id""",
        [version],
    ).fetchall()
    return [
        Network(
            id=identifier,
            kind=kind,
            dataset=dataset,
            nodes=_read_nodes(connection, identifier, at),
            links=_read_links(connection, identifier, at),
            generated=generated,
            attributes=orjson.loads(attributes or "{}"),
        )
        for identifier, kind, dataset, generated, attributes, at in rows
    ]


def _read_nodes(connection: duckdb.DuckDBPyConnection, network_id: str, version: int) -> tuple[NetworkNode, ...]:
    rows = connection.execute(
        "SELECT element_id, kind, x, y, z, attributes FROM network_node WHERE network_id = ? AND baseline_version = ?",
        [network_id, version],
    ).fetchall()
    return tuple(
        NetworkNode(element_id, kind, x, y, z, orjson.loads(attributes))
        for element_id, kind, x, y, z, attributes in rows
    )


def _read_links(connection: duckdb.DuckDBPyConnection, network_id: str, version: int) -> tuple[NetworkLink, ...]:
    rows = connection.execute(
        """SELECT element_id, kind, from_node, to_node, line, attributes
           FROM network_link WHERE network_id = ? AND baseline_version = ?""",
        [network_id, version],
    ).fetchall()
    lines = shapely.from_wkb(np.array([row[4] for row in rows], dtype=object)) if rows else []
    return tuple(
        NetworkLink(element_id, kind, start, end, shapely.get_coordinates(line), orjson.loads(attributes))
        for (element_id, kind, start, end, _, attributes), line in zip(rows, lines, strict=True)
    )
