"""People: dwellings, residents, jobs, school places, open space per head; pure.

Methods: docs/methods/population.md, jobs.md, school-places.md, open-space.md.  All are sums of whole
cm² times factors, so that a scheme's step-by-step result is the same as one from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import shapely

from cim.findings import Quality
from cim.impact.factors import FactorSet
from cim.impact.graph import SITE, Case, Node
from cim.impact.land import SITE_KEY, storey_doubt
from cim.impact.model import Outcome, Range, Scope, Share, Title, total
from cim.impact.rows import CM2_PER_M2, COLUMN, Tally
from cim.impact.stock import Stock

JOB_ROLE: Final = {
    "office": "floor_per_job_office",
    "retail": "floor_per_job_retail",
    "industry": "floor_per_job_industry",
    "hotel": "floor_per_job_service",
    "school": "floor_per_job_service",
    "kindergarten": "floor_per_job_service",
    "hospital": "floor_per_job_service",
    "culture": "floor_per_job_service",
    "sport": "floor_per_job_service",
    "other": "floor_per_job_service",
}
"""Which factor says how much floor a job takes; homes and parking have none."""

HOME_ROLES: Final = ("net_to_gross", "floor_per_dwelling", "mixed_homes")
RESIDENT_ROLES: Final = (*HOME_ROLES, "persons_per_dwelling", "vacancy")
JOB_ROLES: Final = (*dict.fromkeys(JOB_ROLE.values()), "mixed_homes")


def column_m2(tally: Tally, name: str) -> float:
    """Return a column of a tally in m²."""
    return int(tally[COLUMN[name]]) / CM2_PER_M2


def ground_unknown_m2(tally: Tally) -> float:
    """Return the ground floors of buildings of unknown use, m²: shops, as docs/methods/population.md says."""
    return (int(tally[COLUMN["floor_unknown"]]) - int(tally[COLUMN["upper_unknown"]])) / CM2_PER_M2


def home_floor(tally: Tally, factors: FactorSet) -> Range:
    """Return the gross floor area of homes, m²: of housing, and the share of unknown buildings above the ground."""
    mixed = factors.range("mixed_homes").scaled(column_m2(tally, "upper_unknown"))
    return Range.exact(column_m2(tally, "floor_residential")) + mixed


def dwellings_of(tally: Tally, factors: FactorSet) -> Range:
    """Return how many dwellings the homes of a tally make."""
    net = home_floor(tally, factors) * factors.range("net_to_gross")
    return net.over(factors.range("floor_per_dwelling"))


def residents_of(tally: Tally, factors: FactorSet) -> Range:
    """Return how many people live in the dwellings of a tally."""
    vacancy = factors.range("vacancy")
    lived_in = Range(1.0 - vacancy.value, 1.0 - vacancy.high, 1.0 - vacancy.low)
    return dwellings_of(tally, factors) * factors.range("persons_per_dwelling") * lived_in


def jobs_of(tally: Tally, factors: FactorSet) -> Range:
    """Return how many jobs the floors of a tally hold."""
    known = [Range.exact(column_m2(tally, f"floor_{use}")).over(factors.range(role)) for use, role in JOB_ROLE.items()]
    homes = factors.range("mixed_homes")
    offices = Range(1.0 - homes.value, 1.0 - homes.high, 1.0 - homes.low)
    known.append(offices.scaled(column_m2(tally, "upper_unknown")).over(factors.range("floor_per_job_office")))
    known.append(Range.exact(ground_unknown_m2(tally)).over(factors.range("floor_per_job_retail")))
    return total(known)


Count = Callable[[Tally, FactorSet], Range]


def whole(amount: Range) -> Range:
    """Return a count in whole numbers."""
    return Range(float(round(amount.value)), float(round(amount.low)), float(round(amount.high)))


def _counted(case: Case, count: Count, roles: tuple[str, ...]) -> Outcome:
    tally = case.stock.tally()
    value = whole(count(tally, case.factors) * storey_doubt(tally))
    site = whole(count(case.site_tally, case.factors)).value
    return Outcome(value, (Share(SITE_KEY, site),), case.factors.used(roles))


def _changed(case: Case, count: Count) -> Range:
    """Return what a scheme adds less what it takes: the one is drawn, the other as uncertain as its storeys."""
    net, gone = case.stock.net_tallies()
    taken: Range = (count(gone, case.factors) * storey_doubt(gone)).scaled(-1.0)
    return count(net, case.factors) + taken


def dwellings(case: Case) -> Outcome:
    """Return the dwellings of the city."""
    return _counted(case, dwellings_of, HOME_ROLES)


def residents(case: Case) -> Outcome:
    """Return the residents of the city."""
    return _counted(case, residents_of, RESIDENT_ROLES)


def jobs(case: Case) -> Outcome:
    """Return the jobs in the city."""
    return _counted(case, jobs_of, JOB_ROLES)


# -- schools ----------------------------------------------------------------------------------------------

SCHOOL_ROLES: Final = (*RESIDENT_ROLES, "pupil_share", "floor_per_pupil")


def school_places(case: Case) -> Outcome:
    """Return school places offered less those needed; the breakdown has both."""
    tally, factors = case.stock.tally(), case.factors
    offered = (Range.exact(column_m2(tally, "pupil_floor")) * factors.range("net_to_gross")).over(
        factors.range("floor_per_pupil")
    )
    needed = residents_of(tally, factors) * storey_doubt(tally) * factors.range("pupil_share")
    shares = (Share("offered", whole(offered).value), Share("needed", whole(needed).value))
    return Outcome(whole(offered + needed.scaled(-1.0)), shares, factors.used(SCHOOL_ROLES))


# -- open space -------------------------------------------------------------------------------------------


def _parks(stock: Stock) -> list[int]:
    return [row for row in stock.green.rows().tolist() if stock.green.facts[row]]


def _open_area_cm2(stock: Stock, row: int) -> int:
    """Return a park's own area: less the parks before it by id, which it overlaps, and less what is built on it."""
    place = stock.green.places[row]
    taken = [
        stock.green.places[other]
        for other in stock.green.near(place)
        if stock.green.facts[other] and stock.green.ids[other] < stock.green.ids[row]
    ]
    taken += [stock.buildings.places[other] for other in stock.buildings.near(place)]
    if taken:
        place = shapely.difference(place, taken[0] if len(taken) == 1 else shapely.union_all(taken))
    return round(float(place.area) * CM2_PER_M2)


