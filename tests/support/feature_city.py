"""A feature source in memory, written for the tests: brute force over lists, no index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import shapely

from cim.features.model import Collection, Feature, ItemsPage, ItemsQuery, Property

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


class MemorySource:
    """Three collections: many buildings, one place that has no geometry, nothing at all."""

    def __init__(self) -> None:
        self.features = {
            "buildings": _buildings(),
            "sensors": [
                Feature("sample:p1", shapely.Point(24.95, 60.17, 4.0), {"unit": "m"}),
                Feature("sample:p2", None, {"unit": "kW"}),
                Feature("sample:p3", shapely.Point(179.9, -17.0), {"unit": "m"}),
            ],
            "land-use": [],
        }

    @property
    def revision(self) -> str:
        return "1"

    def collections(self) -> Sequence[Collection]:
        return (
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
            ),
            Collection(
                "sensors", "Sensors", "", (-180, -90, 180, 90), (BASELINE_AT, None), (Property("unit", "string"),)
            ),
            Collection("land-use", "Land use", generated=True),
        )

    def items(self, collection_id: str, query: ItemsQuery) -> ItemsPage:
        found = [
            feature
            for feature in self.features[collection_id]
            if (not query.boxes or (feature.geometry is not None and self._meets(feature.geometry, query.boxes)))
            and all(feature.properties.get(name) == value for name, value in query.filters.items())
        ]
        return ItemsPage(found[query.offset : query.offset + query.limit], len(found))

    @staticmethod
    def _meets(geometry: shapely.Geometry, boxes: tuple[tuple[float, float, float, float], ...]) -> bool:
        return any(geometry.intersects(shapely.box(*box)) for box in boxes)

    def item(self, collection_id: str, feature_id: str) -> Feature | None:
        return next((item for item in self.features[collection_id] if item.id == feature_id), None)
