"""Small cities for the tests of the tiles."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityObject
from cim.findings import Quality
from cim.geometry.surfaces import Geometry, multi_surface

CRS = "EPSG:3879"
EAST, NORTH = 25_496_000.0, 6_672_000.0


def at(x: float, y: float) -> tuple[float, float]:
    return EAST + x, NORTH + y


def rectangle(x: float, y: float, width: float, depth: float) -> shapely.Polygon:
    return shapely.box(*at(x, y), *at(x + width, y + depth))


def block(identifier: str, place: shapely.Geometry, height_m: float | None = 10.0, **facts: object) -> CityObject:
    attributes = {name: Attribute(value) for name, value in facts.items()}
    if height_m is not None:
        attributes["height_m"] = Attribute(height_m, "m", Quality.MODELLED, (height_m - 2, height_m + 2), "test")
    return CityObject(identifier, "Building", place=place, attributes=attributes)


def painted(
    identifier: str, type_: str, place: shapely.Geometry, kind: str, width_m: float | None = None
) -> CityObject:
    attributes = {"ground_kind": Attribute(kind)}
    if width_m is not None:
        attributes["width_m"] = Attribute(width_m, "m")
    return CityObject(identifier, type_, place=place, attributes=attributes)


def tables(objects: list[CityObject]) -> tuple[pa.Table, pa.Table]:
    rows, geometries = objects_to_columns(objects)
    return pa.Table.from_batches([rows]), pa.Table.from_batches([geometries])


def box_surfaces(x: float, y: float, z: float, size: float, height: float, lod: str = "2") -> Geometry:
    """A cube's six faces, counter-clockwise seen from outside."""
    a, b, c, d = ((*at(x, y), z), (*at(x + size, y), z), (*at(x + size, y + size), z), (*at(x, y + size), z))
    e, f, g, h = ((p[0], p[1], z + height) for p in (a, b, c, d))
    faces = [[a, d, c, b], [e, f, g, h], [a, b, f, e], [b, c, g, f], [c, d, h, g], [d, a, e, h]]
    return multi_surface(lod, [[np.array(face)] for face in faces])


def grid_city(count: int, seed: int = 7) -> list[CityObject]:
    """Blocks on a street grid; ids are odd on purpose: Chinese, spaces, slashes."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    made = []
    for index in range(count):
        x, y = (index % side) * 30.0, (index // side) * 30.0
        width, depth, height = random.uniform(8, 22, 3)
        made.append(
            block(
                f"test:楼/{index} α",
                rectangle(x, y, round(width, 2), round(depth, 2)),
                round(float(height), 2),
                name=f"第{index}栋" if index % 3 == 0 else None,
                function="office" if index % 2 else "residential",
                year_of_construction=1900 + index % 120,
                storeys_above_ground=int(height // 3),
            )
        )
    return made
