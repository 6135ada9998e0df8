"""Schemes as one reader sees them, ready to be sent (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cim.schemes import history
from cim.schemes.bus import EDITS_SHOWN
from cim.schemes.documents import edit_json, finding_json, hidden, objects_json, scheme_json
from cim.schemes.service import Done, SchemeService, Seen


def scheme_document(schemes: SchemeService, seen: Seen) -> dict[str, Any]:
    """Return a scheme."""
    actor = seen.actor
    published = actor.published
    return scheme_json(
        actor.scheme,
        seen.words,
        actor.overview(seen.head),
        newest_baseline=schemes.city.baseline_version,
        published_sequence=None if published is None else published.sequence,
        updated_at=actor.updated_at if seen.sequence is None or published is None else published.published_at,
    )


def edit_documents(schemes: SchemeService, seen: Seen, numbers: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """Return the edits that may be seen, all or some by their numbers."""
    log = seen.log()
    undone = history.undone(log)
    wanted = log if numbers is None else [log[n - 1] for n in numbers if 1 <= n <= len(log)]
    return [edit_json(edit, schemes.city.working, undone) for edit in wanted]


def done_document(schemes: SchemeService, seen: Seen, done: Done) -> dict[str, Any]:
    """Return the answer to an edit: it, what was found, the scheme, and the objects that it touched."""
    frame = schemes.city.working
    undone = history.undone(seen.log())
    objects = objects_json(done.after, done.edit.targets, frame)
    shown = {item["id"] for item in objects}
    return {
        "edit": edit_json(done.edit, frame, undone),
        "findings": [finding_json(finding, frame) for finding in done.edit.findings],
        "scheme": scheme_document(schemes, seen),
        "objects": objects,
        "gone": [target for target in done.edit.targets if target not in shown],
        "hidden": hidden(done.after),
    }


def topic_items(schemes: SchemeService, seen: Seen) -> list[dict[str, Any]]:
    """Return the state of a scheme's topic."""
    head = seen.head
    edits = edit_documents(schemes, seen, range(max(1, head - EDITS_SHOWN + 1), head + 1))
    return [
        {"id": "scheme", "scheme": scheme_document(schemes, seen)},
        *({"id": f"edit/{edit['sequence']}", "edit": edit} for edit in edits),
        {"id": "objects", "sequence": head},
    ]


def news_of(schemes: SchemeService, seen: Seen, done: Done) -> list[dict[str, Any]]:
    """Return what an edit changes of the topic: itself, edits that it takes back, the scheme."""
    head = done.edit.sequence
    numbers = [head] if done.edit.undoes is None else [head, *_affected(seen, done.edit.undoes)]
    items: list[dict[str, Any]] = [{"id": "scheme", "scheme": scheme_document(schemes, seen)}]
    items += [{"id": f"edit/{e['sequence']}", "edit": e} for e in edit_documents(schemes, seen, numbers)]
    if head > EDITS_SHOWN:
        items.append({"id": f"edit/{head - EDITS_SHOWN}", "removed": True})
    return [*items, {"id": "objects", "sequence": head}]


def _affected(seen: Seen, sequence: int) -> list[int]:
    """Return the edits down a chain of undo and redo."""
    log, numbers, at = seen.log(), [], sequence
    while at is not None and 1 <= at <= len(log):
        numbers.append(at)
        at = log[at - 1].undoes or 0
    return numbers
