"""The child's side of a job: its process's first steps, and the channel to its parent (shell).

Started as ``python -m cim.jobs.bus FD PARENT_PID``.  What crosses the pipe is pickled: both ends
are this program, started by itself; what the child parses is foreign, what it sends is not.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import TypeAlias, cast

from cim.errors import Cancelled, InvalidInput
from cim.jobs.faults import failure_of
from cim.jobs.messages import (
    Acknowledge,
    Begin,
    Cancel,
    Finished,
    FromChild,
    Payload,
    StepAdvanced,
    StepStarted,
    ToChild,
)
from cim.jobs.model import JobLimits

Entry: TypeAlias = Callable[[Mapping[str, object], "Channel"], Mapping[str, object] | None]

_PROGRESS_EVERY_S = 0.1
_PR_SET_PDEATHSIG = 1
_NICENESS = 5
_FIRST_MESSAGE_BYTES_MAX = 64 * 1024**2

_log = logging.getLogger(__name__)


class Channel:
    """What a job's entry function uses to report and to hand results over.

    Every call may raise ``Cancelled``: let it pass, the job ends there.
    """

    def __init__(self, connection: Connection, limits: JobLimits) -> None:
        self._connection = connection
        self._in_flight_max = limits.payloads_in_flight
        self._in_flight = 0
        self._cancelled = False
        self._reported_s = float("-inf")
        self._unsent: StepAdvanced | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the parent has asked to stop; cheap enough for a loop."""
        while not self._cancelled and self._connection.poll(0):
            self._receive()
        return self._cancelled

    def step(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Begin a step of ``total`` units, or of nobody knows how many."""
        self._raise_if_cancelled()
        self.flush()
        self._send(StepStarted(name, total, unit))

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how many units of the step are done, since its beginning; sent ten times a second at most."""
        self._unsent = StepAdvanced(done, total)
        now_s = time.monotonic()
        if now_s - self._reported_s >= _PROGRESS_EVERY_S:
            self._reported_s = now_s
            self._raise_if_cancelled()
            self.flush()

    def payload(self, body: object) -> None:
        """Hand a piece of the result over; waits while too many pieces are unacknowledged."""
        self._raise_if_cancelled()
        while self._in_flight >= self._in_flight_max:
            self._receive()
            self._raise_if_cancelled()
        self._in_flight += 1
        self._send(Payload(body))

    def flush(self) -> None:
        """Send the progress that was held back."""
        if self._unsent is not None:
            self._send(self._unsent)
            self._unsent = None

    def drain(self) -> None:
        """Wait until every payload is acknowledged."""
        while self._in_flight:
            self._receive()
            self._raise_if_cancelled()

    def _send(self, message: FromChild) -> None:
        self._connection.send(message)

    def _receive(self) -> None:
        try:
            message = cast("ToChild", self._connection.recv())
        except EOFError:
            # The parent is gone, and with it everybody who could want the result.
            os._exit(1)
        if isinstance(message, Acknowledge):
            self._in_flight -= 1
        elif isinstance(message, Cancel):
            self._cancelled = True

    def _raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("The job was cancelled.")


def resolve_entry(entry: str) -> Entry:
    """Import ``module:function``."""
    module_name, _, function_name = entry.partition(":")
    found = getattr(importlib.import_module(module_name), function_name, None)
    if not callable(found):
        raise InvalidInput(f"No job begins at {entry}.", entry=entry)
    return cast("Entry", found)


def run_entry(connection: Connection) -> None:
    """Receive the order, take the limits on, do the work, report its end."""
    begin = pickle.loads(connection.recv_bytes(_FIRST_MESSAGE_BYTES_MAX))  # noqa: S301 - from our parent
    if not isinstance(begin, Begin):
        raise TypeError("the first message is not Begin")
    _limit_resources(begin.limits)
    channel = Channel(connection, begin.limits)
    try:
        summary = resolve_entry(begin.entry)(begin.params, channel)
        channel.flush()
        channel.drain()
        connection.send(Finished(dict(summary or {})))
    except BaseException as error:  # noqa: BLE001 - every end is reported
        _log.exception("the job ended early")
        connection.send(failure_of(error, begin.limits))


def _limit_resources(limits: JobLimits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    # The soft limit's signal ends the process and says why; the hard one is for code that ignores it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))


def _die_with(parent_pid: int) -> None:
    """Have the kernel end this process when its parent dies, however that dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def main() -> None:
    """Run one job for the parent at the other end of the pipe."""
    fd, parent_pid = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent_pid)
    os.set_inheritable(fd, False)
    os.nice(_NICENESS)
    run_entry(Connection(fd))


if __name__ == "__main__":
    main()
