"""Buildings checked a second: their surfaces alone, and everything up to solids; beside trimesh, in one run.

``python -m tests.bench.bench_quality [--buildings N] [--rounds N]``.  Processor time of one core, since other work
must not count; imports and the making of the city do not count either; the contenders take turns, and the median of
the rounds is told.  trimesh is asked three things of each solid, whether it is closed, faces one way and holds
something, of triangles that are made beforehand; our side cuts and judges all that docs/quality.md lists.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cim.city.rows import GeometryRows, ObjectRows, geometry_rows
from cim.geometry.surfaces import Geometry
from cim.quality.codes import Tolerances
from cim.quality.geometry import check_surfaces, examine
from cim.quality.layout import surfaces_of
from cim.quality.planes import planes_of
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.made_solids import cube, geometry_of
from tests.support.solid_mesh import mesh_of

ROTTERDAM = Path(__file__).resolve().parents[3] / "shared" / "data" / "rotterdam" / "3-20-DELFSHAVEN.city.json"
BUILDINGS = 2_000
ROUNDS = 5
TOLERANCES = Tolerances()


def stepped() -> Geometry:
    """A block round a corner with roofs at two heights: neither convex nor a prism, so that nothing is spared."""
    walls = [
        [[0, 0, 0], [5, 0, 0], [5, 0, 3], [5, 0, 6], [0, 0, 6]],
        [[5, 0, 0], [10, 0, 0], [10, 0, 3], [5, 0, 3]],
        [[10, 0, 0], [10, 5, 0], [10, 5, 3], [10, 0, 3]],
        [[10, 5, 0], [5, 5, 0], [5, 5, 3], [10, 5, 3]],
        [[5, 0, 3], [5, 5, 3], [5, 5, 6], [5, 0, 6]],
        [[5, 5, 0], [5, 10, 0], [5, 10, 6], [5, 5, 6], [5, 5, 3]],
        [[5, 10, 0], [0, 10, 0], [0, 10, 6], [5, 10, 6]],
        [[0, 10, 0], [0, 0, 0], [0, 0, 6], [0, 10, 6]],
    ]
    floor = [[0, 0, 0], [0, 10, 0], [5, 10, 0], [5, 5, 0], [10, 5, 0], [10, 0, 0], [5, 0, 0]]
    roofs = [[[5, 0, 3], [10, 0, 3], [10, 5, 3], [5, 5, 3]], [[0, 0, 6], [5, 0, 6], [5, 5, 6], [5, 10, 6], [0, 10, 6]]]
    return geometry_of("Solid", [[ring] for ring in (floor, *roofs, *walls)])  # type: ignore[list-item]


def city_of(geometry: Geometry, count: int) -> list[Geometry]:
    """The same building many times, 20 m apart."""
    return [
        replace(geometry, coordinates=geometry.coordinates + np.array([20.0 * (n % 100), 20.0 * (n // 100), 0.0]))
        for n in range(count)
    ]


def rows_of(geometries: list[Geometry]) -> GeometryRows:
    """Geometries of one object each."""
    structures = [f'{{"shells":[{geometry.surface_count}]}}' for geometry in geometries]
    return geometry_rows(geometries, range(len(geometries)), structures)


def surfaces_alone(rows: GeometryRows) -> None:
    """The checks of points, rings, holes and planes."""
    surfaces = surfaces_of(rows)
    check_surfaces(surfaces, planes_of(surfaces), TOLERANCES)


def taken_s(work: Callable[[], object]) -> float:
    """Seconds of processor time that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def tell(name: str, rows: GeometryRows, rounds: int, geometries: list[Geometry] | None = None) -> None:
    """Measure one city and print its line."""
    ours, all_, theirs = [], [], []
    for _ in range(rounds):
        ours.append(taken_s(lambda: surfaces_alone(rows)))
        all_.append(taken_s(lambda: examine(rows, TOLERANCES)))
        if geometries is not None:
            meshes = [mesh_of(geometry) for geometry in geometries]
            theirs.append(
                taken_s(lambda m=meshes: [(o.is_watertight, o.is_winding_consistent, o.volume) for o in m])
                / len(meshes)
                * len(rows)
            )
    rate, whole = (len(rows) / statistics.median(times) for times in (ours, all_))
    line = f"{name}: surfaces {rate:,.0f} buildings/s, everything {whole:,.0f} buildings/s"
    if theirs:
        other = len(rows) / statistics.median(theirs)
        line += f"; trimesh, three questions, {other:,.0f} buildings/s: ours {whole / other:.1f} ×"
    print(line)


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=BUILDINGS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    wanted = parser.parse_args()
    if ROTTERDAM.is_file():
        found = [r for r in reader_for(ROTTERDAM).read(ROTTERDAM, ReadContext("bench")) if isinstance(r, ObjectRows)]
        tell("Rotterdam, LoD2 surfaces (aim ≥ 5,000)", found[0].geometries, wanted.rounds)
    for name, geometry in (("boxes, LoD1 solids", geometry_of("Solid", cube())), ("stepped, LoD2 solids", stepped())):
        city = city_of(geometry, wanted.buildings)
        tell(name, rows_of(city), wanted.rounds, city[: max(1, wanted.buildings // 20)])


if __name__ == "__main__":
    main()
