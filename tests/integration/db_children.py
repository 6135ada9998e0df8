"""What the child processes of the database tests do; each is killed or outlived by its test."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import duckdb

from cim.db.directory import DataDirectory
from cim.db.migrations import Migration
from cim.db.settings import DatabaseSettings, gapless_check
from cim.db.store import Database, packaged_migrations

BATCH_SQL = "CREATE TABLE batch (batch_id BIGINT NOT NULL, payload VARCHAR NOT NULL);"
MIGRATIONS = (*packaged_migrations(), Migration(9000, "batch", BATCH_SQL))
CHECKS = (gapless_check("batch"),)
# A small threshold, so that checkpoints fall into the loop and kills into checkpoints.
SETTINGS = DatabaseSettings(checkpoint_threshold_mib=1)


def append_batch(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM batch").fetchone()
    assert row is not None
    connection.execute("INSERT INTO batch VALUES (?, ?)", [row[0], os.urandom(2000).hex()])
    return int(row[0])


def commit_forever(path: Path) -> None:
    """Print every acknowledged number, until killed."""
    with (
        DataDirectory(path) as directory,
        Database.open(directory, SETTINGS, migrations=MIGRATIONS, checks=CHECKS) as database,
    ):

        def acknowledge(future: Future[int]) -> None:
            os.write(1, f"{future.result()}\n".encode())

        while True:
            futures = [database.submit(append_batch) for _ in range(5)]
            for future in futures:
                future.add_done_callback(acknowledge)
            futures[-1].result()


def hold(path: Path, address: str) -> None:
    """Own a directory until killed."""
    directory = DataDirectory(path).claim()
    if address:
        directory.publish_address(address, "secret-token")
    os.write(1, b"held\n")
    time.sleep(60)


def leave_log(path: Path, count: int) -> None:
    """Commit some batches and die without a checkpoint."""
    directory = DataDirectory(path).claim()
    database = Database.open(directory, migrations=MIGRATIONS, checks=CHECKS)
    for _ in range(count):
        database.submit(append_batch).result()
    os._exit(9)


if __name__ == "__main__":
    if sys.argv[1] == "commit":
        commit_forever(Path(sys.argv[2]))
    elif sys.argv[1] == "hold":
        hold(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "leave-log":
        leave_log(Path(sys.argv[2]), int(sys.argv[3]))
