"""Publishing where sources share buildings: match, combine, gather, report; on the bench of a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import shapely

from cim.city.committing.store import MERGED_TABLES, begin_also
from cim.city.matching import Footprints, Match, Pair, match_footprints
from cim.city.merge import Combined, Member, combine
from cim.city.merging import store
from cim.city.merging.naming import MEANT_ATTRIBUTE, footprints, native_id
from cim.city.merging.plan import Groups, Link, Plan, Raw, dataset_of, without_parts
from cim.city.merging.report import Report
from cim.city.priority import Priority, read_priority

GROUPS_AT_ONCE: Final = 5_000
"""Buildings that are combined at once; bounds memory."""


@dataclass(frozen=True, slots=True)
class Declared:
    """How sources are matched and whose word counts.

    ``priority`` as :func:`cim.city.priority.read_priority` reads it; ``None`` leaves what was declared before.
    ``match_attribute`` holds the id of the same building in another source.
    """

    priority: str | None = None
    match_attribute: str = MEANT_ATTRIBUTE


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is published: whose delivery, as which baseline, with what declared."""

    job_id: str
    version: int
    at: datetime
    datasets: tuple[str, ...]
    declared: Declared


def merge_delivery(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> bool:
    """Merge what is staged into a city of several sources, and keep a report of it.

    Returns ``False``, with nothing done, where no two sources share a building: a city of one source pays for one
    look at the types of what it has.
    """
    if not _is_concerned(connection, delivery):
        if delivery.declared.priority is not None:
            begin_also(connection, ("merge_priority",))
            store.write_priority(connection, delivery.version, delivery.declared.priority)
        return False
    report = Merging(connection, delivery).run()
    text = orjson.dumps(report.json()).decode()
    store.write_report(connection, delivery.job_id, delivery.version, text)
    return True


def _is_concerned(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> bool:
    """Tell whether a delivery may touch a building of several sources: trees and streets never do."""
    if not store.has_links(connection):
        return store.shares_buildings(connection)
    return delivery.declared.priority is not None or store.has_buildings(connection, delivery.datasets)


class Merging:
    """One delivery taken into a city of several sources."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
        self._connection = connection
        self._delivery = delivery
        arrivals = store.read_arrivals(connection)
        fresh = sorted(set(delivery.datasets) - set(arrivals))
        self._age = {dataset: number for number, dataset in enumerate((*arrivals, *fresh))}
        self.report = Report(delivery.job_id, delivery.version, delivery.datasets)

    def run(self) -> Report:
        """Compare, match, combine and gather; ``difference`` says afterwards what the delivery did at its sources."""
        connection, delivery = self._connection, self._delivery
        before = delivery.version - 1
        begin_also(connection, MERGED_TABLES)
        store.compare(connection, before, delivery.datasets)
        rules, is_new_rule = self._rules(before)
        old = store.read_links(connection)
        parents_before, parents = store.read_parents(connection)
        before_all = Groups(without_parts(old), parents_before)
        groups = Groups(dict(before_all.links), parents)
        changes = store.read_changes(connection)
        self._settle(groups, before_all, changes)
        if is_new_rule:
            groups.touched.update(canonical for canonical, members in groups.members.items() if members)
        plan = Plan(old, before_all, groups)
        store.gather(connection, plan.concerned, plan.kept)
        self._combine(plan, Priority(rules, self._age))
        store.finish_shown(connection, delivery.job_id)
        written = (connection, delivery.job_id, delivery.version, delivery.at)
        self.report.shown(*store.write_versions(store.SHOWN, *written))
        store.write_versions(store.SOURCES, *written)
        store.write_links(connection, delivery.version, plan.changes())
        store.leave_to_plain(connection)
        self.report.links(groups.links)
        return self.report

    def _rules(self, before: int) -> tuple[Mapping[str, tuple[str, ...]], bool]:
        kept = store.read_priority(self._connection, before)
        declared = self._delivery.declared.priority
        if declared is None or declared == kept:
            return read_priority(kept), False
        rules = read_priority(declared)
        store.write_priority(self._connection, self._delivery.version, declared)
        return rules, True

    def _settle(self, groups: Groups, before: Groups, changes: Sequence[tuple[str, str, bool]]) -> None:
        """Decide who contributes to what after the delivery."""
        for identifier, state, is_building in changes:
            if not is_building:
                groups.touch(before.root(identifier))
                groups.touch(groups.root(identifier))
            elif state == "removed" and identifier in groups.links:
                groups.leave(identifier, self._age, gone=True)
        free = {identifier for identifier, state, is_building in changes if is_building and state == "added"}
        changed = [identifier for identifier, state, is_building in changes if is_building and state == "changed"]
        free.update(self._let_go(groups, changed))
        free.update(identifier for identifier in changed if identifier not in groups.links)
        for identifier in changed:
            groups.touch(identifier)
        for identifier in sorted(free):
            if groups.members.get(identifier):
                # The object that gave a building its id was away and is back.
                groups.join(Pair(identifier, identifier, Match.FIRST, 0.0, 0.0))
                free.discard(identifier)
        self._match(groups, free, {identifier for identifier, state, _ in changes if state == "removed"})

    def _let_go(self, groups: Groups, changed: Iterable[str]) -> list[str]:
        """Let those go whose new shape has nothing to do with the others of their building; return them."""
        moved = [one for one in changed if one in groups.links]
        others: dict[str, list[str]] = {}
        for one in moved:
            canonical = groups.links[one].canonical_id
            rest = sorted(other for other in groups.members[canonical] if other != one)
            if rest:
                others[one] = rest
        if not others:
            return []
        mine = self._footprints(sorted(others), {})
        theirs = self._footprints([others[one][0] for one in mine.ids], {rest[0]: rest for rest in others.values()})
        kept = {(pair.incoming, pair.present): pair for pair in match_footprints(mine, theirs).pairs}
        gone = []
        for one in mine.ids:
            pair = kept.get((one, others[one][0]))
            if pair is None:
                groups.leave(one, self._age, gone=False)
                gone.append(one)
            elif groups.links[one].match != Match.FIRST:
                link = groups.links[one]
                groups.links[one] = Link(link.canonical_id, link.match, pair.overlap, pair.iou)
        return gone

    def _footprints(self, ids: Sequence[str], also: Mapping[str, Sequence[str]]) -> Footprints:
        """Return objects as their sources give them now; ``also`` are further ids that they go by."""
        rows = store.read_raw_after(self._connection, ids)
        return _columns(rows, also, self._delivery.declared.match_attribute)

    def _match(self, groups: Groups, free: set[str], removed: set[str]) -> None:
        """Match what is free, one dataset after the other, with the buildings that have nothing of it yet."""
        shown: Footprints | None = None
        for dataset in sorted(self._delivery.datasets):
            wanted = sorted(one for one in free if dataset_of(one) == dataset)
            if not wanted:
                continue
            if shown is None:
                also = {canonical: members for canonical, members in groups.members.items() if members}
                rows = store.read_shown_buildings(self._connection, self._delivery.version - 1)
                shown = _columns(rows, also, self._delivery.declared.match_attribute)
            incoming = self._footprints(wanted, {})
            present = self._open(groups, shown, dataset, removed)
            found = match_footprints(incoming, present)
            for pair in found.pairs:
                groups.join(pair)
            self.report.matching(found)
            matched = {pair.incoming for pair in found.pairs}
            shown = _with(shown, incoming, [row for row, one in enumerate(incoming.ids) if one not in matched])

    def _open(self, groups: Groups, shown: Footprints, dataset: str, removed: set[str]) -> Footprints:
        """Return the shown buildings that a dataset may still contribute to."""
        rows = []
        for row, identifier in enumerate(shown.ids):
            members = groups.members.get(identifier)
            if members is None and identifier not in groups.links:
                taken = dataset_of(identifier) == dataset or identifier in removed
            else:
                taken = not members or any(dataset_of(member) == dataset for member in members)
            if not taken:
                rows.append(row)
        return _take(shown, rows)

    def _combine(self, plan: Plan, priority: Priority) -> None:
        """Work out what is shown of each touched building, some at a time."""
        connection = self._connection
        lods = store.read_lods(connection, self._delivery.job_id)
        store.begin_shown(connection)
        for start in range(0, len(plan.buildings), GROUPS_AT_ONCE):
            some = plan.buildings[start : start + GROUPS_AT_ONCE]
            rows = store.read_members(connection, [one for canonical in some for one in plan.kept_of(canonical)])
            raw = {row.id: row for row in map(Raw._make, rows)}
            batch = _Batch()
            for canonical in some:
                members = [_member(raw[one], lods, plan.parts_of(one)) for one in plan.members_of(canonical)]
                combined = combine(members, dataset_of(canonical), priority)
                batch.add(canonical, combined, raw.get(canonical))
                self.report.combined(canonical, members, combined)
                for part in plan.choose_parts(canonical, combined.body, raw):
                    parent = canonical if raw[part].parent_id == combined.body else raw[part].parent_id
                    batch.add_part(raw[part], parent, lods.get(part, ()))
            store.append_shown(connection, *batch.tables())


class _Batch:
    """Rows of what is shown, gathered."""

    def __init__(self) -> None:
        self._facts: list[tuple[str, str, str | None, str, str | None]] = []
        self._picks: list[tuple[str, str, str]] = []

    def add(self, canonical: str, combined: Combined, own: Raw | None) -> None:
        """Add a building."""
        text = orjson.dumps(combined.facts).decode()
        parent = None if own is None else own.parent_id
        self._facts.append((canonical, store.BUILDING, parent, text, combined.place_from))
        self._picks.extend((canonical, lod, member) for lod, member in combined.shapes)

    def add_part(self, raw: Raw, parent: str | None, lods: Sequence[str]) -> None:
        """Add a part of the member whose geometry is shown."""
        self._facts.append((raw.id, raw.type, parent, raw.attributes, raw.id if raw.has_place else None))
        self._picks.extend((raw.id, lod, raw.id) for lod in lods)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Return facts and picks as columns."""
        return (
            _table(("id", "type", "parent_id", "attributes", "place_from"), self._facts),
            _table(("id", "lod", "from_id"), self._picks),
        )


def _table(names: Sequence[str], rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def _member(raw: Raw, lods: Mapping[str, tuple[str, ...]], parts: Sequence[str]) -> Member:
    part_lods = tuple(sorted({lod for part in parts for lod in lods.get(part, ())}))
    return Member(
        raw.id, dataset_of(raw.id), orjson.loads(raw.attributes), lods.get(raw.id, ()), part_lods, raw.has_place
    )


def _columns(rows: pa.Table, also: Mapping[str, Sequence[str]], attribute: str) -> Footprints:
    ids: list[str] = rows["id"].to_pylist()
    places = shapely.from_wkb(np.array(rows["place"].to_pylist(), dtype=object))
    names = [
        tuple(dict.fromkeys(name for one in (own, *also.get(own, ())) for name in (one, native_id(one)))) for own in ids
    ]
    return footprints(ids, rows["attributes"].to_pylist(), places, names, attribute)


def _take(all_: Footprints, rows: Sequence[int]) -> Footprints:
    return Footprints(
        [all_.ids[row] for row in rows],
        all_.places[np.array(rows, dtype=np.int64)],
        [all_.names[row] for row in rows],
        [all_.meant[row] for row in rows],
        [all_.parcels[row] for row in rows],
    )


def _with(all_: Footprints, more: Footprints, rows: Sequence[int]) -> Footprints:
    new = _take(more, rows)
    return Footprints(
        [*all_.ids, *new.ids],
        np.concatenate([all_.places, new.places]),
        [*all_.names, *new.names],
        [*all_.meant, *new.meant],
        [*all_.parcels, *new.parcels],
    )
