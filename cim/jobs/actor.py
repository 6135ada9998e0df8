"""The parent's side of a job: one child process, watched until it ends (shell)."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import IO

from cim.errors import Cancelled, CimError
from cim.jobs.faults import crash_fault, explain_exit, payload_fault, wall_time_fault
from cim.jobs.messages import (
    Acknowledge,
    Begin,
    Cancel,
    Failed,
    Finished,
    FromChild,
    Payload,
    StepAdvanced,
    StepStarted,
    ToChild,
)
from cim.jobs.model import JobLimits
from cim.ports import Clock

_log = logging.getLogger(__name__)

_POLL_S = 0.1
_LAST_WORDS_BYTES = 8192
_ENVELOPE_BYTES = 64 * 1024
_EXIT_WAIT_S = 5.0
_EXIT_POLL_S = 0.02
_THREADS_MAX = 4
MEMORY_VARIABLES = {"MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2), "MALLOC_TRIM_THRESHOLD_": str(256 * 1024**2)}
"""Memory that large arrays gave back stays with the child: with glibc's own bounds the kernel clears each page of each
of them anew, which takes up to a tenth of the time of reading a city.  Other libraries do not read these."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

ProgressMessage = StepStarted | StepAdvanced


class ChildActor:
    """Runs one entry in a child process of its own and stays with it until it has ended.

    The child is a fresh interpreter (spawn, never fork: this process has threads and an open
    database), in a session of its own so that a Ctrl-C on the terminal reaches the parent alone.
    It dies with its parent.
    """

    def __init__(self, entry: str, params: Mapping[str, object], limits: JobLimits, clock: Clock) -> None:
        self._begin = Begin(entry, dict(params), limits)
        self._limits = limits
        self._clock = clock
        self._cancel_sent_s: float | None = None

    def run(
        self,
        *,
        on_progress: Callable[[ProgressMessage], None],
        on_payload: Callable[[object], None],
        is_cancelled: Callable[[], bool],
    ) -> Mapping[str, object]:
        """Return the child's summary, or raise the error that ended it.

        ``Cancelled`` where ``is_cancelled`` became true; what ``on_payload`` raises ends the child
        and is raised again.  However this returns, the child is gone.
        """
        with tempfile.TemporaryFile() as words:
            process, connection = _start(words)
            try:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.send_bytes(pickle.dumps(self._begin))
                return self._converse(process, connection, words, on_progress, on_payload, is_cancelled)
            finally:
                connection.close()
                _end(process)
                _log_last_words(words)

    def _converse(
        self,
        process: subprocess.Popen[bytes],
        connection: Connection,
        words: IO[bytes],
        on_progress: Callable[[ProgressMessage], None],
        on_payload: Callable[[object], None],
        is_cancelled: Callable[[], bool],
    ) -> Mapping[str, object]:
        deadline_s = self._clock.monotonic_s() + self._limits.wall_s
        while True:
            self._check_time(connection, deadline_s, cancelled=is_cancelled())
            if not connection.poll(_POLL_S):
                continue
            message = self._receive(process, connection, words)
            if isinstance(message, Finished):
                return message.summary
            if isinstance(message, Failed):
                raise self._ended(message.as_error())
            if self._cancel_sent_s is not None:
                continue
            if isinstance(message, Payload):
                on_payload(message.body)
                _tell(connection, Acknowledge())
            else:
                on_progress(message)

    def _check_time(self, connection: Connection, deadline_s: float, *, cancelled: bool) -> None:
        now_s = self._clock.monotonic_s()
        if self._cancel_sent_s is not None:
            if now_s - self._cancel_sent_s > self._limits.cancel_grace_s:
                raise _cancelled()
        elif cancelled:
            self._cancel_sent_s = now_s
            _tell(connection, Cancel())
        elif now_s > deadline_s:
            raise wall_time_fault(self._limits)

    def _receive(self, process: subprocess.Popen[bytes], connection: Connection, words: IO[bytes]) -> FromChild:
        try:
            frame = connection.recv_bytes(self._limits.payload_bytes + _ENVELOPE_BYTES)
        except EOFError:
            raise self._ended(_explain(process, words, self._limits)) from None
        except ConnectionResetError:
            raise self._ended(_explain(process, words, self._limits)) from None
        except OSError:
            raise payload_fault(self._limits) from None
        message = pickle.loads(frame)  # noqa: S301 - from our own child
        if not isinstance(message, StepStarted | StepAdvanced | Payload | Finished | Failed):
            raise crash_fault("a message of an unknown kind")
        return message

    def _ended(self, error: CimError) -> CimError:
        """Return the error of a child that has ended: after a cancel, whatever it says is the cancel."""
        return error if self._cancel_sent_s is None else _cancelled()


def _cancelled() -> Cancelled:
    return Cancelled("The job was cancelled. The city is as it was.")


def _start(words: IO[bytes]) -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = multiprocessing.Pipe(duplex=True)
    threads = str(min(_THREADS_MAX, os.cpu_count() or 1))
    environment = {
        **os.environ,
        **dict.fromkeys(_THREAD_VARIABLES, threads),
        **MEMORY_VARIABLES,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONFAULTHANDLER": "1",
    }
    try:
        # -P: a file in the working folder must not stand in for a module.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "cim.jobs.bus", str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            env=environment,
        )
    except OSError as error:
        ours.close()
        raise crash_fault("it could not be started") from error
    finally:
        theirs.close()
    return process, ours


def _tell(connection: Connection, message: ToChild) -> None:
    # A child that has just died shows itself at the next read.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(message)


def _explain(process: subprocess.Popen[bytes], words: IO[bytes], limits: JobLimits) -> CimError:
    if not _await_end(process):
        return crash_fault("it closed its channel")
    _end(process)
    return explain_exit(process.returncode, _last_words(words), limits)


def _await_end(process: subprocess.Popen[bytes]) -> bool:
    """Wait a while for the child's end without reaping it, so that its number stays its own."""
    for _ in range(round(_EXIT_WAIT_S / _EXIT_POLL_S)):
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            return True
        time.sleep(_EXIT_POLL_S)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that the child and whatever it started are gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_words(words: IO[bytes]) -> str:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - _LAST_WORDS_BYTES))
    return words.read(_LAST_WORDS_BYTES).decode("utf-8", "replace")


def _log_last_words(words: IO[bytes]) -> None:
    said = _last_words(words).strip()
    if said:
        _log.info("a job's process wrote: %s", said)
