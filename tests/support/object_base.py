"""A baseline of city objects in memory, for the tests of what schemes make of real geometry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely

from cim.city.model import CityObject
from cim.schemes.base import Known, read_fields


class ObjectBaseline:
    """See :class:`cim.schemes.base.Baseline`; fields are read from the objects as a city reads them."""

    def __init__(self, objects: Iterable[CityObject], version: int = 1) -> None:
        self._version = version
        self._objects = {found.id: found for found in objects}

    @property
    def version(self) -> int:
        return self._version

    def fields(self, target: str) -> Mapping[str, Any] | None:
        found = self._objects.get(target)
        if found is None:
            return None
        feet = [geometry.bounds()[2] for geometry in found.geometries]
        return read_fields(Known(found.type, found.place, found.attributes, min(feet, default=0.0)))

    def object(self, target: str) -> CityObject | None:
        return self._objects.get(target)

    def parts(self, target: str) -> Sequence[CityObject]:
        return [found for found in self._objects.values() if found.parent_id == target]

    def near(self, bbox: tuple[float, float, float, float]) -> Sequence[str]:
        box = shapely.box(*bbox)
        return [found.id for found in self._objects.values() if found.place is not None and found.place.intersects(box)]
