"""A made town for the tests of the indicators: parcels in a grid, streets between them, parks, schools, stops.

Coordinates are whole centimetres, so that hand computations come out even.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
import pyarrow as pa
import shapely

from cim.city.columns import objects_to_columns
from cim.city.index import CityIndex
from cim.city.model import Attribute, CityObject
from cim.impact.factors import FactorSet, parse_set
from cim.impact.graph import Case
from cim.impact.stock import Stock, build_stock, raw_objects

EAST, NORTH = 25_496_000.0, 6_672_000.0
PARCEL_M, STREET_M = 40.0, 10.0
STEP_M = PARCEL_M + STREET_M
PER_DISTRICT = 5
FUNCTIONS = ("apartments", "office", "yes", "retail", "school", "university", "hotel", "church", "roof", "house")
USES = ("residential", "office", "retail", "school", "hotel", "parking", "other")
ROOT = Path(__file__).resolve().parents[2]


def factor_set(name: str = "helsinki-sample") -> FactorSet:
    return parse_set(orjson.loads((ROOT / f"cim/impact/factor_sets/{name}.json").read_bytes()))


def box(x: float, y: float, width: float, depth: float) -> shapely.Polygon:
    return shapely.box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + depth)


def thing(identifier: str, type_: str, place: shapely.Geometry, **facts: object) -> CityObject:
    return CityObject(identifier, type_, place, (), {name: Attribute(value) for name, value in facts.items()})


def house(identifier: str, place: shapely.Geometry, **facts: object) -> CityObject:
    return thing(identifier, "Building", place, **facts)


def drawn(identifier: str, place: shapely.Geometry, storeys: list[list[object]]) -> CityObject:
    """A building as a scheme makes it."""
    height = sum(float(storey[0]) for storey in storeys)
    return house(
        identifier, place, storeys=storeys, storeys_above_ground=len(storeys), height_m=height, scheme_change="added"
    )


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(EAST + x, NORTH + y) for x, y in points])


def town(buildings: int, seed: int = 3, *, parcels: bool = True) -> list[CityObject]:
    """A town of about that many buildings, two on a parcel at most."""
    random = np.random.default_rng(seed)
    side = max(2, int(np.ceil(np.sqrt(buildings / 1.36))))
    made: list[CityObject] = []
    count = 0
    for index in range(side * side):
        column, row = index % side, index // side
        x, y = column * STEP_M, row * STEP_M
        if parcels:
            made.append(thing(f"t:parcel/{index}", "+Parcel", box(x, y, PARCEL_M, PARCEL_M), land_use="mixed"))
        if index % 11 == 5:
            made.append(thing(f"t:park/{index}", "PlantCover", box(x, y, PARCEL_M, PARCEL_M), function="park"))
            continue
        if index % 7 == 3:
            made.append(thing(f"t:lawn/{index}", "PlantCover", box(x + 2, y + 2, 30, 9), function="grass"))
        for part in range(1 + int(random.integers(0, 2))):
            if count < buildings:
                made.append(_house(random, count, x + 1 + part * 20, y + 12))
                count += 1
    return made + _streets(side) + _districts(side) + _services(side)


def _house(random: np.random.Generator, number: int, x: float, y: float) -> CityObject:
    width, depth = (float(v) for v in np.round(random.uniform(6, 18, 2), 2))
    facts: dict[str, object] = {"function": FUNCTIONS[int(random.integers(0, len(FUNCTIONS)))]}
    if random.random() < 0.8:
        facts["storeys_above_ground"] = int(random.integers(1, 9))
    if random.random() < 0.5:
        facts["height_m"] = round(float(random.uniform(3, 30)), 2)
    if random.random() < 0.1:
        facts["name"] = f"House {number}"
    return house(f"t:house/{number}", box(x, y, width, depth), **facts)


def _streets(side: int) -> list[CityObject]:
    """Streets run through the middle of the gaps; each is one object from crossing to crossing's end."""
    made = []
    reach = side * STEP_M
    stops = [-5.0 + STEP_M * i for i in range(side + 1)]
    for i, at in enumerate(stops):
        made.append(
            thing(f"t:row/{i}", "Road", line(*((x, at) for x in stops)), highway="residential", name=f"Row {i}")
        )
        # Cars go along every row and up every third column.
        kind = "footway" if i % 3 else "residential"
        made.append(thing(f"t:column/{i}", "Road", line(*((at, y) for y in stops)), highway=kind, name=f"Column {i}"))
    made.append(thing("t:far", "Road", line((reach + 50, reach), (reach + 90, reach)), highway="residential"))
    return made


