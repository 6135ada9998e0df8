"""EPANET over one day, through wntr: the ring fence round both.

``import wntr`` takes seconds and the solver keeps files beside it, so this runs in a child process
only and everything foreign is imported inside functions.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cim.errors import InvalidInput
from cim.findings import Finding, Severity, Verdict
from cim.networks.model import Network
from ingest.sample import water
from ingest.sample.states import STEP_S, TIMES_S, Facts, Solved, States, with_facts
from ingest.sample.water import WaterPlan

FloatArray = NDArray[np.float64]

HYDRAULIC_STEP_S: Final = 300.0
WARM_UP_DAYS: Final = 3
"""Days run before the day that counts, so that the tank's level no longer depends on its start."""

WARNINGS_MAX: Final = 20
"""Warnings that are passed on as findings; the rest is only counted."""


def solve_water(plan: WaterPlan) -> Solved:
    """Run EPANET and return the last day: pressure head (m), flow (m3/s), tank level (m).

    Raises :class:`InvalidInput` (``water-not-solved``) when EPANET gives up.
    """
    import wntr  # noqa: PLC0415 -- three seconds, paid in the child process only

    model = _model(wntr, plan)
    with tempfile.TemporaryDirectory(prefix="cim-water-") as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            results = wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(Path(folder) / "run"))
        except wntr.epanet.exceptions.EpanetException as error:
            raise InvalidInput(
                "The water network has no solution.", hint="Check its sources and demands.", code="water-not-solved"
            ) from error
        report = Path(folder) / "run.rpt"
        lines = report.read_text(errors="replace").splitlines() if report.is_file() else []
    messages = [line.strip() for line in lines if "WARNING" in line]
    messages += [str(item.message) for item in caught if "epanet" in str(item.message).lower()]
    return _solved(plan, results, messages)


def _model(wntr: Any, plan: WaterPlan) -> Any:
    model = wntr.network.WaterNetworkModel()
    times = model.options.time
    times.duration = (WARM_UP_DAYS + 1) * 86_400
    times.hydraulic_timestep = times.rule_timestep = HYDRAULIC_STEP_S
    times.report_timestep = times.pattern_timestep = STEP_S
    times.report_start = WARM_UP_DAYS * 86_400
    model.options.hydraulic.headloss = "H-W"
    model.options.hydraulic.accuracy = 1e-6
    model.options.hydraulic.unbalanced = "CONTINUE"
    model.options.hydraulic.unbalanced_value = 10
    for column in range(plan.patterns.shape[1]):
        model.add_pattern(f"U{column}", plan.patterns[:, column].tolist())
    _add_nodes(model, plan)
    _add_links(model, plan)
    _add_controls(wntr, model)
    return model


def _add_nodes(model: Any, plan: WaterPlan) -> None:
    row = {name: i for i, name in enumerate(plan.junctions)}
    for node in plan.network.nodes:
        at = (node.x, node.y)
        if node.kind == "reservoir":
            model.add_reservoir(node.element_id, base_head=node.z, coordinates=at)
        elif node.kind == "tank":
            model.add_tank(
                node.element_id,
                elevation=node.z,
                init_level=water.TANK_LEVEL_M_START,
                min_level=water.TANK_LEVEL_M_MIN,
                max_level=water.TANK_LEVEL_M_MAX,
                diameter=plan.tank_diameter_m,
                coordinates=at,
            )
        else:
            model.add_junction(node.element_id, base_demand=0.0, elevation=node.z, coordinates=at)
            series = model.get_node(node.element_id).demand_timeseries_list
            series.clear()
            for column, base in enumerate(plan.demand_m3_s[row[node.element_id]].tolist()):
                if base > 0.0:
                    series.append((base, model.get_pattern(f"U{column}"), None))


def _add_links(model: Any, plan: WaterPlan) -> None:
    flow = water.PUMP_FLOW_SHARE * plan.mean_demand_m3_s
    model.add_curve("pump", "HEAD", [(flow, water.PUMP_HEAD_M)])
    for link in plan.network.links:
        if link.kind == "pump":
            model.add_pump(link.element_id, link.from_node, link.to_node, "HEAD", "pump")
        else:
            facts: Any = link.attributes
            model.add_pipe(
                link.element_id,
                link.from_node,
                link.to_node,
                length=facts["length_m"],
                diameter=facts["diameter_m"],
                roughness=facts["hazen_williams_c"],
            )


