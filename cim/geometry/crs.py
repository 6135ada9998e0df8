"""Coordinate systems: metric inside, longitude and latitude at the edge.

Every city has one projected working CRS in metres.  All transformers here are ``always_xy``: east
before north, longitude before latitude, whatever the axis order of the authority.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from cim.errors import InvalidInput

LONLAT: Final = "OGC:CRS84"
FloatArray = NDArray[np.float64]


@lru_cache(maxsize=64)
def parse_crs(text: str) -> pyproj.CRS:
    """Return the CRS that a code, URN, URL or WKT names.

    Raises :class:`InvalidInput` (``unknown-crs``) if it names none.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise InvalidInput(
            f"The coordinate system {text[:80]!r} is not known.",
            hint="Name it with --crs, for example --crs EPSG:28992.",
            code="unknown-crs",
            crs=text[:80],
        ) from error


def epsg_code(text: str) -> str:
    """Return ``EPSG:n`` for a CRS that has such a code, else the authority's own code or its WKT."""
    crs = parse_crs(text)
    horizontal = crs.sub_crs_list[0] if crs.is_compound else crs
    authority = horizontal.to_authority()
    return ":".join(authority) if authority else horizontal.to_wkt()


def is_metric_projected(text: str) -> bool:
    """Tell whether a CRS is projected with metres on both horizontal axes."""
    crs = parse_crs(text)
    horizontal = crs.sub_crs_list[0] if crs.is_compound else crs
    return horizontal.is_projected and all(axis.unit_conversion_factor == 1.0 for axis in horizontal.axis_info[:2])


def working_crs_for(lon: float, lat: float) -> str:
    """Return the UTM zone (WGS 84) of a place: the working CRS where a source names none of its own."""
    zone = min(60, max(1, int((lon + 180.0) // 6.0) + 1))
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """Return a cached ``always_xy`` transformer between two CRSs; pyproj's are safe between threads."""
    return pyproj.Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)


def in_area(crs: str, lonlat: FloatArray, margin_deg: float) -> NDArray[np.bool_]:
    """Tell which places, degrees of shape (n, 2), lie in the area of use that a CRS states, give or take a margin.

    A CRS that states none is for the whole Earth.  What is not finite lies nowhere.
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    area = parse_crs(crs).area_of_use
    if area is None:
        whole: NDArray[np.bool_] = (np.abs(lon) <= 360.0) & (np.abs(lat) <= 90.0)
        return whole
    # An area that crosses the antimeridian has its west east of its east.
    width = (area.east - area.west) % 360.0 or 360.0
    with np.errstate(invalid="ignore"):
        across = (lon - area.west + margin_deg) % 360.0 <= width + 2.0 * margin_deg
    inside: NDArray[np.bool_] = across & (lat >= area.south - margin_deg) & (lat <= area.north + margin_deg)
    return inside


class WorkingFrame:
    """The working CRS of one city, with the way out to longitude and latitude."""

    def __init__(self, crs: str) -> None:
        """Raise :class:`InvalidInput` unless ``crs`` is projected and metric."""
        if not is_metric_projected(crs):
            raise InvalidInput(
                f"{crs[:80]!r} is not a projected coordinate system in metres.",
                hint="Choose a working CRS such as a UTM zone.",
                code="working-crs",
                crs=crs[:80],
            )
        self.crs = crs
        self._out = transformer(crs, LONLAT)
        self._in = transformer(LONLAT, crs)

    def to_lonlat(self, xy: FloatArray) -> FloatArray:
        """Return degrees, shape (n, 2), for metres in the working CRS, shape (n, 2+)."""
        return _apply(self._out, xy)

    def from_lonlat(self, lonlat: FloatArray) -> FloatArray:
        """Return metres in the working CRS, shape (n, 2), for degrees, shape (n, 2+)."""
        return _apply(self._in, lonlat)

    def bbox_to_lonlat(self, bbox: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Return west, south, east, north that cover a box of the working CRS, edges densified."""
        west, south, east, north = self._out.transform_bounds(*bbox, densify_pts=21)
        return float(west), float(south), float(east), float(north)


def _apply(way: pyproj.Transformer, points: FloatArray) -> FloatArray:
    if len(points) == 1:
        # pyproj takes arrays of one for a scalar and warns of it.
        return np.array([way.transform(float(points[0, 0]), float(points[0, 1]))])
    return np.column_stack(way.transform(points[:, 0], points[:, 1]))
