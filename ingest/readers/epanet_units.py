"""Units of EPANET input files in SI; pure.

EPANET 2.2 user manual, appendix A: the flow unit decides whether a file is in US customary units
(feet, inches, psi, horsepower) or in metric ones (metres, millimetres, metres of head, kilowatts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cim.errors import InvalidInput
from cim.units import INTERNATIONAL_FOOT_M, SECONDS_PER_DAY, SECONDS_PER_HOUR

_FOOT3_M3: Final = INTERNATIONAL_FOOT_M**3
_GALLON_M3: Final = 231 * 0.0254**3
_IMPERIAL_GALLON_M3: Final = 4.54609e-3
_ACRE_FOOT_M3: Final = 43_560 * _FOOT3_M3
_INCH_M: Final = 0.0254
_PSI_M: Final = INTERNATIONAL_FOOT_M / 0.4333
"""Metres of water per psi, by the factor that EPANET itself uses (0.4333 psi per foot)."""
_HORSEPOWER_KW: Final = 0.745699872
_LITRE_M3: Final = 1e-3

_US_FLOW_M3_S: Final = {
    "CFS": _FOOT3_M3,
    "GPM": _GALLON_M3 / 60.0,
    "MGD": 1e6 * _GALLON_M3 / SECONDS_PER_DAY,
    "IMGD": 1e6 * _IMPERIAL_GALLON_M3 / SECONDS_PER_DAY,
    "AFD": _ACRE_FOOT_M3 / SECONDS_PER_DAY,
}
_METRIC_FLOW_M3_S: Final = {
    "LPS": _LITRE_M3,
    "LPM": _LITRE_M3 / 60.0,
    "MLD": 1e6 * _LITRE_M3 / SECONDS_PER_DAY,
    "CMH": 1.0 / SECONDS_PER_HOUR,
    "CMD": 1.0 / SECONDS_PER_DAY,
    "CMS": 1.0,
}
FLOW_DEFAULT: Final = "GPM"
"""What EPANET takes when a file names none."""


@dataclass(frozen=True, slots=True)
class UnitSystem:
    """Factors from a file's units to SI."""

    flow_m3_s: float
    length_m: float
    diameter_m: float
    pressure_m: float
    power_kw: float
    volume_m3: float


def unit_system(flow_unit: str) -> UnitSystem:
    """Return the factors that follow from a flow unit; raises :class:`InvalidInput` for an unknown one."""
    unit = flow_unit.upper()
    if unit in _US_FLOW_M3_S:
        return UnitSystem(_US_FLOW_M3_S[unit], INTERNATIONAL_FOOT_M, _INCH_M, _PSI_M, _HORSEPOWER_KW, _FOOT3_M3)
    if unit in _METRIC_FLOW_M3_S:
        return UnitSystem(_METRIC_FLOW_M3_S[unit], 1.0, 1e-3, 1.0, 1.0, 1.0)
    raise InvalidInput(
        f"{flow_unit[:20]!r} is not a flow unit of EPANET.",
        hint="Use one of CFS, GPM, MGD, IMGD, AFD, LPS, LPM, MLD, CMH, CMD, CMS.",
        code="flow-unit",
        unit=flow_unit[:20],
    )
