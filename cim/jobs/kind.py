"""What a capability tells the job service about one kind of work (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cim.jobs.model import Job, JobLimits, Recovery


class JobKind(Protocol):
    """One kind of work: half of it runs in a child process, half in the parent.

    The child computes and hands payloads over; the parent, which owns the database, stores them.
    All methods run in the job's own thread of the parent and may block.
    """

    @property
    def name(self) -> str:
        """Return the kind's name, as the API shows it: ``ingest``."""
        ...

    @property
    def entry(self) -> str:
        """Return where the child begins: ``module:function``, called with (params, channel)."""
        ...

    @property
    def steps(self) -> Sequence[str]:
        """Return the steps' names in order, known before the first begins."""
        ...

    @property
    def limits(self) -> JobLimits:
        """Return what the child may take."""
        ...

    def begin(self, job: Job) -> Mapping[str, object]:
        """Prepare, and return the child's parameters; ``job.resume_point`` says where to go on."""
        ...

    def on_payload(self, job: Job, payload: object) -> None:
        """Store a piece; the child waits when too many are not stored yet."""
        ...

    def finish(self, job: Job, summary: Mapping[str, object]) -> Mapping[str, object]:
        """Make the result the city's, at once or not at all, and return the job's summary."""
        ...

    def abort(self, job: Job) -> None:
        """Leave the city as it was: the job failed or was cancelled, perhaps before it began.

        May be called twice for one job.
        """
        ...

    def recover(self, job: Job) -> Recovery:
        """Decide about a job that this program was interrupted in.

        ``ROLLED_BACK``: the city is as it was before it.  ``RESUME``: it is queued again and begins
        from its resume point.  ``FINISHED``: its result was the city's already.
        """
        ...
