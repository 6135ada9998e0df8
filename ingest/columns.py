"""Records gathered into Arrow batches, and the census that refuses an id twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pyarrow as pa

from cim.city.columns import objects_to_columns
from cim.city.model import CityObject, Quarantined, check_object
from cim.errors import InvalidInput
from ingest.records import Progress, Record, SourceHeader

OBJECTS_PER_BATCH: Final = 2_000
"""Objects gathered before they are handed over: large enough for bulk inserts, small enough to hold."""

VERTICES_PER_BATCH: Final = 500_000
"""Vertices gathered before they are handed over, whatever the number of objects."""


@dataclass(frozen=True, slots=True)
class ObjectBatch:
    """Objects and their geometries as rows."""

    objects: pa.RecordBatch
    geometries: pa.RecordBatch


@dataclass(slots=True)
class _Gathering:
    objects: list[CityObject] = field(default_factory=list)
    vertices: int = 0

    def full(self) -> bool:
        return len(self.objects) >= OBJECTS_PER_BATCH or self.vertices >= VERTICES_PER_BATCH

    def add(self, city_object: CityObject) -> None:
        self.objects.append(city_object)
        self.vertices += sum(len(geometry.coordinates) for geometry in city_object.geometries)

    def take(self) -> ObjectBatch:
        batch = ObjectBatch(*objects_to_columns(self.objects))
        self.objects, self.vertices = [], 0
        return batch


Piece: TypeAlias = Record | ObjectBatch


def gather(records: Iterable[Record]) -> Iterator[Piece]:
    """Turn a stream of records into pieces: objects checked and batched, everything else as it came.

    An object that :func:`check_object` refuses, or whose id came before, becomes a
    :class:`Quarantined`; the rest goes on.  Memory is bounded by a batch and the set of ids.
    """
    gathering = _Gathering()
    seen: set[str] = set()
    for record in records:
        if not isinstance(record, CityObject):
            yield record
            continue
        problem = _problem(record, seen)
        if problem is not None:
            yield problem
            continue
        seen.add(record.id)
        gathering.add(record)
        if gathering.full():
            yield gathering.take()
    if gathering.objects:
        yield gathering.take()


def _problem(city_object: CityObject, seen: set[str]) -> Quarantined | None:
    if city_object.id in seen:
        return Quarantined(city_object.id, "object-twice", "The id is used by more than one object; the first stays.")
    try:
        check_object(city_object)
    except InvalidInput as error:
        return Quarantined(city_object.id, error.problem_code, error.message)
    return None


def is_control(piece: Piece) -> bool:
    """Tell whether a piece only reports and carries nothing to keep."""
    return isinstance(piece, Progress | SourceHeader)
