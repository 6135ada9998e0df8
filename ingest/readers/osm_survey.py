"""First pass over an OpenStreetMap file: what the second needs to know beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.errors import InvalidInput
from ingest.readers.osm_buildings import KnownLevels, building_kind, is_building, is_part, tagged_levels
from ingest.readers.osm_file import RawFeature, features
from ingest.readers.osm_streets import StreetGraph, is_drivable


@dataclass(slots=True)
class Survey:
    """Notes of the first pass; all positions in degrees."""

    known: KnownLevels = field(default_factory=KnownLevels)
    parts: list[RawFeature] = field(default_factory=list)
    coastlines: list[NDArray[np.float64]] = field(default_factory=list)
    graph: StreetGraph = field(default_factory=StreetGraph)
    feature_count: int = 0
    _box: list[float] = field(default_factory=lambda: [np.inf, np.inf, -np.inf, -np.inf])

    def bounds(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of what was seen; raises :class:`InvalidInput` for an empty file."""
        west, south, east, north = self._box
        if west > east:
            raise InvalidInput(
                "The file holds no feature that the city has a use for.",
                hint="Check that the extract covers the place that you want.",
                code="source-empty",
            )
        return west, south, east, north

    def note(self, feature: RawFeature) -> None:
        """Take notes of one feature."""
        self.feature_count += 1
        if feature.kind == "area":
            self._area(feature)
            return
        for refs, points in feature.pieces:
            low, high = points.min(axis=0), points.max(axis=0)
            self._box[0], self._box[1] = min(self._box[0], low[0]), min(self._box[1], low[1])
            self._box[2], self._box[3] = max(self._box[2], high[0]), max(self._box[3], high[1])
            if feature.kind != "node" and is_drivable(feature.tags):
                self.graph.count(refs)
            if feature.kind != "node" and feature.tags.get("natural") == "coastline":
                self.coastlines.append(points)
        if feature.kind == "node" and feature.tags.get("highway") == "traffic_signals":
            self.graph.signals.add(feature.number)

    def _area(self, feature: RawFeature) -> None:
        if is_part(feature.tags):
            self.parts.append(feature)
            return
        levels = tagged_levels(feature.tags)
        if levels is not None and is_building(feature.tags):
            middle = shapely.centroid(shapely.from_wkb(feature.wkb))
            self.known.add(building_kind(feature.tags), (middle.x, middle.y), levels)


def survey(path: Path) -> Survey:
    """Read a file once and return the notes."""
    notes = Survey()
    for feature in features(path):
        notes.note(feature)
    return notes
