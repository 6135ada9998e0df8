"""Generated parcels and districts: the real blocks between the real streets, split round buildings.

A block is land that no street lies on.  Inside a block every building gets the ground that is nearer
to it than to any other building (Voronoi); a block without a building stays whole.  Districts are
groups of neighbouring blocks.  Real cadastral borders look otherwise: all of it is labelled generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from cim.city.model import Attribute, AttributeValue, CityObject
from cim.findings import Quality
from cim.ids import object_id
from cim.networks.model import Network
from ingest.sample.sensors import spread
from ingest.sample.stock import FOOTPRINT_M2_MIN, storeys_of

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

BLOCK_M2_MIN: Final = 150.0
PARCEL_M2_MIN: Final = 20.0
SAMPLE_M: Final = 4.0
"""Distance between the points on a footprint that stand for it in the Voronoi diagram, metres."""

INSET_M: Final = 0.5
"""Footprints are drawn in by this, so that neighbours with a common wall do not share points."""

VERGE_M: Final = 2.0
"""Pavement on each side of the carriageway, metres."""

STREET_WIDTH_M: Final = 7.5
DISTRICTS: Final = 8
NAMES: Final = (
    ("Gull Quarter", "海鸥片区"),
    ("Linden Quarter", "椴树片区"),
    ("Granite Quarter", "花岗岩片区"),
    ("Lantern Quarter", "灯塔片区"),
    ("Birch Quarter", "白桦片区"),
    ("Anchor Quarter", "船锚片区"),
    ("Amber Quarter", "琥珀片区"),
    ("Meadow Quarter", "草甸片区"),
)
METHOD: Final = "ground nearest to the building within its street block"
LAND_USE: Final = {
    "apartments": "residential",
    "residential": "residential",
    "office": "office",
    "commercial": "office",
    "government": "office",
    "retail": "commercial",
    "hotel": "commercial",
    "kiosk": "commercial",
    "church": "public",
    "cathedral": "public",
    "museum": "public",
    "public": "public",
    "school": "public",
    "university": "public",
    "train_station": "transport",
}


@dataclass(frozen=True, slots=True)
class Lots:
    """Parcels by row: polygon, block, and the rows of the buildings on it."""

    polygons: tuple[shapely.Polygon, ...]
    block: IndexArray
    buildings: tuple[tuple[int, ...], ...]
    blocks: tuple[shapely.Polygon, ...]


def build_parcels(streets: Network, objects: Sequence[CityObject], seed: int, dataset: str) -> list[CityObject]:
    """Return districts and parcels as city objects, deterministic from the base and the seed."""
    buildings = [
        item
        for item in sorted(objects, key=lambda one: one.id)
        if item.type == "Building" and item.place is not None and item.place.area >= FOOTPRINT_M2_MIN
    ]
    land = land_of(streets, objects)
    lots = split_blocks(blocks_of(streets, land), [item.place for item in buildings])
    district, places = _districts(lots, land)
    order = np.random.default_rng(seed).permutation(len(NAMES))
    made = [_district(dataset, i, place, NAMES[order[i % len(NAMES)]]) for i, place in enumerate(places)]
    seen: dict[int, int] = {}
    for row, polygon in enumerate(lots.polygons):
        block = int(lots.block[row])
        seen[block] = seen.get(block, 0) + 1
        number = f"{district[block] + 1}-{block + 1}-{seen[block]}"
        made.append(
            _parcel(dataset, number, polygon, [buildings[i] for i in lots.buildings[row]], made[district[block]])
        )
    return made


def land_of(streets: Network, objects: Iterable[CityObject]) -> shapely.Geometry:
    """Return the dry ground: what the base calls land without its water, else round the streets."""
    land, water = [], []
    for item in objects:
        if item.place is None or item.place.geom_type not in {"Polygon", "MultiPolygon"}:
            continue
        kind = item.attributes.get("ground_kind")
        if kind is not None and kind.value == "land":
            land.append(item.place)
        elif item.type == "WaterBody":
            water.append(item.place)
    if not land:
        land = [shapely.MultiLineString([link.line for link in streets.links]).convex_hull.buffer(STREET_WIDTH_M)]
    return shapely.difference(shapely.union_all(land), shapely.union_all(water) if water else shapely.Polygon())


def blocks_of(streets: Network, land: shapely.Geometry) -> list[shapely.Polygon]:
    """Return the parts of the land between the streets, from north to south."""
    roads = []
    for link in streets.links:
        if link.attributes.get("highway") != "service":
            width = link.attributes.get("width_m")
            half = (float(width) if isinstance(width, int | float) else STREET_WIDTH_M) / 2.0 + VERGE_M
            roads.append(shapely.LineString(link.line).buffer(half, quad_segs=2, cap_style="flat"))
    rest = shapely.difference(land, shapely.union_all(roads))
    parts = [part for part in shapely.get_parts(rest) if part.geom_type == "Polygon" and part.area >= BLOCK_M2_MIN]
    return sorted((shapely.make_valid(part) for part in parts), key=lambda part: (-part.centroid.y, part.centroid.x))


def split_blocks(blocks: Sequence[shapely.Polygon], footprints: Sequence[shapely.Geometry]) -> Lots:
    """Give each footprint the ground nearest to it within the block that holds it."""
    tree = shapely.STRtree(list(blocks))
    inside: dict[int, list[int]] = {}
    for row, footprint in enumerate(footprints):
        found = tree.query(shapely.point_on_surface(footprint), predicate="intersects")
        if len(found):
            inside.setdefault(int(found.min()), []).append(row)
    polygons: list[shapely.Polygon] = []
    block_of: list[int] = []
    holds: list[tuple[int, ...]] = []
    for block, ground in enumerate(blocks):
        rows = inside.get(block, [])
        shares = _voronoi(ground, [footprints[row] for row in rows]) if len(rows) > 1 else [ground]
        for i, share in enumerate(shares):
            parts = [part for part in shapely.get_parts(share) if part.geom_type == "Polygon"]
            largest = max(range(len(parts)), key=lambda k: parts[k].area, default=-1)
            for k, part in enumerate(parts):
                if k != largest and part.area < PARCEL_M2_MIN:
                    continue
                polygons.append(part)
                block_of.append(block)
                holds.append((rows[i],) if rows and k == largest else ())
    return Lots(tuple(polygons), np.array(block_of, dtype=np.int64), tuple(holds), tuple(blocks))


def _voronoi(ground: shapely.Polygon, footprints: Sequence[shapely.Geometry]) -> list[shapely.Geometry]:
    """Split the ground into what is nearest to each footprint; together they are the ground."""
    outlines, owners = [], []
    for row, footprint in enumerate(footprints):
        smaller = footprint.buffer(-INSET_M)
        outline = shapely.segmentize((footprint if smaller.is_empty else smaller).boundary, SAMPLE_M)
        points = np.unique(shapely.get_coordinates(outline).round(2), axis=0)
        outlines.append(points)
        owners.append(np.full(len(points), row))
    points, owner = np.concatenate(outlines), np.concatenate(owners)
    points, first = np.unique(points, axis=0, return_index=True)
    owner = owner[first]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=ground))
    holder = shapely.STRtree(cells).query(shapely.points(points), predicate="intersects")
    cell_owner = np.full(len(cells), -1)
    cell_owner[holder[1]] = owner[holder[0]]
    return [shapely.intersection(shapely.union_all(cells[cell_owner == row]), ground) for row in range(len(footprints))]


def _districts(lots: Lots, land: shapely.Geometry) -> tuple[IndexArray, list[shapely.Geometry]]:
    """Group blocks round a few that lie far from each other; return the group of each block, and places."""
    centres = np.array([(block.centroid.x, block.centroid.y) for block in lots.blocks]).reshape(-1, 2)
    if len(centres) == 0:
        return np.empty(0, dtype=np.int64), []
    seeds = centres[spread(centres, min(DISTRICTS, len(centres)))]
    if len(seeds) == 1:
        return np.zeros(len(centres), dtype=np.int64), [land]
    group = np.hypot(*(centres[:, None, :] - seeds[None, :, :]).transpose(2, 0, 1)).argmin(axis=1)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=land))
    order = shapely.STRtree(cells).query(shapely.points(seeds), predicate="intersects")[1]
    return np.asarray(group, dtype=np.int64), [shapely.intersection(cells[i], land) for i in order.tolist()]


def _made_up(value: AttributeValue, unit: str | None = None, method: str | None = None) -> Attribute:
    return Attribute(value, unit, Quality.GENERATED, method=method)


def _district(dataset: str, row: int, place: shapely.Geometry, names: tuple[str, str]) -> CityObject:
    facts = {
        "name": _made_up(names[0]),
        "name_en": _made_up(names[0]),
        "name_zh": _made_up(names[1]),
        "area_m2": _made_up(round(float(place.area), 1), "m2"),
    }
    return CityObject(object_id(dataset, f"district/{row + 1}"), "+District", place, (), facts)


def _parcel(
    dataset: str, number: str, place: shapely.Polygon, buildings: Sequence[CityObject], district: CityObject
) -> CityObject:
    area = float(place.area)
    covered = sum(float(item.place.area) for item in buildings if item.place is not None)
    floor = sum(float(item.place.area) * storeys_of(item) for item in buildings if item.place is not None)
    facts = {
        "name": _made_up(f"Parcel {number}"),
        "name_zh": _made_up(f"地块 {number}"),
        "parcel_number": _made_up(number),
        "district": _made_up(district.id),
        "area_m2": _made_up(round(area, 1), "m2", METHOD),
        "land_use": _made_up(_land_use(buildings)),
        "floor_area_ratio": _made_up(round(floor / area, 3), "1"),
        "building_density": _made_up(round(min(1.0, covered / area), 3), "1"),
    }
    return CityObject(object_id(dataset, f"parcel/{number}"), "+Parcel", place, (), facts)


def _land_use(buildings: Sequence[CityObject]) -> str:
    if not buildings:
        return "open"
    function = buildings[0].attributes.get("function")
    return LAND_USE.get(str(function.value).lower(), "mixed") if function is not None else "mixed"
