"""What a build made, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TilesetReport:
    """Counts and times of one build; bytes are sums over files."""

    origin: tuple[float, float] = (0.0, 0.0)
    """Longitude and latitude of the chart's origin, degrees."""
    buildings: int = 0
    ground_features: int = 0
    building_tiles: int = 0
    ground_tiles: int = 0
    triangles: int = 0
    edges: int = 0
    vertices: int = 0
    bytes_plain: int = 0
    bytes_brotli: int = 0
    bytes_gzip: int = 0
    sunk_m: float = 0.0
    """How deep the foot of the worst placed body lies under the interpolated ground, metres."""
    build_s: float = 0.0
    buildings_s: float = 0.0
    compress_s: float = 0.0
    sync_s: float = 0.0
    buildings_per_s: float = 0.0
    bytes_per_building: float = 0.0
    """Brotli bytes of the leaves of the buildings, per building."""
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    """Object id and code of what could not be drawn (``height-missing``, ``footprint-empty``,
    ``no-geometry``, ``far-away``)."""
