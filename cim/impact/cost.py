"""Cost of construction: floor area that a scheme puts up, by height of the building; pure.

Method: docs/methods/construction-cost.md.
"""

from __future__ import annotations

from typing import Final

from cim.findings import Quality
from cim.impact.graph import Case, Node
from cim.impact.model import Outcome, Range, Scope, Share, Title, total
from cim.impact.rows import CM2_PER_M2
from cim.impact.works import Works, works_of

CLASSES: Final = ((7, "cost_7"), (18, "cost_18"), (33, "cost_33"), (45, "cost_45"), (10_000, "cost_more"))
"""Storeys up to which a cost per floor area holds, and the role of that cost."""


def cost_role(storeys: int) -> str:
    """Return which cost holds for a building of so many storeys."""
    return next(role for most, role in CLASSES if storeys <= most)


def built_by_role(works: Works) -> dict[str, int]:
    """Return the floor area put up by role of its cost, cm²."""
    built = {role: 0 for _, role in CLASSES}
    for work in works.items:
        built[cost_role(work.storeys)] += work.built_cm2
    return built


def construction(case: Case) -> Outcome:
    """Return what the buildings of a scheme cost to put up."""
    built = built_by_role(works_of(case.stock))
    parts = {role: case.factors.range(role).scaled(area / CM2_PER_M2) for role, area in built.items() if area}
    shares = tuple(Share(case.factors.factor(role).id, part.value) for role, part in parts.items())
    return Outcome(total(parts.values()), shares, case.factors.used(parts))


def _change(case: Case) -> Range | None:
    return construction(case).value


def cost_nodes() -> tuple[Node, ...]:
    """Return the indicators of cost."""
    return (
        Node(
            "cost.construction",
            "CNY",
            Title("Construction cost", "建安工程造价"),
            ("buildings",),
            "construction-cost",
            construction,
            quality=Quality.MODELLED,
            better="less",
            scope=Scope.CITY,
            rank=4,
            change=_change,
        ),
    )