def open_space_by_park(stock: Stock) -> dict[str, int]:
    """Return the area of each park by id, cm²; of a changed city only parks that a change meets are asked again."""
    found: dict[str, int] | None = stock.memo.get("open_space")
    if found is not None:
        return found
    if stock.is_base:
        found = {stock.green.ids[row]: _open_area_cm2(stock, row) for row in _parks(stock)}
    else:
        base = stock.base
        found = dict(open_space_by_park(base))
        for row in stock.green.dead_rows.tolist():
            found.pop(base.green.ids[row], None)
        asked = set()
        for name in ("buildings", "green"):
            layer, before = stock.layer(name), base.layer(name)
            places = [before.places[row] for row in layer.dead_rows.tolist()]
            places += [layer.places[row] for row in layer.extra_rows()]
            asked |= {row for place in places for row in stock.green.near(place)}
        for row in asked:
            if stock.green.facts[row]:
                found[stock.green.ids[row]] = _open_area_cm2(stock, row)
    stock.memo["open_space"] = found
    return found


def open_space_per_head(case: Case) -> Outcome:
    """Return public open space over residents."""
    tally = case.stock.tally()
    area_m2 = sum(open_space_by_park(case.stock).values()) / CM2_PER_M2
    people = residents_of(tally, case.factors) * storey_doubt(tally)
    value = None
    if people.low > 0:
        value = Range.exact(area_m2).over(people)
    elif people.value > 0:
        # Nobody may live here after all: the highest figure is open, so the value stands for it.
        value = Range(area_m2 / people.value, area_m2 / people.high, area_m2 / people.value)
    return Outcome(value, (Share("open_space", area_m2, "m2"),), case.factors.used(RESIDENT_ROLES))


def _node(identifier: str, en: str, zh: str, unit: str, compute: Any, method: str, **more: Any) -> Node:
    inputs = more.pop("inputs", ("buildings", "units", SITE))
    return Node(
        identifier, unit, Title(en, zh), inputs, method, compute, quality=Quality.MODELLED, scope=Scope.CITY, **more
    )


def people_nodes() -> tuple[Node, ...]:
    """Return the indicators of people that need no streets."""
    return (
        _node("people.dwellings", "Dwellings", "住宅套数", "{dwelling}", dwellings, "population",
              rank=0, change=lambda case: whole(_changed(case, dwellings_of))),
        _node("people.residents", "Residents", "居住人口", "{person}", residents, "population",
              rank=0, change=lambda case: whole(_changed(case, residents_of))),
        _node("people.jobs", "Jobs", "就业岗位数", "{job}", jobs, "jobs",
              rank=0, change=lambda case: whole(_changed(case, jobs_of))),
        _node("people.school_places", "School places, offered less needed", "学位供需差", "{place}", school_places,
              "school-places", rank=3, better="more"),
        _node("people.open_space_per_head", "Public open space per head", "人均公共绿地面积", "m2/{person}",
              open_space_per_head, "open-space", inputs=("buildings", "green"), rank=21, better="more"),
    )  # fmt: skip
