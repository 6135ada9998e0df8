"""One feature of a GML file to the objects that it holds, in the form of CityJSON; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from cim.city.model import Quarantined
from cim.errors import CimError, InvalidInput
from ingest.readers.gml_attributes import Facts, settled, take
from ingest.readers.gml_meanings import Meanings
from ingest.readers.gml_positions import Corners, FloatArray, positions
from ingest.readers.gml_shapes import (
    CURVES,
    POINTS,
    POLYGONS,
    SOLID_GROUPS,
    SOLIDS,
    Body,
    Facet,
    Links,
    LinksMissing,
    leaves,
    lines_of,
    matrix_of,
    points_of,
    rings_of,
    shells,
)
from ingest.readers.gml_types import (
    APPEARANCE,
    BOUNDING,
    FLAT_MEANING,
    GEOMETRY,
    MEMBERS,
    OTHER_GEOMETRY,
    TYPES,
    WITHIN,
)
from ingest.readers.gml_xml import Element, local, named_attribute, namespace, text_of

_FAULTS: Final = (CimError, TypeError, ValueError, KeyError, IndexError, RecursionError, OverflowError)


@dataclass(slots=True)
class GmlObject:
    """An object and its vertices: positions as they stand in the file, and what is added to them in metres."""

    native_id: str
    body: dict[str, Any]
    units: Mapping[str, str]
    corners: Corners


@dataclass(slots=True)
class _Draft:
    """What is found of one object while its properties are walked."""

    corners: Corners
    facts: Facts = field(default_factory=Facts)
    meanings: Meanings = field(default_factory=Meanings)
    shapes: list[tuple[str, str, Element]] = field(default_factory=list)
    """Level of detail, name of the property, the property."""
    children: list[Element] = field(default_factory=list)


def objects_of(
    feature: Element, dimension: int, others: Mapping[str, Element] | None = None
) -> list[GmlObject | Quarantined]:
    """Return a feature and all that it consists of, each after its parent.

    ``others`` are elements elsewhere in the file that were asked for; without them :class:`LinksMissing` names
    those that are needed.  What is wrong with one object keeps that object out.
    """
    own = {i: e for e in feature.iter(etree.Element) if (i := named_attribute(e, "id")) is not None}
    links = Links(own, others)
    found: list[GmlObject | Quarantined] = []
    _walk(feature, None, links, dimension, found)
    if links.missing and others is None:
        raise LinksMissing(links.missing)
    return found


def _walk(
    feature: Element, parent: str | None, links: Links, dimension: int, found: list[GmlObject | Quarantined]
) -> None:
    native_id = identify(feature)
    draft = _Draft(Corners(dimension))
    place = len(found)
    try:
        _gather(feature, draft, links)
        found.append(_made(feature, native_id, parent, draft, links))
    except _FAULTS as error:
        found.append(_put_aside(native_id, error))
        parent_of_children: str | None = None
    else:
        parent_of_children = native_id
    for child in draft.children:
        _walk(child, parent_of_children, links, dimension, found)
    whole = found[place]
    if isinstance(whole, GmlObject) and draft.children:
        # A child that is put aside is no child: its parent would wait for it.
        whole.body["children"] = [
            one.native_id
            for one in found[place + 1 :]
            if isinstance(one, GmlObject) and one.body.get("parents") == [native_id]
        ]


def _put_aside(native_id: str, error: Exception) -> Quarantined:
    if isinstance(error, CimError):
        return Quarantined(native_id[:80], error.problem_code, error.message)
    if isinstance(error, RecursionError):
        return Quarantined(native_id[:80], "nesting-max", "Its references or elements are nested too deep.")
    return Quarantined(native_id[:80], "structure", "The object is not built as CityGML says.")


def identify(feature: Element) -> str:
    """Return the id of a feature; one without is named by a digest of all that it says, which stays over deliveries."""
    said = named_attribute(feature, "id")
    if said:
        return said
    digest = hashlib.sha256(etree.tostring(feature, method="c14n")).hexdigest()
    return f"{local(feature)}-{digest[:16]}"


def type_of(feature: Element) -> str:
    """Return the CityJSON type of a feature; what it has no name for becomes an extension."""
    name = local(feature)
    letters = "".join(letter for letter in name if letter.isascii() and letter.isalpha())
    return TYPES.get(name) or f"+{letters[:1].upper()}{letters[1:58]}"


def _gather(feature: Element, draft: _Draft, links: Links) -> None:
    for prop in feature.iterchildren(etree.Element):
        name = local(prop)
        match = GEOMETRY.fullmatch(name)
        first = prop[0] if len(prop) else None
        inner = "" if first is None else local(first)
        if APPEARANCE in namespace(prop):
            continue
        if match:
            draft.shapes.append((match[1], match[2], prop))
        elif name in OTHER_GEOMETRY:
            draft.shapes.append((OTHER_GEOMETRY[name], name, prop))
        elif inner in WITHIN:
            for part in prop:
                _gather(part, draft, links)
        elif inner in TYPES and name not in MEMBERS:
            draft.children.extend(prop)
        elif name in BOUNDING:
            if inner not in {"Envelope", "Null"}:
                draft.meanings.gather(prop, links)
        else:
            take(draft.facts, prop)


def _made(feature: Element, native_id: str, parent: str | None, draft: _Draft, links: Links) -> GmlObject:
    bodies: list[Body] = []
    for lod, kind, prop in sorted(draft.shapes, key=lambda shape: shape[0]):
        bodies.extend(_bodies(lod, kind, prop, draft, links))
    for lod in sorted(draft.meanings.by_lod):
        rest = draft.meanings.rest(lod)
        if rest:
            facets, numbers = [facet for facet, _ in rest], [number for _, number in rest]
            bodies.append(_surfaces("MultiSurface", lod, facets, numbers, draft))
    facts = settled(draft.facts)
    name = local(feature)
    body: dict[str, Any] = {"type": type_of(feature), "attributes": facts.values, "geometry": bodies}
    if name not in {body["type"], body["type"].lstrip("+")}:
        facts.values.setdefault("citygml_type", name)
    if parent is not None:
        body["parents"] = [parent]
    return GmlObject(native_id, body, facts.units, draft.corners)


def _bodies(lod: str, kind: str, prop: Element, draft: _Draft, links: Links) -> list[Body]:
    if kind == "ImplicitRepresentation":
        return [body for inner in prop for body in _implicit(lod, inner, draft, links)]
    found: list[Body] = []
    flat: list[Facet] = []
    for facet in leaves(prop, links, SOLIDS | SOLID_GROUPS | POLYGONS | CURVES | POINTS):
        name = local(facet.element)
        if name in POLYGONS:
            flat.append(facet)
        elif name in SOLID_GROUPS:
            found.append(_solids(name, lod, facet.element, draft, links))
        elif name in SOLIDS:
            found.append(_solid(lod, facet.element, draft, links))
        elif name in CURVES:
            lines = lines_of(facet.element, links, draft.corners)
            found.extend([{"type": "MultiLineString", "lod": lod, "boundaries": lines}] if lines else [])
        else:
            points = points_of(facet.element, links, draft.corners)
            found.extend([{"type": "MultiPoint", "lod": lod, "boundaries": points}] if points else [])
    if flat:
        numbers = draft.meanings.values(flat)
        meaning = FLAT_MEANING.get(kind)
        if meaning is not None:
            draft.meanings.surfaces.append({"type": meaning})
            numbers = [len(draft.meanings.surfaces) - 1] * len(flat)
        found.append(_surfaces("MultiSurface", lod, flat, numbers, draft))
    return _joined_lines(found)


def _joined_lines(bodies: list[Body]) -> list[Body]:
    """Return bodies with lines that came apart as one, and points too."""
    found: list[Body] = []
    for body in bodies:
        if found and body["type"] in {"MultiLineString", "MultiPoint"} and found[-1]["type"] == body["type"]:
            found[-1]["boundaries"] = [*found[-1]["boundaries"], *body["boundaries"]]
        else:
            found.append(body)
    return found


def _surfaces(kind: str, lod: str, facets: list[Facet], numbers: list[int], draft: _Draft) -> Body:
    body: Body = {"type": kind, "lod": lod, "boundaries": [rings_of(facet, draft.corners) for facet in facets]}
    return _meant(body, numbers, numbers, draft)


def _meant(body: Body, values: Any, numbers: list[int], draft: _Draft) -> Body:
    """Return a body with what its surfaces are; ``values`` has the same numbers, nested as the body wants them."""
    if any(number >= 0 for number in numbers):
        listed, new = draft.meanings.semantics(numbers)
        body["semantics"] = {"surfaces": listed, "values": _renumbered(values, new)}
    return body


def _renumbered(values: Any, new: dict[int, int]) -> Any:
    if isinstance(values, list):
        return [_renumbered(inner, new) for inner in values]
    return new.get(values)


def _solid(lod: str, element: Element, draft: _Draft, links: Links) -> Body:
    boundaries, values = _shells(element, lod, draft, links)
    body: Body = {"type": "Solid", "lod": lod, "boundaries": boundaries}
    return _meant(body, values, [number for shell in values for number in shell], draft)


def _solids(kind: str, lod: str, element: Element, draft: _Draft, links: Links) -> Body:
    made = [_shells(facet.element, lod, draft, links) for facet in leaves(element, links, SOLIDS)]
    body: Body = {"type": kind, "lod": lod, "boundaries": [boundaries for boundaries, _ in made]}
    values = [value for _, value in made]
    return _meant(body, values, [number for solid in values for shell in solid for number in shell], draft)


def _shells(element: Element, lod: str, draft: _Draft, links: Links) -> tuple[list[Any], list[list[int]]]:
    parts = shells(element, links)
    values = [draft.meanings.values(shell) for shell in parts]
    if not any(number >= 0 for shell in values for number in shell):
        values = [_by_form(shell, lod, draft) for shell in parts]
    return [[rings_of(facet, draft.corners) for facet in shell] for shell in parts], values


def _by_form(facets: list[Facet], lod: str, draft: _Draft) -> list[int]:
    """Return what polygons are that repeat those of the bounding surfaces instead of referring to them."""
    rest = draft.meanings.rest(lod)
    if not rest:
        return [-1] * len(facets)
    known = {_form(facet, draft.corners.dimension): (facet, number) for facet, number in rest}
    values = []
    for facet in facets:
        same = known.get(_form(facet, draft.corners.dimension))
        values.append(-1 if same is None else same[1])
        if same is not None:
            draft.meanings.used.add(id(same[0].element))
    return values


def _form(facet: Facet, dimension: int) -> frozenset[tuple[float, ...]]:
    points = [positions(ring, dimension) for bound in facet.element for ring in bound]
    return frozenset(tuple(row) for ring in points for row in ring.tolist())


def _implicit(lod: str, element: Element, draft: _Draft, links: Links) -> list[Body]:
    """Return an implicit geometry where its matrix and its reference point put it."""
    parts = {local(part): part for part in element}
    matrix = parts.get("transformationMatrix")
    reference = parts.get("referencePoint")
    shape = parts.get("relativeGMLGeometry")
    if shape is None:
        shape = parts.get("relativeGeometry")
    if reference is None or shape is None:
        raise InvalidInput(
            "An implicit geometry has no reference point, or its form is in another file.", code="implicit-geometry"
        )
    corners = draft.corners
    corners.stand = (_identity() if matrix is None else matrix_of(text_of(matrix)), _point(reference, links, corners))
    try:
        return _bodies(lod, "Geometry", shape, draft, links)
    finally:
        corners.stand = None


def _identity() -> FloatArray:
    return matrix_of("1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1")


def _point(prop: Element, links: Links, corners: Corners) -> FloatArray:
    for facet in leaves(prop, links, POINTS):
        found = positions(facet.element, corners.dimension)
        if len(found) == 1:
            return found.reshape(3)
    raise InvalidInput("An implicit geometry has no reference point.", code="implicit-geometry")
