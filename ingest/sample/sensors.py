"""The sample's sensors: which elements carry one, what it is called, and the day that it replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.findings import Quality
from cim.ids import object_id
from cim.networks.model import Network
from cim.sensing.model import Datastream, StateSeries
from ingest.sample.states import TIMES_S, Solved, States
from ingest.sample.stock import Stock
from ingest.sample.water import PRESSURE_HEAD_M_MIN, PUMP, TANK

FloatArray = NDArray[np.float64]

RANGE_PERCENTILES: Final = (5.0, 95.0)
"""The usual range of a datastream is between these percentiles of its day."""

PRESSURE_SENSORS: Final = 48
FLOW_SENSORS: Final = 45
LOADING_SENSORS: Final = 18
VOLTAGE_SENSORS: Final = 12
FEEDER_SENSORS: Final = 15
VOLUME_SENSORS: Final = 28
SPEED_SENSORS: Final = 17
ENERGY_SENSORS: Final = 30
STREETS_SPREAD: Final = 110
"""Street blocks with the most vehicle kilometres, from which counted ones are spread."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What sensors of one observed property have in common."""

    slug: str
    name_en: str
    name_zh: str
    element_en: str
    element_zh: str
    period_s: float
    limit_min: float | None = None
    limit_max: float | None = None


