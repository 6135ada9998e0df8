"""A catalogue: one row of facts per model, as CSV, joined by the model's id.

Which column says what is declared: ``id``, ``attributes`` (name in the city -> column, unit), ``type`` and
``status`` (a column and what its words mean), ``position`` (longitude and latitude, to check where the
models stand).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import IO, Any, Final

from cim.city.model import Attribute
from cim.errors import InvalidInput
from cim.units import INTERNATIONAL_FOOT_M, US_SURVEY_FOOT_M
from ingest.readers.limits import check_limit

CATALOGUE_ROWS_MAX: Final = 1_000_000
CATALOGUE_FIELD_BYTES_MAX: Final = 64 * 1024
"""One field of a catalogue."""

UNIT_M: Final[Mapping[str, float]] = {
    "m": 1.0, "cm": 0.01, "ft": INTERNATIONAL_FOOT_M, "ftUS": US_SURVEY_FOOT_M,
}  # fmt: skip
PRESENT: Final = "present"
LEAVING: Final = "leaving"
PROPOSED: Final = "proposed"
GONE: Final = "gone"
STATES: Final = (PRESENT, LEAVING, PROPOSED, GONE)
"""What a status means: it stands; it stands and is to go; it is to come; it is gone."""

PROPOSAL: Final = "+Proposal"
"""The type of a building that is to come: kept with the city, drawn in schemes only."""

LIFECYCLE: Final = "lifecycle"
"""The attribute that says ``proposed`` or ``leaving`` of what does not simply stand."""

METHOD_LIFECYCLE: Final = "by the status of the catalogue"
_YEAR: Final = re.compile(r"(\d{4})(?:\D|\d{4}\D?|$)")
_LENGTHS: Final[Mapping[str, tuple[float, float]]] = {
    "height_m": (0.0, 2000.0), "roof_height_m": (0.0, 500.0), "min_height_m": (-1.0, 2000.0),
    "ground_m": (-500.0, 9000.0),
}  # fmt: skip
_COUNTS: Final[Mapping[str, tuple[float, float]]] = {
    "storeys_above_ground": (0.0, 300.0),
    "storeys_below_ground": (-1.0, 50.0),
    "year_of_construction": (0.0, 2200.0),
}


@dataclass(frozen=True, slots=True)
class Field:
    """Where a fact stands: a column, and the unit of its numbers."""

    column: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class CataloguePlan:
    """Which column says what; a state that no word is declared for is :data:`PRESENT`."""

    id: str
    attributes: Mapping[str, Field]
    type: Field | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    type_default: str = "Building"
    status: Field | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    lod: Field | None = None
    position: tuple[str, str] | None = None

    def columns(self) -> list[str]:
        """Return the columns that must be there."""
        single = [one.column for one in (self.type, self.status, self.lod) if one is not None]
        return [self.id, *single, *(self.position or ()), *(one.column for one in self.attributes.values())]


@dataclass(slots=True)
class Catalogue:
    """The rows by id, and what was odd about them."""

    plan: CataloguePlan
    rows: dict[str, dict[str, str]]
    twice: list[str] = field(default_factory=list)
    odd: Counter[str] = field(default_factory=Counter)
    """Values that did not fit, by the attribute's name."""

    def state(self, row: Mapping[str, str]) -> str:
        """Return what a row's status means."""
        status = self.plan.status
        return PRESENT if status is None else self.plan.states.get(row[status.column], PRESENT)

    def type(self, row: Mapping[str, str]) -> str:
        """Return the type of a row's object."""
        kind = self.plan.type
        default = self.plan.type_default
        return default if kind is None else self.plan.types.get(row[kind.column], default)

    def attributes(self, row: Mapping[str, str]) -> dict[str, Attribute]:
        """Return what a row says, without what it leaves empty; what does not fit is counted."""
        found: dict[str, Attribute] = {}
        for name, one in self.plan.attributes.items():
            text = row[one.column].strip()
            if not text:
                continue
            value = _value(name, text, one.unit)
            if value is None:
                self.odd[name] += 1
            else:
                found[name] = Attribute(value, "m" if name in _LENGTHS else None)
        return found

    def position(self, row: Mapping[str, str]) -> tuple[float, float] | None:
        """Return longitude and latitude of a row."""
        if self.plan.position is None:
            return None
        try:
            lon, lat = (float(row[column]) for column in self.plan.position)
        except ValueError:
            return None
        return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None


