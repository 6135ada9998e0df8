"""Reads the cases through the jobs' real child process, a few processes for all, and says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cim.errors import CimError
from cim.jobs.actor import ChildActor
from cim.jobs.model import JobLimits
from cim.ports import SystemClock
from tests.support.corpus.model import ANY, REFUSED, Case

ENTRY: Final = "ingest.worker:read_source"
CPU_S_MAX: Final = 10.0
"""No file may be read for longer, seconds of CPU: the machine may be busy with other things."""
WALL_S_MAX: Final = 90.0
"""A file that is read for longer ends the process."""
PEAK_MIB_MAX: Final = 1024.0
LIMITS: Final = JobLimits(memory_bytes=6 * 1024**3, wall_s=1800.0)
_NOT_OURS: Final = frozenset({"job-child-crashed", "job-failed", "internal"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    case: Case
    told: dict[str, Any]

    @property
    def fault(self) -> str | None:
        """What is wrong with what became of it; ``None`` where all is as it should be."""
        if "ended" in self.told:
            return f"the process ended: {self.told['ended']}"
        return self._error() or self._cost() or self._unsaid()

    def _error(self) -> str | None:
        error = self.told["error"]
        if error is not None and (error["code"] in _NOT_OURS or not error["own"]):
            return f"an error of the program's own: {self.told['class']}"
        if error is not None and not (error["message"] and error["hint"]):
            return f"a refusal without a word or a way out: {error}"
        if not all(feature and code and reason for feature, code, reason in self.told["examples"]):
            return f"put aside without a word: {self.told['examples']}"
        return None

    def _cost(self) -> str | None:
        if self.told["cpu_s"] > CPU_S_MAX:
            return f"{self.told['cpu_s']:.1f} s"
        return f"{self.told['peak_mib']:.0f} MiB" if self.told["peak_mib"] > PEAK_MIB_MAX else None

    def _unsaid(self) -> str | None:
        refused = self.told["error"] is not None
        if self.case.expect == REFUSED and not refused:
            return f"taken in: {self.told}"
        if self.case.expect == ANY or refused or self.told["quarantined"] or self.told["findings"]:
            return None
        # A source of which nothing can be kept is refused by the parent, with the reason.
        return None if not (self.told["objects"] or self.told["others"]) else f"nothing was said: {self.told}"


def run_cases(
    cases: Sequence[Case], folder: Path, *, entry: str = ENTRY, processes: int = 2, wall_s: float = WALL_S_MAX
) -> list[Outcome]:
    """Write and read all cases, in so many processes at once."""
    shares = [cases[number::processes] for number in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        done = pool.map(lambda number: _Run(folder / str(number), entry, wall_s).all(shares[number]), range(processes))
        return [outcome for outcomes in done for outcome in outcomes]


class _Run:
    """One process after the other over a share of the cases: a new one where one ended."""

    def __init__(self, folder: Path, entry: str, wall_s: float) -> None:
        self._folder = folder
        self._entry = entry
        self._wall_s = wall_s
        self._done: dict[str, dict[str, Any]] = {}
        self._begun = ""

    def all(self, cases: Sequence[Case]) -> list[Outcome]:
        files = [self._file(number, case) for number, case in enumerate(cases)]
        while waiting := [file for file in files if file["name"] not in self._done]:
            self._begun = ""
            params = {"files": waiting, "entry": self._entry, "wall_s": self._wall_s}
            try:
                ChildActor("tests.support.corpus.child:read_all", params, LIMITS, SystemClock()).run(
                    on_progress=lambda _message: None, on_payload=self._hear, is_cancelled=lambda: False
                )
            except CimError as error:
                if not self._begun:
                    raise
                self._done[self._begun] = {"error": None, "ended": error.message}
        return [Outcome(case, self._done[case.name]) for case in cases]

    def _file(self, number: int, case: Case) -> dict[str, Any]:
        place = self._folder / str(number)
        place.mkdir(parents=True)
        return {"name": case.name, "path": str(case.make(place)), "crs": case.crs, "mapping": case.mapping}

    def _hear(self, told: Any) -> None:
        if "begin" in told:
            self._begun = told["begin"]
        else:
            self._done[told["name"]] = told
