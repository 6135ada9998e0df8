"""Energy demand of buildings, hour by hour: electricity by archetype, heat by a one-node RC model.

Electricity: net floor area x peak power by use (factors ``cea-appl-*``, ``cea-light-*``) x activity.
Heat: one resistance and one capacity per building.  The conductance is the design heat index
(factors ``heat-*``) over the design temperature difference; the heater keeps a set point, lowered at
night where nobody sleeps; what electricity the building uses warms it.  kW, degrees Celsius.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.sample.factors import FACTORS, HEAT_KIND, USES, factor
from ingest.sample.profiles import activity
from ingest.sample.states import STEP_S, TIMES_S, States
from ingest.sample.stock import Stock

FloatArray = NDArray[np.float64]

DESIGN_INDOOR_C: Final = 18.0
DESIGN_OUTDOOR_C: Final = -26.0
"""Temperatures between which the heat indices are taken: southern Finland's design day (own assumption)."""

DAY_MEAN_C: Final = 3.0
DAY_AMPLITUDE_C: Final = 3.5
COLDEST_HOUR: Final = 5.0
"""The day that is replayed: a spring day of our own making, not weather of a certain date."""

SET_POINT_C: Final = 21.0
SET_BACK_C: Final = 19.5
OPEN_HOURS: Final = (6.0, 20.0)
ALWAYS_WARM: Final = frozenset({"multi_res", "hotel", "hospital"})
TIME_CONSTANT_HOURS: Final = 60.0
"""How slowly a heavy masonry building cools (own assumption, of the order of EN ISO 52016 heavy)."""

GAINS_SHARE: Final = 0.7
"""Share of the electricity that ends as heat indoors in the heating season (own assumption)."""

HEATER_MARGIN: Final = 1.15
"""Power of the heater over the loss at the coldest hour of the day, which spreads the morning's warming up."""

WARM_UP_DAYS: Final = 4


@dataclass(frozen=True, slots=True)
class Energy:
    """Demand of every building of a stock over a day, kW, shape (96, n)."""

    electricity_kw: FloatArray
    heat_kw: FloatArray

    @property
    def total_kw(self) -> FloatArray:
        """Electricity and heat together."""
        return np.asarray(self.electricity_kw + self.heat_kw, dtype=np.float64)


def solve_energy(stock: Stock) -> Energy:
    """Return the demand of each building on the replayed day."""
    peak_w_m2 = np.array([factor(f"cea-appl-{use}") + factor(f"cea-light-{use}") for use in USES])
    electricity = activity() @ (stock.floor_m2 * peak_w_m2).T / 1000.0
    heat = heat_demand(conductance_kw_k(stock), set_points(stock), outdoor_c(), GAINS_SHARE * electricity)
    return Energy(np.asarray(electricity, dtype=np.float64), heat)


def outdoor_c() -> FloatArray:
    """Return the outdoor temperature over the day, shape (96,)."""
    phase = 2.0 * np.pi * (TIMES_S / 3600.0 - COLDEST_HOUR) / 24.0
    return np.asarray(DAY_MEAN_C - DAY_AMPLITUDE_C * np.cos(phase), dtype=np.float64)


def conductance_kw_k(stock: Stock, edge: str = "value") -> FloatArray:
    """Return heat loss per kelvin of each building, kW/K; ``edge`` picks ``low``, ``value`` or ``high``."""
    index = np.array([getattr(FACTORS[f"heat-{HEAT_KIND[use]}"], edge) for use in USES], dtype=np.float64)
    return np.asarray(stock.floor_m2 @ index / 1000.0 / (DESIGN_INDOOR_C - DESIGN_OUTDOOR_C), dtype=np.float64)


def set_points(stock: Stock) -> FloatArray:
    """Return the set point over the day, shape (96, n): lower at night by the share of daytime uses."""
    warm = np.array([use in ALWAYS_WARM for use in USES])
    total = np.maximum(stock.floor_m2.sum(axis=1), 1e-9)
    daytime = stock.floor_m2[:, ~warm].sum(axis=1) / total
    hours = TIMES_S / 3600.0
    closed = (hours < OPEN_HOURS[0]) | (hours >= OPEN_HOURS[1])
    return np.asarray(SET_POINT_C - (SET_POINT_C - SET_BACK_C) * np.outer(closed, daytime), dtype=np.float64)


def heat_demand(conductance: FloatArray, set_point: FloatArray, outdoor: FloatArray, gains: FloatArray) -> FloatArray:
    """Step the indoor temperature through repeating days and return the heater's power, kW, shape (96, n).

    C dT/dt = gains + heat - UA (T - T_out), backward Euler; the heater gives what reaches the set
    point within the step, between nothing and ``HEATER_MARGIN`` times the coldest hour's loss.
    """
    steps_per_hour = 3600.0 / STEP_S
    capacity = conductance * TIME_CONSTANT_HOURS * steps_per_hour
    most = HEATER_MARGIN * conductance * (SET_POINT_C - outdoor.min())
    indoor = set_point[0].copy()
    heat = np.zeros_like(set_point)
    for step in range((WARM_UP_DAYS + 1) * len(TIMES_S)):
        row = step % len(TIMES_S)
        wanted = capacity * (set_point[row] - indoor) + conductance * (set_point[row] - outdoor[row]) - gains[row]
        heat[row] = np.clip(wanted, 0.0, most)
        warmed = capacity * indoor + conductance * outdoor[row] + gains[row] + heat[row]
        indoor = warmed / (capacity + conductance)
    return heat


def energy_states(stock: Stock, energy: Energy) -> States:
    """Return the total demand as states, one column per building id."""
    return States("energy_demand", "kW", stock.ids, energy.total_kw)
