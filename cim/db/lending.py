"""Arrow tables as relations of one connection: replacement scans are off, so they are registered by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa


@contextmanager
def lent(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table | pa.RecordBatch) -> Iterator[None]:
    """Lend a table to SQL under a name, for as long as the block lasts."""
    connection.register(name, pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table)
    try:
        yield
    finally:
        connection.unregister(name)
