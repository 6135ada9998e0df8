from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim.jobs.messages import StepAdvanced, StepStarted
from cim.jobs.model import Job, JobState
from cim.jobs.progress import WINDOW_S, RateWindow, progress_line, remaining_s
from cim.jobs.watch import ProgressWatch


def window(*samples: tuple[float, int]) -> RateWindow:
    found = RateWindow()
    for at_s, done in samples:
        found = found.add(at_s, done)
    return found


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    steady = [(float(second), 100 * second) for second in range(60)]
    assert window(*steady).rate_per_s == pytest.approx(100)
    # A slow first minute does not drag the estimate along.
    slow_then_fast = [(float(s), s) for s in range(60)] + [(60.0 + s, 60 + 1000 * s) for s in range(15)]
    assert window(*slow_then_fast).rate_per_s == pytest.approx(1000)


def test_a_step_slower_than_the_window_still_has_a_rate() -> None:
    assert window((0, 0), (60, 1), (120, 2)).rate_per_s == pytest.approx(1 / 60)


def test_nothing_is_guessed_from_too_little() -> None:
    assert RateWindow().rate_per_s is None
    assert window((0, 5)).rate_per_s is None
    assert window((0, 0), (0.01, 5)).rate_per_s is None


def test_going_back_begins_anew() -> None:
    assert window((0, 0), (1, 50), (2, 3)).rate_per_s is None


@given(st.lists(st.tuples(st.floats(0.01, 20), st.integers(0, 1000)), min_size=2, max_size=60))
def test_the_rate_is_never_negative_and_the_window_is_bounded(steps: list[tuple[float, int]]) -> None:
    at_s, done, found = 0.0, 0, RateWindow()
    for wait_s, more in steps:
        at_s, done = at_s + wait_s, done + more
        found = found.add(at_s, done)
        assert found.rate_per_s is None or found.rate_per_s >= 0
        older = [sample for sample in found.samples if sample[0] < at_s - WINDOW_S]
        assert len(older) <= 1


@pytest.mark.parametrize(
    ("done", "total", "rate_per_s", "expected"),
    [
        (40, 100, 20.0, 3.0),
        (100, 100, 20.0, 0.0),
        (130, 100, 20.0, 0.0),
        (40, None, 20.0, None),
        (40, 100, None, None),
        (40, 100, 0.0, None),
    ],
)
def test_the_time_left(done: int, total: int | None, rate_per_s: float | None, expected: float | None) -> None:
    assert remaining_s(done, total, rate_per_s) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (progress_line("read", 1200, 3000, "objects", 410.0), "read  1,200 / 3,000 objects  40 %  410/s  5 s left"),
        (progress_line("solve", 3, None, "", None), "solve  3"),
        (progress_line("tiles", 0, 0, "tiles", None), "tiles  0 / 0 tiles"),
        (progress_line("slow", 1, 1000, "", 0.5), "slow  1 / 1,000  0 %  0.5/s  33 min 18 s left"),
        (progress_line("slower", 0, 10_000, "", 1.0), "slower  0 / 10,000  0 %  1.0/s  2 h 46 min left"),
    ],
)
def test_a_line_for_a_log(line: str, expected: str) -> None:
    assert line == expected


class HandClock:
    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.at_s


def test_progress_is_told_and_stored_at_a_bounded_rate_and_a_new_step_at_once() -> None:
    clock, told, stored = HandClock(), list[Job](), list[Job]()
    job = Job("a", "k", "t", clock.now(), state=JobState.RUNNING)
    watch = ProgressWatch(job, clock, tell=told.append, store=stored.append)
    watch.on_progress(StepStarted("read", 1000, "objects"))
    for n in range(1, 501):
        clock.at_s = n / 100
        watch.on_progress(StepAdvanced(n))
    watch.on_progress(StepStarted("store", None, ""))
    assert 20 <= len(told) <= 30
    assert 5 <= len(stored) <= 8
    assert watch.job.steps[0].done == 500
    assert watch.job.steps[0].rate_per_s == pytest.approx(100, rel=0.01)
    assert told[-1].steps[-1].name == stored[-1].steps[-1].name == "store"
