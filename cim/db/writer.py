"""The one writer: a thread that commits many waiting requests in one transaction and one fsync."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import duckdb

from cim.db.idempotency import IdempotencyLedger, read_result
from cim.db.mark import CommitMark
from cim.db.settings import DatabaseSettings
from cim.errors import CimError, IntegrityError, LimitExceeded, StorageFull, Unavailable

T = TypeVar("T")
Work = Callable[[duckdb.DuckDBPyConnection], T]

_log = logging.getLogger(__name__)

# What the operating system says, inside errors of several classes.
_DISK_FULL_WORDS = ("No space left on device", "Disk quota exceeded")


class WriterHome(Protocol):
    """What the writer needs of the database that it writes."""

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the writer's connection; raises ``Unavailable`` where the database is not open."""
        ...

    def reopen(self) -> None:
        """Close every connection and open the database again after a fatal error."""
        ...

    def space_problem(self) -> StorageFull | None:
        """Return why there is too little room to commit safely, or None."""
        ...


@dataclass(slots=True)
class _Request:
    work: Work[Any]
    future: Future[Any]
    on_commit: Callable[[Any], None] | None
    idempotency_key: str | None
    fingerprint: str


@dataclass(slots=True)
class _Outcome:
    request: _Request
    result: Any
    repeated: bool


