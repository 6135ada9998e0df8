"""The indicators as a graph: nodes with declared inputs, recomputed only where an edit reaches; pure.

A node's inputs are layers of the stock (``buildings``, ``streets``, …), the word ``site`` (the land
that the scheme touches) and ids of other nodes.  An edit names the layers that it touched; what is
reached from there is computed again, the cheapest first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from cim.findings import Quality, Verdict, judge
from cim.impact.factors import FactorSet
from cim.impact.layers import Ints
from cim.impact.model import Better, Outcome, Range, Reading, Scope, State, Target, Title
from cim.impact.rows import Tally, members_of
from cim.impact.stock import LAYERS, Overlay, Raw, Stock, layer_entry

SITE: Final = "site"
CACHED_SITES_MAX: Final = 8
"""Sites whose baseline values are kept beside a baseline."""


class Superseded(Exception):  # a signal between the worker and a node, never a user's
    """The case is no longer wanted: a newer one waits."""


def _go_on() -> None:
    """Let the work go on."""


@dataclass(frozen=True)
class Case:
    """One state of the city as a node sees it.

    ``site``: rows of the baseline's units that the compared schemes touch; ``overlay``: the objects that were
    laid over the baseline, for nodes that need their geometry.
    """

    stock: Stock
    factors: FactorSet
    site: frozenset[int] = frozenset()
    overlay: Overlay = field(default_factory=dict)
    check: Callable[[], None] = _go_on
    """To be called now and then by what takes long: raises :class:`Superseded` where nobody waits any more."""

    @property
    def at_base(self) -> Case:
        """The same land without the scheme."""
        return Case(self.stock.base, self.factors, self.site)

    @cached_property
    def site_units(self) -> Ints:
        """The rows of this stock's units on the site; all units where the scheme touches none."""
        return self.stock.site_units(self.site) if self.site else self.stock.units.rows()

    @cached_property
    def site_rows(self) -> Ints:
        """The buildings on the site; all of the city's where the scheme touches no unit."""
        if not self.site:
            return self.stock.buildings.rows()
        return self.stock.rows_on(self.site_units)

    @cached_property
    def site_tally(self) -> Tally:
        """The sums over the buildings on the site."""
        return self.stock.tally(self.site_rows if self.site else None)

    @cached_property
    def site_area_cm2(self) -> int:
        """The area of the site."""
        facts = self.stock.units.facts
        return sum(facts[row].area_cm2 for row in self.site_units.tolist())


Compute = Callable[[Case], Outcome]


@dataclass(frozen=True, slots=True)
class Node:
    """An indicator: what it is called, what it is made of, how it is made.

    ``rank`` orders nodes, cheap ones first.  ``change``: what a scheme changes by itself, with an interval of
    its own; without it the difference of two values has none.
    """

    id: str
    unit: str
    title: Title
    inputs: tuple[str, ...]
    method: str
    compute: Compute
    quality: Quality = Quality.MODELLED
    better: Better = "none"
    scope: Scope = Scope.CITY
    rank: int = 0
    change: Callable[[Case], Range | None] | None = None
    refine: Callable[[Case], Iterator[Outcome]] | None = None
    """Yields coarse outcomes before the last, for what takes long; ``compute`` gives the last alone."""

    def as_json(self) -> dict[str, Any]:
        """Return what is told of an indicator that has no value yet."""
        return {
            "id": self.id,
            "unit": self.unit,
            "title": self.title.as_json(),
            "inputs": list(self.inputs),
            "method": self.method,
            "quality": self.quality.value,
            "better": self.better,
            "scope": self.scope.value,
        }


