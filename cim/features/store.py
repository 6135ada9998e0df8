"""The columns of a collection in a DuckDB of their own, in memory: where filters and orders are worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cim.features.columns import ROW
from cim.features.cql2_sql import Compiled
from cim.features.model_types import Scalar

MEMORY_MAX: Final = "1GB"


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a page begins: the values of the feature before it, and the first position whose id comes after its id."""

    values: tuple[Scalar | None, ...]
    first: int


Sort = tuple[str, bool]
"""A column, and whether its largest comes first."""


class FeatureTable:
    """One collection; may be asked from several threads."""

    def __init__(self, columns: pa.Table) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": MEMORY_MAX,
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self._connection.register("incoming", columns)
        self._connection.execute("CREATE TABLE features AS SELECT * FROM incoming").fetchall()
        self._connection.unregister("incoming")
        self._connection.execute("SET lock_configuration = true").fetchall()

    def positions(
        self, asked: Compiled, areas: Sequence[pa.Array], sorts: Sequence[Sort], behind: Behind | None
    ) -> tuple[NDArray[np.int64], int]:
        """Return the positions of the features that meet what is asked, in order, and how many come before the page.

        ``areas`` tell for every feature whether it meets each of ``asked.areas``.
        """
        later, values = _later(sorts, behind)
        source = "features"
        with self._connection.cursor() as cursor_:
            if areas:
                names = [f"a{number}" for number in range(len(areas))]
                positions = pa.array(range(len(areas[0])), pa.int64())
                cursor_.register("areas", pa.table([positions, *areas], names=[ROW, *names]))
                source = f"features JOIN areas USING ({ROW})"
            order = ", ".join([*(f"{name} {_direction(down=down)} NULLS LAST" for name, down in sorts), ROW])
            found = cursor_.execute(
                f"SELECT {ROW}, {later} AS later FROM {source} WHERE {asked.sql} ORDER BY {order}",  # noqa: S608
                [*values, *asked.parameters],
            ).fetchnumpy()
            if areas:
                cursor_.unregister("areas")
        on_page = np.asarray(found["later"])
        before = len(on_page) if behind is not None else 0
        if behind is not None and on_page.any():
            before = int(np.argmax(on_page))
        return np.asarray(found[ROW]), before

    def values(self, position: int, columns: Sequence[str]) -> tuple[Scalar | None, ...]:
        """Return what one feature has in some columns."""
        if not columns:
            return ()
        with self._connection.cursor() as cursor:
            (row,) = cursor.execute(
                f"SELECT {', '.join(columns)} FROM features WHERE {ROW} = ?",  # noqa: S608 -- names of our own
                [position],
            ).fetchall()
        return tuple(row)


def _direction(*, down: bool) -> str:
    return "DESC" if down else "ASC"


def _later(sorts: Sequence[Sort], behind: Behind | None) -> tuple[str, list[Scalar]]:
    """Return SQL that is true of features behind a cursor, and its parameters: the order, column by column."""
    if behind is None:
        return "TRUE", []
    parameters: list[Scalar] = []
    ways: list[str] = []
    equal: list[str] = []
    fixed: list[Scalar] = []
    for (name, down), value in zip(sorts, behind.values, strict=True):
        if value is not None:
            ways.append(" AND ".join([*equal, f"({name} {'<' if down else '>'} ? OR {name} IS NULL)"]))
            parameters += [*fixed, value]
            equal.append(f"{name} = ?")
            fixed.append(value)
        else:
            equal.append(f"{name} IS NULL")
    ways.append(" AND ".join([*equal, f"{ROW} >= ?"]))
    parameters += [*fixed, behind.first]
    return "(" + " OR ".join(f"COALESCE({way}, FALSE)" for way in ways) + ")", parameters