KINDS: Final[dict[str, Kind]] = {
    "pressure_head": Kind("pressure", "Pressure", "水压", "junction", "节点", 5.0, limit_min=PRESSURE_HEAD_M_MIN),
    "flow": Kind("flow", "Flow", "流量", "pipe", "管段", 5.0),
    "tank_level": Kind("level", "Level", "水位", "tank", "水箱", 5.0),
    "loading": Kind("loading", "Transformer loading", "变压器负载率", "transformer", "变压器", 5.0, limit_max=100.0),
    "voltage": Kind("voltage", "Voltage", "电压", "bus", "母线", 5.0, limit_min=0.95, limit_max=1.05),
    "active_power": Kind("power", "Active power", "有功功率", "feeder", "馈线", 5.0),
    "traffic_volume": Kind("volume", "Traffic volume", "交通流量", "street", "路段", 10.0),
    "traffic_speed": Kind("speed", "Traffic speed", "车速", "street", "路段", 10.0),
    "energy_demand": Kind("energy", "Energy demand", "能源需求", "building", "建筑", 10.0),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sensor hangs: a point in metres, a name for people, and what it belongs to."""

    x: float
    y: float
    label: str
    element_id: str
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A datastream and the day that it replays, shape (96,)."""

    datastream: Datastream
    day: FloatArray


def water_sensors(solved: Solved, dataset: str) -> list[Placed]:
    """Pressure at well-spread junctions, flow in the largest mains, the tank and the pump."""
    heads, flows, levels = (solved.of(name) for name in ("pressure_head", "flow", "tank_level"))
    at = node_places(solved.network)
    along = link_places(solved.network)
    xy = np.array([(at[name].x, at[name].y) for name in heads.element_ids])
    junctions = [heads.element_ids[i] for i in spread(xy, PRESSURE_SENSORS)]
    mains = [name for name in largest(flows, FLOW_SENSORS + 1) if name != PUMP][:FLOW_SENSORS]
    placed = place(heads, [at[name] for name in junctions], dataset, "water")
    placed += place(flows, [along[name] for name in [*mains, PUMP]], dataset, "water")
    return placed + place(levels, [at[TANK]], dataset, "water")


def power_sensors(solved: Solved, dataset: str) -> list[Placed]:
    """Loading of transformers and voltage at customers, well spread; power in the largest feeders."""
    at, along = node_places(solved.network), link_places(solved.network)
    loading, voltage, power = (solved.of(name) for name in ("loading", "voltage", "active_power"))
    stations = _spread_of(at, loading.element_ids, LOADING_SENSORS)
    customers = {node.element_id: node.attributes.get("building") for node in solved.network.nodes}
    served = [name for name in voltage.element_ids if customers[name] and np.isfinite(voltage.column(name)).all()]
    buildings = [replace(at[name], object_id=str(customers[name])) for name in _spread_of(at, served, VOLTAGE_SENSORS)]
    feeders = [name for name in largest(power, len(power.element_ids)) if name.startswith("F")][:FEEDER_SENSORS]
    placed = place(loading, [at[name] for name in stations], dataset, "power")
    placed += place(voltage, buildings, dataset, "power")
    return placed + place(power, [along[name] for name in feeders], dataset, "power")


def traffic_sensors(solved: Solved, dataset: str) -> list[Placed]:
    """Counts and speeds where most vehicle kilometres are driven, spread over the city."""
    volume, speed = solved.of("traffic_volume"), solved.of("traffic_speed")
    length = {link.element_id: float(np.hypot(*np.diff(link.line, axis=0).T).sum()) for link in solved.network.links}
    driven = volume.values * np.array([length[name] for name in volume.element_ids])
    busiest = largest(replace(volume, values=driven), STREETS_SPREAD)
    along = link_places(solved.network)
    chosen = _spread_of(along, busiest, VOLUME_SENSORS + SPEED_SENSORS)
    slowed = speed.values.max(axis=0) - speed.values.min(axis=0)
    swing = {name: float(slowed[i]) for i, name in enumerate(speed.element_ids)}
    fast = set(sorted(chosen, key=lambda name: (-swing[name], name))[:SPEED_SENSORS])
    counted = [along[name] for name in chosen if name not in fast]
    placed = place(volume, counted, dataset, "street")
    return placed + place(speed, [along[name] for name in chosen if name in fast], dataset, "street")


def energy_sensors(states: States, stock: Stock, dataset: str) -> list[Placed]:
    """Energy of the largest consumers, each on its building; the longer half of them is spread."""
    size = states.values.mean(axis=0)
    large = sorted(range(len(size)), key=lambda i: (-float(size[i]), stock.ids[i]))[: 3 * ENERGY_SENSORS]
    chosen = [large[i] for i in spread(stock.xy[large], ENERGY_SENSORS)]
    places = [
        Place(float(stock.xy[i, 0]), float(stock.xy[i, 1]), stock.names[i], stock.ids[i], stock.ids[i]) for i in chosen
    ]
    return place(states, places, dataset, None)


def _spread_of(places: Mapping[str, Place], names: Sequence[str], count: int) -> list[str]:
    xy = np.array([(places[name].x, places[name].y) for name in names]).reshape(-1, 2)
    return [names[i] for i in spread(xy, count)]


def node_places(network: Network) -> dict[str, Place]:
    """Return a place for each node, labelled by its street where it has one."""
    return {
        node.element_id: Place(node.x, node.y, str(node.attributes.get("name") or ""), node.element_id)
        for node in network.nodes
    }


def link_places(network: Network) -> dict[str, Place]:
    """Return a place half way along each link, labelled by its street where it has one."""
    places = {}
    for link in network.links:
        x, y = midpoint(link.line)
        places[link.element_id] = Place(x, y, str(link.attributes.get("name") or ""), link.element_id)
    return places


def midpoint(line: FloatArray) -> tuple[float, float]:
    """Return the point half way along a line of shape (n, 2)."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.append(0.0, np.cumsum(steps))
    half = along[-1] / 2.0
    return float(np.interp(half, along, line[:, 0])), float(np.interp(half, along, line[:, 1]))


def spread(xy: FloatArray, count: int) -> list[int]:
    """Return the rows of up to ``count`` places far from each other, in ascending order.

    Farthest-point sampling (Gonzalez 1985), from the place nearest to the middle; places at the same
    point are taken once.
    """
    if len(xy) == 0 or count <= 0:
        return []
    chosen = [int(np.hypot(*(xy - xy.mean(axis=0)).T).argmin())]
    distance = np.hypot(*(xy - xy[chosen[0]]).T)
    while len(chosen) < count and distance.max() > 0.0:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.hypot(*(xy - xy[chosen[-1]]).T))
    return sorted(chosen)


def largest(states: States, count: int) -> list[str]:
    """Return the ids of the ``count`` elements with the largest mean size of result."""
    size = np.abs(states.values).mean(axis=0)
    order = sorted(range(len(size)), key=lambda i: (-float(size[i]), states.element_ids[i]))
    return [states.element_ids[i] for i in order[:count]]


def place(states: States, places: Iterable[Place], dataset: str, network_id: str | None) -> list[Placed]:
    """Hang a sensor at each place, for the states of its element."""
    kind = KINDS[states.observed_property]
    column = {name: i for i, name in enumerate(states.element_ids)}
    placed = []
    for spot in places:
        day = np.asarray(states.values[:, column[spot.element_id]], dtype=np.float64)
        low, high = usual_range(day)
        native = spot.element_id.partition(":")[2] or spot.element_id
        label_en = spot.label or f"{kind.element_en} {native}"
        label_zh = spot.label or f"{kind.element_zh}{native}"
        stream = Datastream(
            id=object_id(dataset, f"{kind.slug}/{native}"),
            name_en=f"{kind.name_en}, {label_en}",
            name_zh=f"{kind.name_zh}，{label_zh}",
            observed_property=states.observed_property,
            unit=states.unit,
            x=spot.x,
            y=spot.y,
            object_id=spot.object_id,
            network_id=network_id,
            element_id=spot.element_id if network_id is not None else None,
            quality=Quality.MODELLED,
            generated=True,
            period_s=kind.period_s,
            range_low=low,
            range_high=high,
            limit_min=kind.limit_min,
            limit_max=kind.limit_max,
        )
        placed.append(Placed(stream, day))
    return placed


def usual_range(day: FloatArray) -> tuple[float, float]:
    """Return the 5th and 95th percentile of a day, apart by a little even for a still one."""
    low, high = (float(value) for value in np.percentile(day, RANGE_PERCENTILES))
    if high - low < 1e-9:
        margin = max(abs(high) * 0.01, 1e-6)
        low, high = low - margin, high + margin
    return low, high


def number_names(placed: Sequence[Placed]) -> list[Placed]:
    """Number sensors that would bear the same name: ``Pressure, Bulevardi 2``."""
    total = Counter(item.datastream.name_en for item in placed)
    seen: Counter[str] = Counter()
    named = []
    for item in placed:
        stream = item.datastream
        if total[stream.name_en] > 1:
            seen[stream.name_en] += 1
            number = seen[stream.name_en]
            stream = replace(stream, name_en=f"{stream.name_en} {number}", name_zh=f"{stream.name_zh} {number}")
        named.append(Placed(stream, item.day))
    return named


def state_series(placed: Sequence[Placed]) -> StateSeries:
    """Gather the days of all sensors: times (96,), results (96, d)."""
    ids = tuple(item.datastream.id for item in placed)
    results = np.column_stack([item.day for item in placed]) if placed else np.empty((len(TIMES_S), 0))
    return StateSeries(ids, TIMES_S.copy(), np.ascontiguousarray(results, dtype=np.float64))
