"""What a comparison of light says: means, shares, who loses, and which of them fall below the rule.

A value is known to half a step of the sun, and so is its interval.  Method: docs/methods/light.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.findings import Finding, Severity, Verdict, judge
from cim.impact.light.compare import Hours, LightComparison, ObjectLight
from cim.impact.light.standards import LightStandard
from cim.impact.light.walls import FloatArray
from cim.impact.model import Range

LOSS_H_MIN: Final = 0.25
"""A side of a building that loses less than this on average is not counted among the losers."""
PARK_LOSS_H_MIN: Final = 0.5
SIDE_NAMES: Final = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


@dataclass(frozen=True, slots=True)
class Loser:
    """A neighbour and its side that loses most: mean hours of the side before and after."""

    object_id: str
    name: str
    home: bool
    side: str
    before_h: float
    after_h: float

    @property
    def lost_h(self) -> float:
        """Hours that it loses."""
        return self.before_h - self.after_h


@dataclass(frozen=True, slots=True)
class ParkLight:
    """A park: mean hours before and after, and the area that loses half an hour or more."""

    object_id: str
    name: str
    before_h: float | None
    after_h: float | None
    shaded_m2: float


@dataclass(frozen=True, slots=True)
class LightFigures:
    """All that is said of a comparison; values are ``None`` where there is nothing to measure."""

    facade_h: Range | None
    sides_h: dict[str, float]
    """Mean hours of the homes' façades by the direction that they look to."""
    homes_share: Range | None
    park_h: Range | None
    shaded_park_m2: Range
    losing: Range
    """How many homes' buildings lose sun."""
    losers: tuple[Loser, ...]
    parks: tuple[ParkLight, ...]
    facades: dict[str, float]
    """Mean hours by building, after the scheme."""
    findings: tuple[Finding, ...]


def figures_of(comparison: LightComparison, standard: LightStandard) -> LightFigures:
    """Return the figures of the state after the scheme."""
    objects = comparison.objects
    half = comparison.step_h / 2
    homes = [o.after for o in objects if o.home and o.near and o.after is not None]
    parks = [o.after for o in objects if o.park and o.near and o.after is not None]
    losers = _losers(objects, LOSS_H_MIN)
    counted = [loser for loser in losers if loser.home]
    steps = [
        sum(loser.lost_h >= LOSS_H_MIN + doubt for loser in _home_losers(objects, half)) for doubt in (half, -half)
    ]
    found_parks = [_park(o, PARK_LOSS_H_MIN) for o in objects if o.park]
    shaded = [sum(_park(o, PARK_LOSS_H_MIN + doubt).shaded_m2 for o in objects if o.park) for doubt in (half, -half)]
    return LightFigures(
        facade_h=_mean([o.hours for o in homes], [np.ones(len(o.hours)) for o in homes], half),
        sides_h=_by_side(homes),
        homes_share=_share(homes, standard.homes_h_min, half),
        park_h=_mean([o.hours for o in parks], [o.area_m2 for o in parks], half),
        shaded_park_m2=Range(sum(park.shaded_m2 for park in found_parks), *shaded),
        losing=Range(float(len(counted)), float(steps[0]), float(steps[1])),
        losers=tuple(losers),
        parks=tuple(found_parks),
        facades={
            o.id: float(o.after.hours.mean())
            for o in objects
            if not o.park and o.after is not None and len(o.after.hours)
        },
        findings=tuple(_findings(objects, standard, half)),
    )


def _mean(values: Sequence[FloatArray], weights: Sequence[FloatArray], half: float) -> Range | None:
    if not sum(len(v) for v in values):
        return None
    mean = float(np.average(np.concatenate(values), weights=np.concatenate(weights)))
    return Range(mean, max(0.0, mean - half), mean + half)


def _by_side(homes: Sequence[Hours]) -> dict[str, float]:
    if not homes:
        return {}
    hours, side = np.concatenate([o.hours for o in homes]), np.concatenate([o.side for o in homes])
    return {name: float(hours[side == i].mean()) for i, name in enumerate(SIDE_NAMES) if (side == i).any()}


def _share(homes: Sequence[Hours], limit_h: float, half: float) -> Range | None:
    """Return the share, in percent, of the places that could have the hours by their wall's direction and have them."""
    hours = np.concatenate([o.hours[o.bare >= limit_h] for o in homes]) if homes else np.empty(0)
    if not len(hours):
        return None
    value, low, high = (100.0 * float((hours >= limit_h + doubt).mean()) for doubt in (0.0, half, -half))
    return Range(value, low, high)


