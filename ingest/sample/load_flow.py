"""Load flow over one day, through power-grid-model: the ring fence round it.

The library numbers everything with int32; our ids are mapped at this edge.  A bus that is cut off
reads 0 pu, not NaN: such buses are found by ``energized`` and become NaN and a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.findings import Finding, Severity, Verdict
from ingest.sample import power
from ingest.sample.power import PowerPlan
from ingest.sample.states import Facts, Solved, States, with_facts

FloatArray = NDArray[np.float64]

VOLTAGE_PU_MIN: Final = 0.95
VOLTAGE_PU_MAX: Final = 1.05
LOADING_PERCENT_MAX: Final = 100.0
SHORT_CIRCUIT_SHARE: Final = 0.06
COPPER_LOSS_SHARE: Final = 0.01
IRON_LOSS_SHARE: Final = 0.001
NO_LOAD_CURRENT_SHARE: Final = 0.003
DELTA_STAR_CLOCK: Final = 5


@dataclass(frozen=True, slots=True)
class LoadFlow:
    """What the solver says, rows by time.

    ``voltage_pu`` (t, buses), NaN where cut off; ``line_loading`` and ``transformer_loading`` in
    percent; ``line_w`` power into each line, ``source_w`` (t,) and ``load_w`` (t,) in W.
    """

    voltage_pu: FloatArray
    line_loading: FloatArray
    transformer_loading: FloatArray
    line_w: FloatArray
    source_w: FloatArray
    load_w: FloatArray
    losses_w: FloatArray


def solve_power(plan: PowerPlan) -> Solved:
    """Return a day of voltages (pu), loadings (%) and feeder powers (kW)."""
    flow = run_load_flow(plan)
    states = (
        States("voltage", "1", plan.buses, flow.voltage_pu),
        States("loading", "%", tuple(item.element_id for item in plan.transformers), flow.transformer_loading),
        States("line_loading", "%", tuple(item.element_id for item in plan.lines), flow.line_loading),
        States("active_power", "kW", tuple(item.element_id for item in plan.lines), flow.line_w / 1000.0),
    )
    return Solved(with_facts(plan.network, _facts(plan, flow)), states, tuple(_findings(plan, flow)))


def _facts(plan: PowerPlan, flow: LoadFlow) -> Facts:
    """Lowest voltage of each bus that is served; highest loading of each line and transformer."""
    facts: dict[str, dict[str, float]] = {}
    for name, value in zip(plan.buses, flow.voltage_pu.min(axis=0).tolist(), strict=True):
        if np.isfinite(value):
            facts[name] = {"voltage_pu_min": value}
    names = [item.element_id for item in plan.lines] + [item.element_id for item in plan.transformers]
    most = [*flow.line_loading.max(axis=0).tolist(), *flow.transformer_loading.max(axis=0).tolist()]
    for name, value in zip(names, most, strict=True):
        facts[name] = {**facts.get(name, {}), "loading_percent_max": value}
    return facts


def run_load_flow(plan: PowerPlan) -> LoadFlow:
    """Solve all times as one batch; raises :class:`InvalidInput` (``power-diverged``) when overloaded."""
    import power_grid_model as pgm  # noqa: PLC0415 -- loads a native library, in the child process only
    from power_grid_model.errors import PowerGridError  # noqa: PLC0415

    given, offsets = _input(pgm, plan)
    try:
        model = pgm.PowerGridModel(given)
        out = model.calculate_power_flow(
            symmetric=True, update_data={"sym_load": _batch(pgm, plan, offsets["load"])}, error_tolerance=1e-8
        )
    except PowerGridError as error:
        raise InvalidInput(
            "The power network does not carry its load.", hint="Lower the load or add feeders.", code="power-diverged"
        ) from error
    node = out["node"]
    served = node["energized"].astype(bool)
    # The library leaves out what a network has none of.
    times = len(plan.load_w)
    empty = np.zeros((times, 0), dtype=[("loading", "f8"), ("p_from", "f8"), ("p_to", "f8")])
    line, transformer = out.get("line", empty), out.get("transformer", empty)
    losses = sum((item["p_from"] + item["p_to"]).sum(axis=1) for item in (line, transformer))
    return LoadFlow(
        voltage_pu=np.where(served, node["u_pu"], np.nan),
        line_loading=line["loading"] * 100.0,
        transformer_loading=transformer["loading"] * 100.0,
        line_w=line["p_from"],
        source_w=out["source"]["p"].sum(axis=1),
        load_w=out["sym_load"]["p"].sum(axis=1),
        losses_w=np.asarray(losses, dtype=np.float64),
    )


def _input(pgm: Any, plan: PowerPlan) -> tuple[dict[str, Any], dict[str, int]]:
    """Number buses, lines, transformers, loads and the source one after the other."""
    counts = {"node": len(plan.buses), "line": len(plan.lines), "transformer": len(plan.transformers)}
    offsets, total = {}, 0
    for name, count in (*counts.items(), ("load", len(plan.load_bus)), ("source", 1)):
        offsets[name] = total
        total += count
    node = pgm.initialize_array("input", "node", counts["node"])
    node["id"], node["u_rated"] = np.arange(counts["node"]), plan.rated_v
    load = pgm.initialize_array("input", "sym_load", len(plan.load_bus))
    load["id"] = offsets["load"] + np.arange(len(plan.load_bus))
    load["node"], load["status"], load["type"] = plan.load_bus, 1, pgm.LoadGenType.const_power
    load["p_specified"], load["q_specified"] = plan.load_w[0], plan.load_w[0] * _tangent()
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"] = offsets["source"], plan.buses.index(power.GRID_BUS), 1
    source["u_ref"], source["sk"] = power.SOURCE_PU, power.SHORT_CIRCUIT_VA
    given = {
        "node": node,
        "line": _lines(pgm, plan, offsets["line"]),
        "transformer": _transformers(pgm, plan, offsets["transformer"]),
        "sym_load": load,
        "source": source,
    }
    return given, offsets


def _tangent() -> float:
    return float(np.tan(np.arccos(power.POWER_FACTOR)))


def _lines(pgm: Any, plan: PowerPlan, offset: int) -> Any:
    lines = pgm.initialize_array("input", "line", len(plan.lines))
    lines["id"] = offset + np.arange(len(plan.lines))
    lines["from_node"] = [item.from_bus for item in plan.lines]
    lines["to_node"] = [item.to_bus for item in plan.lines]
    lines["from_status"] = lines["to_status"] = 1
    km = np.array([item.length_m / 1000.0 for item in plan.lines])
    parallel = np.array([item.parallel for item in plan.lines])
    lines["r1"] = [item.cable.r_ohm_km for item in plan.lines] * km / parallel
    lines["x1"] = [item.cable.x_ohm_km for item in plan.lines] * km / parallel
    lines["c1"] = [item.cable.c_f_km for item in plan.lines] * km * parallel
    lines["tan1"] = 0.0
    lines["i_n"] = [item.cable.rated_a * item.parallel for item in plan.lines]
    return lines


def _transformers(pgm: Any, plan: PowerPlan, offset: int) -> Any:
    made = pgm.initialize_array("input", "transformer", len(plan.transformers))
    rating = np.array([item.rating_va for item in plan.transformers])
    made["id"] = offset + np.arange(len(plan.transformers))
    made["from_node"] = [item.from_bus for item in plan.transformers]
    made["to_node"] = [item.to_bus for item in plan.transformers]
    made["from_status"] = made["to_status"] = 1
    made["u1"] = [item.high_v for item in plan.transformers]
    made["u2"] = [item.low_v for item in plan.transformers]
    made["sn"] = rating
    made["uk"], made["pk"] = SHORT_CIRCUIT_SHARE, COPPER_LOSS_SHARE * rating
    made["i0"], made["p0"] = NO_LOAD_CURRENT_SHARE, IRON_LOSS_SHARE * rating
    made["winding_from"], made["winding_to"] = pgm.WindingType.delta, pgm.WindingType.wye_n
    made["clock"] = DELTA_STAR_CLOCK
    made["tap_side"] = pgm.BranchSide.from_side
    made["tap_pos"] = made["tap_nom"] = made["tap_min"] = made["tap_max"] = 0
    made["tap_size"] = 0.0
    return made


def _batch(pgm: Any, plan: PowerPlan, offset: int) -> Any:
    update = pgm.initialize_array("update", "sym_load", plan.load_w.shape)
    update["id"] = offset + np.arange(plan.load_w.shape[1])[None, :]
    update["p_specified"] = plan.load_w
    update["q_specified"] = plan.load_w * _tangent()
    return update


def _findings(plan: PowerPlan, flow: LoadFlow) -> list[Finding]:
    cut = np.asarray(np.isnan(flow.voltage_pu).any(axis=0), dtype=np.bool_)
    found = [
        Finding("power-cut-off", "bus without supply", Verdict.FAIL, Severity.FAIL, params={"element_id": name})
        for name, off in zip(plan.buses, cut.tolist(), strict=True)
        if off
    ]
    lowest = np.where(cut, np.nan, flow.voltage_pu.min(axis=0))
    highest = np.where(cut, np.nan, flow.voltage_pu.max(axis=0))
    found += _over("power-voltage-min", "EN 50160 class of limits", -lowest, -VOLTAGE_PU_MIN, plan.buses)
    found += _over("power-voltage-max", "EN 50160 class of limits", highest, VOLTAGE_PU_MAX, plan.buses)
    lines = tuple(item.element_id for item in plan.lines)
    transformers = tuple(item.element_id for item in plan.transformers)
    found += _over("power-loading-max", "rated current", flow.line_loading.max(axis=0), LOADING_PERCENT_MAX, lines)
    highest_load = flow.transformer_loading.max(axis=0)
    return found + _over("power-loading-max", "rated power", highest_load, LOADING_PERCENT_MAX, transformers)


def _over(rule: str, clause: str, values: FloatArray, limit: float, names: tuple[str, ...]) -> list[Finding]:
    """Judge against an upper limit; lower limits come with their sign turned."""
    sign = -1.0 if limit < 0.0 else 1.0
    return [
        Finding(
            rule,
            clause,
            Verdict.FAIL,
            Severity.FAIL,
            measured=sign * value,
            limit=sign * limit,
            margin=limit - value,
            params={"element_id": name},
        )
        for name, value in zip(names, values.tolist(), strict=True)
        if value > limit
    ]
