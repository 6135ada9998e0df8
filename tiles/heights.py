"""The ground of a city on a grid of longitude and latitude, for maps that put things on it; pure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cim.geometry.crs import epsg_code, transformer
from tiles.site import Site

HEIGHTS_NAME: Final = "ground/heights.json"
NODES_MAX: Final = 160_000
"""Nodes of the grid: some 100 kB compressed."""
STEP_M: Final = 0.01
"""Heights are whole numbers of this."""
METRES_PER_DEGREE: Final = 111_320.0
"""Of latitude; near enough to choose how far apart nodes are."""
EDGE_PLACES: Final = 33
"""Places along each side of the sheet by which its corners in degrees are found."""


def heights_document(site: Site) -> dict[str, Any] | None:
    """Return the heights that the ground tiles have, ``None`` for a city on even ground at 0 m.

    ``west``, ``south``, ``east``, ``north`` are degrees, ``columns`` and ``rows`` the nodes along them, the borders
    included; ``heights`` are rows from south to north, each from west to east, in steps of ``step_m`` metres, in
    heights of the tiles (the ellipsoid's).  Between nodes they are bilinear.
    """
    if site.frame.ground == "flat":
        return None
    code = epsg_code(site.frame.crs)
    west, south, east, north = _degrees(site, code)
    middle = np.radians((south + north) / 2)
    size_m = np.array([(east - west) * np.cos(middle), north - south]) * METRES_PER_DEGREE
    apart_m = max(site.surface.cell_m, float(np.sqrt(size_m.prod() / NODES_MAX)))
    columns, rows = (max(2, int(side // apart_m) + 1) for side in size_m)
    lon, lat = np.meshgrid(np.linspace(west, east, columns), np.linspace(south, north, rows))
    x, y = transformer("EPSG:4326", code).transform(lon.ravel(), lat.ravel())
    heights = site.surface.height_m(np.column_stack((x, y))) + site.frame.vertical_offset_m
    return {
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "columns": columns,
        "rows": rows,
        "step_m": STEP_M,
        "heights": np.rint(heights / STEP_M).astype(int).tolist(),
    }


def _degrees(site: Site, code: str) -> tuple[float, float, float, float]:
    """Return the box in degrees around the sheet."""
    xmin, ymin, xmax, ymax = site.sheet
    x, y = np.linspace(xmin, xmax, EDGE_PLACES), np.linspace(ymin, ymax, EDGE_PLACES)
    edge = np.concatenate(
        [np.column_stack(np.broadcast_arrays(*side)) for side in ((x, ymin), (x, ymax), (xmin, y), (xmax, y))]
    )
    lon, lat = transformer(code, "EPSG:4326").transform(*edge.T)
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())
