"""From parsed CityJSON objects to rows, a batch at a time; pure.

What is wrong outside the geometry is found object by object.  A batch that holds a damaged geometry
is halved until that object stands alone, so that it is kept out and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson

from cim.city.model import Quarantined
from cim.city.rows import GeometryRows, ObjectRows, geometry_rows
from cim.errors import CimError
from cim.ids import object_id
from ingest.readers.cityjson_attributes import Members, canonical_attributes, derive_heights
from ingest.readers.cityjson_geometry import Project, Shapes, assemble
from ingest.readers.cityjson_place import Standing, Standings, stand
from ingest.readers.cityjson_templates import Templates
from ingest.readers.cityjson_vertices import Vertices

_TYPE: Final = re.compile(r"\+?[A-Z][A-Za-z]{1,59}")
_FAULTS: Final = (CimError, TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError)
RELATED_MAX: Final = 100_000
"""Children that one object may have."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """A parsed object; its vertices are ``pool[window[0] : window[0] + window[1]]``.

    ``units`` are those of attributes, by name, where the format says them.
    """

    native_id: str
    body: Any
    window: tuple[int, int]
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """An object without its geometries; ``place`` is known when it has been seen where it stands."""

    id: str
    type: str
    parent_id: str | None
    children: tuple[str, ...]
    attributes: Members
    place: Any = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """Objects of a batch, where they stand, and their geometries: ``geometries.owners`` are their rows."""

    drafts: list[Draft]
    standings: Standings
    geometries: GeometryRows

    def standing(self, row: int) -> Standing | None:
        """Return where one object stands."""
        place = self.standings.places[row]
        if place is None:
            return None
        return Standing(place, float(self.standings.grounds_m[row]), float(self.standings.tops_m[row]))


@dataclass(frozen=True, slots=True)
class Decoder:
    """What all batches of a file share."""

    dataset: str
    templates: Templates
    project: Project

    def decode(self, raws: list[RawObject], pool: Vertices) -> list[Decoded | Quarantined]:
        """Return every object once; ``pool`` has shape (n, 3), in the CRS of the source."""
        out: list[Decoded | Quarantined] = []
        drafts: list[Draft] = []
        sound: list[RawObject] = []
        for raw in raws:
            try:
                drafts.append(self._draft(raw))
                sound.append(raw)
            except _FAULTS as error:
                out.append(_quarantined(raw.native_id, error))
        out.extend(self._with_geometry(drafts, sound, pool))
        return out

    def _draft(self, raw: RawObject) -> Draft:
        body = raw.body
        type_ = body["type"]
        if not _is_type(type_):
            raise ValueError(type_)
        parents, children = _ids(body.get("parents")), _ids(body.get("children"))
        attributes = canonical_attributes(type_, body.get("attributes"))
        for name, unit in raw.units.items():
            attributes[name].setdefault("u", unit)
        return Draft(
            id=object_id(self.dataset, raw.native_id),
            type=type_,
            parent_id=object_id(self.dataset, parents[0]) if parents else None,
            children=tuple([object_id(self.dataset, child) for child in children]),
            attributes=attributes,
        )

    def _with_geometry(self, drafts: list[Draft], raws: list[RawObject], pool: Vertices) -> list[Decoded | Quarantined]:
        if not raws:
            return []
        shapes = Shapes()
        try:
            for owner, raw in enumerate(raws):
                for geometry in raw.body.get("geometry") or ():
                    shapes.add(owner, geometry, raw.window, pool, self.templates)
            assembled = assemble(shapes, pool, self.project)
        except _FAULTS as error:
            if len(raws) == 1:
                return [_quarantined(raws[0].native_id, error)]
            middle = len(raws) // 2
            return [
                *self._with_geometry(drafts[:middle], raws[:middle], pool),
                *self._with_geometry(drafts[middle:], raws[middle:], pool),
            ]
        if assembled.faults:
            kept = [row for row in range(len(raws)) if row not in assembled.faults]
            return [
                *(Quarantined(raws[row].native_id[:80], *fault) for row, fault in assembled.faults.items()),
                *self._with_geometry([drafts[row] for row in kept], [raws[row] for row in kept], pool),
            ]
        standings = stand(assembled.rows, assembled.is_ground, len(drafts))
        grounds, tops = standings.grounds_m.tolist(), standings.tops_m.tolist()
        for draft, place, ground, top in zip(drafts, standings.places, grounds, tops, strict=True):
            if place is not None:
                draft.place = place
                derive_heights(draft.type, draft.attributes, ground, top)
        return [Decoded(drafts, standings, assembled.rows)]


def rows_of(drafts: Iterable[Draft], geometries: GeometryRows | None = None) -> ObjectRows:
    """Return drafts as rows, with the geometries that count them."""
    drafts = list(drafts)
    places = np.empty(len(drafts), dtype=object)
    places[:] = [draft.place for draft in drafts]
    parsed = [draft.attributes for draft in drafts]
    return ObjectRows(
        ids=[draft.id for draft in drafts],
        types=[draft.type for draft in drafts],
        parents=[draft.parent_id for draft in drafts],
        attributes=[orjson.dumps(attributes).decode() for attributes in parsed],
        places=places,
        geometries=geometry_rows((), (), ()) if geometries is None else geometries,
        parsed=parsed,
    )


@lru_cache(maxsize=256)
def _is_type(text: str) -> bool:
    return _TYPE.fullmatch(text) is not None


def _ids(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > RELATED_MAX or not all(isinstance(item, str) for item in value):
        raise ValueError(value)
    return value


def _quarantined(native_id: str, error: Exception) -> Quarantined:
    feature = native_id[:80]
    if isinstance(error, CimError):
        return Quarantined(feature, error.problem_code, error.message)
    return Quarantined(feature, "structure", "The object is not built as CityJSON says.")
