"""Branches made by chance: what is undone is undone, what is merged is neither lost nor guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim.schemes.merge import merge, rebase
from cim.schemes.model import Change, Conflict, Edit, Side
from cim.schemes.state import State, differences, fold, invert
from tests.support.scheme_base import MemoryBaseline, edit_of

TARGETS = ("h:a", "h:b", "h:c", "h:d")
NEW = ("s:b/1", "s:b/2", "s:b/3")
FIELDS = ("height", "use", "roof")
VALUES = st.integers(0, 3)
EXAMPLES = settings(max_examples=300, deadline=None)

Step = tuple[str, str, str, int, int | None]
steps = st.lists(
    st.tuples(
        st.sampled_from(("set", "set", "set", "demolish", "add")),
        st.sampled_from(TARGETS),
        st.sampled_from(FIELDS),
        VALUES,
        st.sampled_from((None, None, 2027, 2030)),
    ),
    max_size=14,
)
bases = st.fixed_dictionaries({target: st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES)) for target in TARGETS})


def city(objects: dict[str, dict[str, Any]], version: int = 1) -> MemoryBaseline:
    return MemoryBaseline(version, {target: {"type": "Thing", **fields} for target, fields in objects.items()})


def changes_of(state: State, step: Step, made: str) -> list[Change]:
    """What a step comes to on a state; nothing where it cannot be."""
    action, target, field, value, _ = step
    if action == "add":
        if state.known(made):
            return []
        fields = [Change(made, name, None, value) for name in FIELDS]
        return [Change(made, "type", None, "Thing"), Change(made, "exists", old=False, new=True), *fields]
    if not state.exists(target):
        return []
    if action == "demolish":
        return [Change(target, "exists", old=True, new=False)]
    old = state.value(target, field)
    return [] if old == value else [Change(target, field, old, value)]


def grown(root: State, plan: list[Step], prefix: str = "s") -> tuple[list[Edit], State]:
    """A log of the steps that could be, and the state that each append led to."""
    log: list[Edit] = []
    state = root
    for step in plan:
        changes = changes_of(state, step, f"{prefix}:b/{len(log) + 1}")
        if changes:
            assert state.conflicts(changes) == []
            log.append(edit_of(len(log) + 1, changes, phase_year=step[4]))
            state = state.apply(changes, step[4])
    return log, state


def flat(state: State) -> dict[tuple[str, str], Any]:
    """Every value of every object there is or was: an oracle that knows nothing of overlays."""
    base = state.base
    assert isinstance(base, MemoryBaseline)
    values = {(t, f): v for t in base.targets() for f, v in (base.fields(t) or {}).items()}
    return {**values, **state.net()}


@given(bases, steps)
@EXAMPLES
def test_a_log_replayed_is_the_state_it_grew_to(objects: Any, plan: list[Step]) -> None:
    root = State(city(objects))
    log, state = grown(root, plan)
    assert fold(root, log) == state
    # Key by key, by plain assignment.
    expected = flat(root)
    for edit in log:
        expected.update({change.key: change.new for change in edit.changes})
    assert flat(state) == expected


@given(bases, steps, st.integers(0, 14))
@EXAMPLES
def test_opening_at_an_edit_is_the_state_that_was_there(objects: Any, plan: list[Step], at: int) -> None:
    root = State(city(objects))
    log, _ = grown(root, plan)
    state = root
    for edit in log[:at]:
        state = state.apply(edit.changes, edit.phase_year)
    assert fold(root, log[:at]) == state
    assert fold(fold(root, log[:at]), log[at:]) == fold(root, log)


@given(bases, steps)
@EXAMPLES
def test_apply_then_invert_is_identity(objects: Any, plan: list[Step]) -> None:
    root = State(city(objects))
    log, state = grown(root, plan)
    for edit in reversed(log):
        back = invert(edit.changes)
        assert state.conflicts(back) == []
        before = state
        state = state.apply(back)
        assert state.apply(invert(back)) == before
    assert state == root
    assert state.net() == {}


@given(bases, steps, steps, steps)
@EXAMPLES
def test_merging_without_conflict_is_commutative(objects: Any, first: Any, left: Any, right: Any) -> None:
    _, ancestor = grown(State(city(objects)), first, "a")
    _, ours = grown(ancestor, left, "o")
    _, theirs = grown(ancestor, right, "t")
    to_ours, to_theirs = merge(ancestor, ours, theirs), merge(ancestor, theirs, ours)
    assert to_ours.complete == to_theirs.complete
    if to_ours.complete:
        assert ours.conflicts(to_ours.changes, gone_too=True) == []
        assert ours.apply(to_ours.changes) == theirs.apply(to_theirs.changes)


def mirrored(conflicts: tuple[Conflict, ...]) -> set[tuple[Any, ...]]:
    return {(c.target, c.field, c.base, c.theirs, c.ours) for c in conflicts}


@given(bases, steps, steps, steps)
@EXAMPLES
def test_every_conflict_is_listed_with_both_sides(objects: Any, first: Any, left: Any, right: Any) -> None:
    _, ancestor = grown(State(city(objects)), first, "a")
    _, ours = grown(ancestor, left, "o")
    _, theirs = grown(ancestor, right, "t")
    outcome = merge(ancestor, ours, theirs)
    was, our, their = flat(ancestor), flat(ours), flat(theirs)
    expected = set()
    for target in {key[0] for key in (*was, *our, *their)}:
        keys = [key for key in {*was, *our, *their} if key[0] == target]
        touched = [[k for k in keys if side.get(k) != was.get(k)] for side in (our, their)]
        exists = (target, "exists")
        razed = [side.get(exists) is False and was.get(exists) is True for side in (our, their)]
        if razed[0] != razed[1] and touched[razed[0]]:
            expected.add((*exists, True, our.get(exists), their.get(exists)))
            continue
        expected |= {
            (*k, was.get(k), our.get(k), their.get(k))
            for k in keys
            if k in touched[0] and k in touched[1] and our.get(k) != their.get(k)
        }
    assert {(c.target, c.field, c.base, c.ours, c.theirs) for c in outcome.conflicts} == expected
    assert mirrored(merge(ancestor, theirs, ours).conflicts) == expected


@pytest.mark.parametrize("side", list(Side))
@given(bases, steps, steps, steps)
@EXAMPLES
def test_choices_settle_everything_and_lose_nothing(
    side: Side, objects: Any, first: Any, left: Any, right: Any
) -> None:
    _, ancestor = grown(State(city(objects)), first, "a")
    _, ours = grown(ancestor, left, "o")
    _, theirs = grown(ancestor, right, "t")
    listed = merge(ancestor, ours, theirs).conflicts
    outcome = merge(ancestor, ours, theirs, {c.key: side for c in listed})
    assert outcome.complete
    assert {c.key for c in outcome.settled} == {c.key for c in listed}
    merged = flat(ours.apply(outcome.changes))
    was, our, their = flat(ancestor), flat(ours), flat(theirs)
    contested = {c.key for c in listed}
    whole = {c.target for c in listed if c.field == "exists"}
    for key in {*was, *our, *their}:
        if key in contested or key[0] in whole:
            wanted = our if side is Side.OURS else their
        else:
            wanted = their if our.get(key) == was.get(key) else our
        assert merged.get(key) == wanted.get(key), key


@given(bases, bases, st.sets(st.sampled_from(TARGETS), max_size=2), steps)
@EXAMPLES
def test_a_rebase_keeps_every_edit_or_lists_it(objects: Any, later: Any, removed: set[str], plan: Any) -> None:
    root = State(city(objects))
    _, state = grown(root, plan)
    newer = city({t: f for t, f in later.items() if t not in removed}, version=2)
    outcome = rebase(state, newer)
    listed = {c.key: c for c in outcome.conflicts}
    old_base = root.base
    for (target, field), value in state.net().items():
        before, after = (old_base.fields(target) or {}).get(field), (newer.fields(target) or {}).get(field)
        untouched = before == after and (newer.fields(target) is None) == (old_base.fields(target) is None)
        agreed = value == after and field != "exists"
        gone_on_both = state.value(target, "exists") is False and target in removed
        if (target, "exists") in listed or (target, field) in listed:
            continue
        if not untouched and not agreed and not gone_on_both:
            # Demolished by us and unchanged there: nothing contradicts it.
            assert state.value(target, "exists") is False, (target, field)
            assert newer.fields(target) == old_base.fields(target)


@pytest.mark.parametrize("side", list(Side))
@given(bases, bases, st.sets(st.sampled_from(TARGETS), max_size=2), steps)
@EXAMPLES
def test_a_rebase_does_what_was_chosen(side: Side, objects: Any, later: Any, removed: set[str], plan: Any) -> None:
    root = State(city(objects))
    log, state = grown(root, plan)
    newer = city({t: f for t, f in later.items() if t not in removed}, version=2)
    listed = rebase(state, newer).conflicts
    outcome = rebase(state, newer, {c.key: side for c in listed})
    assert outcome.complete
    edit = edit_of(len(log) + 1, outcome.changes, kind="rebase", baseline_version=2)
    after = fold(state, [edit], {2: newer})
    assert after.base is newer
    # The log from the beginning says the same.
    assert fold(root, [*log, edit], {2: newer}) == after
    whole = {c.target for c in listed if c.field == "exists"}
    contested = {c.key for c in listed}
    for (target, field), value in state.net().items():
        if target in whole or (target, field) in contested:
            if side is Side.THEIRS:
                assert after.value(target, field) == State(newer).value(target, field)
            elif state.exists(target) or field == "exists":
                assert after.value(target, field) == value
        elif state.exists(target):
            assert after.value(target, field) == value
    for target in whole:
        if side is Side.OURS and state.exists(target):
            assert after.fields(target) == state.fields(target)
    # What the scheme never touched is the new baseline's.
    for target in TARGETS:
        if target not in state.targets:
            assert after.fields(target) == dict(newer.fields(target) or {})


@given(bases, steps)
@EXAMPLES
def test_a_difference_applied_leads_there(objects: Any, plan: list[Step]) -> None:
    root = State(city(objects))
    _, state = grown(root, plan)
    assert root.apply(differences(root, state)) == state
    assert state.apply(differences(state, root)) == root


@given(bases, steps, st.sampled_from((2026, 2027, 2029, 2030)))
@EXAMPLES
def test_a_phase_holds_what_is_begun_by_its_year(objects: Any, plan: list[Step], year: int) -> None:
    root = State(city(objects))
    log, state = grown(root, plan)
    begun = [edit for edit in log if edit.phase_year is None or edit.phase_year <= year]
    assert fold(root, log, year=year) == fold(root, begun)
    assert fold(root, log, year=2030) == state
