"""A database with a table of notes: what tests write into it and read back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

from cim.db.migrations import Migration
from cim.db.store import Database, packaged_migrations
from cim.errors import (
    InvalidInput,
)

NOTE = Migration(9000, "note", "CREATE TABLE note (text VARCHAR NOT NULL);")
MIGRATIONS = (*packaged_migrations(), NOTE)


def insert(text: str) -> Callable[[duckdb.DuckDBPyConnection], str]:
    def work(connection: duckdb.DuckDBPyConnection) -> str:
        connection.execute("INSERT INTO note VALUES (?)", [text])
        return text

    return work


def fail(connection: duckdb.DuckDBPyConnection) -> str:
    connection.execute("INSERT INTO note VALUES ('must not stay')")
    raise InvalidInput("no")


def notes(database: Database) -> list[str]:
    with database.read() as cursor:
        return [row[0] for row in cursor.execute("SELECT text FROM note ORDER BY rowid").fetchall()]


def commit_number(database: Database) -> int:
    with database.read() as cursor:
        row = cursor.execute("SELECT number FROM commit_mark").fetchone()
    assert row is not None
    return int(row[0])


class Held:
    """Holds the writer inside a write, so that what follows waits and becomes one group."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gate = threading.Event()
        self._inside = threading.Event()

    def __enter__(self) -> None:
        def work(_connection: duckdb.DuckDBPyConnection) -> None:
            self._inside.set()
            self._gate.wait(10)

        self._database.submit(work)
        assert self._inside.wait(10)

    def __exit__(self, *_: object) -> None:
        self._gate.set()
