"""Records gathered into Arrow batches, and the census that refuses an id twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from cim.city.columns import objects_to_rows
from cim.city.model import CityObject, Quarantined, check_object, suspects
from cim.city.rows import ObjectRows, check_rows
from cim.errors import InvalidInput
from cim.quality.codes import Policy
from cim.quality.model import Inspecting, QualityNotes
from ingest.prepared import ObjectBatch, Prepared, batch_of, without
from ingest.readers.collection import collection_paused
from ingest.records import Record, SourceHeader

OBJECTS_PER_BATCH: Final = 2_000
"""Objects gathered before they are handed over: large enough for bulk inserts, small enough to hold."""

VERTICES_PER_BATCH: Final = 500_000
"""Vertices gathered before they are handed over, whatever the number of objects."""


Piece: TypeAlias = Record | ObjectBatch | QualityNotes


def gather(records: Iterable[Record], inspector: Inspecting | None = None) -> Iterator[Piece]:
    """Turn a stream of records into pieces: objects checked and batched, everything else as it came.

    An object that :func:`check_object` refuses, or whose id came before, becomes a
    :class:`Quarantined`; the rest goes on.  Memory is bounded by a batch and the set of ids.  An ``inspector`` looks
    at all objects that go on, and its report is the last piece.
    """
    if inspector is None:
        yield from _gather(records, None)
        return
    for piece in _gather(records, inspector):
        if isinstance(piece, Quarantined):
            inspector.put_aside(piece.code)
        yield piece
    yield inspector.notes()


def _gather(records: Iterable[Record], inspector: Inspecting | None) -> Iterator[Piece]:
    waiting: list[CityObject] = []
    vertices = 0
    seen: set[str] = set()
    for record in records:
        if isinstance(record, ObjectRows):
            yield from _take_rows(record, seen, inspector)
            continue
        if isinstance(record, Prepared):
            yield from _take_prepared(record, seen, inspector)
            continue
        if not isinstance(record, CityObject):
            if inspector is not None and isinstance(record, SourceHeader):
                inspector.learn(record.working_crs)
            yield record
            continue
        waiting.append(record)
        vertices += sum(len(geometry.coordinates) for geometry in record.geometries)
        if len(waiting) >= OBJECTS_PER_BATCH or vertices >= VERTICES_PER_BATCH:
            yield from _take(waiting, seen, inspector)
            waiting, vertices = [], 0
    if waiting:
        yield from _take(waiting, seen, inspector)


def _take_rows(rows: ObjectRows, seen: set[str], inspector: Inspecting | None) -> Iterator[Piece]:
    """Check rows that a reader has gathered already."""
    refused = check_rows(rows)
    for row, identifier in enumerate(rows.ids):
        if row not in refused and identifier in seen:
            refused[row] = _twice(identifier)
        elif row not in refused:
            seen.add(identifier)
    yield from refused.values()
    yield from _batch(without(rows, refused), inspector)


def _take_prepared(prepared: Prepared, seen: set[str], inspector: Inspecting | None) -> Iterator[Piece]:
    """Take rows that were prepared where they were decoded."""
    assert seen.isdisjoint(prepared.ids), "a reader prepares no object whose id came before"
    seen.update(prepared.ids)
    if inspector is not None:
        inspector.take(prepared.evidence)
    yield from prepared.refused
    yield from prepared.faults
    if prepared.batch is not None:
        yield prepared.batch


def _batch(rows: ObjectRows, inspector: Inspecting | None) -> Iterator[Piece]:
    """Yield rows that are fit for the city as a batch; the inspector marks or keeps out what is not valid."""
    with collection_paused():
        invalid = {} if inspector is None or not len(rows) else inspector.look(rows)
    faults, batch = batch_of(rows, invalid, Policy.KEEP if inspector is None else inspector.criteria.policy)
    yield from faults
    if batch is not None:
        yield batch


def _twice(identifier: str) -> Quarantined:
    return Quarantined(identifier, "object-twice", "The id is used by more than one object; the first stays.")


def _take(objects: list[CityObject], seen: set[str], inspector: Inspecting | None) -> Iterator[Piece]:
    """Check a batch at once; look closely only at objects that may be wrong."""
    refused: dict[int, Quarantined] = {}
    for row in suspects(objects).tolist():
        problem = _problem(objects[row])
        if problem is not None:
            refused[row] = problem
    kept = []
    for row, city_object in enumerate(objects):
        if row in refused:
            yield refused[row]
        elif city_object.id in seen:
            yield _twice(city_object.id)
        else:
            seen.add(city_object.id)
            kept.append(city_object)
    yield from _batch(objects_to_rows(kept), inspector)


def _problem(city_object: CityObject) -> Quarantined | None:
    try:
        check_object(city_object)
    except InvalidInput as error:
        return Quarantined(city_object.id, error.problem_code, error.message)
    return None
