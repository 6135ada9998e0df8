"""What can be wrong with an edit, as errors that carry every side of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import shapely

from cim import errors
from cim.findings import Finding, Severity, Verdict
from cim.schemes.model import Conflict


class EditConflict(errors.Conflict):
    """The edit was true of another state of the scheme; nothing was written."""

    code = "edit-conflict"

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(
            "Somebody has changed the same thing. Nothing was written.", hint="Look at both sides and choose."
        )
        self.conflicts = tuple(conflicts)

    def as_problem(self) -> dict[str, object]:
        """Return the problem with every conflict, both sides of it."""
        return {**super().as_problem(), "conflicts": [conflict.as_json() for conflict in self.conflicts]}


class EditRefused(errors.InvalidInput):
    """The edit cannot stand; the findings say why and where."""

    code = "edit-refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("The edit cannot stand. Nothing was written.", hint="Look at the findings.")
        self.findings = tuple(findings)
        self.shown: Sequence[Mapping[str, object]] = ()
        """The findings as they are sent; the edge knows how."""

    def as_problem(self) -> dict[str, object]:
        """Return the problem with its findings."""
        return {**super().as_problem(), "findings": list(self.shown)}


def refused(
    rule: str, target: str | None = None, *, witness: shapely.Geometry | None = None, **params: str | float
) -> EditRefused:
    """Return the refusal by one rule; ``params`` are what a client words it from, ``witness`` where it is."""
    measured, limit = params.pop("measured", None), params.pop("limit", None)
    return EditRefused(
        [
            Finding(
                rule=rule,
                clause="edit",
                verdict=Verdict.FAIL,
                severity=Severity.FAIL,
                measured=measured if isinstance(measured, int | float) else None,
                limit=limit if isinstance(limit, int | float) else None,
                object_id=target,
                witness_wkb=None if witness is None else shapely.to_wkb(witness),
                params=dict(params),
            )
        ]
    )
