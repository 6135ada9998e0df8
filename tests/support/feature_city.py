"""A city of few features in degrees, for the tests; what is expected of it they work out by brute force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import shapely

from cim.features.crs import offered
from cim.features.members import MemberFeatures, Members, in_order
from cim.features.model import Collection, Feature, Property
from cim.geometry.crs import FloatArray, WorkingFrame

BASELINE_AT = datetime(2026, 3, 1, tzinfo=UTC)
BUILDINGS = 250
BBOX = (24.90, 60.10, 25.15, 60.20)


def _square(lon: float, lat: float) -> shapely.Geometry:
    # Clockwise on purpose: GeoJSON wants the other way round.
    return shapely.Polygon([(lon, lat), (lon, lat + 5e-4), (lon + 5e-4, lat + 5e-4), (lon + 5e-4, lat)])


def _buildings() -> list[Feature]:
    return [
        Feature(
            f"helsinki:way/{number}",
            _square(24.90 + 0.01 * (number % 25), 60.10 + 0.01 * (number // 25)),
            {
                "type": "Building",
                "name": f"No. {number} <Katu>",
                "height_m": math.nan if number == 7 else 3.2 * (number % 9 + 1),
                "storeys_above_ground": number % 9 + 1,
                "generated": number % 2 == 0,
            },
        )
        for number in range(BUILDINGS)
    ]


class Degrees(WorkingFrame):
    """Places that are kept in degrees, so that nothing is transformed on the way to CRS84."""

    def __init__(self) -> None:
        self.crs = "OGC:CRS84"

    def to_lonlat(self, xy: FloatArray) -> FloatArray:
        return xy

    def from_lonlat(self, lonlat: FloatArray) -> FloatArray:
        return lonlat


CRSS = offered("OGC:CRS84")
COLLECTIONS = (
    Collection(
        "buildings",
        "Buildings",
        "Houses & halls",
        BBOX,
        (BASELINE_AT, None),
        (
            Property("type", "string"),
            Property("name", "string"),
            Property("height_m", "number", "height", "m"),
            Property("storeys_above_ground", "integer"),
            Property("generated", "boolean"),
        ),
        ("© OpenStreetMap contributors",),
        crs=CRSS,
    ),
    Collection(
        *("sensors", "Sensors", "", (-180, -90, 180, 90), (BASELINE_AT, None), (Property("unit", "string"),)), crs=CRSS
    ),
    Collection("land-use", "Land use", generated=True, crs=CRSS),
)


class MemorySource(MemberFeatures):
    """Three collections: many buildings, one place that has no geometry, nothing at all."""

    def __init__(self) -> None:
        self.revision = "1"
        self.working_ = Degrees()
        self.features = {
            "buildings": _buildings(),
            "sensors": [
                Feature("sample:p1", shapely.Point(24.95, 60.17, 4.0), {"unit": "m"}),
                Feature("sample:p2", None, {"unit": "kW"}),
                Feature("sample:p3", shapely.Point(179.9, -17.0), {"unit": "m"}),
            ],
            "land-use": [],
        }
        self._members = {one.id: self.made(one) for one in COLLECTIONS}

    def made(self, collection: Collection) -> Members:
        features = self.features[collection.id]
        places = np.empty(len(features), dtype=object)
        places[:] = [feature.geometry for feature in features]
        return in_order(collection, [one.id for one in features], places, lambda row: features[row].properties)

    def without(self, identifier: str, revision: str) -> MemorySource:
        """Return the city as it is in a later baseline, where one building is gone."""
        later = MemorySource()
        later.revision = revision
        later.features["buildings"] = [one for one in self.features["buildings"] if one.id != identifier]
        later._members = {one.id: later.made(one) for one in COLLECTIONS}
        return later

    @property
    def working(self) -> WorkingFrame:
        return self.working_

    def members(self) -> Mapping[str, Members]:
        return self._members
