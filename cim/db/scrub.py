"""Reads everything that is stored, because bit rot shows itself on reading only (`cim doctor --scrub`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from cim.db.connection import connect
from cim.db.directory import DataDirectory
from cim.db.settings import DatabaseSettings
from cim.db.writer import is_fatal
from cim.errors import InvalidInput

_BLOCK_NAMED = re.compile(r"block at location (\d+)")


@dataclass(frozen=True, slots=True)
class ScrubFault:
    """A column that does not read; ``byte`` is where in the file, where that is known."""

    table: str
    column: str
    byte: int | None


@dataclass(frozen=True, slots=True)
class ScrubReport:
    """How much was read, and what could not be."""

    tables: int
    columns: int
    rows: int
    faults: tuple[ScrubFault, ...]

    @property
    def sound(self) -> bool:
        """Whether everything read."""
        return not self.faults


def scrub_city(
    directory: DataDirectory,
    settings: DatabaseSettings,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ScrubReport:
    """Read every column of every table; the directory must be claimed and its database closed.

    ``on_progress`` gets the columns read so far and their total.  Changes nothing.  Raises ``DatabaseDamaged``
    where the file does not even open.
    """
    if not directory.claimed:
        raise InvalidInput("A data directory is claimed before it is read through.")
    connection = connect(directory.database_path, directory, settings, read_only=True)
    try:
        columns = [
            (str(table), str(column))
            for table, column in connection.execute(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal ORDER BY 1, column_index"
            ).fetchall()
        ]
        faults: list[ScrubFault] = []
        rows: dict[str, int] = {}
        for done, (table, column) in enumerate(columns):
            if on_progress is not None:
                on_progress(done, len(columns))
            try:
                rows[table] = _read_column(connection, table, column)
            except duckdb.Error as error:
                named = _BLOCK_NAMED.search(str(error))
                faults.append(ScrubFault(table, column, int(named.group(1)) if named else None))
                if is_fatal(error):
                    connection.close()
                    connection = connect(directory.database_path, directory, settings, read_only=True)
        return ScrubReport(len({table for table, _ in columns}), len(columns), sum(rows.values()), tuple(faults))
    finally:
        with suppress(duckdb.Error):
            connection.close()


def _read_column(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    """Decode every value of a column; the hash keeps the query from being answered by statistics."""
    sql = f'SELECT count(*), bit_xor(hash("{column}")) FROM "{table}"'  # noqa: S608 - names from the catalogue
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
