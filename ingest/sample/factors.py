"""Coefficients of the sample city, each with its id and source.

CityEnergyAnalyst (MIT) use-type archetypes are Swiss, UrbanFootprint's assumptions Californian, the
heat indices Chinese design values from a secondary transcription: good for a sample that obeys
physics, not for a report to an authority.  Units are converted on entry; the source's unit is in the
source text.
"""

from __future__ import annotations

from typing import Final

from cim.findings import Factor

_CEA: Final = "CityEnergyAnalyst use-type archetypes (CH), commit 26fcbe1f"
_UF: Final = "UrbanFootprint v1.3 default assumptions (California), commit 5d8fc43a"
_HEAT: Final = "heating area-index table, secondary transcription of an older design manual"
_MATSIM: Final = "MATSim LinkProperties, commit 32dfbbf1"
_BPR: Final = "bstabler/TransportationNetworks SiouxFalls_net.tntp, commit d1639b4e"
_EPANET: Final = "EPANET 2.2 manual table of roughness, new pipe; USEPA/EPANET2.2 commit 598ee6cd"

SQUARE_FOOT_M2: Final = 0.09290304

USES: Final = ("multi_res", "hotel", "office", "retail", "restaurant", "school", "university", "museum", "hospital")
"""Uses that a floor may have, in CityEnergyAnalyst's words."""

_OCCUPANCY = dict(zip(USES, (30.0, 15.0, 14.0, 8.0, 2.0, 3.0, 10.0, 3.0, 9.28), strict=True))
_WATER = dict(zip(USES, (140.0, 160.0, 60.0, 30.0, 45.0, 30.0, 30.0, 30.0, 103.2), strict=True))
_APPLIANCES = dict(zip(USES, (8.0, 8.0, 7.0, 2.0, 2.0, 4.0, 4.0, 7.0, 12.99), strict=True))
_LIGHTING = dict(zip(USES, (2.7, 2.7, 15.9, 33.3, 6.9, 14.0, 12.5, 10.8, 11.0), strict=True))
_HEAT_INDEX: Final = {
    "housing": (47.0, 70.0),
    "office_school": (58.0, 81.0),
    "hospital_kindergarten": (64.0, 81.0),
    "hotel": (58.0, 70.0),
    "library": (47.0, 76.0),
    "shop": (64.0, 87.0),
    "canteen": (116.0, 140.0),
}
HEAT_KIND: Final = {
    "multi_res": "housing",
    "hotel": "hotel",
    "office": "office_school",
    "retail": "shop",
    "restaurant": "canteen",
    "school": "office_school",
    "university": "office_school",
    "museum": "library",
    "hospital": "hospital_kindergarten",
}
_CAPACITY = {
    "motorway": (2000.0, 120.0),
    "trunk": (2000.0, 80.0),
    "primary": (1500.0, 80.0),
    "secondary": (800.0, 30.0),
    "tertiary": (600.0, 25.0),
    "residential": (600.0, 15.0),
    "living_street": (300.0, 10.0),
}


def _all() -> dict[str, Factor]:
    made = [Factor(f"cea-occ-{use}", value, "m2/person", _CEA, "CH") for use, value in _OCCUPANCY.items()]
    made += [Factor(f"cea-water-{use}", value, "L/person/day", _CEA, "CH") for use, value in _WATER.items()]
    made += [Factor(f"cea-appl-{use}", value, "W/m2", _CEA, "CH") for use, value in _APPLIANCES.items()]
    made += [Factor(f"cea-light-{use}", value, "W/m2", _CEA, "CH") for use, value in _LIGHTING.items()]
    made += [
        Factor(f"heat-{kind}", (low + high) / 2.0, "W/m2", _HEAT, "CN", low, high)
        for kind, (low, high) in _HEAT_INDEX.items()
    ]
    for road, (capacity, speed) in _CAPACITY.items():
        made.append(Factor(f"matsim-cap-{road}", capacity, "veh/h/lane", _MATSIM))
        made.append(Factor(f"matsim-speed-{road}", speed, "km/h", _MATSIM))
    made += [
        Factor("bpr-b", 0.15, "1", _BPR),
        Factor("bpr-p", 4.0, "1", _BPR),
        Factor("hw-c-cast_iron", 135.0, "1", _EPANET, "US", 130.0, 140.0),
        Factor("uf-jobs-retail", 750.0 * SQUARE_FOOT_M2, "m2/employee", _UF, "US-CA"),
        Factor("uf-jobs-office", 350.0 * SQUARE_FOOT_M2, "m2/employee", _UF, "US-CA"),
        Factor("uf-sf-du", 1000.0 * SQUARE_FOOT_M2, "m2/dwelling", _UF, "US-CA"),
        Factor("uf-trips-multifamily_5plus", 4.18, "trips/dwelling/day", _UF, "US-CA"),
        Factor("uf-trips-retail", 21.47, "trips/employee/day", _UF, "US-CA"),
        Factor("uf-trips-office", 3.32, "trips/employee/day", _UF, "US-CA"),
        Factor("uf-trips-public", 3.32, "trips/employee/day", _UF, "US-CA"),
        Factor("uf-trips-arts", 10.0, "trips/employee/day", _UF, "US-CA"),
        Factor("uf-trips-restaurant", 37.5, "trips/employee/day", _UF, "US-CA"),
    ]
    return {factor.id: factor for factor in made}


FACTORS: Final[dict[str, Factor]] = _all()


def factor(identifier: str) -> float:
    """Return the value of a factor by id; ``KeyError`` is a programming error."""
    return FACTORS[identifier].value
