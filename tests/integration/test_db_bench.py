"""A connection beside the writer's: what it sees, what it keeps, what it loses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import LimitExceeded, Unavailable
from tests.support.notes_database import MIGRATIONS, Held, insert, notes


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path / "city") as claimed, Database.open(claimed, migrations=MIGRATIONS) as opened:
        yield opened


def rows(sql: str) -> Any:
    return lambda connection: connection.execute(sql).fetchall()


def test_it_works_while_the_writer_is_held_and_sees_what_is_committed(database: Database) -> None:
    database.submit(insert("first")).result()
    with database.bench() as bench:
        with Held(database):
            later = database.submit(insert("second"))
            bench.run(rows("CREATE TEMP TABLE mine AS SELECT 7 AS n"))
            assert bench.run(rows("SELECT count(*) FROM note")) == [(1,)]
        later.result()
        assert bench.run(rows("SELECT count(*) FROM note")) == [(2,)]
        assert bench.run(rows("SELECT n FROM mine")) == [(7,)]
    assert notes(database) == ["first", "second"]


def test_benches_do_not_see_each_other(database: Database) -> None:
    with database.bench() as one, database.bench() as other:
        one.run(rows("CREATE TEMP TABLE mine AS SELECT 7 AS n"))
        with pytest.raises(duckdb.CatalogException):
            other.run(rows("SELECT n FROM mine"))
        assert one.run(rows("SELECT n FROM mine")) == [(7,)], "a wrong statement leaves the others alone"


def test_a_database_that_is_opened_again_takes_its_tables_and_not_the_bench(database: Database) -> None:
    with database.bench() as bench:
        bench.run(rows("CREATE TEMP TABLE mine AS SELECT 7 AS n"))
        database.reopen()
        with pytest.raises(duckdb.CatalogException):
            bench.run(rows("SELECT n FROM mine"))
        assert bench.run(rows("SELECT count(*) FROM note")) == [(0,)]


def test_want_of_memory_and_a_closed_database_are_said_in_our_words(database: Database) -> None:
    bench = database.bench()

    def too_much(_connection: duckdb.DuckDBPyConnection) -> None:
        raise duckdb.OutOfMemoryException("failed to allocate")

    with pytest.raises(LimitExceeded):
        bench.run(too_much)
    database.close()
    with pytest.raises(Unavailable):
        bench.run(rows("SELECT 1"))
