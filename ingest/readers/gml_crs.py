"""Which CRS a GML file is in, and in which order its numbers stand; pure.

A GML position has its numbers in the order of the CRS's axes: EPSG:6697 is latitude, longitude, height.
Files that disagree are common; where the place lies in the area of its CRS only the other way
round, it is read the other way round, and the reader says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.crs import LONLAT, in_area, parse_crs, transformer
from ingest.readers.source_crs import Projection, SourceCrs, projection, source_crs

FloatArray = NDArray[np.float64]

_COMPOUND: Final = re.compile(r"urn:ogc:def:crs,crs:EPSG:[^:]*:(\d+),crs:EPSG:[^:]*:(\d+)", re.IGNORECASE)
_SHORT_URN: Final = re.compile(r"urn:(?:x-)?ogc:def:crs:(EPSG|OGC):[^:]*:([\w.]+)", re.IGNORECASE)
_GML_SHORT: Final = re.compile(r"https?://www\.opengis\.net/gml/srs/epsg\.xml#(\d+)", re.IGNORECASE)
_ADV: Final = re.compile(r"urn:adv:crs:([\w-]+?)(?:\*.*)?", re.IGNORECASE)
_ADV_CODES: Final = {
    "ETRS89_UTM31": 25831, "ETRS89_UTM32": 25832, "ETRS89_UTM33": 25833,
    "DE_DHDN_3GK2": 31466, "DE_DHDN_3GK3": 31467, "DE_DHDN_3GK4": 31468, "DE_DHDN_3GK5": 31469,
}  # fmt: skip
"""Names of the German surveys (GeoInfoDok 6.0, CRS register)."""
_AREA_MARGIN_DEG: Final = 1.0


def crs_text(srs_name: str) -> str:
    """Return a ``srsName`` in a form that pyproj knows."""
    text = srs_name.strip()
    if match := _COMPOUND.fullmatch(text):
        return f"EPSG:{match[1]}+{match[2]}"
    if match := _SHORT_URN.fullmatch(text):
        return f"{match[1].upper()}:{match[2]}"
    if match := _GML_SHORT.fullmatch(text):
        return f"EPSG:{match[1]}"
    if (match := _ADV.fullmatch(text)) and match[1].upper() in _ADV_CODES:
        return f"EPSG:{_ADV_CODES[match[1].upper()]}"
    return text


@dataclass(frozen=True, slots=True)
class GmlPlace:
    """From the numbers of a file to the working CRS.

    ``north_first``: the first number goes north, as the CRS says or as the file was found to mean it;
    ``exchanged``: it was found to mean the other order than its CRS says.
    """

    project: Projection
    north_first: bool
    exchanged: bool

    def __call__(self, numbers: FloatArray) -> FloatArray:
        """Return metres of the working CRS, shape (n, 3), for positions as they stand in the file."""
        return self.project(self.east_first(numbers))

    def east_first(self, numbers: FloatArray) -> FloatArray:
        """Return positions with the eastern number first, shape (n, 3)."""
        return np.ascontiguousarray(numbers[:, [1, 0, 2]]) if self.north_first else numbers


def gml_place(
    srs_name: str | None, stated: str | None, position: tuple[float, float], working_crs: str | None
) -> GmlPlace:
    """Return the way into the city.

    ``srs_name``: what the file says; ``stated``: what ``--crs`` said, which overrides it; ``position``: two
    numbers of a place of the file.  Raises :class:`InvalidInput` (``crs-missing``, ``unknown-crs``).
    """
    text = stated or crs_text(srs_name or "")
    source = source_crs({"referenceSystem": text}, None)
    north_first = _north_first(source.horizontal) if not text.upper().startswith("OGC:") else False
    exchanged = False
    fits, other = (_inside(source, _turned(position, turned=turned)) for turned in (north_first, not north_first))
    if not fits and other:
        north_first, exchanged = not north_first, True
    if not fits and not other and not all(np.isfinite(position)):
        raise InvalidInput(
            "The first place of the file is no number.", hint="Write the file anew.", code="positions-damaged"
        )
    east, north = _turned(position, turned=north_first)
    return GmlPlace(projection(source, working_crs, (east, north)), north_first, exchanged)


def _turned(position: tuple[float, float], *, turned: bool) -> tuple[float, float]:
    return (position[1], position[0]) if turned else position


def _north_first(crs: str) -> bool:
    return str(parse_crs(crs).axis_info[0].direction).lower() in {"north", "south"}


def _inside(source: SourceCrs, east_north: tuple[float, float]) -> bool:
    """Tell whether a place lies in the area of its CRS, give or take a degree."""
    if parse_crs(source.horizontal).area_of_use is None:
        return False
    if source.is_geographic and (abs(east_north[1]) > 90 or abs(east_north[0]) > 360):
        return False
    lonlat = np.array([transformer(source.horizontal, LONLAT).transform(*east_north)])
    return bool(in_area(source.horizontal, lonlat, _AREA_MARGIN_DEG)[0])
