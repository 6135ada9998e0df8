"""SQL of the next baseline: gathered in temporary tables of a bench, moved piece by piece, seen when all is there.

Rows of a baseline that is not in ``baseline`` are nobody's: readers ask for what is up to a published number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

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
FIRST_TABLES: Final = TABLES[:2]
"""What every baseline writes to."""
MERGED_TABLES: Final = ("source_object", "source_geometry", "contribution", "merge_priority", "merge_report")
"""What one that merges sources writes to as well."""

PIECE_BYTES: Final = 4 * 2**20
"""About how much is moved at once: a tenth of a second of the writer."""
PIECE_BYTES_MAX: Final = 256 * 2**20
"""What is moved at once at most, where rows are large: it is held in memory."""
GROUP_ROWS: Final = 122_880
"""Rows of a group of DuckDB's storage.  A checkpoint writes the last group of a table that has grown anew."""
TURNS_A_GROUP: Final = 4
"""In how many turns a group is filled, where that is more than ``PIECE_BYTES`` each: a turn may end with a checkpoint,
so many small ones would write large geometries again and again."""
FIRST_ROWS: Final = 200
"""Rows whose size tells how many make a piece."""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables ``fresh_…`` of a bench that every baseline is gathered in; none of an earlier one is left."""
    for name in _made(connection):
        connection.execute(f"DROP TABLE temp.fresh_{name}")
    begin_also(connection, FIRST_TABLES)


def begin_also(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Make tables ``fresh_…`` that not every baseline needs: to make one costs as much as to fill it."""
    for name in names:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE fresh_{name} AS SELECT * FROM main.{name} LIMIT 0")  # noqa: S608


def pieces(bench: Bench) -> Iterator[tuple[str, pa.Table]]:
    """Yield what was gathered, a table after the other, in the order in which it was written."""
    for name, count in bench.run(_gathered).items():
        there = bench.run(lambda c, name=name: c.execute(f"SELECT count(*) FROM main.{name}").fetchall()[0][0])  # type: ignore[misc]  # noqa: S608
        group_rows = min(GROUP_ROWS, there % GROUP_ROWS + count)
        start, rows = 0, FIRST_ROWS
        while start < count:
            piece = bench.run(lambda c, name=name, start=start, rows=rows: _piece(c, name, start, rows))  # type: ignore[misc]
            yield name, piece
            start += rows
            row_bytes = max(1, piece.nbytes) / piece.num_rows
            wanted = min(PIECE_BYTES_MAX, max(PIECE_BYTES, row_bytes * group_rows / TURNS_A_GROUP))
            rows = max(1, int(wanted / row_bytes))


def _made(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    }
    return [name for name in TABLES if f"fresh_{name}" in found]


def _gathered(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many rows were gathered for each table that gets any, in the order of ``TABLES``."""
    made = _made(connection)
    # One question about all of them: each statement costs more than what it finds.
    each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM temp.fresh_{name}" for name in made)  # noqa: S608
    counts = dict(connection.execute(each).fetchall())
    return {name: counts[name] for name in made if counts[name]}


def _piece(connection: duckdb.DuckDBPyConnection, name: str, start: int, rows: int) -> pa.Table:
    # Rows of a table that was only ever appended to are numbered without gaps.
    return connection.sql(
        f"SELECT * FROM temp.fresh_{name} WHERE rowid >= ? AND rowid < ? ORDER BY rowid",  # noqa: S608 -- a constant
        params=[start, start + rows],
    ).to_arrow_table()


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
