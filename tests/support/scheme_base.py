"""A small baseline in memory, and logs made by chance, for the tests of schemes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import shapely

from cim.city.model import CityObject
from cim.schemes.model import Change, Edit
from cim.schemes.state import State

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SQUARE = [[[0.0, 0.0], [20.0, 0.0], [20.0, 10.0], [0.0, 10.0]]]


class MemoryBaseline:
    """Objects by id, each a mapping of fields; ``type`` and ``exists`` are added."""

    def __init__(self, version: int, objects: Mapping[str, Mapping[str, Any]]) -> None:
        self._version = version
        self._objects = {target: {"exists": True, **fields} for target, fields in objects.items()}

    @property
    def version(self) -> int:
        return self._version

    def fields(self, target: str) -> Mapping[str, Any] | None:
        return self._objects.get(target)

    def object(self, target: str) -> CityObject | None:
        fields = self._objects.get(target)
        return None if fields is None else CityObject(target, fields["type"], shapely.Point(0, 0))

    def near(self, bbox: tuple[float, float, float, float]) -> Sequence[str]:
        return list(self._objects)

    def targets(self) -> list[str]:
        return list(self._objects)


def building(**fields: Any) -> dict[str, Any]:
    return {
        "type": "Building",
        "footprint": SQUARE,
        "ground_m": 2.0,
        "storeys": [[4.0, "retail"], [3.0, "office"], [3.0, "office"]],
        "roof": {"type": "flat", "height_m": 0.0},
        "name": "Old House",
        "solar_share": 0.0,
        "model": None,
        **fields,
    }


def parcel(x: float = 0.0, **fields: Any) -> dict[str, Any]:
    ring = [[x, 0.0], [x + 40.0, 0.0], [x + 40.0, 30.0], [x, 30.0]]
    return {"type": "+Parcel", "footprint": [ring], "land_use": "residential", "name": None, **fields}


def road(**fields: Any) -> dict[str, Any]:
    return {
        "type": "Road",
        "axis": [[0.0, -5.0], [50.0, -5.0]],
        "lanes": 2,
        "oneway": "no",
        "closed": False,
        "width_m": 6.5,
        "name": "Long Street",
        **fields,
    }


def small_city(version: int = 1) -> MemoryBaseline:
    return MemoryBaseline(
        version,
        {"h:b1": building(), "h:b2": building(name="Other"), "h:p1": parcel(), "h:p2": parcel(40.0), "h:r1": road()},
    )


def edit_of(sequence: int, changes: Sequence[Change], **members: Any) -> Edit:
    given = {"kind": "building.height", "author": "Mei", "at": AT, **members}
    return Edit("s1", sequence, changes=tuple(changes), **given)


def state_of(base: MemoryBaseline | None = None) -> State:
    return State(base or small_city())
