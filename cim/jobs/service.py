"""The queue of jobs: takes them, runs them one after another, tells who listens, recovers at start."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from cim.db.store import Database
from cim.errors import Cancelled, CimError, Conflict, InvalidInput, LimitExceeded, NotFound, Unavailable
from cim.jobs.actor import ChildActor
from cim.jobs.kind import JobKind
from cim.jobs.model import Job, JobState, JobStep, QuarantineEntry, Recovery, end_job
from cim.jobs.store import (
    append_quarantine,
    delete_jobs,
    insert_job,
    load_jobs,
    load_quarantine,
    update_job,
    write_resume_point,
)
from cim.jobs.watch import ProgressWatch
from cim.ports import Clock, SystemClock

__all__ = ["JobService", "append_quarantine", "write_resume_point"]

_log = logging.getLogger(__name__)

RUNNING_MAX = 1
QUEUE_MAX = 100
ATTEMPTS_MAX = 3
KEPT_MAX = 500
QUARANTINE_SHOWN_MAX = 1_000
_WAIT_S = 0.2


class _Stopping(Exception):
    """The service stops; the job is left to be recovered."""


class JobService:
    """All jobs of one city.

    ``start()`` recovers what a crash interrupted and begins to run; ``stop()`` ends the running
    child and leaves its job to the next start, of this service or of another.  Listeners are called
    from the jobs' own threads.
    """

    def __init__(
        self,
        database: Database,
        kinds: Iterable[JobKind],
        *,
        clock: Clock | None = None,
        running_max: int = RUNNING_MAX,
        queue_max: int = QUEUE_MAX,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._database = database
        self._kinds = {kind.name: kind for kind in kinds}
        self._clock = clock or SystemClock()
        self._running_max = running_max
        self._queue_max = queue_max
        self._new_id = new_id or _new_id
        self._changed = threading.Condition(threading.RLock())
        self._jobs: dict[str, Job] = {}
        self._queue: deque[str] = deque()
        self._cancelling: set[str] = set()
        self._listeners: list[Callable[[Job], None]] = []
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def start(self) -> Sequence[Job]:
        """Recover interrupted jobs, start to run the queue; return what was recovered."""
        self._stopping = False
        with self._database.read() as cursor:
            found = load_jobs(cursor, KEPT_MAX)
        self._jobs = {job.id: job for job in found}
        recovered = [self._recover(job) for job in found if _unsettled(job)]
        with self._changed:
            # A listener may have submitted a job because of a recovered one: that waits already.
            waiting = [job.id for job in self._jobs.values() if job.state is JobState.QUEUED]
            self._queue.extendleft(job_id for job_id in reversed(waiting) if job_id not in self._queue)
        for number in range(self._running_max):
            thread = threading.Thread(target=self._work, name=f"cim-jobs-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return recovered

    def stop(self) -> None:
        """End the running children and the threads; unfinished jobs are recovered at the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def submit(
        self,
        kind: str,
        params: Mapping[str, object] | None = None,
        *,
        title: str = "",
        actor: str = "local",
    ) -> Job:
        """Queue a job and return it, durable.  ``params`` are JSON values."""
        known = self._kinds.get(kind)
        if known is None:
            raise InvalidInput(f"There is no kind of job called {kind}.", kind=kind)
        job = Job(
            id=self._new_id(),
            kind=kind,
            title=title or kind,
            created_at=self._clock.now(),
            actor=actor,
            params=dict(params or {}),
            steps=tuple(JobStep(name) for name in known.steps),
        )
        with self._changed:
            if self._stopping:
                raise Unavailable("The server is stopping and takes no more jobs.", hint="Try again in a moment.")
            if len(self._queue) >= self._queue_max:
                raise LimitExceeded(
                    f"{self._queue_max} jobs are waiting already.",
                    hint="Wait until some have finished, or cancel some.",
                    limit="queue_max",
                    value=self._queue_max,
                )
        self._database.submit(lambda connection: insert_job(connection, job)).result()
        with self._changed:
            self._jobs[job.id] = job
            self._queue.append(job.id)
            self._changed.notify_all()
        self._tell(job)
        self._forget_old()
        return self.get(job.id)

    def get(self, job_id: str) -> Job:
        """Return how a job stands now."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None:
                raise NotFound(f"There is no job {job_id}.", id=job_id)
            return self._with_place(job)

    def list(self) -> Sequence[Job]:
        """Return all jobs, newest first."""
        with self._changed:
            return [self._with_place(job) for job in reversed(self._jobs.values())]

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; a queued one is cancelled at once, a running one within its grace time.

        Raises ``Conflict`` where it has ended already.
        """
        with self._changed:
            job = self.get(job_id)
            if job.ended:
                raise Conflict(f"The job has ended already: {job.state.value}.", id=job_id, state=job.state.value)
            queued = job_id in self._queue
            if queued:
                self._queue.remove(job_id)
            else:
                self._cancelling.add(job_id)
            self._changed.notify_all()
        if queued:
            self._undo(job, JobState.CANCELLED)
            for waiting in list(self._queue):
                self._tell(self.get(waiting))
        return self.get(job_id)

    def subscribe(self, listener: Callable[[Job], None]) -> Callable[[], None]:
        """Have every change of every job told (progress five times a second at most); return how to stop it."""
        with self._changed:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._changed, suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def wait(self, job_id: str, timeout_s: float | None = None) -> Job:
        """Wait until a job has ended, or for ``timeout_s``; return how it stands."""
        with self._changed:
            self._changed.wait_for(lambda: self.get(job_id).ended, timeout_s)
            return self.get(job_id)

    def run(
        self,
        kind: str,
        params: Mapping[str, object] | None = None,
        *,
        title: str = "",
        on_change: Callable[[Job], None] | None = None,
    ) -> Job:
        """Run a job to its end, for a command line; Ctrl-C cancels it cleanly.

        ``on_change`` is called in the caller's thread whenever the job looks different.
        """
        job = self.submit(kind, params, title=title)
        shown: Job | None = None
        while True:
            try:
                job = self.wait(job.id, _WAIT_S)
                if on_change is not None and job != shown:
                    on_change(job)
                    shown = job
            except KeyboardInterrupt:
                with suppress(Conflict):
                    self.cancel(job.id)
            if job.ended:
                return job

    def quarantine(self, job_id: str, limit: int = QUARANTINE_SHOWN_MAX) -> Sequence[QuarantineEntry]:
        """Return the features that a job set aside."""
        self.get(job_id)
        with self._database.read() as cursor:
            return load_quarantine(cursor, job_id, min(limit, QUARANTINE_SHOWN_MAX))

    def _with_place(self, job: Job) -> Job:
        if job.state is not JobState.QUEUED or job.id not in self._queue:
            return job
        running = sum(1 for other in self._jobs.values() if other.state is JobState.RUNNING)
        return replace(job, queued_ahead=self._queue.index(job.id) + running)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or bool(self._queue))
                if self._stopping:
                    return
                job = self._jobs[self._queue.popleft()]
                # Running from here on for everybody: a cancel must find it in one place or the other.
                job = replace(
                    job, state=JobState.RUNNING, attempt=job.attempt + 1, started_at=self._clock.now(), ended_at=None
                )
                self._jobs[job.id] = job
            try:
                self._run(job)
            except Exception:  # noqa: BLE001 - the thread must outlive any fault
                _log.exception("job %s could not be brought to an end", job.id)

    def _run(self, job: Job) -> None:
        kind = self._kinds.get(job.kind)
        if kind is None:
            self._end(job, JobState.FAILED, InvalidInput(f"There is no kind of job called {job.kind}."))
            return
        try:
            self._database.submit(lambda connection: update_job(connection, job)).result()
            self._tell(job)
            params = kind.begin(job)
            job = self._await_child(job, kind, params)
        except _Stopping:
            self._set(end_job(self._jobs[job.id], JobState.INTERRUPTED, ended_at=None), store=True)
        except Cancelled:
            self._undo(self._jobs[job.id], JobState.CANCELLED)
        except CimError as error:
            self._undo(self._jobs[job.id], JobState.FAILED, error)
        except Exception as error:  # noqa: BLE001 - a kind's fault fails its job alone
            _log.exception("job %s failed", job.id)
            self._undo(self._jobs[job.id], JobState.FAILED, _internal(error))
        finally:
            with self._changed:
                self._cancelling.discard(job.id)

    def _await_child(self, job: Job, kind: JobKind, params: Mapping[str, object]) -> Job:
        watch = ProgressWatch(job, self._clock, tell=self._show, store=self._store_later)
        summary = ChildActor(kind.entry, params, kind.limits, self._clock).run(
            on_progress=watch.on_progress,
            on_payload=lambda payload: kind.on_payload(watch.job, payload),
            is_cancelled=lambda: self._is_cancelled(job.id),
        )
        final = kind.finish(watch.job, summary)
        done = end_job(watch.job, JobState.SUCCEEDED, ended_at=self._clock.now(), summary=final)
        self._set(done, store=True)
        return done

    def _is_cancelled(self, job_id: str) -> bool:
        with self._changed:
            if self._stopping:
                raise _Stopping
            return job_id in self._cancelling

    def _undo(self, job: Job, state: JobState, error: CimError | None = None) -> None:
        kind = self._kinds.get(job.kind)
        try:
            if kind is not None:
                kind.abort(job)
        except Exception:  # noqa: BLE001 - what undoing raises is not known here
            _log.exception("job %s could not be undone; it is tried again at the next start", job.id)
            left = end_job(
                job, JobState.INTERRUPTED, ended_at=None, error=None if error is None else error.as_problem()
            )
            self._set(left, store=True)
            return
        self._end(job, state, error)

    def _end(self, job: Job, state: JobState, error: CimError | None = None) -> None:
        problem = None if error is None else error.as_problem()
        self._set(end_job(job, state, ended_at=self._clock.now(), error=problem), store=True)

    def _recover(self, job: Job) -> Job:
        """Bring a job that a crash interrupted back into the queue, or to an end."""
        job = end_job(job, JobState.INTERRUPTED, ended_at=None, error=job.error)
        kind = self._kinds.get(job.kind)
        if kind is None:
            self._set(job, store=True)
            return job
        try:
            if job.attempt >= ATTEMPTS_MAX:
                kind.abort(job)
                recovery = Recovery.ROLLED_BACK
            else:
                recovery = kind.recover(job)
        except Exception:  # noqa: BLE001 - what recovering raises is not known here
            _log.exception("job %s could not be recovered; it is tried again at the next start", job.id)
            self._set(job, store=True)
            return job
        if recovery is Recovery.RESUME:
            steps = tuple(
                replace(s, state=JobState.QUEUED) if s.state is JobState.INTERRUPTED else s for s in job.steps
            )
            job = replace(job, state=JobState.QUEUED, steps=steps)
        elif recovery is Recovery.FINISHED:
            job = end_job(job, JobState.SUCCEEDED, ended_at=self._clock.now())
        else:
            problem = Cancelled(
                "The program ended while this job was running. The city is as it was before the job.",
                hint="Start the job again.",
                code="job-interrupted",
            ).as_problem()
            job = replace(job, ended_at=self._clock.now(), error=problem)
        self._set(job, store=True)
        return job

    def _set(self, job: Job, *, store: bool) -> None:
        with self._changed:
            self._jobs[job.id] = job
            self._changed.notify_all()
        if store:
            try:
                self._database.submit(lambda connection: update_job(connection, job)).result()
            except CimError:
                _log.exception("how job %s stands could not be stored", job.id)
        self._tell(job)

    def _show(self, job: Job) -> None:
        self._set(job, store=False)

    def _store_later(self, job: Job) -> None:
        with suppress(CimError):
            self._database.submit(lambda connection: update_job(connection, job))

    def _tell(self, job: Job) -> None:
        with self._changed:
            listeners = list(self._listeners)
            job = self._with_place(job)
        for listener in listeners:
            try:
                listener(job)
            except Exception:  # noqa: BLE001 - a listener's fault is its own
                _log.exception("a listener to jobs failed")

    def _forget_old(self) -> None:
        with self._changed:
            surplus = len(self._jobs) - KEPT_MAX
            old = [job.id for job in self._jobs.values() if job.ended and job.ended_at is not None][: max(0, surplus)]
            for job_id in old:
                del self._jobs[job_id]
        if old:
            self._database.submit(lambda connection: delete_jobs(connection, old))


def _unsettled(job: Job) -> bool:
    """Whether a crash or a stop left the job in the middle."""
    return job.state is JobState.RUNNING or (job.state is JobState.INTERRUPTED and job.ended_at is None)


def _internal(error: Exception) -> CimError:
    return CimError(
        f"The job failed for a reason that is the program's own ({type(error).__name__}). The city is as it was.",
        hint="The server's log holds the details; please report it.",
        code="job-failed",
    )


def _new_id() -> str:
    return secrets.token_hex(8)
