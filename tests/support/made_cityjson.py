"""CityJSON made by tests and benchmarks: blocks with semantic surfaces, and a real place many times over."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import orjson

HEAD: dict[str, Any] = {
    "type": "CityJSON",
    "version": "2.0",
    "transform": {"scale": [0.001, 0.001, 0.001], "translate": [90000.0, 435000.0, 0.0]},
    "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/7415"},
}
WALLS = 8


def block(number: int, first_vertex: int) -> tuple[dict[str, Any], list[list[int]]]:
    """Return a Building with a Solid of eight walls, and its vertices in millimetres."""
    chance = random.Random(number)
    x, y = (number % 300) * 30_000, (number // 300) * 30_000
    outline = [(0, 0), (12, 0), (12, 4), (16, 4), (16, 12), (10, 12), (10, 9), (0, 9)]
    ground, top = chance.randrange(0, 3000), chance.randrange(6000, 40000)
    low = [[x + 1000 * a, y + 1000 * b, ground] for a, b in outline]
    high = [[vx, vy, top] for vx, vy, _ in low]
    base, roof = list(range(first_vertex, first_vertex + WALLS)), list(range(first_vertex + WALLS, first_vertex + 16))
    walls = [[[base[i], base[(i + 1) % WALLS], roof[(i + 1) % WALLS], roof[i]]] for i in range(WALLS)]
    geometry = {
        "type": "Solid",
        "lod": "1.2",
        "boundaries": [[[base[::-1]], [roof], *walls]],
        "semantics": {
            "surfaces": [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}],
            "values": [[0, 1] + [2] * WALLS],
        },
    }
    attributes = {
        "yearOfConstruction": 1900 + number % 120,
        "storeysAboveGround": 1 + number % 12,
        "function": "residential",
        "identificatie": f"NL.IMBAG.Pand.{number:016d}",
        "status": "Pand in gebruik",
    }
    return {"type": "Building", "attributes": attributes, "geometry": [geometry]}, low + high


def write_stream(path: Path, buildings: int) -> None:
    """Write a CityJSONSeq of so many buildings."""
    with path.open("wb") as out:
        out.write(orjson.dumps({**HEAD, "CityObjects": {}, "vertices": []}) + b"\n")
        for number in range(buildings):
            body, vertices = block(number, 0)
            name = f"b{number}"
            feature = {"type": "CityJSONFeature", "id": name, "CityObjects": {name: body}, "vertices": vertices}
            out.write(orjson.dumps(feature) + b"\n")


def write_document(path: Path, buildings: int) -> None:
    """Write the same buildings as one document."""
    objects: dict[str, Any] = {}
    vertices: list[list[int]] = []
    for number in range(buildings):
        objects[f"b{number}"], own = block(number, len(vertices))
        vertices.extend(own)
    path.write_bytes(orjson.dumps({**HEAD, "CityObjects": objects, "vertices": vertices}))


def write_copies(place: Path, path: Path, copies: int) -> int:
    """Write a CityJSONSeq that holds the features of another so many times, side by side; return how many objects.

    Each copy stands east of the one before and has ids of its own; extents are left out of the header.
    """
    head, *features = [orjson.loads(line) for line in place.read_bytes().splitlines()]
    head.get("metadata", {}).pop("geographicalExtent", None)
    east = [vertex[0] for feature in features for vertex in feature["vertices"]]
    wide = max(east) - min(east) + 1
    objects = 0
    with path.open("wb") as out:
        out.write(orjson.dumps(head) + b"\n")
        for copy in range(copies):
            for feature in features:
                shifted = _copied(feature, copy, wide)
                objects += len(shifted["CityObjects"])
                out.write(orjson.dumps(shifted) + b"\n")
    return objects


def _copied(feature: dict[str, Any], copy: int, wide: int) -> dict[str, Any]:
    """Return a feature moved east by so many times its place's width, under other ids."""

    def renamed(body: dict[str, Any]) -> dict[str, Any]:
        related = {name: [f"{one}-{copy}" for one in body[name]] for name in ("parents", "children") if name in body}
        return {**body, **related}

    return {
        **feature,
        **({"id": f"{feature['id']}-{copy}"} if "id" in feature else {}),
        "CityObjects": {f"{name}-{copy}": renamed(body) for name, body in feature["CityObjects"].items()},
        "vertices": [[x + copy * wide, y, z] for x, y, z in feature["vertices"]],
    }
