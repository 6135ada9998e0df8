"""How a DuckDB file is created, connected to, migrated and checked (shell)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from cim.db.directory import DataDirectory, fsync_path
from cim.db.faults import DatabaseDamaged
from cim.db.mark import CommitMark
from cim.db.migrations import LEDGER_SQL, Applied, Migration, plan_migrations
from cim.db.settings import DatabaseSettings, StartCheck
from cim.errors import CimError, DirectoryInUse, NewerSchema, StorageFull
from cim.ports import Clock


def connect(
    path: Path, directory: DataDirectory, settings: DatabaseSettings, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Connect to a database file, take everything dangerous away, and lock that in.

    Errors of opening come as ``DatabaseDamaged``, ``NewerSchema`` or ``DirectoryInUse``.
    """
    try:
        connection = duckdb.connect(
            str(path),
            read_only=read_only,
            config={
                "threads": settings.threads,
                "memory_limit": f"{settings.memory_limit_mib}MiB",
                "temp_directory": str(directory.temporary_path),
                "max_temp_directory_size": f"{settings.temp_limit_mib}MiB",
                "checkpoint_threshold": f"{settings.checkpoint_threshold_mib}MiB",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
            },
        )
    except duckdb.Error as error:
        raise opening_error(error, directory) from error
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def inspect_database(
    directory: DataDirectory,
    settings: DatabaseSettings,
    migrations: Sequence[Migration],
    checks: Sequence[StartCheck],
    mark: CommitMark,
) -> None:
    """Look at a database without changing a byte, so that one that is refused stays as it was.

    Opened for writing, a log whose tail does not read is cut off for good at the next checkpoint.
    """
    connection = connect(directory.database_path, directory, settings, read_only=True)
    try:
        pending = plan_migrations(migrations, read_applied(connection))
        if not pending:
            mark.check(connection)
            run_checks(connection, checks)
    except duckdb.Error as error:
        raise opening_error(error, directory) from error
    finally:
        connection.close()


def create_database(
    directory: DataDirectory, settings: DatabaseSettings, migrations: Sequence[Migration], clock: Clock
) -> None:
    """Create the database so that a crash at any moment leaves either none or a whole one.

    Under a temporary name, with its schema, checkpointed, closed and forced to disk, then renamed.
    """
    fresh = directory.path / f"{directory.database_path.name}.new"
    fresh_wal = directory.path / f"{fresh.name}.wal"
    fresh.unlink(missing_ok=True)
    fresh_wal.unlink(missing_ok=True)
    connection = connect(fresh, directory, settings)
    try:
        apply_migrations(connection, migrations, clock, lambda: None)
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    if fresh_wal.exists():
        raise DatabaseDamaged("A new database could not be completed.", hint="Check the disk and try again.")
    fsync_path(fresh)
    # The mark of a city that was here before would say that this one has lost everything.
    directory.mark_path.unlink(missing_ok=True)
    fresh.rename(directory.database_path)
    fsync_path(directory.path)


def read_applied(connection: duckdb.DuckDBPyConnection) -> list[Applied]:
    """Return the migrations that a database has taken, in order."""
    has_ledger = connection.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_name = 'schema_migration'"
    ).fetchone()
    if not has_ledger:
        return []
    rows = connection.execute("SELECT number, name, sha256 FROM schema_migration ORDER BY number").fetchall()
    return [Applied(int(number), str(name), str(sha256)) for number, name, sha256 in rows]


def apply_migrations(
    connection: duckdb.DuckDBPyConnection,
    migrations: Sequence[Migration],
    clock: Clock,
    space_problem: Callable[[], StorageFull | None],
) -> tuple[Migration, ...]:
    """Bring the schema up to date, each step in its own transaction, and checkpoint after."""
    pending = plan_migrations(migrations, read_applied(connection))
    if not pending:
        return ()
    problem = space_problem()
    if problem is not None:
        raise problem
    for migration in pending:
        connection.execute("BEGIN TRANSACTION")
        try:
            connection.execute(LEDGER_SQL)
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_migration VALUES (?, ?, ?, ?)",
                [migration.number, migration.name, migration.sha256, clock.now()],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    connection.execute("CHECKPOINT")
    return pending


def run_checks(connection: duckdb.DuckDBPyConnection, checks: Sequence[StartCheck]) -> None:
    """Ask every start check; ``DatabaseDamaged`` with the first that finds something."""
    for check in checks:
        found = connection.execute(check.sql).fetchall()
        if found:
            raise DatabaseDamaged(
                f"The city contradicts itself: not so that {check.name} ({found[0][0]}).",
                hint="Commits are missing. Put back a copy, or run `cim doctor --scrub` to see what is readable.",
                check=check.name,
                found=str(found[0][0]),
            )


def opening_error(error: duckdb.Error, directory: DataDirectory) -> CimError:
    """Word what DuckDB says when a file does not open."""
    text = str(error)
    path = str(directory.path)
    if "Could not set lock" in text or "Conflicting lock" in text:
        return DirectoryInUse(
            f"Another program has the database in {path} open.", hint="Close that program and try again.", path=path
        )
    if "newer version" in text or "database file with version number" in text:
        return NewerSchema(
            f"The database in {path} was written by a newer DuckDB.",
            hint="Install the newer version of cim; nothing was changed.",
            path=path,
        )
    if "replaying WAL" in text:
        return DatabaseDamaged(
            f"The log of the city in {path} is damaged, as after a power cut; nothing was changed.",
            hint="Run `cim recover`: it keeps the originals and reads as much of the log as is whole.",
            path=path,
            part="log",
        )
    return DatabaseDamaged(
        f"The database in {path} does not open; nothing was changed.",
        hint="Put back a copy, or run `cim doctor --scrub` to see what is readable.",
        path=path,
        part="file",
    )
