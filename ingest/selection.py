"""What of a source goes in, and in which words: what touches a box of degrees, what has certain values; pure.

A source may cover a whole state where the city is one tile, and may say ``R3`` where the city says
``residential``.  The selection works on what any reader gives, so a reader need not know of it; how much was
left out is told as a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim.city.columns import attributes_from_json, attributes_to_json
from cim.city.model import Attribute, CityObject
from cim.city.rows import ObjectRows
from cim.errors import InvalidInput
from cim.findings import to_discuss
from cim.geometry.crs import WorkingFrame
from ingest.records import Record, SourceHeader

SIDE_STEPS: Final = 32
"""Pieces into which each side of the box is cut, so that it bends as the projection does."""

VALUES_MAX: Final = 1_000
"""Values that one attribute may be selected by."""


@dataclass(frozen=True, slots=True)
class Selection:
    """``within``: west, south, east, north in degrees; ``where``: attribute -> the values that go in.

    ``words``: attribute -> what the source calls it -> what the city calls it; what has no word stays as it is.
    """

    within: tuple[float, float, float, float] | None = None
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_selection(text: str) -> Selection:
    """Return what a job's parameter says; raises :class:`InvalidInput` (``selection``)."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong() from error
    if not isinstance(said, dict) or set(said) - {"within", "where", "words"}:
        raise _wrong()
    within, where, words = said.get("within"), said.get("where", {}), said.get("words", {})
    if not isinstance(where, dict) or not all(_are_values(values) for values in where.values()):
        raise _wrong()
    if not isinstance(words, dict) or not all(_are_words(pairs) for pairs in words.values()):
        raise _wrong()
    box = None
    if within is not None:
        if not isinstance(within, list) or len(within) != 4 or not all(isinstance(one, int | float) for one in within):
            raise _wrong()
        west, south, east, north = (float(one) for one in within)
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise _wrong()
        box = (west, south, east, north)
    return Selection(box, {name: frozenset(str(one) for one in values) for name, values in where.items()}, words)


def _are_values(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= VALUES_MAX


def _are_words(pairs: Any) -> bool:
    return (
        isinstance(pairs, dict)
        and len(pairs) <= VALUES_MAX
        and all(isinstance(word, str) and word.isprintable() for word in pairs.values())
    )


def _wrong() -> InvalidInput:
    return InvalidInput(
        "The selection cannot be used.",
        hint="within is west, south, east, north in degrees; where has a list of values for each attribute, words "
        "a word for each value.",
        code="selection",
    )


def selected(records: Iterable[Record], selection: Selection) -> Iterator[Record]:
    """Yield the records that are selected, and everything that is no object; then what was left out.

    An object without a place (a part of another, say) stays unless its parent has been left out before it.
    """
    chosen = _Chosen(selection)
    for record in records:
        if isinstance(record, SourceHeader):
            chosen.learn(record.working_crs)
            yield record
        elif isinstance(record, CityObject):
            if chosen.takes(record):
                yield chosen.worded(record)
        elif isinstance(record, ObjectRows):
            rows = chosen.of_rows(record)
            if len(rows):
                yield rows
        else:
            yield record
    if chosen.left_out:
        yield to_discuss("selection", "objects outside of what was selected", chosen.left_out)


class _Chosen:
    """Decides object by object, and counts."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._frame: shapely.Polygon | None = None
        self._gone: set[str] = set()
        self.left_out = 0

    def learn(self, working_crs: str) -> None:
        """Take the box into the working CRS."""
        within = self._selection.within
        if within is None:
            return
        west, south, east, north = within
        share = np.linspace(0.0, 1.0, SIDE_STEPS, endpoint=False)[:, None]
        corners = np.array([[west, south], [east, south], [east, north], [west, north]])
        sides = [here + (there - here) * share for here, there in zip(corners, np.roll(corners, -1, 0), strict=True)]
        self._frame = shapely.Polygon(WorkingFrame(working_crs).from_lonlat(np.concatenate(sides)))
        shapely.prepare(self._frame)

    def takes(self, one: CityObject) -> bool:
        values = {name: attribute.value for name, attribute in one.attributes.items()}
        taken = self._by_value(values) and self._by_place(np.array([one.place], dtype=object))[0]
        return self._count(one.id, one.parent_id, taken=bool(taken))

    def of_rows(self, rows: ObjectRows) -> ObjectRows:
        taken = self._by_place(rows.places)
        if self._selection.where:
            for row in np.flatnonzero(taken).tolist():
                told = attributes_from_json(rows.attributes[row])
                taken[row] = self._by_value({name: attribute.value for name, attribute in told.items()})
        kept = np.array(
            [
                self._count(identifier, parent, taken=bool(one))
                for identifier, parent, one in zip(rows.ids, rows.parents, taken, strict=True)
            ],
            dtype=bool,
        )
        return self._worded_rows(rows if kept.all() else rows.only(kept))

    def worded(self, one: CityObject) -> CityObject:
        """Return an object in the city's words."""
        if not self._selection.words.keys() & one.attributes.keys():
            return one
        return replace(one, attributes=self._worded(one.attributes))

    def _worded(self, attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
        found = dict(attributes)
        for name, words in self._selection.words.items():
            if name in found and str(found[name].value) in words:
                found[name] = replace(found[name], value=words[str(found[name].value)])
        return found

    def _worded_rows(self, rows: ObjectRows) -> ObjectRows:
        marks = [f'"{name}"' for name in self._selection.words]
        if not marks:
            return rows
        texts = [
            attributes_to_json(self._worded(attributes_from_json(text)))
            if any(mark in text for mark in marks)
            else text
            for text in rows.attributes
        ]
        return replace(rows, attributes=texts, parsed=None)

    def _count(self, identifier: str, parent: str | None, *, taken: bool) -> bool:
        if not taken or parent in self._gone:
            self._gone.add(identifier)
            self.left_out += 1
            return False
        return True

    def _by_value(self, values: Mapping[str, Any]) -> bool:
        return all(str(values.get(name, "")) in wanted for name, wanted in self._selection.where.items())

    def _by_place(self, places: NDArray[np.object_]) -> NDArray[np.bool_]:
        if self._frame is None:
            return np.ones(len(places), dtype=bool)
        touching: NDArray[np.bool_] = shapely.is_missing(places) | shapely.intersects(self._frame, places)
        return touching