def _districts(side: int) -> list[CityObject]:
    made = []
    for x in range(0, side, PER_DISTRICT):
        for y in range(0, side, PER_DISTRICT):
            place = box(x * STEP_M - 5, y * STEP_M - 5, PER_DISTRICT * STEP_M, PER_DISTRICT * STEP_M)
            made.append(thing(f"t:district/{x}-{y}", "+District", place, name=f"District {x}-{y}"))
    return made


def _services(side: int) -> list[CityObject]:
    made = []
    for i in range(0, side, 4):
        stop = shapely.Point(EAST + i * STEP_M - 5, NORTH + i * STEP_M - 3)
        made.append(thing(f"t:stop/{i}", "+TransitStop", stop, function="bus_stop"))
    made.append(thing("t:amenity/1", "+Amenity", shapely.Point(EAST + 3, NORTH - 4), function="school"))
    made.append(thing("t:ground/1", "LandUse", box(STEP_M, STEP_M, 20, 10), function="school"))
    return made


def materialised(objects: list[CityObject], overlay: Mapping[str, CityObject | None]) -> list[CityObject]:
    """The city after a scheme, as if it had always been so; in another order, so that none is relied on."""
    kept = {item.id: item for item in objects if item.id not in overlay}
    kept |= {identifier: item for identifier, item in overlay.items() if item is not None}
    return [kept[identifier] for identifier in sorted(kept, reverse=True)]


def stock_of(objects: list[CityObject], *, cells: bool | None = None) -> Stock:
    return build_stock(raw_objects(objects), cells=cells)


def same_land(case: Case, full: Stock) -> frozenset[int]:
    """The site of a case as rows of a stock that was built from the changed city."""
    if not case.site:
        return frozenset()
    rows = {full.units.row(case.stock.units.ids[row]) for row in case.site_units.tolist()}
    return frozenset(row for row in rows if row is not None)


