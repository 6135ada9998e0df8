"""Coordinate systems in which features are asked for and answered (OGC API - Features Part 2, OGC 18-058r1).  Pure.

Coordinates are in the order of the axes that the system's own definition has: latitude first in EPSG:4326, northing
first in many national grids, longitude first in CRS84.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.crs import LONLAT, WorkingFrame, epsg_code, parse_crs, transformer

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
DEGREE_DECIMALS: Final = 7
"""Decimals of a degree in answers: about 1 cm."""
METRE_DECIMALS: Final = 3

_CRS84_NAMES: Final = frozenset(
    {CRS84, "http://www.opengis.net/def/crs/OGC/0/CRS84", "OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84"}
)
_EPSG: Final = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[0-9.]{1,8}/|urn:ogc:def:crs:EPSG:[0-9.]{0,8}:|EPSG:)([0-9]{1,7})"
)
_AUTHORITY: Final = re.compile(r"([A-Za-z]{2,10}):(\w{1,20})")
OWN_CRS: Final = "urn:cim:crs:working"
"""The address of a city's own system that no authority has numbered."""

_ALWAYS: Final = ("EPSG:4326", "EPSG:3857")
_SEGMENT_DEGREES: Final = 0.01
_SEGMENT_M: Final = 1000.0
"""The outline of an area is densified to such steps before it is bent into another system."""
_SEGMENTS_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class FeatureCrs:
    """A coordinate system: its address, its code, whether its first axis is north, decimals of its coordinates."""

    uri: str
    code: str
    swapped: bool
    decimals: int


@lru_cache(maxsize=64)
def feature_crs(code: str) -> FeatureCrs:
    """Return the system of a code such as ``EPSG:3879``."""
    if code == LONLAT:
        return FeatureCrs(CRS84, LONLAT, swapped=False, decimals=DEGREE_DECIMALS)
    crs = parse_crs(code)
    named = _AUTHORITY.fullmatch(epsg_code(code))
    first = crs.axis_info[0].direction if crs.axis_info else "east"
    return FeatureCrs(
        f"http://www.opengis.net/def/crs/{named[1]}/0/{named[2]}" if named else OWN_CRS,
        code,
        swapped=first in ("north", "south"),
        decimals=DEGREE_DECIMALS if crs.is_geographic else METRE_DECIMALS,
    )


LONGITUDE_LATITUDE: Final = feature_crs(LONLAT)


def offered(storage: str) -> tuple[FeatureCrs, ...]:
    """Return the systems that features of a city are offered in, its own last."""
    codes = dict.fromkeys((LONLAT, *_ALWAYS, storage))
    return tuple(feature_crs(code) for code in codes)


def chosen(name: str, text: str, systems: Sequence[FeatureCrs]) -> FeatureCrs:
    """Return the system that the parameter ``name`` asks for; raises :class:`InvalidInput` for one not offered."""
    if text in _CRS84_NAMES:
        return LONGITUDE_LATITUDE
    found = _EPSG.fullmatch(text.removeprefix("[").removesuffix("]"))
    code = f"EPSG:{found[1]}" if found else ""
    for system in systems:
        if text == system.uri or (code and system.code == code):
            return system
    raise InvalidInput(
        "That coordinate system is not offered.",
        hint=f"Known: {', '.join(system.uri for system in systems)}.",
        code="parameter",
        parameter=name,
    )


def places_in(places: NDArray[np.object_], working: WorkingFrame, system: FeatureCrs) -> NDArray[np.object_]:
    """Return places of the working CRS in another, in the order of its axes, rounded to its decimals."""

    def out(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(xy):
            return xy
        if system.code == LONLAT:
            moved = working.to_lonlat(xy)
        elif system.code == working.crs:
            moved = xy
        else:
            way = transformer(working.crs, system.code)
            moved = np.column_stack(way.transform(np.append(xy[:, 0], 0.0), np.append(xy[:, 1], 0.0)))[:-1]
        return np.round(moved[:, ::-1] if system.swapped else moved, system.decimals)

    moved: NDArray[np.object_] = shapely.transform(places, out)
    return moved


def area_in_working(area: shapely.Geometry, system: FeatureCrs, working: WorkingFrame) -> shapely.Geometry | None:
    """Return what was asked for in another system in the working CRS, edges densified; ``None`` where it has no place.

    ``area`` has longitude or easting first, whatever the order of the system's axes.
    """
    if system.code == working.crs:
        return area
    step = _SEGMENT_DEGREES if system.decimals == DEGREE_DECIMALS else _SEGMENT_M
    west, south, east, north = area.bounds
    longest = max(east - west, north - south, 0.0)
    dense = shapely.segmentize(area, max(step, longest / _SEGMENTS_MAX))

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if system.code == LONLAT:
            return working.from_lonlat(xy)
        way = transformer(system.code, working.crs)
        return np.column_stack(way.transform(np.append(xy[:, 0], xy[0, 0]), np.append(xy[:, 1], xy[0, 1])))[:-1]

    bent = shapely.transform(dense, moved)
    return bent if np.isfinite(shapely.get_coordinates(bent)).all() else None


def east_first(area: shapely.Geometry, system: FeatureCrs) -> shapely.Geometry:
    """Return a shape in a system's own order of axes with easting or longitude first."""
    return shapely.transform(area, lambda xy: xy[:, ::-1]) if system.swapped else area


def uris(systems: Iterable[FeatureCrs]) -> list[str]:
    """Return the addresses of systems."""
    return [system.uri for system in systems]
