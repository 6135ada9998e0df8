"""The sample city's generated parts, built on a real base; runs in a child process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cim.city.model import CityObject
from cim.errors import InvalidInput
from cim.findings import Finding
from cim.networks.model import Network
from ingest.records import Record, SourceHeader
from ingest.sample import sensors
from ingest.sample.energy import energy_states, solve_energy
from ingest.sample.hydraulics import solve_water
from ingest.sample.load_flow import solve_power
from ingest.sample.parcels import build_parcels
from ingest.sample.power import plan_power
from ingest.sample.stock import build_stock, name_by_street
from ingest.sample.streets import build_skeleton
from ingest.sample.traffic import solve_traffic
from ingest.sample.water import plan_water

DATASET: Final = "helsinki-sample"
"""Slug of everything that is generated."""

VERSION: Final = "1"
STEPS: Final = ("parcels", "water", "power", "traffic", "energy", "sensors")
"""Names of the steps, in order, as progress tells them."""

T = TypeVar("T")
Note = Callable[[str, int, int], None]
"""Told ``(step, done, total)`` when a step begins (0 of 1) and ends (1 of 1)."""


@dataclass(slots=True)
class Base:
    """What the sample takes from the records of a reader."""

    header: SourceHeader
    streets: Network
    objects: list[CityObject] = field(default_factory=list)


def gather_base(records: Iterable[Record]) -> Base:
    """Pick the header, the street network and the objects out of a reader's records.

    Raises :class:`InvalidInput` (``sample-base``) where there is no header or no street network.
    """
    header: SourceHeader | None = None
    streets: Network | None = None
    objects: list[CityObject] = []
    for record in records:
        if isinstance(record, SourceHeader):
            header = record
        elif isinstance(record, Network) and record.id == "street":
            streets = record
        elif isinstance(record, CityObject):
            objects.append(record)
    if header is None or streets is None:
        raise InvalidInput("The sample needs a base with streets.", code="sample-base")
    return Base(header, streets, objects)


def _quiet(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def build_sample(
    base: Iterable[Record], seed: int = 1, progress: Note = _quiet, findings: list[Finding] | None = None
) -> Iterator[Record]:
    """Yield the generated records: header, objects, networks, datastreams, one state series.

    ``findings`` receives what the solvers had to say.  The same base and seed give the same records.
    """
    real = gather_base(base)
    yield _header(real.header)
    yield from _step("parcels", progress, lambda: build_parcels(real.streets, real.objects, seed, DATASET))
    skeleton = build_skeleton(real.streets)
    stock = name_by_street(build_stock(real.objects, seed), skeleton)
    if not stock.ids:
        raise InvalidInput("The sample needs a base with buildings.", code="sample-base")
    water = _step("water", progress, lambda: solve_water(plan_water(skeleton, stock, DATASET)))
    yield water.network
    energy = solve_energy(stock)
    power = _step("power", progress, lambda: solve_power(plan_power(skeleton, stock, energy.electricity_kw, DATASET)))
    yield power.network
    traffic, _ = _step("traffic", progress, lambda: solve_traffic(real.streets, stock))
    demand = _step("energy", progress, lambda: energy_states(stock, energy))
    if findings is not None:
        findings.extend((*water.findings, *power.findings, *traffic.findings))
    placed = _step(
        "sensors",
        progress,
        lambda: sensors.number_names(
            [
                *sensors.water_sensors(water, DATASET),
                *sensors.power_sensors(power, DATASET),
                *sensors.traffic_sensors(traffic, DATASET),
                *sensors.energy_sensors(demand, stock, DATASET),
            ]
        ),
    )
    yield from (item.datastream for item in placed)
    yield sensors.state_series(placed)


def _step(name: str, progress: Note, work: Callable[[], T]) -> T:
    progress(name, 0, 1)
    result = work()
    progress(name, 1, 1)
    return result


def _header(real: SourceHeader) -> SourceHeader:
    return SourceHeader(
        title="Generated parts of the sample city",
        working_crs=real.working_crs,
        vertical_datum=real.vertical_datum,
        ground=real.ground,
        licence=real.licence,
        attribution=f"Generated from {real.attribution}",
        reader="sample",
        reader_version=VERSION,
        generated=True,
    )
