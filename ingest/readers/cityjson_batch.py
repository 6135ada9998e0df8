"""From parsed CityJSON objects to records, a batch at a time; pure.

A batch that holds a damaged object is halved until that object stands alone, so that it is kept out
and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from cim.city.model import CityObject, Quarantined
from cim.errors import CimError
from cim.geometry.surfaces import Geometry
from cim.ids import object_id
from ingest.readers.cityjson_attributes import canonical_attributes, check_nesting, derive_heights
from ingest.readers.cityjson_geometry import Flattener, Project, Templates, assemble
from ingest.readers.cityjson_place import Standing, stand
from ingest.readers.cityjson_vertices import Vertices

_TYPE: Final = re.compile(r"\+?[A-Z][A-Za-z]{1,59}")
RELATED_MAX: Final = 100_000
"""Children that one object may have."""


@dataclass(frozen=True, slots=True)
class RawObject:
    """A parsed object; its vertices are ``pool[window[0] : window[0] + window[1]]``."""

    native_id: str
    body: Any
    window: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A city object, where it stands, and the ids of its children."""

    record: CityObject
    standing: Standing | None
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decoder:
    """What all batches of a file share."""

    dataset: str
    templates: Templates
    project: Project

    def decode(self, raws: list[RawObject], pool: Vertices) -> list[Decoded | Quarantined]:
        """Return one item per object, in order; ``pool`` has shape (n, 3), in the CRS of the source."""
        if not raws:
            return []
        try:
            return self._decode(raws, pool)
        except (CimError, TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            if len(raws) == 1:
                return [_quarantined(raws[0].native_id, error)]
        middle = len(raws) // 2
        return [*self.decode(raws[:middle], pool), *self.decode(raws[middle:], pool)]

    def _decode(self, raws: list[RawObject], pool: Vertices) -> list[Decoded | Quarantined]:
        flat = Flattener(self.templates)
        for owner, raw in enumerate(raws):
            for geometry in raw.body.get("geometry") or ():
                flat.add(owner, geometry, raw.window, pool)
        assembled = assemble(flat, pool, self.project)
        own: list[list[Geometry]] = [[] for _ in raws]
        for owner, geometry in zip(assembled.owners, assembled.geometries, strict=True):
            if owner not in assembled.faults:
                own[owner].append(geometry)
        geometries = [tuple(members) for members in own]
        standings = stand(geometries)
        out: list[Decoded | Quarantined] = []
        for owner, raw in enumerate(raws):
            fault = assembled.faults.get(owner)
            if fault is not None:
                out.append(Quarantined(raw.native_id[:80], *fault))
            else:
                out.append(self._finish(raw, geometries[owner], standings[owner]))
        return out

    def _finish(self, raw: RawObject, geometries: tuple[Geometry, ...], standing: Standing | None) -> Decoded:
        body = raw.body
        type_ = body["type"]
        if not _TYPE.fullmatch(type_):
            raise ValueError(type_)
        for geometry in geometries:
            if geometry.semantics is not None:
                for surface in geometry.semantics.surfaces:
                    if any(isinstance(value, list | dict) for value in surface.values()):
                        check_nesting(surface)
        attributes = canonical_attributes(type_, body.get("attributes"))
        if standing is not None:
            derive_heights(type_, attributes, standing)
        parents = _ids(body.get("parents"))
        record = CityObject(
            id=object_id(self.dataset, raw.native_id),
            type=type_,
            place=None if standing is None else standing.place,
            geometries=geometries,
            attributes=attributes,
            parent_id=object_id(self.dataset, parents[0]) if parents else None,
        )
        children = _ids(body.get("children"))
        return Decoded(record, standing, tuple(object_id(self.dataset, child) for child in children))


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
