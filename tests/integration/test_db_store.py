"""Groups of writes, retries, readers, the schema."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from cim.db.directory import DataDirectory
from cim.db.faults import DatabaseDamaged, SchemaChanged
from cim.db.migrations import Migration
from cim.db.settings import DatabaseSettings, StartCheck, gapless_check
from cim.db.store import Database, packaged_migrations
from cim.errors import (
    CimError,
    Conflict,
    IntegrityError,
    InvalidInput,
    LimitExceeded,
    NewerSchema,
    Unavailable,
)
from tests.support.notes_database import MIGRATIONS, NOTE, Held, commit_number, fail, insert, notes


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    with DataDirectory(tmp_path / "city") as claimed:
        yield claimed


@pytest.fixture
def database(directory: DataDirectory) -> Iterator[Database]:
    with Database.open(directory, migrations=MIGRATIONS) as opened:
        yield opened


class TestGroups:
    def test_many_waiting_writes_are_one_commit_in_their_order(self, database: Database) -> None:
        before = commit_number(database)
        seen: list[str] = []
        with Held(database):
            futures = [database.submit(insert(str(n)), on_commit=seen.append) for n in range(200)]
        assert [future.result() for future in futures] == [str(n) for n in range(200)]
        assert notes(database) == seen == [str(n) for n in range(200)]
        assert commit_number(database) == before + 2

    def test_a_failing_write_fails_alone(self, database: Database) -> None:
        before = commit_number(database)
        with Held(database):
            futures = [database.submit(fail if n in {3, 7} else insert(str(n))) for n in range(10)]
        errors = [future.exception() for future in futures]
        assert [n for n, error in enumerate(errors) if error] == [3, 7]
        assert isinstance(errors[3], InvalidInput)
        assert notes(database) == ["0", "1", "2", "4", "5", "6", "8", "9"]
        assert commit_number(database) == before + 4

    def test_an_sql_error_that_a_write_swallows_does_not_drop_its_neighbours(self, database: Database) -> None:
        def swallow(connection: duckdb.DuckDBPyConnection) -> str:
            with suppress(duckdb.Error):
                connection.execute("SELECT * FROM nowhere")
            return "all is well"

        with Held(database):
            first, bad, last = (database.submit(work) for work in (insert("a"), swallow, insert("b")))
        assert (first.result(), last.result()) == ("a", "b")
        assert isinstance(bad.exception(), duckdb.Error)
        assert notes(database) == ["a", "b"]

    @pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
    def test_a_write_that_ends_the_transaction_is_refused(self, database: Database, statement: str) -> None:
        with Held(database):
            first, bad, last = (
                database.submit(work)
                for work in (insert("a"), lambda connection: connection.execute(statement) and None, insert("b"))
            )
        assert isinstance(bad.exception(), IntegrityError | duckdb.Error)
        assert (first.result(), last.result()) == ("a", "b")
        assert {"a", "b"} <= set(notes(database))

    def test_a_cancelled_write_is_not_done(self, database: Database) -> None:
        with Held(database):
            future = database.submit(insert("never"))
            assert future.cancel()
        database.submit(insert("after")).result()
        assert notes(database) == ["after"]

    def test_what_follows_a_commit_may_fail(self, database: Database) -> None:
        def burst(_text: str) -> None:
            raise RuntimeError

        assert database.submit(insert("a"), on_commit=burst).result() == "a"
        assert database.submit(insert("b")).result() == "b"

    async def test_writes_are_awaited_without_blocking_the_loop(self, database: Database) -> None:
        with Held(database):
            waiting = [asyncio.create_task(database.write(insert(str(n)))) for n in range(20)]
            await asyncio.sleep(0.05)
            assert not any(task.done() for task in waiting)
        assert await asyncio.gather(*waiting) == [str(n) for n in range(20)]

    def test_closing_commits_what_waits_and_refuses_what_follows(self, directory: DataDirectory) -> None:
        database = Database.open(directory, migrations=MIGRATIONS)
        with Held(database):
            futures = [database.submit(insert(str(n))) for n in range(50)]
            closing = threading.Thread(target=database.close)
            closing.start()
        closing.join(10)
        assert all(future.result(0) for future in futures)
        with pytest.raises(Unavailable):
            database.submit(insert("late"))
        with pytest.raises(Unavailable), database.read():
            pass
        with Database.open(directory, migrations=MIGRATIONS) as again:
            assert len(notes(again)) == 50

    def test_the_queue_is_bounded(self, directory: DataDirectory) -> None:
        settings = DatabaseSettings(write_queue_max=3)
        with Database.open(directory, settings, migrations=MIGRATIONS) as database:
            with Held(database):
                futures = [database.submit(insert(str(n))) for n in range(3)]
                with pytest.raises(LimitExceeded) as refused:
                    database.submit(insert("one too many"))
            assert refused.value.params == {"limit": "write_queue_max", "value": 3}
            assert [future.result() for future in futures] == ["0", "1", "2"]


class TestIdempotency:
    def test_a_retry_answers_the_same_and_writes_once(self, directory: DataDirectory) -> None:
        calls: list[int] = []

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, object]:
            calls.append(1)
            insert("once")(connection)
            return {"id": "x:1", "n": len(calls)}

        with Database.open(directory, migrations=MIGRATIONS) as database:
            first = database.submit(work, idempotency_key="k").result()
            assert database.submit(work, idempotency_key="k").result() == first
        with Database.open(directory, migrations=MIGRATIONS) as database:
            assert database.submit(work, idempotency_key="k").result() == first
            assert notes(database) == ["once"]
        assert calls == [1]

    def test_two_with_one_key_in_one_group_write_once(self, database: Database) -> None:
        with Held(database):
            futures = [database.submit(insert("twice"), idempotency_key="k") for _ in range(2)]
        assert [future.result() for future in futures] == ["twice", "twice"]
        assert notes(database) == ["twice"]

    def test_a_failed_write_may_be_tried_again_with_its_key(self, database: Database) -> None:
        assert isinstance(database.submit(fail, idempotency_key="k").exception(), InvalidInput)
        assert database.submit(insert("now"), idempotency_key="k").result() == "now"

    def test_a_key_of_another_request_is_refused(self, database: Database) -> None:
        database.submit(insert("a"), idempotency_key="k", fingerprint="1").result()
        with pytest.raises(Conflict) as refused:
            database.submit(insert("b"), idempotency_key="k", fingerprint="2").result()
        assert refused.value.problem_code == "idempotency-key-reused"
        assert notes(database) == ["a"]

    @pytest.mark.parametrize("key", ["", "x" * 201])
    def test_a_key_has_a_sane_length(self, database: Database, key: str) -> None:
        with pytest.raises(InvalidInput):
            database.submit(insert("a"), idempotency_key=key)

    @pytest.mark.parametrize("result", ["x" * 70_000, float("nan"), object()])
    def test_a_result_that_cannot_be_kept_undoes_the_write(self, database: Database, result: object) -> None:
        def work(connection: duckdb.DuckDBPyConnection) -> object:
            insert("must not stay")(connection)
            return result

        assert database.submit(work, idempotency_key="k").exception() is not None
        assert notes(database) == []

    def test_a_key_is_forgotten_after_a_week(self, directory: DataDirectory) -> None:
        clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
        for days, expected in ((0, ["a"]), (6.9, ["a"]), (7.1, ["a", "a"])):
            clock.instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
            with Database.open(directory, clock=clock, migrations=MIGRATIONS) as database:
                database.submit(insert("a"), idempotency_key="k").result()
                assert notes(database) == expected


class FixedClock:
    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return time.monotonic()


class TestReading:
    def test_a_reader_sees_one_snapshot_and_cannot_write(self, database: Database) -> None:
        database.submit(insert("a")).result()
        with database.read() as cursor:
            assert cursor.execute("SELECT count(*) FROM note").fetchone() == (1,)
            database.submit(insert("b")).result()
            assert cursor.execute("SELECT count(*) FROM note").fetchone() == (1,)
            with pytest.raises(duckdb.Error):
                cursor.execute("INSERT INTO note VALUES ('c')")
        assert notes(database) == ["a", "b"]

    def test_readers_are_bounded(self, directory: DataDirectory) -> None:
        settings = DatabaseSettings(readers_max=2, reader_wait_s=0.05)
        with Database.open(directory, settings, migrations=MIGRATIONS) as database:
            with database.read(), database.read(), pytest.raises(LimitExceeded) as refused, database.read():
                pass
            assert refused.value.params["limit"] == "readers_max"
            assert notes(database) == []

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "COPY note TO '/tmp/cim-must-not-be-written.csv'",
            "ATTACH '/tmp/cim-must-not-be-written.duckdb'",
            "INSTALL spatial",
            "SET enable_external_access = true",
            "SET threads = 64",
        ],
    )
    def test_sql_reaches_nothing_but_the_city(self, database: Database, statement: str) -> None:
        with database.read() as cursor, pytest.raises(duckdb.Error):
            cursor.execute(statement)


class TestSchema:
    def test_a_newer_schema_is_refused_unchanged(self, directory: DataDirectory) -> None:
        with Database.open(directory, migrations=MIGRATIONS):
            pass
        before = directory.database_path.read_bytes()
        with pytest.raises(NewerSchema, match="9000") as refused:
            Database.open(directory, migrations=packaged_migrations())
        assert refused.value.hint
        assert directory.database_path.read_bytes() == before

    def test_a_changed_migration_is_refused_unchanged(self, directory: DataDirectory) -> None:
        with Database.open(directory, migrations=MIGRATIONS):
            pass
        before = directory.database_path.read_bytes()
        changed = replace(NOTE, sql=NOTE.sql + " -- a change")
        with pytest.raises(SchemaChanged, match="9000_note"):
            Database.open(directory, migrations=(*packaged_migrations(), changed))
        assert directory.database_path.read_bytes() == before

    def test_an_older_city_is_brought_up_to_date_and_keeps_its_rows(self, directory: DataDirectory) -> None:
        with Database.open(directory, migrations=MIGRATIONS) as database:
            database.submit(insert("old")).result()
        more = Migration(9001, "note_more", "ALTER TABLE note ADD COLUMN more INTEGER; UPDATE note SET more = 1;")
        with Database.open(directory, migrations=(*MIGRATIONS, more)) as database, database.read() as cursor:
            assert cursor.execute("SELECT text, more FROM note").fetchall() == [("old", 1)]
        assert not directory.wal_path.exists()

    def test_a_migration_that_fails_leaves_the_city_as_it_was(self, directory: DataDirectory) -> None:
        with Database.open(directory, migrations=MIGRATIONS) as database:
            database.submit(insert("old")).result()
        broken = Migration(9001, "broken", "CREATE TABLE half (a INTEGER); SELECT * FROM nowhere;")
        with pytest.raises(CimError):
            Database.open(directory, migrations=(*MIGRATIONS, broken))
        with Database.open(directory, migrations=MIGRATIONS) as database:
            assert notes(database) == ["old"]
            with database.read() as cursor, pytest.raises(duckdb.CatalogException):
                cursor.execute("SELECT * FROM half")

    def test_start_checks_are_asked(self, directory: DataDirectory) -> None:
        batch = Migration(9000, "batch", "CREATE TABLE batch (batch_id BIGINT);")
        migrations = (*packaged_migrations(), batch)
        checks = (gapless_check("batch"),)
        with Database.open(directory, migrations=migrations, checks=checks) as database:
            fill = "INSERT INTO batch VALUES (1), (2), (4)"
            database.submit(lambda connection: connection.execute(fill) and None).result()
        with pytest.raises(DatabaseDamaged, match="batch_id is gapless"):
            Database.open(directory, migrations=migrations, checks=checks)
        never = StartCheck("nothing is wrong", "SELECT 1 WHERE false")
        with Database.open(directory, migrations=migrations, checks=[never]):
            pass

    def test_a_directory_is_claimed_first(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput):
            Database.open(DataDirectory(tmp_path))

    def test_a_file_cannot_be_a_city(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(InvalidInput, match="is a file"):
            DataDirectory(tmp_path / "file").claim()
