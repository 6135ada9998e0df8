"""The database of one city: opens it safely, writes through one writer, reads through many cursors."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from cim.db.bench import Bench
from cim.db.connection import (
    apply_migrations,
    connect,
    create_database,
    inspect_database,
    opening_error,
    run_checks,
)
from cim.db.directory import DataDirectory
from cim.db.faults import DatabaseDamaged
from cim.db.idempotency import IdempotencyLedger
from cim.db.mark import CommitMark
from cim.db.migrations import Migration, read_migrations
from cim.db.settings import MEBIBYTE, DatabaseSettings, StartCheck, free_bytes_needed
from cim.db.writer import T, Work, Writer, is_fatal, worded
from cim.errors import CimError, InvalidInput, LimitExceeded, StorageFull, Unavailable
from cim.ports import Clock, SystemClock

_log = logging.getLogger(__name__)
_REOPEN_TRIES = 3


def packaged_migrations() -> tuple[Migration, ...]:
    """Return the migrations that come with the program."""
    folder = resources.files("cim.db").joinpath("migrations")
    files = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    return read_migrations(files)


class Database:
    """One city's database, open.

    Made by ``Database.open``; a context manager that closes it.  Every write goes through
    ``submit`` or ``write``; every read through ``read``.
    """

    def __init__(
        self,
        directory: DataDirectory,
        settings: DatabaseSettings,
        clock: Clock,
        *,
        checks: Sequence[StartCheck],
        migrations: Sequence[Migration],
        free_bytes: Callable[[Path], int],
    ) -> None:
        self.directory = directory
        self.settings = settings
        self._checks = tuple(checks)
        self._migrations = tuple(migrations)
        self._free_bytes = free_bytes
        self._ledger = IdempotencyLedger(settings, clock)
        self._mark = CommitMark(directory.mark_path)
        self._clock = clock
        self._guard = threading.RLock()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._reader_slots = threading.BoundedSemaphore(settings.readers_max)
        self._closed = False
        self._last_reopen_s = float("-inf")
        self.writer = Writer(self, settings, self._ledger, self._mark)

    @classmethod
    def open(
        cls,
        directory: DataDirectory,
        settings: DatabaseSettings | None = None,
        *,
        clock: Clock | None = None,
        checks: Sequence[StartCheck] = (),
        migrations: Sequence[Migration] | None = None,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> Database:
        """Open the city in a claimed directory, creating or migrating it where needed.

        Raises ``NewerSchema``, ``SchemaChanged``, ``DatabaseDamaged``, ``StorageFull``; in each
        case nothing was changed.  ``free_bytes`` answers for a folder and may be handed in.
        """
        if not directory.claimed:
            raise InvalidInput("A data directory is claimed before its database is opened.")
        database = cls(
            directory,
            settings or DatabaseSettings(),
            clock or SystemClock(),
            checks=checks,
            migrations=packaged_migrations() if migrations is None else migrations,
            free_bytes=free_bytes or _free_bytes,
        )
        database._prepare()
        database.writer.start()
        return database

    def submit(
        self,
        work: Work[T],
        *,
        idempotency_key: str | None = None,
        fingerprint: str = "",
        on_commit: Callable[[T], None] | None = None,
    ) -> Future[T]:
        """Queue a write; see ``Writer.submit``."""
        return self.writer.submit(work, idempotency_key=idempotency_key, fingerprint=fingerprint, on_commit=on_commit)

    async def write(
        self,
        work: Work[T],
        *,
        idempotency_key: str | None = None,
        fingerprint: str = "",
        on_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Queue a write and await its commit; see ``Writer.submit``."""
        return await self.writer.write(
            work, idempotency_key=idempotency_key, fingerprint=fingerprint, on_commit=on_commit
        )

    def remembered(self, idempotency_key: str, fingerprint: str) -> object | None:
        """Return the result of a durable write with this key, ``None`` where there is none.

        For a write whose content depends on what is stored: it asks before it looks at the present,
        which its own first attempt may have changed.  Raises ``Conflict`` for a key of another request.
        """
        self._ledger.check_key(idempotency_key)
        with self.read() as cursor:
            return self._ledger.find(cursor, idempotency_key, fingerprint)

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a cursor that sees one snapshot and cannot write.

        At most ``readers_max`` are lent at a time; waiting longer than ``reader_wait_s`` raises
        ``LimitExceeded``.  A database that has to be opened again raises ``Unavailable``.
        """
        if not self._reader_slots.acquire(timeout=self.settings.reader_wait_s):
            raise LimitExceeded(
                f"More than {self.settings.readers_max} queries are running.",
                hint="Try again in a moment.",
                limit="readers_max",
                value=self.settings.readers_max,
            )
        try:
            cursor = self.lend_cursor()
            try:
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                yield cursor
            except duckdb.Error as error:
                if is_fatal(error) or cursor not in self._cursors:
                    raise self.worded(error, cursor) from error
                raise
            finally:
                self.take_cursor_back(cursor)
        finally:
            self._reader_slots.release()

    def close(self) -> None:
        """Commit what is waiting, close every connection.  The directory stays claimed."""
        self.writer.close()
        with self._guard:
            self._closed = True
            self._disconnect()
            self._mark.close()

    @property
    def wal_bytes(self) -> int:
        """Size of the log of commits that are not in the database file yet."""
        try:
            return self.directory.wal_path.stat().st_size
        except FileNotFoundError:
            return 0

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the writer's connection; for the writer's thread."""
        with self._guard:
            if self._root is None and not self._closed:
                self._reconnect_once()
            if self._root is None:
                raise _reopening()
            return self._root

    def reopen(self) -> None:
        """Close every connection, cursors that are lent too, and open the database again."""
        with self._guard:
            self._disconnect()
        for attempt in range(_REOPEN_TRIES):
            # A lent cursor in the middle of a fetch keeps the stopped instance alive for a moment.
            time.sleep(self.settings.reopen_wait_s * attempt)
            try:
                with self._guard:
                    self._connect_root()
            except (CimError, duckdb.Error):
                _log.exception("attempt %d to open the database again failed", attempt + 1)
            else:
                return
        raise _reopening()

    def space_problem(self) -> StorageFull | None:
        """Return why a write must be refused for lack of space, or None."""
        needed = free_bytes_needed(self.settings, self.wal_bytes)
        free = self._free_bytes(self.directory.path)
        if free >= needed:
            return None
        return StorageFull(
            f"Only {free // MEBIBYTE} MB are free where the city is kept; a safe write needs {needed // MEBIBYTE} MB."
            " Nothing was written.",
            hint="Free some disk space and try again; reading still works.",
            free_bytes=free,
            needed_bytes=needed,
        )

    def _prepare(self) -> None:
        directory = self.directory
        if directory.recovering_path.exists():
            raise DatabaseDamaged(
                "A recovery of this city was interrupted.",
                hint="Run `cim recover` again; the originals are kept.",
                path=str(directory.path),
            )
        shutil.rmtree(directory.temporary_path, ignore_errors=True)
        if not directory.database_path.exists():
            if directory.wal_path.exists():
                raise DatabaseDamaged(
                    f"{directory.database_path.name} is missing, but its log is there.",
                    hint="Put the file back from a copy; nothing was changed.",
                    path=str(directory.path),
                )
            problem = self.space_problem()
            if problem is not None:
                raise problem
            create_database(directory, self.settings, self._migrations, self._clock)
        self._connect_root()

    def _connect_root(self) -> None:
        inspect_database(self.directory, self.settings, self._migrations, self._checks, self._mark)
        root = connect(self.directory.database_path, self.directory, self.settings)
        try:
            if apply_migrations(root, self._migrations, self._clock, self.space_problem):
                self._mark.check(root)
                run_checks(root, self._checks)
            self._ledger.load(root)
        except duckdb.Error as error:
            root.close()
            raise opening_error(error, self.directory) from error
        except BaseException:
            root.close()
            raise
        self._root = root

    def _reconnect_once(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._last_reopen_s < self.settings.reopen_wait_s:
            return
        self._last_reopen_s = now_s
        with suppress(CimError, duckdb.Error):
            self._connect_root()

    def _disconnect(self) -> None:
        for cursor in (*self._cursors, self._root):
            if cursor is not None:
                with suppress(duckdb.Error):
                    cursor.interrupt()
                with suppress(duckdb.Error):
                    cursor.close()
        self._cursors.clear()
        self._root = None

    def bench(self) -> Bench:
        """Return a connection with temporary tables of its own, for long work beside the writer."""
        return Bench(self)

    def is_open(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Tell whether a cursor is still of the database that is open."""
        return cursor in self._cursors

    def worded(self, error: duckdb.Error, cursor: duckdb.DuckDBPyConnection) -> BaseException:
        """Return an error of a lent cursor as the city's own; a database that stopped is opened again."""
        if is_fatal(error) or cursor not in self._cursors:
            self._ask_to_reopen()
            return _reopening()
        return worded(error)

    def lend_cursor(self) -> duckdb.DuckDBPyConnection:
        """Lend a cursor, which :meth:`take_cursor_back` closes."""
        with self._guard:
            if self._closed:
                raise Unavailable("The city is closed.", hint="Start the server again.")
            if self._root is None:
                self._ask_to_reopen()
                raise _reopening()
            cursor = self._root.cursor()
            self._cursors.add(cursor)
            return cursor

    def take_cursor_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close a lent cursor."""
        with self._guard:
            self._cursors.discard(cursor)
        with suppress(duckdb.Error):
            cursor.close()

    def _ask_to_reopen(self) -> None:
        with suppress(Unavailable, LimitExceeded):
            self.writer.submit(_touch)

    def __enter__(self) -> Self:
        """Return the open database."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        self.close()


def _touch(connection: duckdb.DuckDBPyConnection) -> None:
    """Do nothing, through the writer: a stopped database shows itself to it, and is opened again."""
    connection.execute("SELECT 1")


def _reopening() -> Unavailable:
    return Unavailable("The database is being opened again after an error.", hint="Try again in a moment.")


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
