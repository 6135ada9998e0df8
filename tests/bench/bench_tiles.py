"""Store to tileset, side by side with py3dtiles' converter: ``python -m tests.bench.bench_tiles [--buildings N]``.

Both are given the same buildings in memory, imports and the start of processes excluded, nothing compressed inside
the timed part; compression is timed apart.  The converter has one thread; ours is timed in one process and in as many
as there are cores, all by the clock.  Every triangle of our leaves is held against the source: dequantised, it lies
on a surface of its building, and the areas agree surface by surface (``tests/support/tile_triangles.py``).  py3dtiles
gets ready-made 3D geometry (it cannot extrude) as WKB multipolygons with ids and is timed on fewer buildings, because
it is slow; ours gets the store's rows and builds ground, edges, skirts, levels of detail and property tables as well.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from py3dtiles.export import wkbs_to_tileset

from cim.city.columns import attributes_to_json, geometries_to_wkb
from cim.city.model import Attribute, CityObject
from cim.city.rows import geometry_rows
from cim.geometry.surfaces import multi_surface
from tests.support.tile_city import tables
from tests.support.tile_triangles import Surfaces, check_triangles, prism
from tiles.build import build_tileset
from tiles.crew import Crew
from tiles.extrude import extrude
from tiles.frame import TileFrame
from tiles.intake import read_city

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "data"
TURNS = 5
"""Each takes its turn this often, one after the other; the best of each counts, for other work only slows."""
THEIRS_MAX = 1_500
THEIRS_CORNERS_MAX = 90
"""The converter numbers a building's vertices in a byte and stops at larger ones."""


def object_rows(ids, places, heights) -> pa.Table:
    """The store's rows of blocks."""
    count = len(ids)
    bounds = shapely.bounds(places)
    attributes = [attributes_to_json({"height_m": Attribute(round(float(h), 2), "m")}) for h in heights]
    return pa.table(
        {
            "id": ids, "type": ["Building"] * count, "dataset": ["bench"] * count,
            "parent_id": pa.nulls(count, pa.string()), "attributes": attributes,
            "place": pa.array(shapely.to_wkb(places).tolist(), pa.binary()),
            "xmin": bounds[:, 0], "ymin": bounds[:, 1], "zmin": pa.nulls(count, pa.float64()),
            "xmax": bounds[:, 2], "ymax": bounds[:, 3], "zmax": pa.nulls(count, pa.float64()),
        }
    )  # fmt: skip


