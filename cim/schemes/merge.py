"""Merging two branches and moving one to a newer baseline (pure).

Both compare three values of each field: where the branches began, ours, theirs.  What only one side
changed is taken; what both changed to the same is one change; anything else is a conflict that is
listed with both sides and waits for a choice.  To demolish what the other side edits is a conflict
about the whole object.  Nothing is dropped without being listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cim.schemes.base import Baseline
from cim.schemes.model import EXISTS, TYPE, Change, Choices, Conflict, Key, Side, Value
from cim.schemes.state import State, base_value


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a merge or a rebase comes to: changes to our branch, and the conflicts that no choice settles."""

    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    settled: tuple[Conflict, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every conflict was settled."""
        return not self.conflicts


Sides = Mapping[str, Mapping[str, tuple[Value, Value, Value]]]
"""Of each target and field that either side changed: ancestor's, our, their value."""


def merge(ancestor: State, ours: State, theirs: State, choices: Choices | None = None) -> Outcome:
    """Return what takes their changes since ``ancestor`` into ours.

    All three are states over one baseline.  Without conflicts the result does not depend on which
    side is ours.
    """
    chosen = choices or {}
    changes: list[Change] = []
    open_: list[Conflict] = []
    settled: list[Conflict] = []
    for target, fields in sorted(_sides(ancestor, ours, theirs).items()):
        for conflict in _conflicts(target, fields):
            side = chosen.get(conflict.key)
            (open_ if side is None else settled).append(conflict)
        about_all = {c.field for c in (*open_, *settled) if c.target == target}
        whole = chosen.get((target, EXISTS)) if EXISTS in about_all else None
        for field, (_was, our, their) in sorted(fields.items()):
            if our == their:
                continue
            wanted = _wanted(fields[field], whole, chosen.get((target, field)), contested=EXISTS in about_all)
            if wanted is Side.THEIRS:
                cell = theirs.own(target).get(field)
                changes.append(Change(target, field, our, their, None if cell is None else cell.phase_year))
    return Outcome(tuple(changes), tuple(open_), tuple(settled))


def _sides(ancestor: State, ours: State, theirs: State) -> Sides:
    sides: dict[str, dict[str, tuple[Value, Value, Value]]] = {}
    for target, field in {*ancestor.net(), *ours.net(), *theirs.net()}:
        three = (ancestor.value(target, field), ours.value(target, field), theirs.value(target, field))
        if three[0] != three[1] or three[0] != three[2]:
            sides.setdefault(target, {})[field] = three
    return sides


def _conflicts(target: str, fields: Mapping[str, tuple[Value, Value, Value]]) -> Iterable[Conflict]:
    was, our, their = fields.get(EXISTS, (None, None, None))
    if EXISTS in fields and our != their:
        # One side took the object away (or put it back): it contradicts whatever the other did to it.
        gone = 1 if our != was else 2
        edits = {name: three[3 - gone] for name, three in fields.items() if three[3 - gone] != three[0]}
        edits.pop(EXISTS, None)
        if edits:
            yield Conflict(target, EXISTS, was, our, their, dict(sorted(edits.items())))
            return
    for field, (base, mine, yours) in sorted(fields.items()):
        if base not in (mine, yours) and mine != yours:
            yield Conflict(target, field, base, mine, yours)


def _wanted(three: tuple[Value, Value, Value], whole: Side | None, single: Side | None, *, contested: bool) -> Side:
    """Return whose value of a field is to stand; of what waits for a choice, ours for now."""
    if contested:
        return whole or Side.OURS
    was, our, their = three
    if was not in (our, their) and our != their:
        return single or Side.OURS
    return Side.THEIRS if our == was else Side.OURS


def rebase(state: State, base: Baseline, choices: Choices | None = None) -> Outcome:
    """Return what moves a state to another baseline: changes over the new one, and what contradicts it.

    Theirs is the new baseline.  ``old`` of a change is the state's value over the old baseline.
    """
    chosen = choices or {}
    changes: list[Change] = []
    open_: list[Conflict] = []
    settled: list[Conflict] = []
    for target in sorted(state.targets):
        conflicts = list(_against(state, base, target))
        for conflict in conflicts:
            (open_ if chosen.get(conflict.key) is None else settled).append(conflict)
        if any(conflict.field == EXISTS for conflict in conflicts):
            side = chosen.get((target, EXISTS), Side.OURS)
            changes += _keep(state, base, target) if side is Side.OURS else _give_up(state, base, target)
            continue
        if not _is_there(base, target) and _is_there(state.base, target):
            changes += _give_up(state, base, target)
            continue
        for conflict in conflicts:
            if chosen.get(conflict.key) is Side.THEIRS:
                changes.append(Change(target, conflict.field, conflict.ours, conflict.theirs))
    return Outcome(tuple(changes), tuple(open_), tuple(settled))


def _is_there(base: Baseline, target: str) -> bool:
    return base.fields(target) is not None


def _against(state: State, base: Baseline, target: str) -> Iterable[Conflict]:
    """Yield what a newer baseline contradicts of the changes of one target."""
    before, after = state.base.fields(target), base.fields(target)
    if before is None:
        return
    own = {name: cell.value for name, cell in state.own(target).items()}
    demolished = own.get(EXISTS) is False
    if after is None or after.get(TYPE) != before.get(TYPE):
        if not demolished:
            yield Conflict(target, EXISTS, base=True, ours=True, theirs=False, edits=dict(sorted(own.items())))
        return
    moved = {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}
    if demolished:
        if moved:
            yield Conflict(target, EXISTS, base=True, ours=False, theirs=True, edits=dict(sorted(moved.items())))
        return
    for name in sorted(moved.keys() & own.keys()):
        if own[name] != moved[name]:
            yield Conflict(target, name, before.get(name), own[name], moved[name])


def _keep(state: State, base: Baseline, target: str) -> list[Change]:
    """Return what makes a target over the new baseline what it was over the old one."""
    fields = state.fields(target)
    if not fields.get(EXISTS):
        return []
    kept = ((name, value) for name, value in sorted(fields.items()) if base_value(base, target, name) != value)
    return [Change(target, name, value, value) for name, value in kept]


def _give_up(state: State, base: Baseline, target: str) -> list[Change]:
    """Return what makes a target the new baseline's own."""
    own: list[Key] = [(target, name) for name in sorted(state.own(target))]
    return [Change(*key, state.value(*key), base_value(base, *key)) for key in own]
