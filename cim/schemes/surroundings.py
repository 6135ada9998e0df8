"""The city as a scheme would have it, asked about a place (pure): what findings on the ground look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import shapely

from cim.city.model import CityObject
from cim.schemes.baselines import CityBaseline
from cim.schemes.documents import shape_of
from cim.schemes.model import Value


class SchemeSurroundings:
    """See :class:`cim.schemes.placing.Surroundings`; ``realised`` is what the scheme changes."""

    def __init__(self, base: CityBaseline, realised: Mapping[str, CityObject | None], extent: shapely.Polygon) -> None:
        self._base = base
        self._realised = realised
        self._extent = extent

    def meeting(self, place: shapely.Geometry) -> Iterator[CityObject]:
        """Return the objects whose boxes meet the box of a place."""
        box = tuple(place.bounds)
        there = [target for target in self._base.near((box[0], box[1], box[2], box[3])) if target not in self._realised]
        yield from self._base.outlines(there)
        frame = shapely.box(*box)
        for found in self._realised.values():
            if found is not None and found.place is not None and shapely.box(*found.place.bounds).intersects(frame):
                yield found

    def stood(self, identifier: str) -> shapely.Geometry:
        """Return the ground that an object covers in the baseline, empty for what is not in it."""
        before = next(iter(self._base.outlines([identifier])), None)
        return shapely.Polygon() if before is None or before.place is None else before.place

    def ground_m(self, place: shapely.Geometry) -> tuple[float, float]:
        """Return the lowest and the highest ground that the neighbours stand on, metres; 0 where there are none."""
        reach_m = 40.0
        box = place.bounds
        near = self._base.near((box[0] - reach_m, box[1] - reach_m, box[2] + reach_m, box[3] + reach_m))
        fields: list[Mapping[str, Value]] = [self._base.fields(target) or {} for target in near]
        heights = [float(one["ground_m"]) for one in fields if one.get("ground_m") is not None and shape_of(one)]
        return (min(heights), max(heights)) if heights else (0.0, 0.0)

    def extent(self) -> shapely.Polygon:
        """Return the land that the city's baseline covers: the box of its objects."""
        return self._extent
