"""Collections of OBJ models, one building each, with or without a catalogue.

A collection is a ZIP archive or a folder of ``.obj`` files, or one of them; a model's id is the name of its
file.  The member ``collection`` of the mapping says what the files cannot: ``catalogue`` (a CSV in the
collection or beside it), ``offset`` (what was taken away from the coordinates, in the units of the CRS, with a
third number for heights), ``up`` (``z``, or ``y`` as drawing programs turn it), ``crs`` (where ``--crs`` says
none), ``vertical_datum``, ``title``, and which columns of the catalogue say what
(:mod:`ingest.readers.catalogue`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from cim.city.model import Attribute, CityObject, Quarantined
from cim.city.rows import geometry_rows
from cim.errors import InvalidInput
from cim.findings import Quality, to_discuss
from ingest.readers.catalogue import (
    GONE,
    LIFECYCLE,
    METHOD_LIFECYCLE,
    PRESENT,
    PROPOSAL,
    PROPOSED,
    Catalogue,
    CataloguePlan,
    read_catalogue,
    read_plan,
)
from ingest.readers.cityjson_place import stand
from ingest.readers.obj_body import METHOD_SEMANTICS, Body, body_of
from ingest.readers.obj_source import SUFFIX, ModelFiles, has_models, open_models
from ingest.readers.obj_text import looks_like_obj, parse_obj
from ingest.readers.obj_whereabouts import Whereabouts
from ingest.readers.source_crs import UNSTATED_DATUM, Projection, projection, source_crs
from ingest.records import Progress, ReadContext, Record, SourceHeader

FloatArray = NDArray[np.float64]

BATCH_MODELS: Final = 200
"""Models whose plans are united together."""

METHOD_HEIGHT: Final = "highest vertex less lowest"
LISTED_MAX: Final = 1_000
"""Files of an archive that are not read and are listed by name."""

_MATERIALS: Final = b"mtllib"
_ZIP: Final = b"PK\x03\x04"
_LOD: Final = re.compile(r"[1-4](\.\d)?")


@dataclass(frozen=True, slots=True)
class _Collection:
    """What the mapping says of the collection as a whole."""

    plan: CataloguePlan | None
    catalogue: str | None
    crs: str | None
    offset: FloatArray
    y_up: bool
    vertical_datum: str | None
    title: str
    licence: str
    attribution: str


@dataclass(frozen=True, slots=True)
class _Model:
    """One model that was read: what becomes of it, its body, and what the catalogue says."""

    id: str
    type: str
    body: Body
    attributes: dict[str, Attribute]


class ObjReader:
    """Reads a collection of OBJ models."""

    name = "obj"
    version = "1"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell by the members of an archive or a folder, or by the first lines of a file."""
        if path.is_dir() or head.startswith(_ZIP):
            return has_models(path)
        return path.name.lower().endswith(SUFFIX) and looks_like_obj(head)

    def read(self, path: Path, context: ReadContext) -> Iterator[Record]:
        """Yield the header, then the models in the order of their names."""
        said = _collection(_mapping(context), path)
        with ExitStack() as stack:
            files = open_models(path, stack)
            catalogue = None
            if said.catalogue is not None:
                assert said.plan is not None
                catalogue = read_catalogue(files.catalogue(said.catalogue, stack), said.catalogue, said.plan)
            yield from _Reading(files, said, catalogue, context).records(self)


def _mapping(context: ReadContext) -> Mapping[str, Any]:
    text = context.options.get("mapping")
    try:
        mapping = orjson.loads(str(text)) if text else {}
    except orjson.JSONDecodeError as error:
        raise _wrong("itself") from error
    if not isinstance(mapping, dict):
        raise _wrong("itself")
    return mapping


def _collection(mapping: Mapping[str, Any], path: Path) -> _Collection:
    said = mapping.get("collection", {})
    if not isinstance(said, dict):
        raise _wrong("collection")
    offset = said.get("offset", [0.0, 0.0, 0.0])
    if not isinstance(offset, list) or len(offset) not in {2, 3}:
        raise _wrong("collection.offset")
    if not all(isinstance(one, int | float) and abs(one) < 1e9 for one in offset):
        raise _wrong("collection.offset")
    if said.get("up", "z") not in {"z", "y"}:
        raise _wrong("collection.up")
    catalogue = said.get("catalogue")
    return _Collection(
        plan=read_plan(said) if catalogue is not None else None,
        catalogue=None if catalogue is None else str(catalogue),
        crs=said.get("crs"),
        offset=np.array([*offset, 0.0][:3], dtype=np.float64),
        y_up=said.get("up") == "y",
        vertical_datum=said.get("vertical_datum"),
        title=str(said.get("title") or mapping.get("title") or path.name),
        licence=str(mapping.get("licence") or ""),
        attribution=str(mapping.get("attribution") or ""),
    )


def _wrong(member: str) -> InvalidInput:
    return InvalidInput(
        f"The mapping does not say {member} in a way that can be read.",
        hint="See docs/boston.md for a mapping of a collection of models.",
        code="mapping",
        member=member,
    )


