"""What a build made, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiles.content import Content


@dataclass(slots=True)
class Counts:
    """What the leaves of a branch draw."""

    buildings: int = 0
    tiles: int = 0
    triangles: int = 0
    edges: int = 0
    vertices: int = 0
    sunk_m: float = 0.0
    quarantined: list[tuple[str, str]] = field(default_factory=list)

    def add(self, content: Content | None, buildings: int) -> None:
        """Count a leaf in."""
        self.tiles += 1
        self.buildings += buildings
        if content is not None:
            self.triangles += content.triangles
            self.edges += content.edges
            self.vertices += content.vertices

    def join(self, other: Counts) -> None:
        """Count another branch in."""
        for name in ("buildings", "tiles", "triangles", "edges", "vertices"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sunk_m = max(self.sunk_m, other.sunk_m)
        self.quarantined = [*self.quarantined, *other.quarantined]


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
    units: int = 0
    units_reused: int = 0
    """Of the units, those that this build or the one before had made already."""
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    """Object id and code of what could not be drawn (``height-missing``, ``footprint-empty``,
    ``no-geometry``, ``far-away``)."""
