"""A small city high above the sea: low houses and trees on a slope in Utrecht's coordinate system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ORIGIN = (136_000.0, 456_000.0)
SIDE = 8
APART_M, HOUSE_M, HIGH_M = 30.0, 10.0, 3.0
TREE_EAST_M = 14.0
"""A tree stands this far east of the south-western corner of its house."""


def level_m(x: float, y: float) -> float:
    """Height of the ground, metres, so far from the origin."""
    return 480.0 + 0.15 * x + 0.05 * y


def write_hillside(path: Path) -> Path:
    """Write houses ``h0``, ``h1``, … and trees ``t0``, ``t1``, … as CityJSON in EPSG:28992, heights in metres."""
    vertices: list[list[int]] = []
    objects: dict[str, Any] = {}

    def vertex(x: float, y: float, z: float) -> int:
        vertices.append([round(1000 * value) for value in (x, y, z)])
        return len(vertices) - 1

    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6)]
    for number in range(SIDE**2):
        x, y = (number % SIDE) * APART_M, (number // SIDE) * APART_M
        foot = level_m(x + HOUSE_M / 2, y + HOUSE_M / 2)
        corners = [
            vertex(x + i * HOUSE_M, y + j * HOUSE_M, foot + k * HIGH_M) for k in (0, 1) for j in (0, 1) for i in (0, 1)
        ]
        shell = [[[corners[corner] for corner in face]] for face in faces]
        objects[f"h{number}"] = {
            "type": "Building",
            "attributes": {"measuredHeight": HIGH_M},
            "geometry": [{"type": "Solid", "lod": "1", "boundaries": [shell]}],
        }
        east, north = x + TREE_EAST_M, y + HOUSE_M / 2
        objects[f"t{number}"] = {
            "type": "SolitaryVegetationObject",
            "attributes": {"height": HIGH_M},
            "geometry": [{"type": "MultiPoint", "lod": "1", "boundaries": [vertex(east, north, level_m(east, north))]}],
        }
    document = {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/7415"},
        "transform": {"scale": [0.001] * 3, "translate": [*ORIGIN, 0.0]},
        "CityObjects": objects,
        "vertices": vertices,
    }
    path.write_text(json.dumps(document))
    return path
