"""Baselines as schemes read them: the present one from the index in memory, older ones object by object (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cim.city.index import CityIndex
from cim.city.model import CityObject
from cim.schemes.base import Known, read_fields
from cim.schemes.model import Value
from cim.schemes.shaping import PlacedModel

FIELDS_KEPT_MAX: Final = 50_000
"""Objects whose fields are remembered; beyond it they are forgotten and read again."""
OBJECTS_KEPT_MAX: Final = 5_000
"""Objects with their geometries that are remembered: those that schemes have changed."""

ReadAt = Callable[[int, Sequence[str]], Mapping[str, CityObject]]
"""Gives some objects as a baseline had them."""

PlacedModels = Callable[[str], PlacedModel | None]
"""Gives uploaded models by their SHA-256."""


Elements = Callable[[int], Mapping[str, Mapping[str, Value]]]
"""Gives the fields of the network elements of a baseline, by their ids."""


def no_elements(version: int) -> Mapping[str, Mapping[str, Value]]:
    """Know no network."""
    _ = version
    return {}


def no_models(digest: str) -> PlacedModel | None:
    """Know no model."""
    _ = digest
    return None


class CityBaseline:
    """One numbered baseline; see :class:`cim.schemes.base.Baseline`.

    ``present`` gives the index of the newest baseline: while that is this one, fields come from it.
    """

    def __init__(
        self,
        version: int,
        present: Callable[[], CityIndex],
        read_at: ReadAt,
        models: PlacedModels = no_models,
        elements: Elements = no_elements,
    ) -> None:
        self._version = version
        self._present = present
        self._read_at = read_at
        self._models = models
        self._elements = elements
        self._fields: dict[str, Mapping[str, Value] | None] = {}
        self._objects: dict[str, CityObject | None] = {}

    @property
    def version(self) -> int:
        """Its number."""
        return self._version

    def fields(self, target: str) -> Mapping[str, Value] | None:
        """Return all fields of an object, ``None`` where it is not in the baseline."""
        if target not in self._fields:
            self.prefetch([target])
        return self._fields.get(target)

    def prefetch(self, targets: Iterable[str]) -> None:
        """Read the fields of many objects at once."""
        missing = [target for target in dict.fromkeys(targets) if target not in self._fields]
        if not missing:
            return
        if len(self._fields) + len(missing) > FIELDS_KEPT_MAX:
            self._fields = {}
        index = self._present()
        if index.baseline_version == self._version:
            known = {target: _in_index(index, target) for target in missing}
        else:
            old = self._read_at(self._version, missing)
            known = {target: _of_object(old.get(target)) for target in missing}
        fresh = {target: self._element(target) if one is None else read_fields(one) for target, one in known.items()}
        self._fields = {**self._fields, **fresh} if len(fresh) > 1 else self._fields
        if len(fresh) == 1:
            self._fields.update(fresh)

    def _element(self, target: str) -> Mapping[str, Value] | None:
        return self._elements(self._version).get(target)

    def object(self, target: str) -> CityObject | None:
        """Return the object with its geometries."""
        if target not in self._objects:
            if len(self._objects) >= OBJECTS_KEPT_MAX:
                self._objects = {}
            self._objects[target] = self._read_at(self._version, [target]).get(target)
        return self._objects.get(target)

    def model(self, digest: str) -> PlacedModel | None:
        """Return an uploaded model, ``None`` where there is none."""
        return self._models(digest)

    def parts(self, target: str) -> Sequence[CityObject]:
        """Return the parts of an object with their geometries.

        Of an older baseline: those of the newest that were there already.
        """
        parts = (self.object(part) for part in self._present().children.get(target, ()))
        return [part for part in parts if part is not None]

    def objects(self, targets: Sequence[str]) -> Mapping[str, CityObject]:
        """Return some objects with their geometries; those that are not there are left out."""
        return self._read_at(self._version, targets)

    def outlines(self, targets: Sequence[str]) -> list[CityObject]:
        """Return some objects without their geometries: type, place and attributes."""
        index = self._present()
        if index.baseline_version != self._version:
            return [replace(found, geometries=()) for found in self.objects(targets).values()]
        rows = [(target, index.row_of[target]) for target in targets if target in index.row_of]
        return [
            CityObject(target, index.types[row], index.places[row], (), index.attributes(row), index.parents[row])
            for target, row in rows
        ]

    def near(self, bbox: tuple[float, float, float, float]) -> Sequence[str]:
        """Return the ids of the objects whose boxes meet xmin, ymin, xmax, ymax.

        Of an older baseline: those of the newest that were there already.
        """
        index = self._present()
        found = [index.ids[row] for row in index.within(bbox).tolist()]
        if index.baseline_version == self._version:
            return found
        self.prefetch(found)
        return [target for target in found if self.fields(target) is not None]


def _in_index(index: CityIndex, target: str) -> Known | None:
    row = index.row_of.get(target)
    if row is None:
        return None
    foot_m = float(index.boxes[row][2])
    return Known(index.types[row], index.places[row], index.attributes(row), 0.0 if math.isnan(foot_m) else foot_m)


def _of_object(found: CityObject | None) -> Known | None:
    if found is None:
        return None
    feet = [geometry.bounds()[2] for geometry in found.geometries if len(geometry.coordinates)]
    return Known(found.type, found.place, found.attributes, min(feet, default=0.0))
