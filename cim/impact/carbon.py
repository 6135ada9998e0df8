"""Carbon: embodied in what is built, emitted by use, and the waste of what is pulled down; pure.

Methods: docs/methods/embodied-carbon.md, operational-carbon.md, demolition-waste.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cim.findings import Quality
from cim.impact.factors import FactorSet
from cim.impact.graph import Case, Node
from cim.impact.land import storey_doubt
from cim.impact.model import Outcome, Range, Scope, Share, Title, total
from cim.impact.people import HOME_ROLES, column_m2, dwellings_of, ground_unknown_m2
from cim.impact.rows import CM2_PER_M2, Tally
from cim.impact.works import works_of

KG_PER_T: Final = 1_000.0
EMBODIED_ROLES: Final = ("embodied_office", "embodied_low", "embodied_frame")
DEMAND_OF: Final = {
    "office": "office",
    "retail": "retail",
    "hotel": "accommodation",
    "school": "education",
    "kindergarten": "education",
    "hospital": "medical",
    "culture": "office",
    "sport": "office",
    "industry": "warehouse",
    "other": "office",
}
"""Whose demand of electricity and heat stands for a use; homes have their own, parking none."""
DEMAND_ROLES: Final = tuple(
    f"{carrier}_{kind}" for kind in dict.fromkeys(DEMAND_OF.values()) for carrier in ("electricity", "heat")
)
OPERATION_ROLES: Final = (
    *HOME_ROLES,
    "electricity_dwelling",
    "heat_dwelling",
    *DEMAND_ROLES,
    "grid_emission",
    "heat_emission",
    "solar_yield",
)


def embodied_range(factors: FactorSet) -> Range:
    """Return kg CO2e per m² of floor: whole buildings, between a light frame alone and the heaviest one."""
    value = factors.range("embodied_office").value
    return Range(value, factors.range("embodied_low").low, factors.range("embodied_frame").high)


def embodied(case: Case) -> Outcome:
    """Return the carbon of making what a scheme puts up."""
    built_m2 = works_of(case.stock).built_cm2 / CM2_PER_M2
    value = embodied_range(case.factors).scaled(built_m2 / KG_PER_T)
    return Outcome(value, (Share("built_floor_area", built_m2, "m2"),), case.factors.used(EMBODIED_ROLES))


def demolition_waste(case: Case) -> Outcome:
    """Return the mass of what a scheme pulls down."""
    gone_m2 = works_of(case.stock).demolished_cm2 / CM2_PER_M2
    value = case.factors.range("demolition_mass").scaled(gone_m2)
    return Outcome(value, (Share("demolished_floor_area", gone_m2, "m2"),), case.factors.used(("demolition_mass",)))


def demand(tally: Tally, factors: FactorSet, carrier: str) -> Range:
    """Return a year's demand of ``electricity`` or ``heat``, kWh, solar roofs not yet taken off."""
    homes = dwellings_of(tally, factors) * factors.range(f"{carrier}_dwelling")
    parts = [homes]
    for use, kind in DEMAND_OF.items():
        parts.append(factors.range(f"{carrier}_{kind}").scaled(column_m2(tally, f"floor_{use}")))
    mixed = factors.range("mixed_homes")
    offices = Range(1.0 - mixed.value, 1.0 - mixed.high, 1.0 - mixed.low).scaled(column_m2(tally, "upper_unknown"))
    parts.append(factors.range(f"{carrier}_office") * offices)
    parts.append(factors.range(f"{carrier}_retail").scaled(ground_unknown_m2(tally)))
    return total(parts)


def emissions(tally: Tally, factors: FactorSet) -> Range:
    """Return a year's emissions of use, t CO2: electricity less what solar roofs give, and heat."""
    solar = factors.range("solar_yield").scaled(column_m2(tally, "solar"))
    electricity = demand(tally, factors, "electricity") + solar.scaled(-1.0)
    heat = demand(tally, factors, "heat")
    kg = electricity * factors.range("grid_emission") + heat * factors.range("heat_emission")
    return kg.scaled(1.0 / KG_PER_T)


def operational(case: Case) -> Outcome:
    """Return a year's emissions of the city's buildings in use."""
    tally, factors = case.stock.tally(), case.factors
    shares = tuple(
        Share(carrier, demand(tally, factors, carrier).value, "kW.h/a") for carrier in ("electricity", "heat")
    )
    return Outcome(emissions(tally, factors) * storey_doubt(tally), shares, factors.used(OPERATION_ROLES))


def _operational_change(case: Case) -> Range:
    net, gone = case.stock.net_tallies()
    return emissions(net, case.factors) + (emissions(gone, case.factors) * storey_doubt(gone)).scaled(-1.0)


def _value(compute: Callable[[Case], Outcome]) -> Callable[[Case], Range | None]:
    return lambda case: compute(case).value


def carbon_nodes() -> tuple[Node, ...]:
    """Return the indicators of carbon and waste."""

    def node(
        identifier: str, title: Title, unit: str, compute: Callable[[Case], Outcome], method: str,
        change: Callable[[Case], Range | None],
    ) -> Node:  # fmt: skip
        return Node(
            f"carbon.{identifier}",
            unit,
            title,
            ("buildings",),
            method,
            compute,
            quality=Quality.MODELLED,
            better="less",
            scope=Scope.CITY,
            rank=5,
            change=change,
        )

    return (
        node("embodied", Title("Embodied carbon of what is built", "建材隐含碳排放"), "t", embodied,
             "embodied-carbon", _value(embodied)),
        node("operational", Title("Operational carbon of buildings", "建筑运行碳排放"), "t/a", operational,
             "operational-carbon", _operational_change),
        node("demolition_waste", Title("Demolition waste", "拆除建筑垃圾量"), "t", demolition_waste,
             "demolition-waste", _value(demolition_waste)),
    )  # fmt: skip