class Editor:
    """Draws random edits on a town, as a scheme's overlay would come out after each."""

    def __init__(self, objects: list[CityObject], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.now = {item.id: item for item in objects}
        self.base = dict(self.now)
        self.overlay: dict[str, CityObject | None] = {}
        self.number = 0

    def _put(self, identifier: str, item: CityObject | None) -> None:
        if item is None:
            self.now.pop(identifier, None)
        else:
            self.now[identifier] = item
        if self.base.get(identifier) is item:
            self.overlay.pop(identifier, None)
        else:
            self.overlay[identifier] = item

    def _any(self, *types: str) -> CityObject | None:
        found = [item for item in self.now.values() if item.type in types]
        return found[int(self.random.integers(0, len(found)))] if found else None

    def _spot(self) -> tuple[float, float]:
        parcel = self._any("Building")
        if parcel is None or parcel.place is None:
            return 0.0, 0.0
        x, y = parcel.place.bounds[:2]
        jitter = np.round(self.random.uniform(-45, 45, 2), 2)
        return x - EAST + float(jitter[0]), y - NORTH + float(jitter[1])

    def _storeys(self) -> list[list[object]]:
        count = int(self.random.integers(1, 20))
        return [[3.0, USES[int(self.random.integers(0, len(USES)))]] for _ in range(count)]

    def step(self) -> dict[str, CityObject | None]:
        """Make one edit and return the overlay."""
        self.number += 1
        kinds = (
            self._add,
            self._change,
            self._demolish,
            self._park,
            self._street,
            self._parcel,
            self._revert,
            self._stop,
        )
        weights = np.array([5, 4, 3, 2, 3, 2, 1, 1], dtype=float)
        kinds[int(self.random.choice(len(kinds), p=weights / weights.sum()))]()
        return dict(self.overlay)

    def _add(self) -> None:
        width, depth = (float(v) for v in np.round(self.random.uniform(5, 30, 2), 2))
        identifier = f"sabcdefgh:b/{self.number}"
        self._put(identifier, drawn(identifier, box(*self._spot(), width, depth), self._storeys()))

    def _change(self) -> None:
        item = self._any("Building")
        if item is not None and item.place is not None:
            shift = float(self.random.integers(0, 2)) * 6.0
            place = shapely.transform(item.place, lambda c: c + shift)
            changed = drawn(item.id, place, self._storeys())
            function = item.attributes.get("function")
            if function is not None:
                changed = CityObject(item.id, "Building", place, (), {**changed.attributes, "function": function})
            self._put(item.id, changed)

    def _demolish(self) -> None:
        item = self._any("Building", "PlantCover")
        if item is not None:
            self._put(item.id, None)

    def _park(self) -> None:
        width, depth = (float(v) for v in np.round(self.random.uniform(5, 60, 2), 2))
        identifier = f"sabcdefgh:k/{self.number}"
        self._put(identifier, thing(identifier, "PlantCover", box(*self._spot(), width, depth)))

    def _street(self) -> None:
        item = self._any("Road")
        if item is None:
            return
        choice = self.random.random()
        if choice < 0.5:
            self._put(
                item.id, CityObject(item.id, "Road", item.place, (), {**item.attributes, "closed": Attribute(True)})
            )
        elif choice < 0.6:
            self._put(item.id, None)
        elif choice < 0.75 and item.id in self.base:
            self._put(item.id, self.base[item.id])
        else:
            identifier = f"sabcdefgh:r/{self.number}"
            self._put(identifier, thing(identifier, "Road", line(self._spot(), self._spot()), highway="residential"))

    def _parcel(self) -> None:
        item = self._any("+Parcel")
        if item is None or item.place is None:
            return
        if self.random.random() < 0.5:
            facts = {**item.attributes, "land_use": Attribute(("1401", "07", "mixed")[int(self.random.integers(0, 3))])}
            self._put(item.id, CityObject(item.id, "+Parcel", item.place, (), facts))
            return
        west, south, east, north = item.place.bounds
        middle = round((west + east) / 2, 2)
        self._put(item.id, None)
        for part, (a, b) in enumerate(((west, middle), (middle, east))):
            identifier = f"sabcdefgh:p/{self.number}-{part}"
            self._put(identifier, thing(identifier, "+Parcel", shapely.box(a, south, b, north), land_use="mixed"))

    def _stop(self) -> None:
        x, y = self._spot()
        identifier = f"sabcdefgh:n/{self.number}"
        self._put(
            identifier, thing(identifier, "+TransitStop", shapely.Point(EAST + x, NORTH + y), function="bus_stop")
        )

    def _revert(self) -> None:
        if self.overlay:
            identifier = sorted(self.overlay)[int(self.random.integers(0, len(self.overlay)))]
            before = self.base.get(identifier)
            self._put(identifier, before)


class MadeCity:
    """What the service asks of a city, over objects in memory."""

    def __init__(self, objects) -> None:
        rows, _ = objects_to_columns(objects)
        table = pa.Table.from_batches([rows])
        table = table.append_column("baseline_version", pa.array([1] * table.num_rows, pa.int64()))
        self.view = SimpleNamespace(index=CityIndex(table, 1))
        self.frame = SimpleNamespace(slug="helsinki", crs="EPSG:3879")
        self.baseline_version = 1
