"""How many groups of writes are durable, kept inside the database and beside it.

A log that was cut short, or whose sizes were damaged, opens without an error as an older city.  The
number inside the database goes back with it; the one beside it does not.  The one beside is written
after each commit and not forced to disk: after a power cut it may be older than the truth, never
newer, so it raises no false alarm.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import duckdb

from cim.db.faults import DatabaseDamaged

_log = logging.getLogger(__name__)
_WIDTH = 20


class CommitMark:
    """The last durable group's number; used by the opening thread, then by the writer's alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self.number = 0

    def check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compare both numbers; ``DatabaseDamaged`` where the database is behind.  Changes nothing."""
        self.number = read_number(connection)
        beside = read_beside(self._path)
        if beside > self.number:
            raise DatabaseDamaged(
                f"The last {beside - self.number} groups of writes are missing from the city in {self._path.parent}.",
                hint="Put the city's files back as they were, or accept the loss with `cim recover`.",
                part="log",
                missing_groups=beside - self.number,
            )

    def advance(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Count one more group, in its own transaction."""
        connection.execute("UPDATE commit_mark SET number = ?", [self.number + 1])

    def confirm(self) -> None:
        """Write down that the group is durable."""
        self.number += 1
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._fd, f"{self.number:0{_WIDTH}d}".encode(), 0)
        except OSError:
            _log.exception("the number of the last commit could not be written beside the database")

    def close(self) -> None:
        """Close the file beside the database."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def read_number(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the last group that the database holds."""
    row = connection.execute("SELECT max(number) FROM commit_mark").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def read_beside(path: Path) -> int:
    """Return the number beside the database; 0 where there is none that can be read."""
    try:
        with path.open("rb") as stream:
            return int(stream.read(_WIDTH).decode("ascii"))
    except (OSError, ValueError):
        return 0
