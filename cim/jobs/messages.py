"""What a job's child process and its parent say to each other (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cim.errors import CimError, Param
from cim.jobs.model import JobLimits


@dataclass(frozen=True, slots=True)
class Begin:
    """Parent: run this entry (``module:function``) with these parameters under these limits."""

    entry: str
    params: Mapping[str, object]
    limits: JobLimits


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Parent: the oldest payload in flight has been dealt with; the next may come."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Parent: stop at the next convenient place."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Child: a step begins."""

    name: str
    total: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class StepAdvanced:
    """Child: so much of the step is done; a total of None leaves it as it was."""

    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """Child: a piece of the result, to be stored by the parent."""

    body: object


@dataclass(frozen=True, slots=True)
class Finished:
    """Child: all is done."""

    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Failed:
    """Child: it cannot go on; ``code`` is that of an error in ``cim.errors`` or of ``cim.jobs.faults``."""

    code: str
    message: str
    hint: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)

    def as_error(self) -> CimError:
        """Return the error that the child raised, for the parent to raise."""
        return CimError(self.message, hint=self.hint, code=self.code, **self.params)


ToChild: TypeAlias = Begin | Acknowledge | Cancel
FromChild: TypeAlias = StepStarted | StepAdvanced | Payload | Finished | Failed
