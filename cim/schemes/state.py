"""The state of a scheme: what it has changed, over a baseline (pure).

A state is never changed in place: applying changes gives another, which shares what did not change.
A value that equals the baseline's is not kept, so a state is always the net of its log and two states
over one baseline are equal where their nets are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from cim.schemes.base import Baseline
from cim.schemes.model import EXISTS, TYPE, Change, Conflict, Edit, Key, Value


class Cell(NamedTuple):
    """A value of a scheme's own, and the year of the phase that it belongs to."""

    value: Value
    phase_year: int | None = None


Overlay = Mapping[str, Mapping[str, Cell]]


class State:
    """What a scheme has made of its baseline."""

    __slots__ = ("_overlay", "base")

    def __init__(self, base: Baseline, overlay: Overlay | None = None) -> None:
        self.base = base
        self._overlay: Overlay = overlay or {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return self.base.version == other.base.version and self.net() == other.net()

    __hash__ = None  # type: ignore[assignment]

    @property
    def targets(self) -> Collection[str]:
        """The targets that the scheme has changed, in the order in which it first did."""
        return self._overlay.keys()

    def own(self, target: str) -> Mapping[str, Cell]:
        """Return the fields of a target that the scheme has changed."""
        return self._overlay.get(target, {})

    def value(self, target: str, field: str) -> Value:
        """Return the value of a field; ``None`` where there is none, ``False`` for ``exists``."""
        cell = self._overlay.get(target, {}).get(field)
        return base_value(self.base, target, field) if cell is None else cell.value

    def exists(self, target: str) -> bool:
        """Whether the target is there."""
        return bool(self.value(target, EXISTS))

    def known(self, target: str) -> bool:
        """Whether the target is or was there, in the baseline or by the scheme."""
        return target in self._overlay or self.base.fields(target) is not None

    def type_of(self, target: str) -> str | None:
        """Return the type of a target, ``None`` for one that is not there."""
        kind = self.value(target, TYPE)
        return kind if isinstance(kind, str) else None

    def fields(self, target: str) -> dict[str, Value]:
        """Return all fields of a target as the scheme has them."""
        own = {name: cell.value for name, cell in self.own(target).items()}
        return {**(self.base.fields(target) or {}), **own}

    def net(self) -> dict[Key, Value]:
        """Return every value that differs from the baseline's."""
        return {(target, name): cell.value for target, own in self._overlay.items() for name, cell in own.items()}

    def phase_of(self, target: str) -> int | None:
        """Return the first year in which a target is changed, ``None`` where no phase is named."""
        years = [cell.phase_year for cell in self.own(target).values() if cell.phase_year is not None]
        return min(years, default=None)

    def conflicts(self, changes: Sequence[Change], *, gone_too: bool = False) -> list[Conflict]:
        """Return what keeps changes from being applied: an old value that no longer fits, a target that is gone.

        With ``gone_too`` what is gone may change: a merge brings in all that led to a demolition on both sides.
        """
        made = {change.target for change in changes if change.field == EXISTS and change.new is True}
        found: dict[Key, Conflict] = {}
        for change in changes:
            if not gone_too and change.target not in made and change.field != EXISTS and not self.exists(change.target):
                gone = found.get((change.target, EXISTS))
                if self._vanishes(change, changes):
                    continue
                edits = {**(gone.edits if gone else {}), change.field: change.new}
                found[change.target, EXISTS] = Conflict(
                    change.target, EXISTS, base=True, ours=False, theirs=True, edits=edits
                )
                continue
            now = self.value(change.target, change.field)
            if now != change.old:
                found[change.key] = Conflict(change.target, change.field, change.old, now, change.new)
        return list(found.values())

    @staticmethod
    def _vanishes(change: Change, changes: Sequence[Change]) -> bool:
        return any(c.target == change.target and c.field == EXISTS and c.new is False for c in changes)

    def apply(self, changes: Iterable[Change], phase_year: int | None = None) -> State:
        """Return the state after changes; whether they fit is asked of :meth:`conflicts`."""
        overlay = dict(self._overlay)
        for change in changes:
            _set(overlay, self.base, change, change.phase_year or phase_year, fresh=self._overlay)
        return State(self.base, overlay)

    def only(self, targets: Iterable[str]) -> State:
        """Return the state as far as it concerns some targets."""
        return State(self.base, {target: self._overlay[target] for target in targets if target in self._overlay})

    def over(self, base: Baseline) -> State:
        """Return the same net over another baseline, without what is the same there."""
        kept = {}
        for target, own in self._overlay.items():
            differing = {name: cell for name, cell in own.items() if base_value(base, target, name) != cell.value}
            if differing:
                kept[target] = differing
        return State(base, kept)


def _set(
    overlay: dict[str, Mapping[str, Cell]], base: Baseline, change: Change, phase_year: int | None, *, fresh: Overlay
) -> None:
    """Set one cell in an outer copy; the inner mapping is copied where it is still shared."""
    own = overlay.get(change.target)
    if own is None:
        own = {}
    elif own is fresh.get(change.target):
        own = dict(own)
    assert isinstance(own, dict)
    if base_value(base, change.target, change.field) == change.new:
        own.pop(change.field, None)
    else:
        own[change.field] = Cell(change.new, phase_year)
    if own:
        overlay[change.target] = own
    else:
        overlay.pop(change.target, None)


def base_value(base: Baseline, target: str, field: str) -> Value:
    """Return the baseline's value of a field; ``None``, or ``False`` for ``exists``, where it has none."""
    fields = base.fields(target)
    if fields is None:
        return False if field == EXISTS else None
    return fields.get(field)


def fold(
    state: State,
    edits: Iterable[Edit],
    baseline_of: Mapping[int, Baseline] | None = None,
    *,
    year: int | None = None,
    targets: Collection[str] | None = None,
) -> State:
    """Return the state after a log, in one pass over it.

    ``baseline_of`` gives the baselines that rebases name.  With ``year`` only what is built by then
    counts; with ``targets`` only what changes those.
    """
    base = state.base
    overlay: dict[str, Mapping[str, Cell]] = {target: dict(state.own(target)) for target in state.targets}
    for edit in edits:
        if edit.baseline_version is not None and edit.baseline_version != base.version:
            base = (baseline_of or {})[edit.baseline_version]
            moved = State(base, overlay).over(base)
            overlay = {target: dict(moved.own(target)) for target in moved.targets}
        for change in edit.changes:
            phase_year = change.phase_year or edit.phase_year
            if year is not None and phase_year is not None and phase_year > year:
                continue
            if targets is None or change.target in targets:
                _set(overlay, base, change, phase_year, fresh={})
    return State(base, overlay)


def invert(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes that take these back."""
    return tuple(
        Change(change.target, change.field, change.new, change.old, change.phase_year) for change in reversed(changes)
    )


def differences(before: State, after: State) -> list[Change]:
    """Return what differs between two states, in a stable order; each value by its own baseline."""
    keys = sorted(before.net().keys() | after.net().keys())
    pairs = ((key, before.value(*key), after.value(*key)) for key in keys)
    return [Change(*key, old, new) for key, old, new in pairs if old != new]


def depending(then: State, now: State, changes: Sequence[Change]) -> list[Conflict]:
    """Return what was changed since ``then`` on targets that ``changes`` take away altogether.

    ``then`` is the state right after the edit that is taken back: what made something must not
    silently take back what others did to it.
    """
    going = {change.target for change in changes if change.field == EXISTS and change.new is False}
    found = []
    for target in sorted(going):
        names = sorted({*then.own(target), *now.own(target)} - {EXISTS, TYPE})
        edits = {n: now.value(target, n) for n in names if then.value(target, n) != now.value(target, n)}
        if edits:
            found.append(Conflict(target, EXISTS, base=True, ours=True, theirs=False, edits=edits))
    return found
