"""A first look at a GML file: its CRS, one place in it, its dimension and its title."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cim.errors import InvalidInput
from cim.geometry.crs import parse_crs
from ingest.readers.gml_crs import crs_text
from ingest.readers.gml_positions import numbers
from ingest.readers.gml_types import LEFT_OUT, MEMBERS
from ingest.readers.gml_xml import Element, events, forget, local, text_of

_PLACES: Final = ("posList", "pos", "lowerCorner", "coordinates")
_TAGS: Final = tuple(f"{{*}}{name}" for name in (*_PLACES, *MEMBERS, *LEFT_OUT, "Triangle"))
_TITLE_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What the file says before it is read: ``position`` as it stands there, in the order of the file."""

    srs_name: str | None
    position: tuple[float, float]
    dimension: int
    title: str

    def is_same_crs(self, srs_name: str) -> bool:
        """Tell whether a geometry's own ``srsName`` means the file's."""
        if srs_name == self.srs_name or self.srs_name is None:
            return True
        try:
            mine, other = (parse_crs(crs_text(text)) for text in (self.srs_name, srs_name))
        except InvalidInput:
            return False
        flat = [(crs.sub_crs_list[0] if crs.is_compound else crs) for crs in (mine, other)]
        return bool(flat[0] == flat[1]) or flat[0].to_2d() == flat[1].to_2d()


def look_at(path: Path, stated_crs: str | None) -> Look:
    """Read as far as the first place and the first ``srsName``; raises :class:`InvalidInput` for a file without."""
    srs_name: str | None = None
    position: tuple[float, float] | None = None
    dimension, title = 3, ""
    for event, element, _ in events(path, _TAGS):
        if event == "start":
            continue
        name = local(element)
        if name not in _PLACES:
            forget(element)
            continue
        above = list(element.iterancestors())
        if any(local(one).startswith("relative") for one in above):
            continue
        title = title or _title(above[-1] if above else element)
        said = next((str(one.get("srsName")) for one in (element, *above) if one.get("srsName")), None)
        if said is not None and srs_name is None:
            srs_name = said
            stated = next((one.get("srsDimension") for one in (element, *above) if one.get("srsDimension")), "3")
            dimension = 2 if stated == "2" and name != "lowerCorner" else 3
        found = _place(element)
        position = position or found
        if position is not None and (srs_name is not None or stated_crs is not None):
            return Look(srs_name, position, dimension, title)
    if position is None:
        raise InvalidInput(
            f"{path.name} has no feature with a place.", hint="Check that it is the right file.", code="source-empty"
        )
    return Look(srs_name, position, dimension, title)


def _place(element: Element) -> tuple[float, float] | None:
    words = text_of(element).replace(",", " ").split()[:2]
    try:
        first = numbers(" ".join(words), 2)
    except InvalidInput:
        return None
    if len(first) != 1 or not np.isfinite(first).all():
        return None
    return float(first[0, 0]), float(first[0, 1])


def _title(root: Element) -> str:
    for child in root:
        if local(child) == "name":
            text = text_of(child)[:_TITLE_CHARACTERS]
            return text if text.isprintable() else ""
    return ""