def _side_losses(light: ObjectLight) -> list[Loser]:
    """Return what each side of an unchanged building loses on average."""
    if light.changed or light.park or light.before is None or light.after is None:
        return []
    found = []
    for i, name in enumerate(SIDE_NAMES):
        own = light.before.side == i
        if own.any():
            before, after = float(light.before.hours[own].mean()), float(light.after.hours[own].mean())
            found.append(Loser(light.id, light.name, light.home, name, before, after))
    return found


def _losers(objects: Sequence[ObjectLight], least_h: float) -> list[Loser]:
    """Return the buildings of which a side loses, by the side that loses most; the worst hit first."""
    worst = [max(sides, key=lambda side: side.lost_h) for o in objects if (sides := _side_losses(o))]
    return sorted((one for one in worst if one.lost_h >= least_h), key=lambda one: (-one.lost_h, one.object_id))


def _home_losers(objects: Sequence[ObjectLight], half: float) -> list[Loser]:
    return [loser for loser in _losers(objects, LOSS_H_MIN - half) if loser.home]


def _park(light: ObjectLight, least_h: float) -> ParkLight:
    before, after = light.before, light.after
    shaded = 0.0
    if before is not None and after is not None and not light.changed:
        shaded = float(before.area_m2[before.hours - after.hours >= least_h].sum())
    return ParkLight(light.id, light.name, _park_mean(before), _park_mean(after), shaded)


def _park_mean(hours: Hours | None) -> float | None:
    return None if hours is None or not len(hours.hours) else float(np.average(hours.hours, weights=hours.area_m2))


def _findings(objects: Sequence[ObjectLight], standard: LightStandard, half: float) -> list[Finding]:
    found = []
    for light in objects:
        if not light.home or light.after is None:
            continue
        if not light.changed and light.before is not None:
            limit = standard.homes_h_min
            fell = (light.before.hours >= limit) & (light.after.hours < limit)
            if fell.any():
                found.append(_neighbour_finding(light, light.before, light.after, fell, standard, half))
        elif light.changed:
            dark = _dark_storeys(light.after, standard.homes_h_min)
            if dark:
                found.append(_storey_finding(light, light.after, dark, standard, half))
    return found


def _neighbour_finding(
    light: ObjectLight, before: Hours, after: Hours, fell: NDArray[np.bool_], standard: LightStandard, half: float
) -> Finding:
    """Return that windows of a neighbour fall below the rule: the one that is left with least is the witness."""
    rows = np.flatnonzero(fell)
    worst = int(rows[np.argmin(after.hours[rows])])
    measured = float(after.hours[worst])
    return _finding(
        light, standard, measured, half, after.xyz[worst],
        case="neighbour", places=len(rows), before_h=round(float(before.hours[worst]), 2),
    )  # fmt: skip


def _dark_storeys(hours: Hours, limit_h: float) -> list[float]:
    """Return the heights of the storeys of which no place at all has the hours."""
    level = np.round(hours.xyz[:, 2], 2)
    return [float(z) for z in np.unique(level) if hours.hours[level == z].max() < limit_h]


def _storey_finding(
    light: ObjectLight, after: Hours, dark: list[float], standard: LightStandard, half: float
) -> Finding:
    rows = np.flatnonzero(np.isin(np.round(after.xyz[:, 2], 2), dark))
    best = int(rows[np.argmax(after.hours[rows])])
    return _finding(
        light, standard, float(after.hours[best]), half, after.xyz[best], case="own", storeys=len(dark)
    )  # fmt: skip


def _finding(
    light: ObjectLight, standard: LightStandard, measured: float, half: float, at: FloatArray, **params: str | float
) -> Finding:
    limit = standard.homes_h_min
    verdict = judge((max(0.0, measured - half), measured + half), limit, at_most=False)
    # A choice of this program or a clause of which only an excerpt was seen binds nobody by itself.
    severity = Severity.FAIL if standard.evidence == "read" else Severity.DISCUSS
    return Finding(
        rule=f"light/{standard.id}",
        clause=standard.source,
        verdict=Verdict.DISCUSS if severity is Severity.DISCUSS and verdict is Verdict.FAIL else verdict,
        severity=severity,
        measured=round(measured, 3),
        limit=limit,
        margin=round(measured - limit, 3),
        unit="h",
        object_id=light.id,
        witness_wkb=bytes(shapely.to_wkb(shapely.Point(*at.tolist()), output_dimension=3)),
        params={"name": light.name, "evidence": standard.evidence, **params},
    )
