"""Records gathered into Arrow batches, and the census that refuses an id twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa

from cim.city.columns import objects_to_columns
from cim.city.model import CityObject, Quarantined, check_object, suspects
from cim.errors import InvalidInput
from ingest.records import Record

OBJECTS_PER_BATCH: Final = 2_000
"""Objects gathered before they are handed over: large enough for bulk inserts, small enough to hold."""

VERTICES_PER_BATCH: Final = 500_000
"""Vertices gathered before they are handed over, whatever the number of objects."""


@dataclass(frozen=True, slots=True)
class ObjectBatch:
    """Objects and their geometries as rows."""

    objects: pa.RecordBatch
    geometries: pa.RecordBatch


Piece: TypeAlias = Record | ObjectBatch


def gather(records: Iterable[Record]) -> Iterator[Piece]:
    """Turn a stream of records into pieces: objects checked and batched, everything else as it came.

    An object that :func:`check_object` refuses, or whose id came before, becomes a
    :class:`Quarantined`; the rest goes on.  Memory is bounded by a batch and the set of ids.
    """
    waiting: list[CityObject] = []
    vertices = 0
    seen: set[str] = set()
    for record in records:
        if not isinstance(record, CityObject):
            yield record
            continue
        waiting.append(record)
        vertices += sum(len(geometry.coordinates) for geometry in record.geometries)
        if len(waiting) >= OBJECTS_PER_BATCH or vertices >= VERTICES_PER_BATCH:
            yield from _take(waiting, seen)
            waiting, vertices = [], 0
    if waiting:
        yield from _take(waiting, seen)


def _take(objects: list[CityObject], seen: set[str]) -> Iterator[Piece]:
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
            yield Quarantined(
                city_object.id, "object-twice", "The id is used by more than one object; the first stays."
            )
        else:
            seen.add(city_object.id)
            kept.append(city_object)
    if kept:
        yield ObjectBatch(*objects_to_columns(kept))


def _problem(city_object: CityObject) -> Quarantined | None:
    try:
        check_object(city_object)
    except InvalidInput as error:
        return Quarantined(city_object.id, error.problem_code, error.message)
    return None
