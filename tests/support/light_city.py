"""Small cities for the tests of light, and their solids as triangles for the oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from cim.city.model import Attribute, CityObject
from cim.geometry.crs import WorkingFrame
from cim.geometry.surfaces import Geometry, multi_surface
from cim.impact.light.sun import SunPath, day_of_longitude, sun_path
from tests.support.ray_oracle import prism, surface

CRS = "EPSG:3879"
EAST, NORTH = 25_496_000.0, 6_672_000.0


def building(
    identifier: str, x: float, y: float, width: float, depth: float, height_m: float, turn_deg: float = 0.0
) -> CityObject:
    """A block of homes, metres about the middle of Helsinki."""
    place = shapely.affinity.rotate(
        shapely.box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + depth), turn_deg, origin="centroid"
    )
    facts = {"height_m": Attribute(height_m, "m"), "function": Attribute("residential"), "name": Attribute(identifier)}
    return CityObject(identifier, "Building", place=shapely.set_precision(place, 0.001), attributes=facts)


def gabled(
    identifier: str, x: float, y: float, width: float, depth: float, height_m: float, rise_m: float
) -> CityObject:
    """The same with surfaces of LoD 2: a ridge along x."""
    plain = building(identifier, x, y, width, depth, height_m)
    w, e, s, n, m = EAST + x, EAST + x + width, NORTH + y, NORTH + y + depth, NORTH + y + depth / 2
    top = height_m + rise_m
    faces = [
        [(w, s, 0), (w, n, 0), (e, n, 0), (e, s, 0)],
        [(w, s, 0), (e, s, 0), (e, s, height_m), (w, s, height_m)],
        [(e, n, 0), (w, n, 0), (w, n, height_m), (e, n, height_m)],
        [(e, s, 0), (e, n, 0), (e, n, height_m), (e, m, top), (e, s, height_m)],
        [(w, n, 0), (w, s, 0), (w, s, height_m), (w, m, top), (w, n, height_m)],
        [(w, s, height_m), (e, s, height_m), (e, m, top), (w, m, top)],
        [(e, n, height_m), (w, n, height_m), (w, m, top), (e, m, top)],
    ]
    shape: Geometry = multi_surface("2", [[np.array(face, dtype=np.float64)] for face in faces])
    return replace(plain, geometries=(shape,))


def park(identifier: str, x: float, y: float, width: float, depth: float) -> CityObject:
    place = shapely.box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + depth)
    return CityObject(identifier, "PlantCover", place=place, attributes={"function": Attribute("park")})


def random_city(count: int, seed: int, *, pitch_m: float = 34.0) -> list[CityObject]:
    """Turned blocks and gabled houses on a jittered grid, some of them touching, and a park."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    made = [park("t:park", 0.0, side * pitch_m + 5.0, 60.0, 40.0)]
    for index in range(count):
        x, y = (index % side) * pitch_m, (index // side) * pitch_m
        width, depth, height = (round(float(v), 2) for v in random.uniform((8, 8, 5), (26, 26, 40)))
        if index % 3 == 2:
            made.append(gabled(f"t:{index}", x, y, width, depth, height, 4.0))
        else:
            made.append(building(f"t:{index}", x, y, width, depth, height, float(random.uniform(0, 90))))
        if index % 7 == 3:
            # Wall to wall with the one before: a party wall that is no façade.
            made.append(building(f"t:{index}-annex", x - 9.0, y, 9.0, depth, height * 0.6))
    return made


def triangles(objects: list[CityObject]) -> np.ndarray:
    """All faces of all solids, (t, 3, 3), by other means than the ones under test."""
    found = []
    for one in objects:
        if one.type != "Building":
            continue
        if one.geometries:
            shape = one.geometries[0]
            rings = np.split(shape.coordinates, shape.ring_ends[:-1])
            starts = np.concatenate(([0], shape.surface_ends[:-1]))
            found += [surface(rings[a:b]) for a, b in zip(starts, shape.surface_ends, strict=True)]
        else:
            found.append(prism(one.place, -0.05, float(one.attributes["height_m"].value)))
    return np.concatenate(found)


def equinox(step_min: float = 20.0) -> SunPath:
    day = day_of_longitude(2026, 0.0, 25.0)
    frame = WorkingFrame(CRS)
    return sun_path(frame, (EAST, NORTH), day, (6.0, 18.0), elevation_deg_min=5.0, step_min=step_min)
