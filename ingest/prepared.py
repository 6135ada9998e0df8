"""Rows checked, inspected and made columns: here, or by those who decode a large file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from cim.city.columns import rows_to_columns
from cim.city.model import Quarantined
from cim.city.rows import ObjectRows, check_rows
from cim.quality.codes import Criteria, Policy
from cim.quality.model import with_validity

if TYPE_CHECKING:
    from cim.quality.evidence import Evidence


@dataclass(frozen=True, slots=True)
class ObjectBatch:
    """Objects and their geometries as rows."""

    objects: pa.RecordBatch
    geometries: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Prepared:
    """Objects of which no other has the id: what was ``refused``, and the batch of the others with what was found.

    ``ids`` are those of all that were looked at; some of them may not be in the batch, for ``faults`` say so.
    """

    ids: list[str]
    refused: list[Quarantined]
    faults: list[Quarantined]
    batch: ObjectBatch | None
    evidence: Evidence

    def __len__(self) -> int:
        """Return how many objects there were."""
        return len(self.ids) + len(self.refused)


Prepare = Callable[[ObjectRows], Prepared]


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares rows; depends on nothing but them, so that it may run in any process."""

    criteria: Criteria

    def __call__(self, rows: ObjectRows) -> Prepared:
        """Check rows, look at them, and make them columns."""
        # The server imports this module, and has no use for the checks.
        from cim.quality.evidence import evidence_of  # noqa: PLC0415

        refused = check_rows(rows)
        rows = without(rows, refused)
        evidence = evidence_of(rows, self.criteria)
        faults, batch = batch_of(rows, evidence.invalid, self.criteria.policy)
        return Prepared(rows.ids, list(refused.values()), faults, batch, evidence)


def without(rows: ObjectRows, refused: Mapping[int, object]) -> ObjectRows:
    """Return rows but those that are refused."""
    if not refused:
        return rows
    kept = np.ones(len(rows), dtype=bool)
    kept[list(refused)] = False
    return rows.only(kept)


def batch_of(
    rows: ObjectRows, invalid: Mapping[int, tuple[str, ...]], policy: Policy
) -> tuple[list[Quarantined], ObjectBatch | None]:
    """Return rows that are fit for the city as a batch; what is not valid is marked in it, or kept out of it."""
    faults: list[Quarantined] = []
    if invalid and policy is Policy.QUARANTINE:
        for row, codes in invalid.items():
            said = f"The geometry is not valid: {', '.join(codes)}."
            faults.append(Quarantined(rows.ids[row], f"geometry-{codes[0]}", said))
        rows = without(rows, invalid)
    else:
        for row, codes in invalid.items():
            rows.attributes[row] = with_validity(rows.attributes[row], codes)
    return faults, ObjectBatch(*rows_to_columns(rows)) if len(rows) else None
