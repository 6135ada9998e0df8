"""Networks of the newest baseline, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

from cim.db.store import Database
from cim.networks.model import Network
from cim.networks.store import read_networks, write_network


def snapshot_of(network: Network) -> Callable[[duckdb.DuckDBPyConnection, int], None]:
    """Return what writes a network beside a baseline, in the baseline's transaction."""

    def write(connection: duckdb.DuckDBPyConnection, baseline_version: int) -> None:
        write_network(connection, network, baseline_version)

    return write


class NetworkService:
    """The networks of a city, read once per baseline."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._version = -1
        self._networks: tuple[Network, ...] = ()

    def networks(self, baseline_version: int) -> tuple[Network, ...]:
        """Return the networks of a baseline."""
        with self._guard:
            if self._version != baseline_version:
                with self._database.read() as cursor:
                    self._networks = tuple(read_networks(cursor, baseline_version))
                self._version = baseline_version
            return self._networks
