"""Features of a generated city of 258,000 buildings: boxes, filters, pages, tiles, as the service answers them.

Times are of the whole answer as bytes, without the socket.  Run: ``python -m tests.bench.bench_features``
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import shapely

from cim.city.columns import OBJECT_SCHEMA, attributes_to_json
from cim.city.index import CityIndex
from cim.city.model import Attribute
from cim.city.service import View
from cim.features import geojson
from cim.features.baseline import BaselineFeatures
from cim.features.links import Addresses
from cim.features.service import FeatureService
from cim.findings import Quality
from cim.geometry.crs import WorkingFrame
from cim.ports import SystemClock

BUILDINGS, ROW = 258_000, 508
X, Y = 25_490_000.0, 6_668_000.0
CRS = "EPSG:3879"
HEAVY_LIMIT = 10_000


@dataclass(frozen=True)
class HeldCity:
    """What the collections ask of a city: its newest baseline."""

    view: View
    working: WorkingFrame
    baseline_version: int = 1


def rows(count: int, seed: int = 1) -> pa.Table:
    """L-shaped footprints on a grid, 12 by 14 m, with the facts that a register has."""
    chance = np.random.default_rng(seed)
    heights = np.round(chance.gamma(4.0, 3.5, count) + 3.0, 2)
    n = np.arange(count)
    x, y = X + 20.0 * (n % ROW), Y + 24.0 * (n // ROW)
    shape = np.array([[0, 0], [12, 0], [12, 7], [6, 7], [6, 14], [0, 14], [0, 0]], dtype=float)
    rings = shapely.linearrings((np.stack([x, y], axis=1)[:, None] + shape).reshape(-1, 2), indices=np.repeat(n, 7))
    texts = [
        attributes_to_json(
            {
                "height_m": Attribute(height, "m", Quality.MODELLED, (height - 3, height + 3), "levels"),
                "storeys_above_ground": Attribute(max(1, round(height / 3.2))),
                "function": Attribute(("apartments", "office", "retail", "house")[number % 4]),
                "year_of_construction": Attribute(1890 + number % 130),
                "name": Attribute(f"House {number}"),
            }
        )
        for number, height in enumerate(heights.tolist())
    ]
    columns = {
        "id": [f"made:way/{number}" for number in range(count)],
        "type": ["Building"] * count,
        "dataset": ["made"] * count,
        "parent_id": [None] * count,
        "attributes": texts,
        "place": shapely.to_wkb(shapely.polygons(rings)).tolist(),
        "xmin": x, "ymin": y, "zmin": np.zeros(count),
        "xmax": x + 12, "ymax": y + 14, "zmax": heights,
    }  # fmt: skip
    return pa.table(columns, schema=OBJECT_SCHEMA).append_column("baseline_version", pa.array([1] * count))


def timed(name: str, work: Callable[[int], object], times: int, features: int = 0) -> None:
    """Print the median and the 95th percentile of some calls."""
    took, worked = [], []
    for number in range(times):
        start, busy = time.perf_counter(), time.process_time()
        work(number)
        took.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
    half, most = np.percentile(took, [50, 95])
    busy = float(np.median(worked))
    rate = f"  {features / half:,.0f} features/s, {features / busy:,.0f} a CPU second" if features else ""
    print(f"{name:<46} p50 {half * 1e3:8.2f} ms   p95 {most * 1e3:8.2f} ms   CPU {busy * 1e3:8.2f} ms{rate}")


def main() -> None:
    """Run all and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=BUILDINGS)
    count = parser.parse_args().count
    index = CityIndex(rows(count), 1)
    working = WorkingFrame(CRS)
    city = HeldCity(View(None, working, index, (), datetime(2026, 1, 1, tzinfo=UTC)), working)
    source = BaselineFeatures(city, lambda _: (), lambda: ())  # type: ignore[arg-type]
    service = FeatureService(lambda *_: source, title=lambda: "Made", version="1", clock=SystemClock())
    addresses = Addresses("http://127.0.0.1:8000/ogc")
    start = time.perf_counter()
    source.collections()
    print(f"{count:,} buildings; collections of a new baseline     {time.perf_counter() - start:8.2f} s")
    west, south, east, north = working.bbox_to_lonlat(index.bbox())  # type: ignore[arg-type]
    chance = np.random.default_rng(2)

    def ask(**pairs: str) -> bytes:
        answer = service.items("base", "buildings", addresses, [*pairs.items()], form="json")
        return geojson.encode(answer.document)  # type: ignore[arg-type]

    def box(share: float) -> str:
        wide, high = (east - west) * share, (north - south) * share
        x, y = west + chance.random() * (east - west - wide), south + chance.random() * (north - south - high)
        return f"{x},{y},{x + wide},{y + high}"

    start = time.perf_counter()
    ask(bbox=box(0.01))
    print(f"the first box (makes the tree)                      {time.perf_counter() - start:8.2f} s")
    timed("bbox, 1 % of each side, 10 of them", lambda _: ask(bbox=box(0.01)), 200)
    timed("bbox, 10 % of each side, 10 of them", lambda _: ask(bbox=box(0.1)), 100)
    timed("bbox, 1 % of each side, all of them", lambda _: ask(bbox=box(0.01), limit="10000"), 100)
    start = time.perf_counter()
    ask(filter="height_m > 40")
    print(f"the first filter (makes the columns)                {time.perf_counter() - start:8.2f} s")
    timed(
        "filter: height_m > 40 AND CASEI(name) LIKE …",
        lambda _: ask(filter="height_m > 40 AND CASEI(name) LIKE '%7'"),
        30,
    )
    timed("filter and bbox", lambda _: ask(filter="height_m > 20", bbox=box(0.05)), 30)
    timed(
        f"items, {HEAVY_LIMIT:,} on a page",
        lambda number: ask(limit=str(HEAVY_LIMIT), offset=str(number * HEAVY_LIMIT)),
        10,
        HEAVY_LIMIT,
    )
    side = 2**14
    column, row = int((west + 180) / 360 * side), 0
    middle = np.radians((south + north) / 2)
    row = int((1 - np.arcsinh(np.tan(middle)) / np.pi) / 2 * side)
    sizes = []
    timed(
        "vector tile, zoom 14", lambda n: sizes.append(len(source.tile("buildings", 14, row, column + 1 + n % 4))), 12
    )
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB; tiles of {max(sizes):,} bytes"
    )


if __name__ == "__main__":
    main()
