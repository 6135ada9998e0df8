"""SQL of the next baseline: read from tables of a bench, moved piece by piece, seen when all is there.

Rows of a baseline that is not in ``baseline`` are nobody's: readers ask for what is up to a published number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa

from cim.city.store import current_version
from cim.db.bench import Bench
from cim.db.lending import lent

TABLES: Final = (
    *("city_object", "city_geometry", "source_object", "source_geometry", "contribution"),
    *("dataset", "merge_priority", "merge_report", "network", "network_node", "network_link"),
)
"""What a baseline writes to; each has the column ``baseline_version``."""
MERGED_TABLES: Final = (*TABLES[:5], "merge_priority", "merge_report")
"""What one that merges sources writes to."""

PIECE_BYTES: Final = 4 * 2**20
"""About how much is moved at once: a tenth of a second of the writer."""
PIECE_BYTES_MAX: Final = 256 * 2**20
"""What is moved at once at most, where rows are large: it is held in memory, and the next beside it."""
GROUP_ROWS: Final = 122_880
"""Rows of a group of DuckDB's storage.  A checkpoint writes the last group of a table that has grown anew."""
TURNS_A_GROUP: Final = 4
"""In how many turns a group is filled, where that is more than ``PIECE_BYTES`` each: a turn may end with a checkpoint,
so many small ones would write large geometries again and again."""
FIRST_ROWS: Final = 200
"""Rows whose size tells how many make a piece, where that is not known."""


class Gathered(NamedTuple):
    """Rows of a table of the next baseline that lie on a bench.

    ``sql`` reads, of ``rows`` at most, those from ``$start`` to before ``$stop`` by the names of the table's columns;
    what it leaves out is NULL.  ``size_bytes`` of all of them, 0 where it is not known.
    """

    table: str
    rows: int
    sql: str
    parameters: Mapping[str, Any]
    size_bytes: int = 0


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Take away the tables ``fresh_…`` of an earlier baseline."""
    for name in _made(connection):
        connection.execute(f"DROP TABLE temp.fresh_{name}")


def begin_also(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Make tables ``fresh_…`` to gather in; not every baseline needs them: to make one costs as much as to fill it."""
    for name in names:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE fresh_{name} AS SELECT * FROM main.{name} LIMIT 0")  # noqa: S608


def pieces(bench: Bench, gathered: Sequence[Gathered] = ()) -> Iterator[tuple[str, pa.Table]]:
    """Yield what was ``gathered``, and what lies in tables ``fresh_…``, one after the other, as they were written."""
    every = [one for one in (*gathered, *bench.run(_fresh)) if one.rows]
    there = bench.run(lambda c: _counted(c, {one.table: f"main.{one.table}" for one in every}))
    for one in every:
        group_rows = min(GROUP_ROWS, there[one.table] % GROUP_ROWS + one.rows)
        start, rows = 0, min(one.rows, _piece_rows(one.size_bytes / one.rows, group_rows))
        while start < one.rows:
            piece = bench.run(lambda c, one=one, start=start, rows=rows: _piece(c, one, start, rows))  # type: ignore[misc]
            start += rows
            if piece.num_rows:
                yield one.table, piece
                rows = _piece_rows(max(1, piece.nbytes) / piece.num_rows, group_rows)


def _piece_rows(row_bytes: float, group_rows: int) -> int:
    """Return how many rows make a piece."""
    if not row_bytes:
        return FIRST_ROWS
    wanted = min(PIECE_BYTES_MAX, max(PIECE_BYTES, row_bytes * group_rows / TURNS_A_GROUP))
    return max(1, int(wanted / row_bytes))


def _made(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    }
    return [name for name in TABLES if f"fresh_{name}" in found]


def _fresh(connection: duckdb.DuckDBPyConnection) -> list[Gathered]:
    """Return what lies in tables ``fresh_…``, in the order of ``TABLES``."""
    # Rows of a table that was only ever appended to are numbered without gaps.
    counts = _counted(connection, {name: f"temp.fresh_{name}" for name in _made(connection)})
    read = "SELECT * FROM temp.fresh_{} WHERE rowid >= $start AND rowid < $stop ORDER BY rowid"
    return [Gathered(name, rows, read.format(name), {}) for name, rows in counts.items()]


def _counted(connection: duckdb.DuckDBPyConnection, relations: Mapping[str, str]) -> dict[str, int]:
    """Return how many rows some relations have, by the names that they are given here."""
    if not relations:
        return {}
    # One question about all of them: each statement costs more than what it finds.
    each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {relation}" for name, relation in relations.items())  # noqa: S608
    counts = dict(connection.execute(each).fetchall())
    return {name: counts[name] for name in relations}


def _piece(connection: duckdb.DuckDBPyConnection, one: Gathered, start: int, rows: int) -> pa.Table:
    return connection.sql(one.sql, params={**one.parameters, "start": start, "stop": start + rows}).to_arrow_table()


def append(connection: duckdb.DuckDBPyConnection, name: str, piece: pa.Table) -> None:
    """Append a piece to its table, in the writer's transaction."""
    with lent(connection, "fresh_rows", piece):
        connection.execute(f"INSERT INTO main.{name} BY NAME SELECT * FROM fresh_rows")  # noqa: S608 -- a constant


def has_unpublished(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether a publication that did not reach its end has left rows."""
    left = " UNION ALL ".join(f"SELECT 1 FROM {name} WHERE baseline_version > $version" for name in TABLES)  # noqa: S608
    found = connection.execute(f"SELECT EXISTS ({left})", {"version": current_version(connection)}).fetchall()
    return bool(found[0][0])


def clear_unpublished(connection: duckdb.DuckDBPyConnection) -> None:
    """Take away what a publication that did not reach its end has left."""
    version = current_version(connection)
    for name in TABLES:
        connection.execute(f"DELETE FROM {name} WHERE baseline_version > ?", [version])  # noqa: S608 -- a constant