def generated(count: int):
    """Half rectangles, half L-shapes, turned, on a grid of 26 m."""
    random = np.random.default_rng(11)
    side = int(np.ceil(np.sqrt(count)))
    index = np.arange(count)
    middle = np.column_stack((index % side, index // side)) * 26.0 + (25_496_000.0, 6_672_000.0)
    w, d = random.uniform(8, 18, count), random.uniform(8, 18, count)
    a, b = w * random.uniform(0.3, 0.6, count), d * random.uniform(0.3, 0.6, count)
    zero = np.zeros(count)
    notch = np.stack((np.stack((zero, zero, w, w, a, a), 1), np.stack((zero, d, d, b, b, zero), 1)), 2)[:, ::-1]
    plain = np.stack((np.stack((zero, w, w, zero), 1), np.stack((zero, zero, d, d), 1)), 2)
    angle = random.uniform(0, np.pi / 2, count)
    turn = np.stack((np.stack((np.cos(angle), -np.sin(angle)), 1), np.stack((np.sin(angle), np.cos(angle)), 1)), 1)
    places = np.empty(count, dtype=object)
    for ring, rows in ((notch, index[1::2]), (plain, index[::2])):
        placed = np.einsum("nij,nkj->nki", turn[rows], ring[rows]) + middle[rows][:, None]
        places[rows] = shapely.polygons(np.round(placed, 3))
    heights = random.uniform(4, 40, count)
    return (
        object_rows([f"bench:{i:07d}" for i in index], places, heights),
        None,
        TileFrame("EPSG:3879", "flat", "bench"),
    )


def rotterdam():
    """853 LoD2 buildings."""
    document = json.loads((REFERENCE / "rotterdam" / "3-20-DELFSHAVEN.city.json").read_text())
    scale, move = (np.array(document["transform"][name]) for name in ("scale", "translate"))
    vertices = np.array(document["vertices"]) * scale + move
    objects = []
    for name, member in document["CityObjects"].items():
        shapes = tuple(
            multi_surface(str(g["lod"]), [[vertices[ring] for ring in surface] for surface in g["boundaries"]])
            for g in member["geometry"]
        )
        objects.append(CityObject(f"delfshaven:{name}", "Building", geometries=shapes))
    return *tables(objects), TileFrame("EPSG:28992", "interpolated", "Delfshaven")


def tokyo():
    """Footprints with heights from vector tiles, the largest ring of each id."""
    ids, places, heights = [], [], []
    side = 40_075_016.685578488 / 2**16
    with tarfile.open(REFERENCE / "tokyo" / "tokyo_central_z16_subset.tar.gz") as archive:
        for member in archive:
            if not member.name.endswith((".pbf", ".mvt")):
                continue
            x, y = (int(part.split(".")[0]) for part in member.name.split("/")[-2:])
            with tempfile.NamedTemporaryFile(suffix=".pbf") as file:
                file.write(archive.extractfile(member).read())
                file.flush()
                found = read_vector_tile(file.name)
            for identifier, place, height in found:
                ids.append(f"tokyo:{x}/{y}/{identifier}")
                places.append((place, x * side - 20_037_508.342789244, 20_037_508.342789244 - (y + 1) * side))
                heights.append(height)
    moved = np.array([shapely.affinity.translate(p, dx, dy) for p, dx, dy in places], dtype=object)
    metric = moved_to_utm(moved)
    return object_rows(ids, metric, np.array(heights)), None, TileFrame("EPSG:32654", "flat", "Tokyo")


def read_vector_tile(path):
    """Read polygons with GDAL's MVT driver, in metres from the tile's lower left corner."""
    import pyogrio

    meta, _, geometry, fields = pyogrio.raw.read(path, layer="bldg")
    height = fields[list(meta["fields"]).index("z")]
    shapes = shapely.from_wkb(geometry)
    side = 40_075_016.685578488 / 2**16
    shapes = shapely.transform(shapes, lambda c: np.column_stack((c[:, 0], c[:, 1])) * side / 4096)
    return [(i, s, float(h)) for i, (s, h) in enumerate(zip(shapes, height, strict=True)) if h and h > 0]


def moved_to_utm(shapes):
    import pyproj

    way = pyproj.Transformer.from_crs(3857, 32654, always_xy=True)
    return shapely.transform(shapes, lambda c: np.column_stack(way.transform(c[:, 0], c[:, 1])))


def solids(objects: pa.Table, geometries: pa.Table, most: int):
    """The same buildings as 3D multipolygons, for a converter that cannot extrude."""
    city = read_city(objects, geometries)
    if len(city.blocks.owner):
        chosen = np.arange(min(most, len(city.blocks.owner)))
        soup = extrude(city.blocks.select(chosen), np.zeros(len(city.features.ids)), np.zeros(len(chosen)))
    else:
        soup = city.bodies.select(np.flatnonzero(city.bodies.owner < most))
    # The converter takes surfaces without holes, closed rings, and needs small numbers.
    low = soup.coordinates.min(axis=0)
    shapes = {}
    ring_starts, first = soup.ring_starts, 0
    for surface, end in enumerate(soup.surface_ends.tolist()):
        ring = soup.coordinates[ring_starts[first] : soup.ring_ends[first]] - low
        shapes.setdefault(int(soup.owner[surface]), []).append([ring])
        first = end
    made = shapely.from_wkb(wkb_of([multi_surface("1", surfaces) for surfaces in shapes.values()]))
    wkbs = shapely.to_wkb(made, output_dimension=3, flavor="iso").tolist()
    corners = shapely.get_num_coordinates(made).tolist()
    fit = [i for i, count in enumerate(corners) if count < THEIRS_CORNERS_MAX]
    owners = [city.features.ids[row] for row in shapes]
    return [wkbs[i] for i in fit], [owners[i] for i in fit]


def wkb_of(geometries):
    rows = geometry_rows(geometries, range(len(geometries)), [None] * len(geometries))
    return geometries_to_wkb(rows).to_numpy(zero_copy_only=False)


def folder_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def rested(folder: Path) -> Path:
    """Make a folder once the disk has what was written before: nobody's turn pays for the turn of another.

    Nothing is deleted between turns for the same reason: where files were just deleted, ext4 makes new ones slowly.
    """
    os.sync()
    folder.mkdir()
    return folder


def run_ours(objects: pa.Table, geometries: pa.Table, frame: TileFrame, out: Path, crew: Crew) -> float:
    """Return buildings per second, until all is written; making it durable is no part of either."""
    steps: dict[str, float] = {}

    def note(step: str, _done: int, _total: int) -> None:
        steps.setdefault(step, time.perf_counter())

    report = build_tileset(objects, geometries, frame, out, note, compress=False, crew=crew)
    return report.buildings / (steps["sync"] - steps["read"])


def source_surfaces(objects: pa.Table, geometries: pa.Table) -> dict[str, Surfaces]:
    """Return the surfaces of every building, as the source has them: of blocks, walls and roof."""
    if geometries.num_rows:
        best = {}
        for name, lod, wkb in zip(*(geometries[n].to_pylist() for n in ("object_id", "lod", "surfaces")), strict=True):
            if name not in best or float(lod) > best[name][0]:
                best[name] = float(lod), wkb
        return {name: _rings(shapely.from_wkb(wkb)) for name, (_, wkb) in best.items()}
    places = shapely.from_wkb(objects["place"].to_numpy(zero_copy_only=False))
    heights = (json.loads(text)["height_m"]["v"] for text in objects["attributes"].to_pylist())
    return {n: prism(p, h) for n, p, h in zip(objects["id"].to_pylist(), places, heights, strict=True)}


def _rings(body: shapely.MultiPolygon) -> Surfaces:
    return [
        [shapely.get_coordinates(ring, include_z=True)[:-1] for ring in shapely.get_rings(part)] for part in body.geoms
    ]


def held_against_source(objects: pa.Table, geometries: pa.Table, frame: TileFrame, out: Path) -> str:
    """Hold every triangle of the leaves against the source; raise where one is elsewhere or an area is another."""
    sources = source_surfaces(objects, geometries)
    found = check_triangles(out, frame.crs, sources, footed=frame.ground != "flat")
    assert not found.faults, f"{len(found.faults)} faults: {found.faults[:5]}"
    return (
        f"{found.triangles:,} triangles lie on the {found.surfaces:,} surfaces of {len(found.objects):,} buildings, at "
        f"most {found.worst_m * 100:.1f} cm off; areas agree by surface, and by building to {found.worst_share:.2%}"
    )


def run_theirs(wkbs, ids, folder: Path):
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        wkbs_to_tileset(wkbs, ids, np.identity(4, dtype=np.float32).flatten(), folder)
    return len(ids) / (time.perf_counter() - begun)


def compare(name: str, objects: pa.Table, geometries: pa.Table | None, frame: TileFrame) -> None:
    import brotli

    from cim.city.columns import GEOMETRY_SCHEMA

    geometries = GEOMETRY_SCHEMA.empty_table() if geometries is None else geometries
    work = Path(tempfile.mkdtemp())
    try:
        wkbs, ids = solids(objects, geometries, THEIRS_MAX)
        alone = ours = theirs = 0.0
        with Crew(os.cpu_count() or 1) as crew:
            build_tileset(objects, geometries, frame, work / "warm", compress=False, crew=crew)
            for turn in range(TURNS):
                alone = max(alone, run_ours(objects, geometries, frame, rested(work / f"alone{turn}"), Crew(1)))
                ours = max(ours, run_ours(objects, geometries, frame, rested(work / f"ours{turn}"), crew))
                theirs = max(theirs, run_theirs(wkbs, ids, rested(work / f"theirs{turn}")))
            report = build_tileset(objects, geometries, frame, work / "compressed", crew=crew)
        last = work / f"theirs{TURNS - 1}"
        plain = folder_bytes(last) / len(ids)
        small = sum(len(brotli.compress(p.read_bytes(), quality=9)) for p in last.rglob("*") if p.is_file()) / len(ids)
        print(
            f"{name:<16}{report.buildings:>9,}{alone:>10,.0f}{ours:>10,.0f}{theirs:>12,.0f}{ours / theirs:>8.1f}x"
            f"{report.bytes_per_building:>8.0f}{small:>11.0f}{report.bytes_plain / report.buildings:>9.0f}"
            f"{plain:>9.0f}{report.buildings / report.compress_s:>10,.0f}"
        )
        print(f"{'':<16}{held_against_source(objects, geometries, frame, work / 'compressed')}")
    finally:
        shutil.rmtree(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=int, default=100_000)
    parser.add_argument("--tokyo", action="store_true", help="also 258k Tokyo footprints (minutes)")
    wanted = parser.parse_args()
    print("Buildings to tiles. br = brotli 9 bytes per building (ours: leaves, with edges, skirt, properties);")
    print(
        "plain = all files before compression, ours with far levels and ground; br/s = buildings per s of compression."
    )
    print(
        f"{'city':<16}{'buildings':>9}{'1 core':>10}{'all':>10}{'py3dtiles/s':>12}{'ratio':>9}{'br':>8}"
        f"{'theirs br':>11}{'plain':>9}{'theirs':>9}{'br/s':>10}"
    )
    compare("generated LoD1", *generated(wanted.buildings))
    if (REFERENCE / "rotterdam").is_dir():
        compare("Rotterdam LoD2", *rotterdam())
    if wanted.tokyo and (REFERENCE / "tokyo").is_dir():
        compare("Tokyo LoD1", *tokyo())


if __name__ == "__main__":
    main()
