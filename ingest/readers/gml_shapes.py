"""GML geometries as the surfaces and solids of CityJSON; pure.

Aggregates, composites, patches and oriented surfaces are walked down to single polygons; a reference to
a geometry elsewhere (XLink) is followed, a circle of references refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from ingest.readers.gml_positions import Corners, positions
from ingest.readers.gml_xml import Element, local, named_attribute
from ingest.readers.limits import XML_NODES_MAX

POLYGONS: Final = frozenset({"Polygon", "PolygonPatch", "Triangle", "Rectangle"})
SOLIDS: Final = frozenset({"Solid"})
SOLID_GROUPS: Final = frozenset({"MultiSolid", "CompositeSolid"})
CURVES: Final = frozenset(
    {"LineString", "LineStringSegment", "LinearRing", "Curve", "MultiCurve", "CompositeCurve", "OrientableCurve"}
)
POINTS: Final = frozenset({"Point", "MultiPoint"})
_ARC_LIKE: Final = frozenset({"Arc", "ArcString", "Circle", "CircleByCenterPoint", "CubicSpline", "BSpline", "Bezier"})


class LinksMissing(Exception):
    """Geometries refer to elements that are not in the feature itself; ``ids`` names them."""

    def __init__(self, ids: set[str]) -> None:
        super().__init__()
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Facet:
    """One polygon, and whether it is used with its other side out."""

    element: Element
    turned: bool


@dataclass(slots=True)
class Links:
    """What references lead to: ``own`` elements of the feature, and ``others`` of the file once they are gathered."""

    own: Mapping[str, Element]
    others: Mapping[str, Element] | None = None
    missing: set[str] = field(default_factory=set)
    visited: int = 0

    def target(self, href: str, above: frozenset[str]) -> Element | None:
        """Return what a reference leads to; ``None`` where that is not known yet.

        Raises :class:`InvalidInput` (``xlink-cyclic``, ``xlink-foreign``, ``xlink-missing``).
        """
        name = href.removeprefix("#")
        if not href.startswith("#") or not name:
            raise InvalidInput("A geometry refers to another file.", code="xlink-foreign", href=href[:80])
        if name in above:
            raise InvalidInput("A geometry refers to itself.", code="xlink-cyclic", href=href[:80])
        found = self.own.get(name)
        if found is None and self.others is not None:
            found = self.others.get(name)
            if found is None:
                raise InvalidInput(
                    "A geometry refers to an element that the file has not.", code="xlink-missing", href=href[:80]
                )
        if found is None:
            self.missing.add(name)
        return found

    def visit(self) -> None:
        """Count a step; raises :class:`InvalidInput` where references multiply beyond all bounds."""
        self.visited += 1
        if self.visited > XML_NODES_MAX:
            raise InvalidInput(
                f"Its references lead to more than {XML_NODES_MAX:,} elements.",
                code="vertices-max",
                limit=XML_NODES_MAX,
            )


def leaves(
    element: Element,
    links: Links,
    wanted: frozenset[str],
    *,
    turned: bool = False,
    above: frozenset[str] = frozenset(),
    linked: bool = False,
) -> Iterator[Facet]:
    """Yield the elements of some names under a geometry, references followed, in the order of the file."""
    if linked:
        links.visit()
    identifier = named_attribute(element, "id")
    if identifier is not None:
        if identifier in above:
            raise InvalidInput("A geometry refers to itself.", code="xlink-cyclic", href=identifier[:80])
        above |= {identifier}
    name = local(element)
    if name in wanted:
        yield Facet(element, turned)
        return
    if name in {"OrientableSurface", "OrientableCurve"} and element.get("orientation") == "-":
        turned = not turned
    href = named_attribute(element, "href")
    if href is not None and not len(element):
        target = links.target(href, above)
        if target is not None:
            yield from leaves(target, links, wanted, turned=turned, above=above, linked=True)
        return
    for child in element:
        yield from leaves(child, links, wanted, turned=turned, above=above, linked=linked)


def shells(solid: Element, links: Links) -> list[list[Facet]]:
    """Return the polygons of each shell of a solid, the outer shell first."""
    outer = [child for child in solid if local(child) == "exterior"]
    inner = [child for child in solid if local(child) == "interior"]
    if len(outer) != 1:
        raise InvalidInput("A solid has no outer shell, or more than one.", code="geometry-structure")
    return [list(leaves(shell, links, POLYGONS)) for shell in (*outer, *inner)]


def rings_of(facet: Facet, corners: Corners) -> list[list[int]]:
    """Return the rings of a polygon as numbers of vertices, the outer one first."""
    outer: list[list[int]] = []
    inner: list[list[int]] = []
    for bound in facet.element:
        name = local(bound)
        if name in {"exterior", "outerBoundaryIs"}:
            outer += [corners.ring(_ring(ring, corners.dimension), turned=facet.turned) for ring in bound]
        elif name in {"interior", "innerBoundaryIs"}:
            inner += [corners.ring(_ring(ring, corners.dimension), turned=facet.turned) for ring in bound]
    if len(outer) != 1:
        raise InvalidInput("A polygon has no outer ring, or more than one.", code="geometry-structure")
    return [*outer, *inner]


def _ring(element: Element, dimension: int) -> NDArray[np.float64]:
    if local(element) != "Ring":
        return positions(element, dimension)
    links = Links({})
    parts = [positions(f.element, dimension) for f in leaves(element, links, frozenset({"LineString"}))]
    return joined(parts, closed=True)


def joined(parts: list[NDArray[np.float64]], *, closed: bool = False) -> NDArray[np.float64]:
    """Return lines that follow each other as one, without the places where they meet twice."""
    if not parts:
        raise InvalidInput("A ring is made of curves that are not read.", code="geometry-curved")
    kept = [parts[0]]
    for before, part in pairwise(parts):
        meets = len(before) > 0 and len(part) > 0 and bool((before[-1] == part[0]).all())
        kept.append(part[1:] if meets else part)
    line = np.concatenate(kept)
    return np.concatenate((line, line[:1])) if closed and not (line[0] == line[-1]).all() else line


def lines_of(element: Element, links: Links, corners: Corners) -> list[list[int]]:
    """Return the lines of a curve or of many, as numbers of vertices."""
    found = []
    for facet in leaves(element, links, frozenset({"LineString", "LineStringSegment", "LinearRing"}) | _ARC_LIKE):
        if local(facet.element) in _ARC_LIKE:
            raise InvalidInput("A curve is bent; only straight ones are read.", code="geometry-curved")
        points = positions(facet.element, corners.dimension)
        if len(points) > 1:
            found.append(corners.add(points[::-1] if facet.turned else points))
    return found


def points_of(element: Element, links: Links, corners: Corners) -> list[int]:
    """Return the points of a geometry, as numbers of vertices."""
    found: list[int] = []
    for facet in leaves(element, links, frozenset({"Point"})):
        found += corners.add(positions(facet.element, corners.dimension))
    return found


def matrix_of(text: str) -> NDArray[np.float64]:
    """Return the 4 x 4 matrix of an implicit geometry, given row by row."""
    try:
        found = np.array(text.split(), dtype=np.float64)
    except ValueError:
        found = np.empty(0)
    if found.shape != (16,) or not np.isfinite(found).all():
        raise InvalidInput("The transformation matrix is not made of 16 numbers.", code="geometry-structure")
    return found.reshape(4, 4)


Body = dict[str, Any]
"""A geometry as CityJSON has it, its indices counting the vertices of its own object."""
