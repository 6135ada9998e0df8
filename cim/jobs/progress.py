"""How fast a step goes and how long it still takes (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass

WINDOW_S = 10.0
_LEAST_SPAN_S = 0.2


@dataclass(frozen=True, slots=True)
class RateWindow:
    """The last ten seconds of a step: (monotonic seconds, units done) in order of time.

    A window forgets a slow start and a pause, which a mean since the beginning drags along.
    """

    samples: tuple[tuple[float, int], ...] = ()

    def add(self, at_s: float, done: int) -> RateWindow:
        """Return the window with one more sample; going back in ``done`` begins it anew."""
        if self.samples and done < self.samples[-1][1]:
            return RateWindow(((at_s, done),))
        kept = [sample for sample in self.samples if sample[0] >= at_s - WINDOW_S]
        # One sample from before the window keeps a slow step measurable.
        if not kept and self.samples:
            kept = [self.samples[-1]]
        return RateWindow((*kept, (at_s, done)))

    @property
    def rate_per_s(self) -> float | None:
        """Units per second over the window, or None before there is enough of it."""
        if len(self.samples) < 2:
            return None
        (first_s, first), (last_s, last) = self.samples[0], self.samples[-1]
        span_s = last_s - first_s
        return (last - first) / span_s if span_s >= _LEAST_SPAN_S else None


def remaining_s(done: int, total: int | None, rate_per_s: float | None) -> float | None:
    """Return the seconds left at this rate; None where total or rate is unknown or nothing moves."""
    if total is None or rate_per_s is None or rate_per_s <= 0:
        return None
    return max(0, total - done) / rate_per_s


def progress_line(name: str, done: int, total: int | None, unit: str, rate_per_s: float | None) -> str:
    """Return one plain line, such as ``read  1,200 / 3,000 objects  40 %  410/s  5 s left``."""
    counted = f"{done:,} / {total:,}" if total is not None else f"{done:,}"
    parts = [name, f"{counted} {unit}".strip()]
    if total:
        parts.append(f"{min(100, 100 * done // total)} %")
    if rate_per_s is not None and rate_per_s > 0:
        parts.append(f"{rate_per_s:,.0f}/s" if rate_per_s >= 10 else f"{rate_per_s:.1f}/s")
    left_s = remaining_s(done, total, rate_per_s)
    if left_s is not None and left_s > 0:
        parts.append(f"{_spell_duration(left_s)} left")
    return "  ".join(parts)


def _spell_duration(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
