"""What is wrong with where an edit puts something: findings on the ground, not refusals.

An edit whose values cannot be (a ring that crosses itself, 10,000 storeys) is refused where its value is
checked; what can be built and should not be built like that gets a :class:`~cim.findings.Finding` with
the place drawn as its witness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import shapely

from cim.city.model import CityObject
from cim.findings import Finding, Severity, Verdict

OVERLAP_M2_MIN: Final = 1.0
"""Buildings that share less than this are neighbours drawn by different hands, m²."""
FLOATING_M: Final = 0.5
"""A floor that is higher above the lowest ground below it than this hangs in the air, metres: a step's height
over what a plinth takes up."""
SUNK_M: Final = 3.0
"""A ground floor may lie this deep in a slope, metres: one storey; deeper is a cellar."""
ISOLATED_STREET: Final = "placing.street-isolates"

_BUILDINGS: Final = frozenset({"Building", "BuildingPart"})
_WATER: Final = frozenset({"WaterBody", "Waterway"})
_STREETS: Final = frozenset({"Road", "Railway"})
_PATHS: Final = frozenset({"footway", "path", "cycleway", "steps", "pedestrian"})
"""Ways for people on foot and on bicycles: they are laid anew round a building."""


class Surroundings(Protocol):
    """The scheme's city as it would be, asked about a place; everything in the working CRS, metres."""

    def meeting(self, place: shapely.Geometry) -> Iterable[CityObject]:
        """Return the objects whose boxes meet the box of a place."""
        ...

    def stood(self, identifier: str) -> shapely.Geometry:
        """Return the ground that an object covers already, empty for what is new."""
        ...

    def ground_m(self, place: shapely.Geometry) -> tuple[float, float]:
        """Return the lowest and the highest ground under a place, metres over the city's datum."""
        ...

    def extent(self) -> shapely.Polygon:
        """Return the land that the city's baseline covers."""
        ...


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of placing: its id, what follows from it, and what it measures."""

    id: str
    severity: Severity
    unit: str


OVERLAP: Final = _Rule("placing.buildings-overlap", Severity.FAIL, "m2")
ON_WATER: Final = _Rule("placing.on-water", Severity.FAIL, "m2")
ON_STREET: Final = _Rule("placing.on-street", Severity.DISCUSS, "m2")
FLOATING: Final = _Rule("placing.in-the-air", Severity.FAIL, "m")
SUNK: Final = _Rule("placing.under-ground", Severity.FAIL, "m")
OUTSIDE: Final = _Rule("placing.outside-the-city", Severity.FAIL, "m2")
RULES: Final = (OVERLAP, ON_WATER, ON_STREET, FLOATING, SUNK, OUTSIDE)
CLAUSE: Final = "product rule: an object stands on its own dry ground"


def check_placing(changed: Mapping[str, CityObject | None], surroundings: Surroundings) -> list[Finding]:
    """Return the findings of buildings that an edit adds or changes, worst first, in the order of their ids."""
    findings: list[Finding] = []
    for identifier in sorted(changed):
        city_object = changed[identifier]
        if city_object is not None and city_object.type in _BUILDINGS and _is_area(city_object.place):
            findings.extend(_check_building(city_object, surroundings))
    return findings


def _is_area(place: shapely.Geometry | None) -> bool:
    return place is not None and place.geom_type in {"Polygon", "MultiPolygon"}


def _check_building(building: CityObject, surroundings: Surroundings) -> list[Finding]:
    """Judge the ground that a building newly covers: what stands there already was not put there by the edit."""
    place = shapely.difference(building.place, surroundings.stood(building.id))
    near = [
        other
        for other in (surroundings.meeting(place) if place.area > OVERLAP_M2_MIN else ())
        if other.id != building.id and other.place is not None
    ]
    findings = [
        *_overlaps(building, place, [o for o in near if o.type == "Building" and o.id != building.parent_id]),
        *_shared(ON_WATER, building, place, [o.place for o in near if _lies_on(o, _WATER)]),
        *_shared(ON_STREET, building, place, [_carriageway(o) for o in near if _is_street(o)]),
        *_heights(building, surroundings),
    ]
    beyond = shapely.difference(place, surroundings.extent())
    if beyond.area > OVERLAP_M2_MIN:
        findings.append(_finding(OUTSIDE, building.id, beyond.area, 0.0, beyond))
    return findings


def _lies_on(other: CityObject, types: frozenset[str]) -> bool:
    return other.type in types and _is_area(other.place)


def _overlaps(building: CityObject, place: shapely.Geometry, others: Sequence[CityObject]) -> list[Finding]:
    found = []
    for other in others:
        if not _is_area(other.place):
            continue
        shared = shapely.intersection(place, other.place)
        if shared.area > OVERLAP_M2_MIN:
            found.append(_finding(OVERLAP, building.id, shared.area, 0.0, shared, other=other.id))
    return found


def _shared(
    rule: _Rule, building: CityObject, place: shapely.Geometry, covered: Sequence[shapely.Geometry]
) -> list[Finding]:
    """Return one finding for all that a building covers of one kind."""
    if not covered:
        return []
    shared = shapely.intersection(place, shapely.union_all(covered))
    return [_finding(rule, building.id, shared.area, 0.0, shared)] if shared.area > OVERLAP_M2_MIN else []


def _is_street(other: CityObject) -> bool:
    """Tell whether an object is a street or track on the ground, which a building would block."""
    said = {name: attribute.value for name, attribute in other.attributes.items() if name in ("function", "tunnel")}
    return other.type in _STREETS and said.get("function") not in _PATHS and said.get("tunnel", "no") == "no"


def _carriageway(street: CityObject) -> shapely.Geometry:
    """Return the area of a street: its own, or its axis with half of its width on each side."""
    if _is_area(street.place):
        return street.place
    width = street.attributes.get("width_m")
    width_m = float(width.value) if width is not None and isinstance(width.value, int | float) else 0.0
    return shapely.buffer(street.place, width_m / 2, cap_style="flat") if width_m > 0 else shapely.Polygon()


def _heights(building: CityObject, surroundings: Surroundings) -> list[Finding]:
    stated = building.attributes.get("ground_m")
    if stated is None or not isinstance(stated.value, int | float):
        return []
    low, high = surroundings.ground_m(building.place)
    foot = float(stated.value)
    if foot - low > FLOATING_M:
        return [_finding(FLOATING, building.id, foot - low, FLOATING_M, building.place)]
    if high - foot > SUNK_M:
        return [_finding(SUNK, building.id, high - foot, SUNK_M, building.place)]
    return []


def _finding(
    rule: _Rule, identifier: str, measured: float, limit: float, witness: shapely.Geometry, **params: str
) -> Finding:
    return Finding(
        rule=rule.id,
        clause=CLAUSE,
        verdict=Verdict.FAIL if rule.severity is Severity.FAIL else Verdict.DISCUSS,
        severity=rule.severity,
        measured=round(measured, 3),
        limit=limit,
        margin=round(limit - measured, 3),
        unit=rule.unit,
        object_id=identifier,
        witness_wkb=shapely.to_wkb(witness),
        params=dict(params),
    )
