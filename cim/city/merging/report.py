"""What a delivery did to a city of several sources, said in numbers and lists (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from cim.city.matching import Matched
from cim.city.merge import Combined, Conflict, Member
from cim.city.merging.plan import Link, dataset_of

ITEMS_MAX: Final = 1_000
"""Entries of each list of a report; the counts are of all."""


class Report:
    """Gathers what happens while a delivery is merged."""

    def __init__(self, job_id: str, version: int, datasets: Sequence[str]) -> None:
        self._head = {"job_id": job_id, "baseline_version": version, "datasets": sorted(datasets)}
        self._datasets = frozenset(datasets)
        self._shown = {"added": 0, "changed": 0, "removed": 0}
        self._matched: Counter[str] = Counter()
        self._overlaps: list[float] = []
        self._buildings = self._shared = 0
        self._gained: Counter[str] = Counter()
        self._conflicting: Counter[str] = Counter()
        self._conflicts: list[dict[str, Any]] = []
        self._blocks: list[dict[str, Any]] = []
        self._doubts: list[dict[str, Any]] = []

    def matching(self, found: Matched) -> None:
        """Take down the pairs that nothing was decided of."""
        self._blocks.extend({"incoming": block.incoming, "present": block.present} for block in found.blocks)
        self._doubts.extend(doubt._asdict() for doubt in found.doubts)

    def combined(self, canonical: str, members: Sequence[Member], combined: Combined) -> None:
        """Take down what a building got from whom, and who said otherwise."""
        self._buildings += 1
        if len(members) > 1:
            self._shared += 1
        own = dataset_of(canonical)
        for name, fact in combined.facts.items():
            # Facts of the building's own source name none.
            if "s" in fact and fact["s"] != own and fact["s"] in self._datasets:
                self._gained[name] += 1
        for conflict in combined.conflicts:
            self._conflicting[conflict.attribute] += 1
            if len(self._conflicts) < ITEMS_MAX:
                self._conflicts.append({"object_id": canonical, **conflict_json(conflict)})

    def shown(self, added: int, changed: int, removed: int) -> None:
        """Take down how what is shown has changed."""
        self._shown = {"added": added, "changed": changed, "removed": removed}

    def links(self, links: Mapping[str, Link]) -> None:
        """Take down how the delivery's buildings are joined with those of others now."""
        for identifier, link in links.items():
            if dataset_of(identifier) in self._datasets and identifier != link.canonical_id:
                self._matched[str(link.match)] += 1
                if link.overlap:
                    self._overlaps.append(link.overlap)

    def json(self) -> dict[str, Any]:
        """Return the report as JSON members."""
        return {
            **self._head,
            "shown": self._shown,
            "worked_out": {"buildings": self._buildings, "of_several_sources": self._shared},
            "matched": {"count": self._matched.total(), **dict(sorted(self._matched.items()))},
            "overlap": _spread(self._overlaps),
            "gained": dict(self._gained.most_common()),
            "conflicts": {
                "count": self._conflicting.total(),
                "by_attribute": dict(self._conflicting.most_common()),
                "items": self._conflicts,
            },
            "blocks": {"count": len(self._blocks), "items": self._blocks[:ITEMS_MAX]},
            "doubts": {"count": len(self._doubts), "items": self._doubts[:ITEMS_MAX]},
        }


def counts_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a report alone, for the summary of a job."""
    lists = {name: report[name]["count"] for name in ("conflicts", "blocks", "doubts")}
    return {"matched": report["matched"], **lists, "gained": report["gained"]}


def conflict_json(conflict: Conflict) -> dict[str, Any]:
    """Return who says what, as JSON members."""
    return {
        "attribute": conflict.attribute,
        "kept": {"value": conflict.kept, "dataset": conflict.kept_dataset},
        "other": {"value": conflict.other, "dataset": conflict.other_dataset},
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, middle, high = np.quantile(np.array(values), (0.1, 0.5, 0.9)).round(4).tolist()
    return {"p10": low, "median": middle, "p90": high}
