"""Reading a log: what stands, what is undone next, what two branches share."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cim.schemes.history import contained, next_redo, next_undo, shared_points, undo_of, undone
from cim.schemes.model import Edit, Merged
from tests.support.scheme_base import edit_of


def log_of(*steps: tuple[str, str] | tuple[str, str, int]) -> list[Edit]:
    return [
        edit_of(n, [], kind=step[0], author=step[1], undoes=step[2] if len(step) > 2 else None)
        for n, step in enumerate(steps, 1)
    ]


@given(st.lists(st.tuples(st.sampled_from(("edit", "undo", "redo")), st.sampled_from(("Mei", "Olli"))), max_size=25))
def test_what_stands_is_what_two_stacks_say(plan: list[tuple[str, str]]) -> None:
    """Against the way a desk-top program does it: a stack of done and a stack of undone for each author."""
    log: list[Edit] = []
    done: dict[str, list[int]] = {"Mei": [], "Olli": []}
    taken: dict[str, list[int]] = {"Mei": [], "Olli": []}
    for action, author in plan:
        number = len(log) + 1
        if action == "edit":
            log.append(edit_of(number, [], author=author))
            done[author].append(number)
            taken[author].clear()
        elif action == "undo":
            found = next_undo(log, author)
            assert (found.sequence if found else None) == (done[author][-1] if done[author] else None)
            if found:
                log.append(edit_of(number, [], kind="undo", author=author, undoes=found.sequence))
                taken[author].append(done[author].pop())
        else:
            undo = next_redo(log, author)
            assert (undo.undoes if undo else None) == (taken[author][-1] if taken[author] else None)
            if undo:
                log.append(edit_of(number, [], kind="redo", author=author, undoes=undo.sequence))
                done[author].append(taken[author].pop())
        standing = {edit.sequence for edit in log if edit.kind not in {"undo", "redo"}} - undone(log)
        assert standing == {*done["Mei"], *done["Olli"]}


def test_an_undo_is_found_by_its_own_number_or_by_what_it_took_back() -> None:
    log = log_of(("edit", "Mei"), ("undo", "Olli", 1), ("edit", "Mei"))
    assert undo_of(log, 1) is log[1]
    assert undo_of(log, 2) is log[1]
    assert undo_of(log, 3) is None


def test_a_branch_holds_its_parents_and_what_it_merged() -> None:
    side = [replace(edit_of(n, []), scheme_id="side") for n in (1, 2, 3)]
    main = [edit_of(1, []), edit_of(2, [], kind="merge", merged=Merged("side", 2)), edit_of(3, [])]
    logs = {"main": main, "side": side}
    parents = {"side": ("main", 1)}
    assert contained("main", 3, logs, parents) == {"main": 3, "side": 2}
    assert contained("main", 1, logs, parents) == {"main": 1}
    assert contained("side", 3, logs, parents) == {"side": 3, "main": 1}
    held = [contained("main", 3, logs, parents), contained("side", 3, logs, parents)]
    assert shared_points(*held) == [("main", 1), ("side", 2)]
    # A merge that was taken back holds nothing.
    logs["main"] = [*main, edit_of(4, [], kind="undo", undoes=2)]
    assert contained("main", 4, logs, parents) == {"main": 4}
