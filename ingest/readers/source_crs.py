"""Which CRS a source is in, and the way from there to the working CRS; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.geometry.crs import LONLAT, epsg_code, is_metric_projected, parse_crs, transformer, working_crs_for

UNSTATED_DATUM: Final = "unstated"
"""The heights are absolute, but the file does not say over which datum."""

_FOR_SCREENS: Final = frozenset({"EPSG:3857", "EPSG:3395", "EPSG:3785", "EPSG:900913", "ESRI:102100"})
"""World Mercators: their metres are longer than metres everywhere but at the equator."""

_URN_OR_URL: Final = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|https?://(?:www\.)?opengis\.net/def/crs/)(EPSG|OGC)[:/][^:/]*[:/]([\w.]+)/?",
    re.IGNORECASE,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SourceCrs:
    """CRS of a source: horizontal code, name of the vertical datum, metres per unit of height."""

    horizontal: str
    vertical_datum: str
    height_unit_m: float
    is_geographic: bool


def source_crs(metadata: Any, stated: str | None) -> SourceCrs:
    """Return the CRS of a file; ``stated`` (``--crs``) overrides what its metadata say.

    Raises :class:`InvalidInput` when neither says one, or when it is not known.
    """
    text = stated or _declared(metadata)
    if not text:
        raise InvalidInput(
            "The file does not say which coordinate system it is in.",
            hint="Name it with --crs, for example --crs EPSG:28992.",
            code="crs-missing",
        )
    match = _URN_OR_URL.fullmatch(text.strip())
    crs = parse_crs(f"{match[1].upper()}:{match[2]}" if match else text.strip())
    parts = crs.sub_crs_list if crs.is_compound else [crs]
    horizontal = parts[0]
    if not (horizontal.is_projected or horizontal.is_geographic):
        raise InvalidInput(
            f"{horizontal.name!r} is not a coordinate system on the Earth.",
            hint="Name the projected one with --crs, for example --crs EPSG:28992.",
            code="unknown-crs",
            crs=text[:80],
        )
    vertical_axes = [axis for part in parts for axis in part.axis_info if axis.direction == "up"]
    if vertical_axes:
        height_unit_m = float(vertical_axes[0].unit_conversion_factor)
    else:
        height_unit_m = 1.0 if horizontal.is_geographic else float(horizontal.axis_info[0].unit_conversion_factor)
    datum = parts[1].name if len(parts) > 1 else UNSTATED_DATUM
    return SourceCrs(epsg_code(horizontal.to_wkt()), datum, height_unit_m, bool(horizontal.is_geographic))


def _declared(metadata: Any) -> str | None:
    """Return what 1.0 to 2.0 and the drafts before call the reference system."""
    if not isinstance(metadata, dict):
        return None
    for name in ("referenceSystem", "crs"):
        value = metadata.get(name)
        if isinstance(value, dict):
            value = value.get("epsg") or value.get("name")
        if isinstance(value, int) and not isinstance(value, bool):
            return f"EPSG:{value}"
        if isinstance(value, str) and value.strip():
            return value
    return None


@dataclass(frozen=True, slots=True)
class Projection:
    """From the source's coordinates to the working CRS; calling it takes and gives shape (n, 3)."""

    working_crs: str
    source: SourceCrs

    def __call__(self, coordinates: FloatArray) -> FloatArray:
        """Return metres; what cannot be projected becomes infinite."""
        if self.source.horizontal == self.working_crs and self.source.height_unit_m == 1.0:
            return coordinates
        way = transformer(self.source.horizontal, self.working_crs)
        x, y = way.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack((x, y, coordinates[:, 2] * self.source.height_unit_m))


def projection(source: SourceCrs, working_crs: str | None, position: tuple[float, float]) -> Projection:
    """Return the way to the city's CRS, or to the one to propose for a new city.

    ``position``: some place of the file in its own coordinates, to choose a UTM zone from where the
    source's CRS is not metric.
    """
    if working_crs is not None:
        return Projection(working_crs, source)
    if source.horizontal not in _FOR_SCREENS and is_metric_projected(source.horizontal):
        return Projection(source.horizontal, source)
    lon, lat = transformer(source.horizontal, LONLAT).transform(*position)
    if not (np.isfinite(lon) and np.isfinite(lat)):
        raise InvalidInput(
            "The coordinates of the file do not fit its coordinate system.",
            hint="Name the right one with --crs.",
            code="unknown-crs",
            crs=source.horizontal[:80],
        )
    return Projection(working_crs_for(lon, lat), source)
