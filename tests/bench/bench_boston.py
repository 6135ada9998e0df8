"""Downtown Boston from its real files: what it takes, what each building got, how far models stand from footprints.

``python -m tests.bench.bench_boston``.  Needs the reference data sets beside the checkout.  The offsets are worked
out by :mod:`tests.support.boston_plans`, which uses nothing of ours but the outlines to be judged.
"""

from __future__ import annotations

import re
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import orjson

from cim.city.merging.store import read_report
from cim.config import Settings
from cim.main import City, open_city
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.conftest import REFERENCE, ROOT
from tests.support import boston_plans
from tests.support.city_server import run_cim

FACTS = ("height_m", "year_of_construction", "storeys_above_ground", "function", "parcel_id")


def read_models(delivery: str) -> None:
    """Time the reader of models alone, in this process."""
    import tomllib

    said = tomllib.loads(delivery)["source"][0]["mapping"]
    context = ReadContext("boston", "EPSG:26986", options={"mapping": orjson.dumps(said).decode()})
    path = REFERENCE / "boston/buildings3d/BOS_H_4_models_obj.zip"
    begun = time.process_time()
    count = sum(1 for _ in reader_for(path).read(path, context))
    took = time.process_time() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"models alone: {count:,} records in {took:.1f} s of CPU, {3177 / took:,.0f} models/s, peak {peak_mb:,.0f} MB"
    )


def tell(opened: City, text: str) -> None:
    """Print what each building got, and how far it stands from where others have it."""
    index = opened.city.view.index
    print(f"objects: {index.counts()}")
    rows = {index.ids[row].partition(":")[2]: row for row in index.rows_of_type["Building"]}
    got: Counter[str] = Counter()
    parcels = {index.ids[row].partition(":")[2] for row in index.rows_of_type["+Parcel"]}
    for row in rows.values():
        facts = index.attributes(row)
        got.update(f"{name} ({facts[name].quality.value})" for name in FACTS if name in facts)
        got["parcel drawn"] += "parcel_id" in facts and facts["parcel_id"].value in parcels
    for name, count in sorted(got.items()):
        print(f"  {name}: {count:,} of {len(rows):,}")
    with opened.database.read() as cursor:
        for job in re.findall(r"--undo (\w+)", text):
            report = read_report(cursor, job)
            if report is not None and orjson.loads(report)["matched"]["count"]:
                said = orjson.loads(report)
                print(f"merged {said['datasets']}: {said['matched']}, conflicts {said['conflicts']['by_attribute']}")
                print(f"  shared part of the smaller footprint: {said['overlap']}")
    mine = {key: index.places[row] for key, row in rows.items()}
    boston = REFERENCE / "boston"
    for name, offsets in (
        ("2003 footprint, centroids", boston_plans.offsets_from_footprints(mine, boston_plans.footprints_2003(boston))),
        ("catalogued place", boston_plans.offsets_from_catalogue(mine, boston_plans.catalogue(boston))),
    ):
        middle, high = np.quantile(offsets, (0.5, 0.95))
        print(f"from {name}: {len(offsets):,} models, median {middle:.2f} m, 95 % within {high:.2f} m")


def main() -> None:
    """Run everything."""
    delivery = (ROOT / "docs/boston.toml").read_text("utf-8")
    read_models(delivery)
    with tempfile.TemporaryDirectory() as folder:
        path, data = Path(folder) / "boston.toml", Path(folder) / "city"
        path.write_text(re.sub(r"(?m)^folder = .*$", f'folder = "{REFERENCE / "boston"}"', delivery), "utf-8")
        for name, words in (("cim ingest", ["ingest", str(path)]), ("proposals", ["schemes", "from-catalogue"])):
            begun, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            done = run_cim(*words, "--data", str(data), timeout_s=1200)
            wall = time.perf_counter() - begun
            cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - cpu
            print(f"{name}: {wall:.0f} s, {cpu:.0f} s of CPU; {done.stdout.strip().splitlines()[-1]}")
            if name == "cim ingest":
                text = done.stdout
        with open_city(data, Settings(data=data)) as opened:
            tell(opened, text)


if __name__ == "__main__":
    main()
