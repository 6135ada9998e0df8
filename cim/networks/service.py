"""Networks of the newest baseline, kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import duckdb

from cim.db.store import Database
from cim.networks.model import Network
from cim.networks.store import read_networks, write_network

BASELINES_KEPT_MAX: Final = 3
"""Baselines whose networks are remembered: schemes may stand on older ones."""


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
        self._kept: OrderedDict[int, tuple[Network, ...]] = OrderedDict()

    def networks(self, baseline_version: int) -> tuple[Network, ...]:
        """Return the networks of a baseline."""
        with self._guard:
            if baseline_version not in self._kept:
                with self._database.read() as cursor:
                    self._kept[baseline_version] = tuple(read_networks(cursor, baseline_version))
                while len(self._kept) > BASELINES_KEPT_MAX:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(baseline_version)
            return self._kept[baseline_version]
