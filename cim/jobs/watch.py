"""Turns what a child says about its progress into the job as it stands (pure but for what is handed in)."""

from __future__ import annotations

from collections.abc import Callable

from cim.jobs.messages import StepAdvanced, StepStarted
from cim.jobs.model import Job, advance_step, start_step
from cim.jobs.progress import RateWindow
from cim.ports import Clock

TELL_EVERY_S = 0.2
STORE_EVERY_S = 1.0


class ProgressWatch:
    """One running job: its newest state, and when to tell and to store it.

    A new step is told and stored at once; progress within one at a bounded rate.
    """

    def __init__(self, job: Job, clock: Clock, *, tell: Callable[[Job], None], store: Callable[[Job], None]) -> None:
        self.job = job
        self._clock = clock
        self._tell = tell
        self._store = store
        self._window = RateWindow()
        self._told_s = float("-inf")
        self._stored_s = float("-inf")

    def on_progress(self, message: StepStarted | StepAdvanced) -> None:
        """Take a message in."""
        now_s = self._clock.monotonic_s()
        if isinstance(message, StepStarted):
            self._window = RateWindow().add(now_s, 0)
            self.job = start_step(self.job, message.name, message.total, message.unit)
            self._told_s = self._stored_s = float("-inf")
        else:
            self._window = self._window.add(now_s, message.done)
            self.job = advance_step(self.job, message.done, message.total, self._window.rate_per_s)
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self._tell(self.job)
        if now_s - self._stored_s >= STORE_EVERY_S:
            self._stored_s = now_s
            self._store(self.job)
