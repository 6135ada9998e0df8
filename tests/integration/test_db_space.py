"""A disk that is nearly full, or full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from cim.db.directory import DataDirectory
from cim.db.settings import MEBIBYTE, DatabaseSettings
from cim.db.store import Database
from cim.errors import (
    StorageFull,
    Unavailable,
)
from tests.support.notes_database import MIGRATIONS, Held, insert, notes


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    with DataDirectory(tmp_path / "city") as claimed:
        yield claimed


@pytest.fixture
def database(directory: DataDirectory) -> Iterator[Database]:
    with Database.open(directory, migrations=MIGRATIONS) as opened:
        yield opened


class TestSpace:
    def test_writes_are_refused_early_and_reading_goes_on(self, directory: DataDirectory) -> None:
        free = [2**40]
        with Database.open(directory, migrations=MIGRATIONS, free_bytes=lambda _: free[0]) as database:
            database.submit(insert("a")).result()
            free[0] = 200 * MEBIBYTE
            with pytest.raises(StorageFull) as refused:
                database.submit(insert("b")).result()
            assert int(str(refused.value.params["needed_bytes"])) >= 256 * MEBIBYTE
            assert notes(database) == ["a"]
            free[0] = 2**40
            database.submit(insert("c")).result()
            assert notes(database) == ["a", "c"]

    def test_a_city_is_not_begun_on_a_full_disk(self, directory: DataDirectory) -> None:
        with pytest.raises(StorageFull):
            Database.open(directory, free_bytes=lambda _: 0)
        assert not directory.database_path.exists()

    @pytest.mark.root
    def test_a_full_disk_at_commit_or_checkpoint_loses_nothing_acknowledged(self, small_disk: Path) -> None:
        # Without the early refusal, so that the disk really fills under DuckDB.
        settings = DatabaseSettings(
            checkpoint_threshold_mib=2, free_margin_bytes=0, free_wal_factor=0, reopen_wait_s=0.05
        )
        stored = 0
        refused: list[BaseException] = []
        with DataDirectory(small_disk / "city") as directory:
            with Database.open(directory, settings, migrations=MIGRATIONS) as database:
                for number in range(60):
                    error = database.submit(insert(f"{number}:" + os.urandom(300_000).hex())).exception()
                    if error is None:
                        stored += 1
                    else:
                        refused.append(error)
                    if len(refused) == 3:
                        break
                assert stored
                assert refused
                assert [e for e in refused if not isinstance(e, StorageFull | Unavailable)] == []
                assert len(notes(database)) == stored
                # Room again, and the same open database goes on.
                (small_disk / "ballast").unlink()
                assert database.submit(insert("after")).result() == "after"
                assert len(notes(database)) == stored + 1
            with Database.open(directory, settings, migrations=MIGRATIONS) as database:
                assert len(notes(database)) == stored + 1

    def test_after_a_fatal_error_the_city_is_opened_again_and_the_group_is_refused(
        self, directory: DataDirectory
    ) -> None:
        with Database.open(directory, migrations=MIGRATIONS) as database:

            def stop(connection: duckdb.DuckDBPyConnection) -> str:
                connection.execute("INSERT INTO note VALUES ('lost')")
                raise duckdb.FatalException("FATAL Error: database has been invalidated")

            database.submit(insert("before")).result()
            with Held(database):
                futures = [database.submit(work) for work in (insert("x"), stop, insert("y"))]
            assert all(isinstance(future.exception(), Unavailable) for future in futures)
            assert notes(database) == ["before"]
            assert database.submit(insert("after")).result() == "after"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 24 MB, of which 6 MB are ballast that a test may throw off."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here ({errno.errorcode.get(done.returncode, done.returncode)})")
    (mount / "ballast").write_bytes(b"\0" * 6 * MEBIBYTE)
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)