class Graph:
    """Nodes by id, in the order in which they are computed."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        ordered = sorted(nodes, key=lambda node: node.rank)
        self.nodes: Mapping[str, Node] = {node.id: node for node in ordered}
        if len(self.nodes) != len(ordered):
            raise ValueError("two indicators have one id")
        known = {*LAYERS, SITE, *self.nodes}
        for node in ordered:
            unknown = set(node.inputs) - known
            if unknown:
                raise ValueError(f"{node.id} asks for {sorted(unknown)}")

    def reached(self, touched: Collection[str]) -> tuple[Node, ...]:
        """Return the nodes that depend on any of some inputs, directly or through others, in order."""
        marked = set(touched)
        grew = True
        while grew:
            fresh = {node.id for node in self.nodes.values() if node.id not in marked and marked & set(node.inputs)}
            marked |= fresh
            grew = bool(fresh)
        return tuple(node for node in self.nodes.values() if node.id in marked)

    def readings(self, case: Case, sequence: int, nodes: Iterable[Node] | None = None) -> Iterator[Reading]:
        """Yield a reading for each of some nodes (all by default) as soon as it is known."""
        for node in self.nodes.values() if nodes is None else nodes:
            yield read_node(node, case, sequence)


def base_outcome(node: Node, case: Case) -> Outcome:
    """Return what a node says of the baseline on the same site; kept beside the baseline."""
    site = case.site if node.scope is Scope.SITE else frozenset()
    key = f"outcomes/{case.factors.id}/{node.id}"
    cache: dict[frozenset[int], Outcome] = case.stock.base.memo.setdefault(key, {})
    found = cache.get(site)
    if found is None:
        found = node.compute(Case(case.stock.base, case.factors, site or case.site))
        if len(cache) >= CACHED_SITES_MAX:
            cache.clear()
        cache[site] = found
    return found


def read_node(node: Node, case: Case, sequence: int) -> Reading:
    """Compute a node for a state of the city and for its baseline, and judge it."""
    outcome = base_outcome(node, case) if case.stock.is_base else node.compute(case)
    return reading_of(node, case, sequence, outcome)


def refine_node(node: Node, case: Case, sequence: int) -> Iterator[Reading]:
    """Yield what a node finds, coarse at first where it can; all but the last are pending."""
    if node.refine is None or case.stock.is_base:
        yield read_node(node, case, sequence)
        return
    last: Outcome | None = None
    for outcome in node.refine(case):
        if last is not None:
            yield replace(reading_of(node, case, sequence, last), state=State.PENDING)
        last = outcome
    if last is not None:
        yield reading_of(node, case, sequence, last)


def reading_of(node: Node, case: Case, sequence: int, outcome: Outcome) -> Reading:
    """Return the reading of an outcome: beside its baseline, with what the scheme changes, and judged."""
    base = base_outcome(node, case)
    if node.change is not None and not case.stock.is_base:
        outcome = replace(outcome, change=node.change(case))
    target = outcome.target or case.factors.targets.get(node.id)
    return Reading(
        id=node.id,
        unit=node.unit,
        scope=node.scope,
        quality=node.quality,
        method=node.method,
        inputs=node.inputs,
        sequence=sequence,
        state=State.READY,
        outcome=outcome,
        base=base.value,
        sources=tuple(dict.fromkeys(factor.source for factor in outcome.factors)),
        target=target,
        verdict=verdict_of(outcome.value, target),
        better=node.better,
        extra={"baseline_version": case.stock.version} if case.stock.version else {},
    )


def empty_reading(node: Node, sequence: int, state: State) -> Reading:
    """Return the reading of a node that has not been computed, or could not be."""
    return Reading(node.id, node.unit, node.scope, node.quality, node.method, node.inputs, sequence, state)


def verdict_of(value: Range | None, target: Target | None) -> Verdict | None:
    """Judge a value's whole interval by its target: one part that fails fails all, one in doubt leaves a doubt."""
    if value is None or target is None or (target.min is None and target.max is None):
        return None
    interval = (value.low, value.high)
    found = []
    if target.min is not None:
        found.append(judge(interval, target.min, at_most=False))
    if target.max is not None:
        found.append(judge(interval, target.max, at_most=True))
    worst: Sequence[Verdict] = (Verdict.FAIL, Verdict.DISCUSS)
    return next((verdict for verdict in worst if verdict in found), Verdict.PASS)


def signature(overlay: Overlay) -> dict[str, tuple[object, ...] | None]:
    """Return what the indicators see of each object of an overlay, to be compared."""
    seen: dict[str, tuple[object, ...] | None] = {}
    for identifier, item in overlay.items():
        if item is None:
            seen[identifier] = None
        else:
            facts = tuple((name, repr(fact.value)) for name, fact in sorted(item.attributes.items()))
            wkb = None if item.place is None else item.place.wkb
            solids = tuple(np.asarray(g.coordinates).tobytes() for g in item.geometries)
            seen[identifier] = (item.type, wkb, facts, solids)
    return seen


def touched_inputs(base: Stock, before: Overlay, after: Overlay) -> set[str]:
    """Return the layers in which two overlays differ."""
    old, new = signature(before), signature(after)
    touched: set[str] = set()
    for identifier in old.keys() | new.keys():
        if identifier in old and identifier in new and old[identifier] == new[identifier]:
            continue
        touched |= {name for name in LAYERS if base.layer(name).row(identifier) is not None}
        for overlay in (before, after):
            item = overlay.get(identifier)
            found = None if item is None else layer_entry(Raw(item.id, item.type, item.place, members_of(item)))
            if found is not None:
                touched.add(found[0])
    return touched
