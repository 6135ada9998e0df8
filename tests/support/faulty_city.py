"""A small delivery with faults that are known beforehand: two cubes side by side in Rotterdam."""

from __future__ import annotations

import json
from pathlib import Path

ORIGIN = (90_000.0, 430_000.0)


def write_cubes(path: Path, origin: tuple[float, float] = ORIGIN) -> Path:
    """Write two cubes as CityJSON in EPSG:28992, the second without a floor and built in the year 2090."""
    vertices, objects = [], {}
    for number, name in enumerate(("whole", "open")):
        base = len(vertices)
        vertices += [
            [number * 30_000 + x * 10_000, y * 10_000, z * 10_000] for z in (0, 1) for y in (0, 1) for x in (0, 1)
        ]
        faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6)]
        shell = [[[base + corner for corner in face]] for face in faces[number:]]
        objects[name] = {
            "type": "Building",
            "attributes": {"yearOfConstruction": 1900 + 190 * number, "measuredHeight": 10.0},
            "geometry": [{"type": "Solid", "lod": "2", "boundaries": [shell]}],
        }
    path.write_text(
        json.dumps(
            {
                "type": "CityJSON",
                "version": "2.0",
                "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/28992"},
                "transform": {"scale": [0.001] * 3, "translate": [*origin, 0.0]},
                "CityObjects": objects,
                "vertices": vertices,
            }
        )
    )
    return path