def _value(name: str, text: str, unit: str | None) -> str | int | float | None:
    """Return a value in the city's units, ``None`` for one that cannot be."""
    if name in _LENGTHS:
        length = _number(text)
        low, high = _LENGTHS[name]
        metres = None if length is None else length * UNIT_M[unit or "m"]
        return round(metres, 4) if metres is not None and low < metres <= high else None
    if name in _COUNTS:
        year = _YEAR.match(text) if name == "year_of_construction" else None
        count = float(year[1]) if year else _number(text)
        low, high = _COUNTS[name]
        return int(count) if count is not None and low < count <= high and count == int(count) else None
    return text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read_plan(declared: Mapping[str, Any]) -> CataloguePlan:
    """Return the plan that a mapping declares.

    Raises :class:`InvalidInput` (``mapping``) that names the member which is not as it should be.
    """
    kind, status = declared.get("type", "Building"), declared.get("status")
    kinds = {"default": kind} if isinstance(kind, str) else _table(kind, "type")
    states: dict[str, str] = {}
    for state in STATES if status is not None else ():
        for word in _table(status, "status").get(state, ()):
            states[str(word)] = state
    position = declared.get("position")
    if position is not None and not (isinstance(position, list) and len(position) == 2):
        raise _wrong("position")
    return CataloguePlan(
        id=_text(declared.get("id"), "id"),
        attributes={str(name): _field(one, name) for name, one in _table(declared.get("attributes", {}), "").items()},
        type=_field(kinds["column"], "type") if "column" in kinds else None,
        types={str(word): str(name) for word, name in _table(kinds.get("values", {}), "type.values").items()},
        type_default=_text(kinds.get("default", "Building"), "type.default"),
        status=_field(_table(status, "status").get("column"), "status") if status is not None else None,
        states=states,
        lod=_field(declared["lod"], "lod") if "lod" in declared else None,
        position=(str(position[0]), str(position[1])) if position else None,
    )


def _field(one: Any, name: str) -> Field:
    if isinstance(one, str):
        return Field(one)
    table = _table(one, f"attributes.{name}")
    unit = table.get("unit")
    if unit is not None and unit not in UNIT_M:
        raise InvalidInput(
            f"The mapping gives {name} in {str(unit)[:20]!r}, which is no unit of length that is known.",
            hint=f"These are: {', '.join(UNIT_M)}.",
            code="mapping-unit",
            attribute=str(name)[:60],
        )
    return Field(_text(table.get("column"), f"attributes.{name}.column"), unit)


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(name or "attributes")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(name)
    return value


def _wrong(name: str) -> InvalidInput:
    return InvalidInput(
        f"The mapping does not say {name} in a way that can be read.",
        hint="See docs/boston.md for a mapping of models with a catalogue.",
        code="mapping",
        member=name[:60],
    )


def read_catalogue(file: IO[bytes], name: str, plan: CataloguePlan) -> Catalogue:
    """Return a catalogue; the first row of an id stays.

    Raises :class:`InvalidInput` for what is no CSV in UTF-8 (``catalogue-damaged``) or lacks a column
    (``catalogue-column``), :class:`cim.errors.LimitExceeded` for too many rows.
    """
    catalogue = Catalogue(plan, {})
    csv.field_size_limit(CATALOGUE_FIELD_BYTES_MAX)
    try:
        for row in _rows(file, name, plan):
            key = row[plan.id]
            if key in catalogue.rows:
                catalogue.twice.append(key)
            elif key:
                catalogue.rows[key] = row
            check_limit("CATALOGUE_ROWS_MAX", len(catalogue.rows), CATALOGUE_ROWS_MAX, f"The number of rows of {name}")
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{name} is not a CSV table in UTF-8; nothing was taken in.",
            hint="Save it as CSV (UTF-8).",
            code="catalogue-damaged",
            file=name,
        ) from error
    return catalogue


def _rows(file: IO[bytes], name: str, plan: CataloguePlan) -> Iterator[dict[str, str]]:
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    lines = csv.reader(text, strict=True)
    titles = next(lines, [])
    missing = [column for column in plan.columns() if column not in titles]
    if missing:
        raise InvalidInput(
            f"{name} has no column {missing[0][:60]!r}.",
            hint=f"Its columns are: {', '.join(titles)[:400]}.",
            code="catalogue-column",
            column=missing[0][:60],
        )
    place = {column: titles.index(column) for column in plan.columns()}
    for line in lines:
        # A row cut short says nothing of its last columns.
        yield {column: line[at] if at < len(line) else "" for column, at in place.items()}
