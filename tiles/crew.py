"""Worker processes, for tiles and for large files: as many as there are cores, or none at all."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

_WAITING_PER_WORKER: Final = 2
_PR_SET_PDEATHSIG: Final = 1

Job = TypeVar("Job")
Made = TypeVar("Made")


class Crew:
    """Runs one function over many jobs, in spawned processes, and hands the results back in order.

    With one worker it runs them here.  A worker dies with the process that started it.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Return the crew; its processes start with the first job."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def run(self, work: Callable[[Job], Made], jobs: Iterable[Job], *, several: bool = True) -> Iterator[Made]:
        """Yield what comes of each job, in order; jobs are taken no faster than they are done.

        One that is not one of ``several`` is done here: to hand it over would only take time.
        """
        if self.workers <= 1 or not several:
            yield from map(work, jobs)
            return
        waiting: deque[Future[Made]] = deque()
        for job in jobs:
            waiting.append(self._processes().submit(work, job))
            if len(waiting) > self.workers * _WAITING_PER_WORKER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def start(self, work: Callable[[Job], Made], job: Job) -> Callable[[], Made]:
        """Begin one job beside all others; what is returned waits for it, or does it where there is one worker."""
        return partial(work, job) if self.workers <= 1 else self._processes().submit(work, job).result

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, _stay_with, (os.getpid(),))
        return self._pool


def _stay_with(parent: int) -> None:
    """End with the parent, whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(ctypes, "CDLL") and os.name == "posix":
        library = ctypes.CDLL(None, use_errno=True)
        if hasattr(library, "prctl"):
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