def _add_controls(wntr: Any, model: Any) -> None:
    rules = wntr.network.controls
    pump, tank = model.get_link(water.PUMP), model.get_node(water.TANK)
    for name, sign, level, status in (
        ("fill", "<", water.PUMP_ON_BELOW_M, wntr.network.LinkStatus.Open),
        ("full", ">", water.PUMP_OFF_ABOVE_M, wntr.network.LinkStatus.Closed),
    ):
        condition = rules.ValueCondition(tank, "level", sign, level)
        model.add_control(name, rules.Control(condition, rules.ControlAction(pump, "status", status)))


def _solved(plan: WaterPlan, results: Any, messages: list[str]) -> Solved:
    last = slice(-len(TIMES_S) - 1, -1)
    pressure = results.node["pressure"]
    links = tuple(link.element_id for link in plan.network.links)

    def day(frame: Any, names: tuple[str, ...]) -> FloatArray:
        return np.ascontiguousarray(frame.loc[:, list(names)].to_numpy(dtype=np.float64)[last])

    flows, network = _along_the_flow(plan.network, day(results.link["flowrate"], links))
    heads = States("pressure_head", "m", plan.junctions, day(pressure, plan.junctions))
    states = (
        heads,
        States("flow", "m3/s", links, flows),
        States("tank_level", "m", (water.TANK,), day(pressure, (water.TANK,))),
    )
    return Solved(
        with_facts(network, _facts(network, heads, flows)), states, (*_convergence(messages), *_low_pressure(heads))
    )


def _facts(network: Network, heads: States, flows: FloatArray) -> Facts:
    """Lowest pressure head of each junction; mean flow and highest velocity of each pipe."""
    lowest = heads.values.min(axis=0).tolist()
    facts: dict[str, dict[str, float]] = {
        name: {"pressure_head_m_min": value} for name, value in zip(heads.element_ids, lowest, strict=True)
    }
    mean, largest = flows.mean(axis=0).tolist(), np.abs(flows).max(axis=0).tolist()
    for link, usual, most in zip(network.links, mean, largest, strict=True):
        facts[link.element_id] = {"flow_m3_s_mean": usual}
        diameter = link.attributes.get("diameter_m")
        if isinstance(diameter, float):
            facts[link.element_id]["velocity_m_s_max"] = most / (np.pi * diameter**2 / 4.0)
    return facts


def _along_the_flow(network: Network, flows: FloatArray) -> tuple[FloatArray, Network]:
    """Turn each pipe so that its mean flow is positive: a reading below zero then means a reversal."""
    back = flows.mean(axis=0) < 0.0
    turned = [
        replace(link, from_node=link.to_node, to_node=link.from_node, line=link.line[::-1]) if against else link
        for link, against in zip(network.links, back.tolist(), strict=True)
    ]
    return np.where(back, -flows, flows), replace(network, links=tuple(turned))


def _convergence(messages: list[str]) -> list[Finding]:
    return [
        Finding(
            "water-convergence",
            "EPANET 2.2 warning",
            Verdict.DISCUSS,
            Severity.DISCUSS,
            params={"message": message[:200], "count": len(messages)},
        )
        for message in messages[:WARNINGS_MAX]
    ]


def _low_pressure(heads: States) -> list[Finding]:
    lowest = heads.values.min(axis=0)
    return [
        Finding(
            "water-pressure-min",
            "pressure head at the street",
            Verdict.FAIL,
            Severity.FAIL,
            measured=float(value),
            limit=water.PRESSURE_HEAD_M_MIN,
            margin=float(value) - water.PRESSURE_HEAD_M_MIN,
            unit="m",
            params={"element_id": name},
        )
        for name, value in zip(heads.element_ids, lowest.tolist(), strict=True)
        if value < water.PRESSURE_HEAD_M_MIN
    ]
