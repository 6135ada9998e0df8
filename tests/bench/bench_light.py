"""Hours of sun, side by side with exhaustive rays: ``python -m tests.bench.bench_light [--generated N]``.

Both sides answer for the same places and the same sun: a ray for each pair of a place that faces the sun and the
sun, cast by Embree through trimesh over all faces, and ours.  Ratios are of processor time on one thread, the
best of several turns, one after the other.  Edits are timed by the clock, as a planner waits: the first answer
(every fourth place of the sun) and the complete one, on a base of which nothing is known yet and on one
that is known around the edit.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import shapely

from cim.city.columns import GEOMETRY_SCHEMA
from cim.city.model import Attribute, CityObject
from cim.geometry.crs import WorkingFrame
from cim.impact.light.compare import BaseLight, columns_with, refine_light
from cim.impact.light.rays import grid_of, trace
from cim.impact.light.receivers import Roofs, receivers_of
from cim.impact.light.scene import scene_of_objects, scene_of_tables
from cim.impact.light.service import base_light
from cim.impact.light.standards import light_standards
from cim.impact.light.walls import join_faces
from tests.bench.bench_tiles import generated, rotterdam
from tests.support.ray_oracle import Exhaustive, prism, surface

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "data"
TURNS = 3
EDITS = 40
FULL_EDITS = 5
FLOOR_M = 3.0


def helsinki() -> list[CityObject]:
    """The real part of the sample city."""
    from ingest.readers.osm import OsmReader
    from ingest.records import ReadContext
    from ingest.sample.city import WORKING_CRS, extract_path

    context = ReadContext(dataset="helsinki", working_crs=WORKING_CRS)
    records = OsmReader().read(extract_path(), context)
    return [record for record in records if isinstance(record, CityObject)]


def rotterdam_triangles() -> np.ndarray:
    """All faces of the CityJSON file, straight from it."""
    document = json.loads((REFERENCE / "rotterdam" / "3-20-DELFSHAVEN.city.json").read_text())
    scale, move = (np.array(document["transform"][name]) for name in ("scale", "translate"))
    vertices = np.array(document["vertices"]) * scale + move
    geometries = [g for member in document["CityObjects"].values() for g in member["geometry"]]
    return np.concatenate([surface([vertices[ring] for ring in s]) for g in geometries for s in g["boundaries"]])


def prism_triangles(base: BaseLight) -> np.ndarray:
    """The blocks of a flat city, by trimesh."""
    faces = base.scene.faces
    floors = np.full(len(base.scene), np.inf)
    np.minimum.at(floors, faces.wall_owner, np.minimum(faces.walls[:, 2], faces.walls[:, 6]))
    bodies = zip(faces.lids.tolist(), faces.planes[:, 2].tolist(), floors[faces.lid_owner].tolist(), strict=True)
    return np.concatenate([prism(lid, floor, top) for lid, top, floor in bodies])


def whole(name: str, base: BaseLight, triangles: np.ndarray) -> None:
    """Every place of the city under every place of the sun, by both."""
    grid, empty, roofs = base.solids()
    receivers = receivers_of(base.scene, np.arange(len(base.scene)))
    is_open = ~roofs.covers(receivers, base.hidden_none)
    asked = np.repeat(columns_with(receivers, is_open)[:, None], len(base.table), axis=1)
    column = receivers.column_of
    places = np.column_stack((receivers.xyn[column, :2], receivers.z))[is_open]
    normals = receivers.xyn[column, 2:][is_open]
    oracle = Exhaustive(triangles, base.pivot)
    ours = theirs = np.inf
    for _ in range(TURNS):
        lit = np.zeros((len(receivers.z), len(base.table)), dtype=np.uint8)
        begun = time.process_time()
        trace(receivers, base.table, (grid, empty), base.hidden_none, asked, pivot=base.pivot, lit=lit, threads=1)
        ours = min(ours, time.process_time() - begun)
        begun = time.process_time()
        exhaustive = oracle.lit(places, normals, base.sun.directions)
        theirs = min(theirs, time.process_time() - begun)
    facing = (normals @ base.sun.directions[:, :2].T > 0) | (normals == 0).all(axis=1)[:, None]
    agreed = exhaustive == (lit[is_open] > 0)
    rays = int(facing.sum())
    print(
        f"{name:<12}{len(places):>9,}{len(base.table):>6}{rays / 1e6:>9.2f}{rays / ours / 1e6:>11.1f}"
        f"{rays / theirs / 1e6:>11.2f}{theirs / ours:>8.1f}x{agreed[facing].mean():>12.3%}{agreed.mean():>11.3%}"
    )


def block(base: BaseLight, random: np.random.Generator, number: int, height_m: float) -> dict[str, CityObject | None]:
    """A new building of 22 by 16 m beside one of the city."""
    known = base.scene.box[np.isfinite(base.scene.box).all(axis=1)]
    x, y = known[int(random.integers(len(known))), 3:5]
    facts = {
        "height_m": Attribute(height_m, "m"), "function": Attribute("residential"),
        "storeys_above_ground": Attribute(round(height_m / FLOOR_M)),
    }  # fmt: skip
    identifier = f"bench:b/{number}"
    return {identifier: CityObject(identifier, "Building", place=shapely.box(x, y, x + 22, y + 16), attributes=facts)}


def edits(name: str, base: BaseLight, kind: str, height_m: float) -> None:
    """Edits after one another, each at a place of its own: cold, then the same place again a storey higher."""
    spans: dict[str, list[float]] = {"cold first": [], "cold": [], "warm first": [], "warm": []}
    looked = []
    for number in range(EDITS):
        fresh = BaseLight(base.scene, base.sun, threads=base.threads)
        # Grid and roofs are made once a baseline; what an edit finds cold are the places around it.
        fresh._made = base.solids()
        for state, height in (("cold", height_m), ("warm", height_m + FLOOR_M)):
            overlay = block(base, np.random.default_rng(number), number, height)
            begun = time.perf_counter()
            steps = refine_light(fresh, overlay)
            next(steps)
            spans[f"{state} first"].append(time.perf_counter() - begun)
            *_, last = steps
            spans[state].append(time.perf_counter() - begun)
        looked.append(len(last.objects))
    columns = [f"{np.percentile(span, 50) * 1e3:>9.0f}{np.percentile(span, 95) * 1e3:>6.0f}" for span in spans.values()]
    print(f"{name:<12}{kind:<10}{int(np.median(looked)):>8}{''.join(columns)}")


def against_anew(count: int) -> None:
    """Five edits of a generated city: worked out where they reach, and the whole city anew."""
    objects, _, _ = generated(count)
    begun = time.perf_counter()
    scene = scene_of_tables(objects, GEOMETRY_SCHEMA.empty_table())
    laid_s = time.perf_counter() - begun
    standard = light_standards().get("sample-equinox")
    base = base_light(scene, WorkingFrame("EPSG:3879"), standard, step_min=30.0)
    begun = time.perf_counter()
    base.solids()
    grid_s = time.perf_counter() - begun
    print(f"generated {count:,} buildings: read {laid_s:.1f} s, grid and roofs {grid_s:.1f} s, {len(base.table)} suns")
    print(f"{'edit':<12}{'looked at':>10}{'s':>9}{'anew s':>9}{'places':>12}{'differ':>8}")
    before, receivers, is_open = lit_anew(base)
    for number in range(FULL_EDITS):
        overlay = block(base, np.random.default_rng(number), number, 60.0)
        begun = time.perf_counter()
        *_, found = refine_light(base, overlay)
        quick_s = time.perf_counter() - begun
        begun = time.perf_counter()
        differ, places = differences(base, overlay, found, (before, receivers, is_open))
        anew_s = time.perf_counter() - begun
        print(f"tower {number:<6}{len(found.objects):>10}{quick_s:>9.2f}{anew_s:>9.1f}{places:>12,}{differ:>8}")


def lit_anew(base: BaseLight):
    """Every pair of a city."""
    grid, empty, roofs = base.solids()
    receivers = receivers_of(base.scene, np.arange(len(base.scene)))
    is_open = ~roofs.covers(receivers, base.hidden_none)
    asked = np.repeat(columns_with(receivers, is_open)[:, None], len(base.table), axis=1)
    lit = np.zeros((len(receivers.z), len(base.table)), dtype=np.uint8)
    trace(receivers, base.table, (grid, empty), base.hidden_none, asked, pivot=base.pivot, lit=lit, threads=2)
    lit[~is_open] = 0
    return lit.sum(axis=1), receivers, is_open


def differences(base, overlay, found, known) -> tuple[int, int]:
    """Return at how many places the quick answer differs from the whole city worked out anew, and of how many."""
    before, receivers, is_open = known
    added = scene_of_objects(list(overlay.values()))
    faces = join_faces([base.scene.faces, added.faces])
    full = BaseLight(base.scene, base.sun)
    grid = grid_of(faces, base.pivot, 0)
    full._made = (grid._replace(owner=np.zeros_like(grid.owner)), *base.solids()[1:])
    after, _, _ = lit_anew(full)
    row = base.scene.row_of
    expected = before.astype(np.int64)
    owners = receivers.owner[receivers.column_of]
    for light in found.objects:
        if light.after is None or light.id not in row or light.changed:
            continue
        own = np.flatnonzero((owners == row[light.id]) & is_open)
        expected[own] = np.round(light.after.hours / found.step_h).astype(np.int64)
    under = Roofs(added.faces).covers(receivers, np.zeros(len(added) + 1, dtype=np.uint8))
    after = np.where(under, 0, after)
    return int((expected != after)[is_open].sum()), int(is_open.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generated", type=int, default=100_000, help="buildings of the made city, 0 for none")
    wanted = parser.parse_args()
    standard = light_standards().get("sample-equinox")
    cities = {"Helsinki": base_light(scene_of_objects(helsinki()), WorkingFrame("EPSG:3879"), standard)}
    triangles = {"Helsinki": prism_triangles(cities["Helsinki"])}
    if (REFERENCE / "rotterdam").is_dir():
        objects, geometries, _ = rotterdam()
        scene = scene_of_tables(objects, geometries, flat=False)
        cities["Rotterdam"] = base_light(scene, WorkingFrame("EPSG:28992"), standard)
        triangles["Rotterdam"] = rotterdam_triangles()
    print("The whole city: pairs of places that face the sun, and the sun (million, and million a second)")
    print(
        f"{'city':<12}{'places':>9}{'suns':>6}{'M pairs':>9}{'ours M/s':>11}{'Embree M/s':>11}{'ratio':>9}"
        f"{'agree':>12}{'with away':>11}"
    )
    for name, base in cities.items():
        whole(name, base, triangles[name])
    print()
    print("Edits: milliseconds by the clock, p50 and p95 of 40; first = every fourth place of the sun")
    print(f"{'city':<12}{'edit':<10}{'objects':>8}{'cold first':>15}{'cold':>15}{'warm first':>15}{'warm':>15}")
    for name, base in cities.items():
        edits(name, base, "18 m", 18.0)
        edits(name, base, "60 m", 60.0)
    if wanted.generated:
        print()
        against_anew(wanted.generated)


if __name__ == "__main__":
    main()
