"""Geometry templates of CityJSON: geometries that many objects share, each placed by a matrix; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cim.errors import InvalidInput
from ingest.readers.cityjson_vertices import Vertices, vertex_array

MISSING: Final = ("vertex-missing", "The geometry names a vertex that the file does not have.")
_NESTED_MAX: Final = 5
"""Levels of lists in the boundaries of any geometry."""


@dataclass(frozen=True, slots=True)
class Template:
    """A geometry whose indices count its own ``vertices``, shape (n, 3), in its own frame."""

    body: dict[str, Any]
    vertices: Vertices

    def placed(self, matrix: Vertices, corner: Vertices) -> Vertices:
        """Return the vertices where a 4 × 4 matrix and a point of the file put them."""
        homogeneous = np.column_stack((self.vertices, np.ones(len(self.vertices))))
        moved: Vertices = (homogeneous @ matrix.T)[:, :3] + corner
        return moved


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of a file; one that is used is cut out of their common vertices once."""

    bodies: tuple[dict[str, Any], ...] = ()
    vertices: Vertices = field(default_factory=lambda: np.empty((0, 3)))
    _ready: dict[int, Template] = field(default_factory=dict)

    def get(self, number: Any) -> Template:
        """Return a template; raises :class:`InvalidInput` for one that is not there or is damaged."""
        if not isinstance(number, int) or not 0 <= number < len(self.bodies):
            raise InvalidInput("The geometry names a template that the file does not have.", code="geometry-structure")
        if number not in self._ready:
            self._ready[number] = self._cut_out(self.bodies[number])
        return self._ready[number]

    def _cut_out(self, body: dict[str, Any]) -> Template:
        places: dict[int, int] = {}
        boundaries = self._renumbered(body["boundaries"], places, _NESTED_MAX)
        return Template({**body, "boundaries": boundaries}, self.vertices[list(places)])

    def _renumbered(self, nested: Any, places: dict[int, int], levels: int) -> Any:
        if isinstance(nested, list) and levels:
            return [self._renumbered(inner, places, levels - 1) for inner in nested]
        if type(nested) is not int:
            raise InvalidInput("The boundaries of a template are damaged.", code="geometry-structure")
        if not 0 <= nested < len(self.vertices):
            raise InvalidInput(MISSING[1], code=MISSING[0])
        return places.setdefault(nested, len(places))


def read_templates(member: Any) -> Templates:
    """Return the templates of a ``geometry-templates`` member, none for ``None``."""
    if member is None:
        return Templates()
    if not isinstance(member, dict) or not isinstance(member.get("templates"), list):
        raise InvalidInput(
            "The geometry templates of the file are damaged.", hint="Export the file again.", code="templates-damaged"
        )
    return Templates(tuple(member["templates"]), vertex_array(member.get("vertices-templates", [])))


def placement(geometry: dict[str, Any], window: tuple[int, int], pool: Vertices) -> tuple[Vertices, Vertices]:
    """Return the 4 × 4 matrix of an instance and the point of the file where it stands."""
    matrix = np.array(geometry["transformationMatrix"], dtype=np.float64)
    boundaries = geometry["boundaries"]
    if matrix.shape != (16,) or not isinstance(boundaries, list) or len(boundaries) != 1:
        raise InvalidInput(
            "The placement of a template is not a matrix of 16 and one point.", code="geometry-structure"
        )
    row = boundaries[0]
    if not isinstance(row, int) or not 0 <= row < window[1]:
        raise InvalidInput(MISSING[1], code=MISSING[0])
    return matrix.reshape(4, 4), pool[window[0] + row]