class Writer:
    """A queue of writes and the thread that commits them in groups.

    A request's work gets the writer's connection inside a transaction.  It may run more than once
    (a group that fails is rolled back and run again), so its only effect must be through the
    connection; it neither begins nor ends a transaction.  What must happen once, after the commit
    and in commit order, goes into ``on_commit``; that runs in the writer's thread, so it is short and
    never waits for another write.
    """

    def __init__(
        self, home: WriterHome, settings: DatabaseSettings, ledger: IdempotencyLedger, mark: CommitMark
    ) -> None:
        self._home = home
        self._settings = settings
        self._ledger = ledger
        self._mark = mark
        self._queue: queue.Queue[_Request | None] = queue.Queue(settings.write_queue_max + 1)
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="cim-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(
        self,
        work: Work[T],
        *,
        idempotency_key: str | None = None,
        fingerprint: str = "",
        on_commit: Callable[[T], None] | None = None,
    ) -> Future[T]:
        """Queue a write; the future resolves when it is durable.

        With an idempotency key the result must be a JSON value: it is stored in the same
        transaction, and a retry gets it back without running the work.  A retry with another
        ``fingerprint`` (of the request's content) is a ``Conflict``.
        """
        self._ledger.check_key(idempotency_key)
        request = _Request(work, Future(), on_commit, idempotency_key, fingerprint)
        with self._gate:
            if self._closed:
                raise Unavailable("The city is closing and takes no more writes.", hint="Try again in a moment.")
            if self._queue.qsize() >= self._settings.write_queue_max:
                raise LimitExceeded(
                    f"More than {self._settings.write_queue_max} writes are waiting.",
                    hint="Send fewer at a time and try again.",
                    limit="write_queue_max",
                    value=self._settings.write_queue_max,
                )
            self._queue.put_nowait(request)
        return request.future

    async def write(
        self,
        work: Work[T],
        *,
        idempotency_key: str | None = None,
        fingerprint: str = "",
        on_commit: Callable[[T], None] | None = None,
    ) -> T:
        """Queue a write and wait until it is durable, without blocking the event loop."""
        future = self.submit(work, idempotency_key=idempotency_key, fingerprint=fingerprint, on_commit=on_commit)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Commit what is waiting, then end the thread.  Later writes are refused."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put_nowait(None)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            group, closing = self._take()
            if not group:
                continue
            try:
                self._commit(group)
            except Exception as error:  # noqa: BLE001 - the thread must outlive any fault
                _log.exception("a group of writes ended in an unexpected error")
                for request in group:
                    _reject(request, error)

    def _take(self) -> tuple[list[_Request], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        group = [first] if first.future.set_running_or_notify_cancel() else []
        closing = False
        while len(group) < self._settings.write_group_max:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                closing = True
                break
            if following.future.set_running_or_notify_cancel():
                group.append(following)
        return group, closing

    def _commit(self, group: list[_Request]) -> None:
        """Commit a group; what fails is taken out and run alone, what is good is committed together."""
        parts = deque([group])
        while parts:
            part = parts.popleft()
            problem = self._home.space_problem()
            if problem is not None:
                _reject_all(part, problem)
                continue
            parts.extendleft(reversed(self._attempt(part)))

    def _attempt(self, part: list[_Request]) -> list[list[_Request]]:
        """Run a part in one transaction; return the smaller parts that are still to be run."""
        outcomes: list[_Outcome] = []
        keyed: dict[str, _Outcome] = {}
        try:
            connection = self._home.connection()
            connection.execute("BEGIN TRANSACTION")
            transaction = _transaction_id(connection)
            for index, request in enumerate(part):
                try:
                    outcomes.append(self._apply(connection, request, keyed))
                except Exception as error:
                    if is_fatal(error):
                        raise
                    _roll_back(connection)
                    return _split(part, index, error)
            if _transaction_id(connection) != transaction:
                _roll_back(connection)
                return _each_alone(part, IntegrityError("A write ended the transaction that it was given."))
            self._mark.advance(connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - sorted by _recover
            return self._recover(part, outcomes, error)
        self._mark.confirm()
        self._acknowledge(outcomes)
        return []

    def _apply(self, connection: duckdb.DuckDBPyConnection, request: _Request, keyed: dict[str, _Outcome]) -> _Outcome:
        key = request.idempotency_key
        if key is None:
            return _Outcome(request, request.work(connection), repeated=False)
        twin = keyed.get(key)
        if twin is not None:
            self._ledger.check_fingerprint(key, twin.request.fingerprint, request.fingerprint)
            return _Outcome(request, twin.result, repeated=True)
        if self._ledger.knows(key, request.fingerprint):
            return _Outcome(request, read_result(connection, key), repeated=True)
        result = request.work(connection)
        self._ledger.store(connection, key, request.fingerprint, result)
        keyed[key] = _Outcome(request, result, repeated=False)
        return keyed[key]

    def _recover(self, part: list[_Request], outcomes: list[_Outcome], error: Exception) -> list[list[_Request]]:
        """Sort an error of the transaction itself: fatal, a full disk, or one request's fault at commit."""
        if isinstance(error, CimError):
            _reject_all(part, error)
            return []
        if is_fatal(error):
            _log.error("the database stopped: %s; it is opened again", error)
            self._settle(part, outcomes)
            return []
        with suppress(duckdb.Error, CimError):
            _roll_back(self._home.connection())
        if _is_disk_full(error):
            for request in part:
                _reject(request, error)
            return []
        return _each_alone(part, error)

    def _settle(self, part: list[_Request], outcomes: list[_Outcome]) -> None:
        """Open the database again and see whether the group that it stopped in is durable."""
        before = self._mark.number
        try:
            self._home.reopen()
        except CimError:
            _log.exception("the database could not be opened again")
            unknown = Unavailable(
                "The database stopped while this write was being made durable; it may or may not be stored.",
                hint="Send it again with the same idempotency key.",
                code="write-outcome-unknown",
            )
            _reject_all(part, unknown)
            return
        if self._mark.number > before and len(outcomes) == len(part):
            self._acknowledge(outcomes)
            return
        _reject_all(
            part, Unavailable("The database stopped and was opened again; nothing was written.", hint="Try again.")
        )

    def _acknowledge(self, outcomes: list[_Outcome]) -> None:
        for outcome in outcomes:
            request = outcome.request
            if not outcome.repeated:
                if request.idempotency_key is not None:
                    self._ledger.remember(request.idempotency_key, request.fingerprint)
                if request.on_commit is not None:
                    try:
                        request.on_commit(outcome.result)
                    except Exception:  # noqa: BLE001 - the commit stands, whatever follows it
                        _log.exception("what follows a commit failed; the commit itself is durable")
            request.future.set_result(outcome.result)


def is_fatal(error: BaseException) -> bool:
    """Whether DuckDB refuses everything after this error until it is opened again."""
    if isinstance(error, duckdb.FatalException):
        return True
    return isinstance(error, duckdb.Error) and "database has been invalidated" in str(error)


def _is_disk_full(error: BaseException) -> bool:
    return isinstance(error, duckdb.Error) and any(word in str(error) for word in _DISK_FULL_WORDS)


def _transaction_id(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the running transaction's number.

    Asked again before COMMIT: it raises where a request swallowed an SQL error (COMMIT would then
    drop the whole group without a word) and differs where a request ended the transaction.
    """
    rows = connection.execute("SELECT txid_current()").fetchall()
    return int(rows[0][0]) if rows else -1


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.TransactionException):
        connection.execute("ROLLBACK")


def _split(part: list[_Request], index: int, error: Exception) -> list[list[_Request]]:
    """Return what to run again: those before the failing request, it alone, those after it."""
    if len(part) == 1:
        _reject(part[0], error)
        return []
    return [some for some in (part[:index], [part[index]], part[index + 1 :]) if some]


def _each_alone(part: list[_Request], error: Exception) -> list[list[_Request]]:
    if len(part) == 1:
        _reject(part[0], error)
        return []
    return [[request] for request in part]


def _reject_all(part: list[_Request], error: CimError) -> None:
    for request in part:
        _reject(request, error)


def _reject(request: _Request, error: BaseException) -> None:
    with suppress(InvalidStateError):
        if not request.future.done():
            request.future.set_exception(worded(error))


def worded(error: BaseException) -> BaseException:
    """Return DuckDB's errors of want as the city's own; every other error as it is."""
    if _is_disk_full(error):
        full = StorageFull("The disk is full; nothing was written.", hint="Free some disk space and try again.")
        full.__cause__ = error
        return full
    if isinstance(error, duckdb.OutOfMemoryException):
        limit = LimitExceeded(
            "The write needs more memory than the database may take; nothing was written.",
            hint="Send less at a time.",
            limit="memory_limit_mib",
        )
        limit.__cause__ = error
        return limit
    return error
