"""Positions of GML geometries: from text to arrays; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from ingest.readers.gml_xml import Element, local, named_attribute, text_of

FloatArray = NDArray[np.float64]

_DIMENSIONS: Final = ("2", "3")


def positions_fault() -> InvalidInput:
    """Return the fault of a list of positions that is none."""
    return InvalidInput("A list of positions is not made of numbers, three for each.", code="positions-damaged")


def numbers(text: str, dimension: int) -> FloatArray:
    """Return the positions in a text, shape (n, 3); a height that is not there is 0."""
    try:
        flat = np.array(text.split(), dtype=np.float64)
    except ValueError:
        raise positions_fault() from None
    if len(flat) % dimension:
        raise positions_fault()
    places = flat.reshape(-1, dimension)
    return places if dimension == 3 else np.column_stack((places, np.zeros(len(places))))


def positions(element: Element, dimension: int) -> FloatArray:
    """Return the positions of a ring, a line or a point, shape (n, 3), from whichever form GML gives them in."""
    found: list[FloatArray] = []
    own = _dimension(element, dimension)
    for child in element:
        name = local(child)
        if name in {"posList", "pos"}:
            found.append(numbers(text_of(child), _dimension(child, own)))
        elif name == "coordinates":
            found.append(_old_coordinates(child, own))
        elif name in {"pointProperty", "pointRep", "Point"}:
            found.append(positions(child, own))
    return np.concatenate(found) if found else np.empty((0, 3))


def _dimension(element: Element, outer: int) -> int:
    said = named_attribute(element, "srsDimension") or named_attribute(element, "dimension")
    return int(said) if said in _DIMENSIONS else outer


def _old_coordinates(element: Element, dimension: int) -> FloatArray:
    """Return the positions of the ``coordinates`` of GML 2, whose tuples are apart by spaces."""
    comma = element.get("cs") or ","
    space = element.get("ts") or " "
    text = text_of(element)
    if (element.get("decimal") or ".") != ".":
        raise positions_fault()
    tuples = text.split() if space.isspace() else text.split(space)
    if tuples and (of_first := tuples[0].count(comma) + 1) in {2, 3}:
        dimension = of_first
    return numbers(" ".join(tuples).replace(comma, " "), dimension)


@dataclass(slots=True)
class Corners:
    """The vertices of one object while its geometries are gathered.

    ``places`` are positions as they stand in the file; ``shifts_m`` what is added to them in the working CRS.
    With a ``stand`` (4 x 4 matrix, position) the vertices are those of an implicit geometry, in its own frame.
    """

    dimension: int
    places: list[FloatArray] = field(default_factory=list)
    shifts_m: list[FloatArray] = field(default_factory=list)
    count: int = 0
    open_rings: int = 0
    stand: tuple[FloatArray, FloatArray] | None = None

    def add(self, points: FloatArray) -> list[int]:
        """Keep some vertices and return their numbers."""
        if self.stand is None:
            self.places.append(points)
            self.shifts_m.append(np.zeros_like(points))
        else:
            matrix, reference = self.stand
            homogeneous = np.column_stack((points, np.ones(len(points))))
            self.places.append(np.repeat(reference[None], len(points), axis=0))
            self.shifts_m.append((homogeneous @ matrix.T)[:, :3])
        self.count += len(points)
        return list(range(self.count - len(points), self.count))

    def ring(self, points: FloatArray, *, turned: bool) -> list[int]:
        """Keep the vertices of a ring without its repeated first one; count rings that are not closed."""
        if len(points) > 1 and (points[0] == points[-1]).all():
            points = points[:-1]
        else:
            self.open_rings += 1
        if not len(points):
            raise InvalidInput("A ring has no vertices.", code="ring-too-short")
        return self.add(points[::-1] if turned else points)
