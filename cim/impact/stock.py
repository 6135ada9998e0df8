"""The city as the indicators see it: columns of buildings and layers of parcels, green, streets; pure.

Built once per baseline.  :meth:`Stock.with_changes` lays a scheme's objects over it and costs what
changed; the result speaks of the whole city all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim.city.index import CityIndex
from cim.city.model import CityObject
from cim.impact.layers import NOWHERE, Entry, Flags, Ints, Layer
from cim.impact.rows import COLUMN, COLUMNS, Members, Rows, Tally, area_cm2, gather_rows, members_of, number, word
from cim.impact.uses import GREEN_WORDS, PARK_WORDS, SCHOOL_WORDS, UNKNOWN, is_green_land_use

Overlay = Mapping[str, CityObject | None]
"""What a scheme changes: the objects that it makes or replaces; ``None`` for what is gone."""

LAYERS: Final = ("buildings", "units", "districts", "green", "streets", "stops", "schools")
CELL_M: Final = 100.0
"""Side of the square cells that stand for parcels where a city has none, metres."""
TOUCH_M2: Final = 1.0
"""An overlap smaller than this is a drawing's slip, not a touch."""

PART: Final = "BuildingPart"
"""Parts count with their building: its outline is its footprint, and its top is the highest part's."""

STREETS_NOT_THERE: Final = frozenset({"construction", "proposed"})
STREETS_NOT_WALKED: Final = STREETS_NOT_THERE | {"motorway", "motorway_link", "trunk", "trunk_link"}
STREETS_NOT_DRIVEN: Final = STREETS_NOT_THERE | {
    "footway", "path", "pedestrian", "steps", "cycleway", "bridleway", "corridor", "crossing", "trail", "platform",
    "elevator", "via_ferrata",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A parcel, or a cell where there are none: its area, its planned use, and the limits that its plan sets."""

    area_cm2: int
    land_use: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_green(self) -> bool:
        """Whether its planned use is green space."""
        return is_green_land_use(self.land_use)


@dataclass(frozen=True, slots=True)
class Street:
    """A street's name, and whether one may walk it and drive it; a closed street is closed to cars."""

    name: str
    walkable: bool
    drivable: bool
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Top:
    """How high a building of the baseline is by itself, and how high its highest part is, metres."""

    own_m: float | None
    parts_m: float


@dataclass(frozen=True, slots=True)
class Raw:
    """Objects on their way into a stock: id, type, place, attributes."""

    id: str
    type: str
    place: shapely.Geometry | None
    members: Members
    parent_id: str | None = None


def raw_objects(objects: Iterable[CityObject]) -> Iterator[Raw]:
    """Return city objects as a stock takes them."""
    return (Raw(item.id, item.type, item.place, members_of(item), item.parent_id) for item in objects)


def index_objects(index: CityIndex) -> Iterator[Raw]:
    """Return the objects of a baseline that a stock has use for."""
    for row, (identifier, type_) in enumerate(zip(index.ids, index.types, strict=True)):
        if type_ in _LAYER_OF or type_ == PART:
            members = orjson.loads(index.attributes_json(row))
            yield Raw(identifier, type_, index.places[row], members, index.parents[row])


def _area(raw: Raw) -> float:
    return 0.0 if raw.place is None else float(raw.place.area)


def _unit(raw: Raw) -> Unit | None:
    if _area(raw) <= 0:
        return None
    limits = {name: limit for name in _LIMITS if (limit := number(raw.members, name)) is not None}
    return Unit(area_cm2(raw.place), word(raw.members, "land_use"), limits)


_LIMITS: Final = ("floor_area_ratio_max", "building_density_max", "building_height_m_max", "green_ratio_min")


def _street(raw: Raw) -> Street:
    closed = raw.members.get("closed", {}).get("v") is True
    kind = word(raw.members, "highway") or word(raw.members, "function")
    access = word(raw.members, "access")
    walkable = kind not in STREETS_NOT_WALKED and access not in {"no", "private"}
    # Who lives there, delivers or comes to help uses a private way.
    drivable = not closed and kind not in STREETS_NOT_DRIVEN and access != "no"
    return Street(word(raw.members, "name"), walkable, drivable, kind)


def layer_entry(raw: Raw) -> tuple[str, Entry] | None:
    """Return the layer that an object belongs to and its entry there; ``None`` for what no indicator reads."""
    layer = _LAYER_OF.get(raw.type)
    if layer is None or raw.place is None or raw.place.is_empty:
        return None
    function = word(raw.members, "function").strip().lower()
    fact: Any = None
    if layer == "buildings":
        fact = raw.members if _area(raw) > 0 else None
    elif layer == "units":
        fact = _unit(raw)
    elif layer == "streets":
        fact = _street(raw) if raw.place.length > 0 else None
    elif layer == "green":
        # A scheme's park may come without a word for it; land of the base always has one.
        if raw.type == "PlantCover" or function in GREEN_WORDS:
            fact = (function in PARK_WORDS or not function) if _area(raw) > 0 else None
        elif function in SCHOOL_WORDS:
            return "schools", Entry(raw.id, raw.place)
    elif layer != "schools" or function in SCHOOL_WORDS:
        fact = word(raw.members, "name")
    return None if fact is None else (layer, Entry(raw.id, raw.place, fact))


_LAYER_OF: Final = {
    "Building": "buildings",
    "+Parcel": "units",
    "+District": "districts",
    "PlantCover": "green",
    "LandUse": "green",
    "Road": "streets",
    "+TransitStop": "stops",
    "+Amenity": "schools",
}


class Stock:
    """The city with a scheme's changes, or without any (then :attr:`base` is itself)."""

    def __init__(
        self,
        layers: Mapping[str, Layer],
        rows: Rows,
        *,
        cells: bool,
        base: Stock | None = None,
        tops: Mapping[str, Top] | None = None,
        version: int = 0,
    ) -> None:
        self.base: Stock = base or self
        self.version: int = version if base is None else base.version
        """The number of the baseline; 0 where it has none."""
        self.tops = tops or {}
        """Buildings of a baseline that have parts, by id."""
        self.cells = cells
        self.own_rows = rows
        self._layers = dict(layers)
        self.buildings = layers["buildings"]
        self.units = layers["units"]
        self.districts = layers["districts"]
        self.green = layers["green"]
        self.streets = layers["streets"]
        self.stops = layers["stops"]
        self.schools = layers["schools"]
        self.memo: dict[str, Any] = {}
        """What indicators have worked out for this stock; a baseline's is kept as long as it is."""
        self.trail: dict[str, Any] = {}
        """What was worked out for earlier states of the same scheme, the last of each: a start for what is mended."""
        self.changed = frozenset(name for name in LAYERS if layers[name] is not self.base.layer(name))
        """Layers in which something differs from the baseline."""
        self.unit_of: Ints = self.units.holders(rows.points) if base is None else self._assign()
        """The unit that each building stands on, by row; a building belongs to the one that holds its inner point."""
        self.touched_units = frozenset(() if base is None else self._touched())
        """Rows of the baseline's units on which something differs."""

    def layer(self, name: str) -> Layer:
        """Return a layer by name."""
        return self._layers[name]

    @property
    def is_base(self) -> bool:
        """Whether nothing is changed."""
        return self.base is self

    # -- columns of buildings over base and changes -----------------------------------------------------

    def column(self, name: str) -> NDArray[Any]:
        """Return ``height_cm``, ``storeys`` or ``points`` of all rows, dead ones included."""
        own = getattr(self.own_rows, name)
        return own if self.is_base else np.concatenate((getattr(self.base.own_rows, name), own))

    def tally_of_row(self, row: int) -> Tally:
        """Return a building's numbers."""
        count = self.buildings.base_count
        return np.asarray(self.base.own_rows.tallies[row] if row < count else self.own_rows.tallies[row - count])

    def tally(self, rows: Ints | None = None) -> Tally:
        """Return the sums over some living rows, or over the whole city."""
        base = self.base
        if rows is None:
            whole = base.city_tally
            if self.is_base:
                return whole
            dead = base.own_rows.tallies[self.buildings.dead_rows].sum(axis=0)
            return np.asarray(whole - dead + self.own_rows.tallies.sum(axis=0))
        count = self.buildings.base_count
        inner, extra = rows[rows < count], rows[rows >= count] - count
        made = base.own_rows.tallies[inner].sum(axis=0)
        return np.asarray(made if self.is_base else made + self.own_rows.tallies[extra].sum(axis=0))

    @cached_property
    def city_tally(self) -> Tally:
        """The sums over all of a baseline's buildings."""
        return np.asarray(self.base.own_rows.tallies.sum(axis=0))

    def name_of_row(self, row: int) -> str:
        """Return a building's name, ``""`` for none."""
        count = self.buildings.base_count
        return self.base.own_rows.names.get(row, "") if row < count else self.own_rows.names.get(row - count, "")

    def rows_on(self, units: Ints) -> Ints:
        """Return the living buildings on some units."""
        wanted: Flags = np.zeros(len(self.units.ids) + 1, dtype=bool)
        wanted[units] = True
        # Row -1 (on no unit) falls on the last flag, which stays unset.
        return np.asarray(np.flatnonzero(wanted[self.unit_of] & self.buildings.alive))

    def net_tallies(self) -> tuple[Tally, Tally]:
        """Return what the changes put up less what they replace, and what they take away for good."""
        base, buildings = self.base, self.buildings
        removed = [row for row in buildings.dead_rows.tolist() if buildings.row(base.buildings.ids[row]) is None]
        dead = base.own_rows.tallies[buildings.dead_rows].sum(axis=0)
        gone = base.own_rows.tallies[removed].sum(axis=0)
        made = empty_tally() if self.is_base else self.own_rows.tallies.sum(axis=0)
        return np.asarray(made - dead + gone), np.asarray(gone)

    # -- changes ----------------------------------------------------------------------------------------

    def with_changes(self, overlay: Overlay, like: Stock | None = None) -> Stock:
        """Return the city with a scheme's objects; the baseline is shared and stays as it is.

        ``overlay`` is complete: it is laid over the baseline whatever this stock was.  ``like`` is an earlier
        state of the same scheme: layers that are as they were there keep what was worked out for them.
        """
        base = self.base
        if not overlay:
            return base
        entries: dict[str, list[Entry]] = {name: [] for name in LAYERS}
        facts: list[Members] = []
        for identifier in sorted(overlay):
            city_object = overlay[identifier]
            found = None if city_object is None else layer_entry(base.remembered(next(raw_objects([city_object]))))
            if found is None or (found[0] == "units" and base.cells):
                continue
            entries[found[0]].append(found[1])
            if found[0] == "buildings":
                facts.append(found[1].fact)
        gone = list(overlay)
        layers = {name: base.layer(name).overlaid(gone, entries[name]) for name in LAYERS}
        if like is not None:
            layers = {name: old if (old := like.layer(name)).same_as(new) else new for name, new in layers.items()}
        rows = gather_rows(layers["buildings"].places[base.buildings.base_count :], facts)
        made = Stock(layers, rows, cells=base.cells, base=base)
        if like is not None and like.base is base:
            made.trail = dict(like.trail)
        return made

    def remembered(self, raw: Raw) -> Raw:
        """Return a changed object of the baseline with what a scheme does not restate.

        That is its street's class, its park's kind, its parcel's limits, and that nobody knows its building's use.
        """
        members = dict(raw.members)
        street, green, unit, building = (
            self.layer(name).row(raw.id) for name in ("streets", "green", "units", "buildings")
        )
        if street is not None and "highway" not in members:
            members["highway"] = {"v": self.streets.facts[street].kind}
        if green is not None and "function" not in members:
            members["function"] = {"v": "park" if self.green.facts[green] else "green"}
        if unit is not None:
            members = {**{name: {"v": limit} for name, limit in self.units.facts[unit].limits.items()}, **members}
        top = self.tops.get(raw.id)
        if top is not None and number(members, "height_m") == top.own_m:
            # Its parts are as high as they were: only what a scheme raises or lowers is a plain block.
            members["parts_top_m"] = {"v": top.parts_m}
        if building is not None and self.own_rows.tallies[building, COLUMN["floor_unknown"]] > 0:
            members["function"] = {"v": UNKNOWN}
        return Raw(raw.id, raw.type, raw.place, members)

    def _assign(self) -> Ints:
        """Return the units of all buildings: those that units were taken from, or given to, are asked again."""
        base, units = self.base, self.units
        points = self.own_rows.points
        if units is base.units:
            return np.concatenate((base.unit_of, units.holders(points)))
        kept = base.unit_of.copy()
        lost = np.isin(kept, units.dead_rows)
        for row in units.extra_rows():
            lost |= shapely.intersects(units.places[row], base.own_rows.points)
        asked = np.flatnonzero(lost)
        kept[asked] = units.holders(base.own_rows.points[asked])
        return np.concatenate((kept, units.holders(points)))

    def _touched(self) -> set[int]:
        """Return the baseline's units that hold a changed building or meet changed green or changed units."""
        base, buildings = self.base, self.buildings
        held = set(base.unit_of[buildings.dead_rows].tolist())
        held |= set(base.units.holders(self.own_rows.points).tolist())
        changed = [base.green.places[row] for row in self.green.dead_rows.tolist()]
        changed += [self.green.places[row] for row in self.green.extra_rows()]
        changed += [self.units.places[row] for row in self.units.extra_rows()]
        held |= set(self.units.dead_rows.tolist())
        for place in changed:
            near = base.units.near(place)
            overlap = shapely.area(shapely.intersection(base.units.places[near], place))
            held |= {row for row, area in zip(near, np.atleast_1d(overlap).tolist(), strict=True) if area > TOUCH_M2}
        held.discard(NOWHERE)
        return held

    def site_units(self, touched: Iterable[int]) -> Ints:
        """Return this stock's units that lie on some of the baseline's: those that live on, and the new ones."""
        kept = [row for row in touched if self.units.alive[row]]
        return np.array(sorted(kept) + list(self.units.extra_rows()), dtype=np.int64)


def build_stock(objects: Iterable[Raw], *, cells: bool | None = None, version: int = 0) -> Stock:
    """Return the stock of a baseline.

    ``cells``: square cells stand for parcels; by default where there is no parcel.
    """
    entries: dict[str, list[Entry]] = {name: [] for name in LAYERS}
    tops: dict[str, float] = {}
    for raw in objects:
        found = layer_entry(raw)
        if found is not None:
            entries[found[0]].append(found[1])
        elif raw.type == PART and raw.parent_id is not None:
            tops[raw.parent_id] = max(number(raw.members, "height_m") or 0.0, tops.get(raw.parent_id, 0.0))
    facts = [
        {**entry.fact, "parts_top_m": {"v": tops[entry.id]}} if entry.id in tops else entry.fact
        for entry in entries["buildings"]
    ]
    known = {
        entry.id: Top(number(entry.fact, "height_m"), tops[entry.id])
        for entry in entries["buildings"]
        if entry.id in tops
    }
    entries["buildings"] = [Entry(entry.id, entry.place) for entry in entries["buildings"]]
    if cells is None:
        cells = not entries["units"]
    if cells:
        entries["units"] = list(_cells([entry.place for entry in entries["buildings"]]))
    layers = {name: Layer(found) for name, found in entries.items()}
    return Stock(layers, gather_rows(layers["buildings"].places, facts), cells=cells, tops=known, version=version)


def _cells(footprints: Sequence[shapely.Geometry]) -> Iterator[Entry]:
    """Yield the cells of a fixed grid that hold a building, so that an edit elsewhere does not move them."""
    if not footprints:
        return
    points = shapely.get_coordinates(shapely.point_on_surface(np.array(footprints, dtype=object)))
    corners = np.unique(np.floor(points / CELL_M).astype(np.int64), axis=0)
    area = round(CELL_M * CELL_M * 1e4)
    for x, y in corners.tolist():
        place = shapely.box(x * CELL_M, y * CELL_M, (x + 1) * CELL_M, (y + 1) * CELL_M)
        yield Entry(f"cell/{x}/{y}", place, Unit(area))


def empty_tally() -> Tally:
    """Return a tally of nothing."""
    return np.zeros(len(COLUMNS), dtype=np.int64)
