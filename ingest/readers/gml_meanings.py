"""What the surfaces of a GML object are: roofs, walls, windows, as CityJSON's semantics; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingest.readers.gml_attributes import Facts, take
from ingest.readers.gml_shapes import POLYGONS, Facet, Links, leaves
from ingest.readers.gml_types import BOUNDING, GEOMETRY, SURFACES
from ingest.readers.gml_xml import Element, local, named_attribute


@dataclass(slots=True)
class Meanings:
    """The surfaces that bound one object.

    ``surfaces`` are CityJSON's semantic objects; ``by_lod`` are their polygons, each with the number of its
    surface; ``of`` tells what a polygon is when a solid uses it, by the identity of its element.
    """

    surfaces: list[dict[str, Any]] = field(default_factory=list)
    by_lod: dict[str, list[tuple[Facet, int]]] = field(default_factory=dict)
    of: dict[int, int] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    def gather(self, prop: Element, links: Links, parent: int | None = None) -> None:
        """Take the surfaces under a property such as ``boundedBy``; openings know the wall that they are in."""
        for surface in prop:
            number = len(self.surfaces)
            members: dict[str, Any] = {"type": SURFACES.get(local(surface), local(surface))}
            self.surfaces.append(members)
            if parent is not None:
                members["parent"] = parent
                self.surfaces[parent].setdefault("children", []).append(number)
            facts = Facts()
            for inner in surface:
                name = local(inner)
                match = GEOMETRY.fullmatch(name)
                if match:
                    self._take(match[1], inner, links, number)
                elif name in BOUNDING:
                    if not _is_envelope(inner):
                        self.gather(inner, links, number)
                else:
                    take(facts, inner)
            members.update({key: value for key, value in facts.values.items() if key not in members})
            identifier = named_attribute(surface, "id")
            if identifier:
                members.setdefault("id", identifier)

    def _take(self, lod: str, prop: Element, links: Links, number: int) -> None:
        for facet in leaves(prop, links, POLYGONS):
            self.by_lod.setdefault(lod, []).append((facet, number))
            self.of.setdefault(id(facet.element), number)

    def values(self, facets: list[Facet]) -> list[int]:
        """Return what each polygon is, -1 for nothing, and remember that it has been used."""
        self.used.update(id(facet.element) for facet in facets)
        return [self.of.get(id(facet.element), -1) for facet in facets]

    def rest(self, lod: str) -> list[tuple[Facet, int]]:
        """Return the polygons of a level of detail that no solid has used."""
        return [(facet, number) for facet, number in self.by_lod.get(lod, []) if id(facet.element) not in self.used]

    def semantics(self, numbers: list[int]) -> tuple[list[dict[str, Any]], dict[int, int]]:
        """Return the surfaces among ``numbers``, with those that they lie in, and their new numbers."""
        wanted = {number for number in numbers if number >= 0}
        for number in list(wanted):
            at = number
            while (at := self.surfaces[at].get("parent", -1)) >= 0:
                wanted.add(at)
        new = {number: place for place, number in enumerate(sorted(wanted))}
        listed = []
        for number in sorted(wanted):
            members = dict(self.surfaces[number])
            if "parent" in members:
                members["parent"] = new[members["parent"]]
            children = [new[child] for child in members.pop("children", ()) if child in new]
            listed.append({**members, "children": children} if children else members)
        return listed, new


def _is_envelope(prop: Element) -> bool:
    return len(prop) > 0 and local(prop[0]) in {"Envelope", "Null"}