class _Reading:
    """One collection while it is read."""

    def __init__(self, files: ModelFiles, said: _Collection, catalogue: Catalogue | None, context: ReadContext) -> None:
        self._files = files
        self._said = said
        self._catalogue = catalogue
        self._context = context
        self._crs = source_crs(None, context.source_crs or said.crs)
        self._way: Projection | None = None
        self._whereabouts = Whereabouts()
        self._painted = 0

    def records(self, reader: ObjReader) -> Iterator[Record]:
        total = len(self._files)
        waiting: list[_Model] = []
        told: list[Record] = []
        header_given = False
        for number, (key, content) in enumerate(self._files.models(), 1):
            found = content if isinstance(content, Quarantined) else self._model(key, content)
            if isinstance(found, Quarantined):
                told.append(found)
            else:
                waiting.append(found)
            if len(waiting) >= BATCH_MODELS or number == total:
                if not header_given and self._way is not None:
                    yield self._header(reader, self._way)
                    header_given = True
                    yield from told
                    told = []
                yield from self._objects(waiting)
                waiting = []
                yield Progress(number, total, "models")
        if not header_given:
            raise InvalidInput(
                "No model of the collection can be read. The city is unchanged.",
                hint="Look at one of the files: it has lines that begin with v and with f.",
                code="source-empty",
            )
        yield from told
        yield from self._left_out()
        yield from self._whereabouts.findings()
        yield from self._unmet()

    def _left_out(self) -> Iterator[Record]:
        """Yield what is passed over: other files of an archive, and what the models look like."""
        if self._files.is_archive:
            for name in self._files.others[:LISTED_MAX]:
                yield Quarantined(name[:200], "not-read", "It is no model, and nothing that goes with models.")
        if self._painted:
            yield to_discuss("obj-left-out", "models with materials or textures, which are not kept", self._painted)

    def _header(self, reader: ObjReader, way: Projection) -> SourceHeader:
        said = self._said
        datum = said.vertical_datum or self._crs.vertical_datum
        return SourceHeader(
            title=said.title,
            working_crs=way.working_crs,
            vertical_datum=datum or UNSTATED_DATUM,
            ground="interpolated",
            licence=said.licence,
            attribution=said.attribution,
            reader=reader.name,
            reader_version=reader.version,
        )

    def _model(self, key: str, content: bytes) -> _Model | Quarantined:
        row: Mapping[str, str] | None = None
        kind, attributes, lod = "Building", dict[str, Attribute](), "2"
        if self._catalogue is not None:
            row = self._catalogue.rows.get(key)
            if row is None:
                return Quarantined(key, "catalogue-no-row", "The catalogue has no row of this model.")
            state = self._catalogue.state(row)
            if state == GONE:
                return Quarantined(key, "catalogue-gone", "The catalogue says that it does not stand any more.")
            kind = PROPOSAL if state == PROPOSED else self._catalogue.type(row)
            attributes = self._catalogue.attributes(row)
            if state != PRESENT:
                attributes[LIFECYCLE] = Attribute(state, method=METHOD_LIFECYCLE)
            plan = self._catalogue.plan
            stated = row[plan.lod.column] if plan.lod is not None else "2"
            lod = stated if _LOD.fullmatch(stated) else "1"
        try:
            mesh = parse_obj(content)
        except InvalidInput as error:
            return Quarantined(key, error.problem_code, error.message)
        placed = self._placed(mesh.vertices)
        if not np.isfinite(placed).all():
            return Quarantined(key, "coordinate-absurd", "A vertex does not fit the coordinate system.")
        body = body_of(type(mesh)(placed, mesh.corners, mesh.counts), lod)
        if body is None:
            return Quarantined(key, "obj-empty", "The model has no face with three vertices.")
        self._painted += _MATERIALS in content
        if row is not None and self._catalogue is not None and self._way is not None:
            position = self._catalogue.position(row)
            if position is not None:
                self._whereabouts.note(placed, position, self._way.working_crs)
        return _Model(key, kind, body, attributes)

    def _placed(self, vertices: FloatArray) -> FloatArray:
        """Return metres in the working CRS for coordinates of a file."""
        if self._said.y_up:
            vertices = np.column_stack((vertices[:, 0], -vertices[:, 2], vertices[:, 1]))
        full = vertices + self._said.offset
        if self._way is None:
            first = (float(full[0, 0]), float(full[0, 1]))
            self._way = projection(self._crs, self._context.working_crs, first)
        return self._way(full)

    def _objects(self, models: list[_Model]) -> Iterator[CityObject]:
        if not models:
            return
        geometries = [model.body.geometry for model in models]
        rows = geometry_rows(geometries, range(len(models)), [None] * len(models))
        standing = stand(rows, np.concatenate([model.body.is_plan for model in models]), len(models))
        for row, model in enumerate(models):
            attributes = model.attributes
            if "height_m" not in attributes:
                height_m = round(float(np.ptp(model.body.geometry.coordinates[:, 2])), 4)
                attributes["height_m"] = Attribute(height_m, "m", quality=Quality.MODELLED, method=METHOD_HEIGHT)
            attributes["surface_semantics"] = Attribute("by-normal", quality=Quality.MODELLED, method=METHOD_SEMANTICS)
            yield CityObject(
                id=f"{self._context.dataset}:{model.id}",
                type=model.type,
                place=standing.places[row],
                geometries=(model.body.geometry,),
                attributes=attributes,
            )

    def _unmet(self) -> Iterator[Record]:
        """Tell what of the catalogue found no use: rows without a model, ids twice, values that cannot be."""
        if self._catalogue is None:
            return
        for key in self._catalogue.twice:
            yield Quarantined(
                key, "catalogue-twice", "The catalogue has more than one row of this id; the first stays."
            )
        models = {Path(name).stem for name in self._files.names}
        for key in self._catalogue.rows.keys() - models:
            yield Quarantined(key, "catalogue-no-model", "The catalogue has a row of a model that is not there.")
        for name, count in self._catalogue.odd.items():
            yield self._whereabouts.odd_values(name, count)
