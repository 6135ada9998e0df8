"""Reading a log: what is undone, what to undo next, where two branches last were one (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cim.schemes.model import Edit

UNDO, REDO, MERGE, REBASE = "undo", "redo", "merge", "rebase"
_OF_THE_LOG = (UNDO, REDO)


def undone(log: Sequence[Edit]) -> frozenset[int]:
    """Return the numbers of the edits that a later edit has taken back, and that none has put back."""
    taken: set[int] = set()
    for edit in reversed(log):
        if edit.undoes is not None and edit.sequence not in taken:
            taken.add(edit.undoes)
    return frozenset(taken)


def next_undo(log: Sequence[Edit], author: str) -> Edit | None:
    """Return the last edit of an author that stands, ``None`` where there is none."""
    taken = undone(log)
    own = (edit for edit in reversed(log) if edit.author == author and edit.kind not in (*_OF_THE_LOG, REBASE))
    return next((edit for edit in own if edit.sequence not in taken), None)


def next_redo(log: Sequence[Edit], author: str) -> Edit | None:
    """Return the last undo of an author that stands and that no new edit of theirs has followed."""
    taken = undone(log)
    for edit in reversed(log):
        if edit.author != author:
            continue
        if edit.kind not in _OF_THE_LOG:
            return None
        if edit.kind == UNDO and edit.sequence not in taken:
            return edit
    return None


def undo_of(log: Sequence[Edit], sequence: int) -> Edit | None:
    """Return the undo that stands over an edit, or the undo of that number itself."""
    taken = undone(log)
    standing = [edit for edit in log if edit.kind == UNDO and edit.sequence not in taken]
    return next((edit for edit in reversed(standing) if sequence in (edit.sequence, edit.undoes)), None)


def contained(
    scheme_id: str, sequence: int, logs: Mapping[str, Sequence[Edit]], parents: Mapping[str, tuple[str, int]]
) -> dict[str, int]:
    """Return how much of every scheme's log a branch holds: its own, its parents', merges that stand."""
    held: dict[str, int] = {}
    waiting = [(scheme_id, sequence)]
    while waiting:
        name, upto = waiting.pop()
        if held.get(name, -1) >= upto:
            continue
        held[name] = upto
        if name in parents:
            waiting.append(parents[name])
        log = logs.get(name, ())[:upto]
        taken = undone(log)
        waiting += [
            (edit.merged.scheme_id, edit.merged.sequence)
            for edit in log
            if edit.merged is not None and edit.sequence not in taken
        ]
    return held


def shared_points(ours: Mapping[str, int], theirs: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the points that both branches hold, scheme and sequence, by scheme."""
    return [(name, min(ours[name], theirs[name])) for name in sorted(ours.keys() & theirs.keys())]
