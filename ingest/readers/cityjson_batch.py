"""From parsed CityJSON objects to rows, a batch at a time; pure.

Parsed objects are many small lists: some at a time are laid flat while they are near at hand (:meth:`Decoder.flatten`),
and what follows runs over the arrays of many (:meth:`Decoder.settle`).  What is wrong outside the geometry is found
object by object.  Objects with a damaged geometry among them are halved until that one stands alone, so that it is kept
out and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from cim.city.model import Quarantined
from cim.city.rows import GeometryRows, ObjectRows, geometry_rows, joined_geometries
from cim.errors import CimError
from cim.ids import object_id
from ingest.prepared import Prepared
from ingest.readers.cityjson_attributes import Members, canonical_attributes, derive_heights
from ingest.readers.cityjson_geometry import Project, Shapes, assemble, settle
from ingest.readers.cityjson_place import Standing, stand
from ingest.readers.cityjson_templates import Templates
from ingest.readers.cityjson_vertices import Vertices

_TYPE: Final = re.compile(r"\+?[A-Z][A-Za-z]{1,59}")
FLATTENED_OBJECTS: Final = 64
"""Objects that are laid flat together: few enough to stay in the processor's memory."""

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
class Flat:
    """Some objects and their geometries, whose coordinates are in the CRS of the source still."""

    drafts: list[Draft]
    native_ids: list[str]
    geometries: GeometryRows
    is_ground: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relative:
    """What families have to know of an object that has a parent or children."""

    id: str
    parent_id: str | None
    has_children: bool
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """Objects of a batch that are complete, and ``relatives`` in their order: a draft of it waits for its children."""

    rows: ObjectRows | Prepared
    relatives: list[Draft | Relative]


@dataclass(frozen=True, slots=True)
class Decoder:
    """What all batches of a file share."""

    dataset: str
    templates: Templates
    project: Project

    def decode(self, raws: list[RawObject], pool: Vertices) -> list[Decoded | Quarantined]:
        """Return every object once; ``pool`` has shape (n, 3), in the CRS of the source."""
        return self.settle(self.flatten(raws, pool))

    def flatten(self, raws: list[RawObject], pool: Vertices) -> list[Flat | Quarantined]:
        """Lay objects flat; what was parsed of them is not needed any more."""
        out: list[Flat | Quarantined] = []
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

    def settle(self, flat: list[Flat | Quarantined]) -> list[Decoded | Quarantined]:
        """Bring what was laid flat into the working CRS, and find out where it stands."""
        out: list[Decoded | Quarantined] = [one for one in flat if isinstance(one, Quarantined)]
        parts = [one for one in flat if isinstance(one, Flat)]
        drafts = [draft for part in parts for draft in part.drafts]
        if not drafts:
            return out
        geometries = joined_geometries([part.geometries for part in parts], [len(part.drafts) for part in parts])
        settled = settle(geometries, np.concatenate([part.is_ground for part in parts]), self.project)
        geometries, is_ground = settled.rows, settled.is_ground
        if settled.faults:
            native_ids = [one for part in parts for one in part.native_ids]
            out.extend(Quarantined(native_ids[row][:80], *fault) for row, fault in settled.faults.items())
            kept = ~np.isin(np.arange(len(drafts)), list(settled.faults))
            is_ground = is_ground[np.repeat(kept[geometries.owners], geometries.surfaces)]
            geometries = geometries.only_owned(kept)
            drafts = [draft for draft, is_kept in zip(drafts, kept.tolist(), strict=True) if is_kept]
        return [*out, _standing_objects(drafts, geometries, is_ground)] if drafts else out

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

    def _with_geometry(self, drafts: list[Draft], raws: list[RawObject], pool: Vertices) -> list[Flat | Quarantined]:
        if not raws:
            return []
        shapes = Shapes()
        try:
            for owner, raw in enumerate(raws):
                for geometry in raw.body.get("geometry") or ():
                    shapes.add(owner, geometry, raw.window, pool, self.templates)
            assembled = assemble(shapes, pool)
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
        return [Flat(drafts, [raw.native_id for raw in raws], assembled.rows, assembled.is_ground)]


def _standing_objects(drafts: list[Draft], geometries: GeometryRows, is_ground: NDArray[np.bool_]) -> Decoded:
    """Find out where objects stand, and tell those that wait for their children from those that are complete."""
    standings = stand(geometries, is_ground, len(drafts))
    grounds, tops = standings.grounds_m.tolist(), standings.tops_m.tolist()
    relatives: list[Draft | Relative] = []
    waits = np.zeros(len(drafts), dtype=bool)
    for row, (draft, place, ground, top) in enumerate(zip(drafts, standings.places, grounds, tops, strict=True)):
        if place is not None:
            draft.place = place
            derive_heights(draft.type, draft.attributes, ground, top)
        if draft.children and place is None:
            waits[row] = True
            relatives.append(draft)
        elif draft.children or draft.parent_id is not None:
            standing = None if place is None else Standing(place, ground, top)
            relatives.append(Relative(draft.id, draft.parent_id, bool(draft.children), standing))
    if waits.any():
        # Those that wait have no geometry; the rows of the others move up.
        geometries = replace(geometries, owners=geometries.owners - np.cumsum(waits)[geometries.owners])
        drafts = [draft for draft, is_waiting in zip(drafts, waits.tolist(), strict=True) if not is_waiting]
    return Decoded(rows_of(drafts, geometries), relatives)


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
