"""What a chain is made from: which buildings are others than in a plan, and the rows of all that share their leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tiles.making import GEOMETRY_COLUMNS, OBJECT_COLUMNS
from tiles.plan import Plan
from tiles.soup import FloatArray
from tiles.stock import BUILDING, PART, read_stock
from tiles.tree import Branch, Members, joined, mend

Read = Callable[[Sequence[str]], tuple[pa.Table, pa.Table]]
"""Returns the rows of some objects and of their geometries, with the columns of ``cim.city.columns``."""
_BOX: Final = ("xmin", "ymin", "xmax", "ymax")
_LEVELS_MAX: Final = 32


class NotLocal(Exception):
    """A change reaches further than chains can tell: the whole is to be built."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The buildings that are ``gone`` from the plan's tree and that are ``new`` in it; a changed one is both.

    ``objects`` and ``geometries`` are the rows of everything that the leaves which they touch are drawn from.
    """

    gone: Members
    new: Members
    objects: pa.Table
    geometries: pa.Table


@dataclass(frozen=True, slots=True)
class _Family:
    """Rows by id, as (type, parent, box), and the building that each belongs to."""

    rows: dict[str, tuple[str, str | None, FloatArray]]
    top: dict[str, str]


def draft_chains(plan: Plan, ids: Collection[str], then: Read, now: Read, *, strict: bool = True) -> Draft:
    """Return what is to be made anew when objects of these ids, buildings and parts, are others than in the plan.

    ``then`` reads what the plan was built from, ``now`` what is.  Raises :class:`NotLocal`, if ``strict``, where
    parts without parents may change hands, or where something lies beyond the plan's sheet.
    """
    after = _climb(sorted(ids), now, plan.orphans)
    before = _climb(sorted({*ids, *after.top.values()}), then, plan.orphans)
    if strict and (plan.orphans or _has_orphan(before, plan) or _has_orphan(after, plan)):
        raise NotLocal
    if strict and not plan.missing.isdisjoint(ids):
        raise NotLocal
    tops = sorted({family.top[name] for family in (before, after) for name in ids if name in family.top})
    known = {name: found for name in tops if (found := _in_plan(plan, name, before)) is not None}
    gone = joined([known[name] for name in tops if name in known])
    wanted = {*tops, *(part for found in known.values() for parts in found.parts.values() for part in parts)}
    wanted |= {name for name in ids if after.top.get(name) in tops}
    family, shapes = now(sorted(wanted))
    stock = read_stock(_with_parents(family, plan.orphans), shapes)
    new = stock.members
    if strict and any(name not in tops for name in new.ids):
        # A part that has lost its building stands for itself.
        raise NotLocal
    if strict and len(new.ids) and not plan.site.covers(_over(new.box)):
        raise NotLocal
    mended = mend(plan.crown, plan.site.square, gone, new, plan.opened)
    fresh = set(new.ids)
    others = [
        name
        for leaf in unmade_leaves(mended)
        if leaf.members is not None
        for member in leaf.members.ids
        if member not in fresh
        for name in (member, *leaf.members.parts.get(member, ()))
    ]
    objects, geometries = now(sorted(others))
    mine, bodies = stock.rows.select(OBJECT_COLUMNS), shapes.select(GEOMETRY_COLUMNS)
    theirs = _with_parents(objects, plan.orphans).select(OBJECT_COLUMNS).cast(mine.schema)
    others_bodies = geometries.select(GEOMETRY_COLUMNS).cast(bodies.schema)
    return Draft(gone, new, pa.concat_tables([mine, theirs]), pa.concat_tables([bodies, others_bodies]))


def unmade_leaves(branch: Branch | None) -> Iterator[Branch]:
    """Yield the leaves that have no tile yet."""
    if branch is None or branch.drawn is not None:
        return
    if branch.members is not None:
        yield branch
    for kid in branch.kids:
        yield from unmade_leaves(kid)


def _climb(ids: Sequence[str], read: Read, orphans: dict[str, str]) -> _Family:
    """Read rows and those above them, and find the building that each belongs to."""
    rows: dict[str, tuple[str, str | None, FloatArray]] = {}
    asked: set[str] = set()
    wanted = list(ids)
    for _ in range(_LEVELS_MAX):
        if not wanted:
            break
        asked.update(wanted)
        objects, _ = read(wanted)
        table = objects.filter(pc.is_in(objects["type"], pa.array([BUILDING, PART], objects["type"].type)))
        boxes = np.column_stack([table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in _BOX])
        columns = (table[name].to_pylist() for name in ("id", "type", "parent_id"))
        for row, (name, kind, parent) in enumerate(zip(*columns, strict=True)):
            rows[name] = (kind, parent or orphans.get(name), boxes[row])
        wanted = sorted({parent for _, parent, _ in rows.values() if parent} - asked)
    top: dict[str, str] = {}
    for name in rows:
        at, seen = name, {name}
        while (up := rows[at][1]) is not None and up in rows and up not in seen:
            seen.add(up)
            at = up
        top[name] = at
    return _Family(rows, top)


def _has_orphan(family: _Family, plan: Plan) -> bool:
    return any(
        kind == PART and (parent is None or name in plan.orphans) for name, (kind, parent, _) in family.rows.items()
    )


def _in_plan(plan: Plan, name: str, before: _Family) -> Members | None:
    if name not in before.rows:
        return None
    box = before.rows[name][2]
    if np.isfinite(box).all():
        middle = (box[:2] + box[2:]) / 2
        return plan.find(name, (float(middle[0]), float(middle[1])))
    return plan.search(name)


def _with_parents(objects: pa.Table, orphans: dict[str, str]) -> pa.Table:
    """Return rows in which adopted parts have their buildings."""
    if not orphans:
        return objects
    pairs = zip(objects["id"].to_pylist(), objects["parent_id"].to_pylist(), strict=True)
    parents = [parent or orphans.get(name) for name, parent in pairs]
    at = objects.column_names.index("parent_id")
    return objects.set_column(at, "parent_id", pa.array(parents, objects.schema.field("parent_id").type))


def _over(box: FloatArray) -> tuple[float, float, float, float]:
    low, high = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


_MEMBER: Final = pa.schema(
    [
        pa.field("id", pa.string()),
        *(pa.field(name, pa.float64()) for name in (*_BOX, "weight")),
        pa.field("parts", pa.list_(pa.string())),
    ]
)


def members_table(members: Members) -> pa.Table:
    """Return members as a table, for another process."""
    columns = [*members.box.T, members.weight]
    parts = [members.parts.get(name, []) for name in members.ids]
    return pa.Table.from_arrays(
        [pa.array(members.ids, pa.string()), *map(pa.array, columns), pa.array(parts, _MEMBER.field("parts").type)],
        schema=_MEMBER,
    )


def members_of(table: pa.Table) -> Members:
    """Return the members that another process wrote down."""
    box = np.column_stack([table[name].to_numpy() for name in _BOX])
    ids = table["id"].to_pylist()
    parts = {name: found for name, found in zip(ids, table["parts"].to_pylist(), strict=True) if found}
    return Members(ids, box, table["weight"].to_numpy(), parts)
