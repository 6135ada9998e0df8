"""A connection beside the writer's, for long work that must hold nobody up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TypeVar

import duckdb

T = TypeVar("T")


class BenchHome(Protocol):
    """What a bench needs of its database."""

    def lend_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own; raises ``Unavailable`` where the database is not open."""
        ...

    def take_cursor_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close it."""
        ...

    def is_open(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Tell whether it is still of the database that is open."""
        ...

    def worded(self, error: duckdb.Error, cursor: duckdb.DuckDBPyConnection) -> BaseException:
        """Return an error of the connection as the city's own."""
        ...


class Bench:
    """Reads what is committed and writes temporary tables of its own; what is to stay goes through the writer.

    Used by one thread at a time.  When the database has to be opened again, what lay in the tables is lost.
    """

    def __init__(self, home: BenchHome) -> None:
        self._home = home
        self._guard = threading.Lock()
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run work on the connection, each statement a transaction of its own."""
        with self._guard:
            if self._cursor is None or not self._home.is_open(self._cursor):
                self._cursor = self._home.lend_cursor()
            try:
                return work(self._cursor)
            except duckdb.Error as error:
                said = self._home.worded(error, self._cursor)
                if said is error:
                    raise
                raise said from error

    def close(self) -> None:
        """Give back the connection with all that lies in its tables."""
        with self._guard:
            if self._cursor is not None:
                self._home.take_cursor_back(self._cursor)
                self._cursor = None

    def __enter__(self) -> Self:
        """Return the bench."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self.close()
