"""Downtown Boston from the files of five agencies: one city, every building once, its real proposals as schemes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely

from cim.accounts.model import Role
from cim.city.index import CityIndex
from cim.config import Settings
from cim.main import City, open_city
from cim.schemes.realise import realise
from tests.conftest import ROOT
from tests.support import boston_plans
from tests.support.city_server import run_cim

pytestmark = [pytest.mark.reference, pytest.mark.timeout(900)]

HELD = {"Current", "Permitted Demo", "Approved Demo"}


@dataclass
class Boston:
    """The city, and what the command line said while it was made."""

    data: Path
    ingested: str
    proposed: str
    again: str


@pytest.fixture(scope="module")
def boston(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Boston:
    folder = tmp_path_factory.mktemp("boston")
    text = (ROOT / "docs/boston.toml").read_text("utf-8")
    delivery = folder / "boston.toml"
    delivery.write_text(re.sub(r"(?m)^folder = .*$", f'folder = "{reference / "boston"}"', text), "utf-8")
    data = folder / "city"
    ingested = run_cim("ingest", str(delivery), "--data", str(data), timeout_s=800)
    assert ingested.returncode == 0, ingested.stdout + ingested.stderr
    proposed = run_cim("schemes", "from-catalogue", "--data", str(data), timeout_s=400)
    assert proposed.returncode == 0, proposed.stdout + proposed.stderr
    again = run_cim("schemes", "from-catalogue", "--data", str(data), "--dataset", "boston", timeout_s=400)
    return Boston(data, ingested.stdout, proposed.stdout, again.stdout)


@pytest.fixture(scope="module")
def city(boston: Boston) -> Iterator[City]:
    with open_city(boston.data, Settings(data=boston.data)) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(reference: Path) -> dict[str, dict[str, str]]:
    return boston_plans.catalogue(reference / "boston")


def buildings(index: CityIndex) -> dict[str, int]:
    return {index.ids[row]: row for row in index.rows_of_type["Building"]}


def test_every_building_that_stands_is_there_once(city: City, rows: dict[str, dict[str, str]]) -> None:
    kinds = {"Building", "BLDG", ""}
    standing = {f"boston:{key}" for key, row in rows.items() if row["StructType"] in kinds and row["Status"] in HELD}
    assert set(buildings(city.city.view.index)) == standing
    assert len(standing) == 2_267
    counts = city.city.view.index.counts()
    assert counts["OtherConstruction"] == sum(row["StructType"] in {"Wall", "Dock"} for row in rows.values()) == 887
    assert counts["Bridge"] == 1
    assert counts["+Proposal"] == 10
    assert counts["+Parcel"] > 1_300
    assert counts["Road"] > 500
    assert counts["SolitaryVegetationObject"] > 1_600
    assert counts["PlantCover"] > 30


def test_the_facts_of_all_sources_with_theirs(city: City, rows: dict[str, dict[str, str]]) -> None:
    index = city.city.view.index
    got: Counter[str] = Counter()
    for identifier, row in buildings(index).items():
        said = rows[identifier.partition(":")[2]]
        facts = index.attributes(row)
        for name in ("year_of_construction", "storeys_above_ground", "function", "parcel_id"):
            if name in facts:
                got[name] += 1
                got[f"{name} of {facts[name].source or 'boston'}"] += 1
        if said["Appear_Dt"]:
            assert facts["year_of_construction"].value == int(said["Appear_Dt"][:4])
        if float(said["Height_Ft"]) > 0:
            assert facts["height_m"].value == pytest.approx(float(said["Height_Ft"]) * 1200 / 3937, abs=1e-3)
        else:
            assert facts["height_m"].quality.value == "modelled"
    assert got["year_of_construction"] == 2_150
    assert got["storeys_above_ground"] == got["storeys_above_ground of boston-2003"] > 1_800
    assert got["function"] == got["function of boston-2003"] > 1_800
    assert got["parcel_id"] > 2_240
    parcels = {index.ids[row].partition(":")[2] for row in index.rows_of_type["+Parcel"]}
    drawn = sum(index.attributes(row)["parcel_id"].value in parcels for row in buildings(index).values()
                if "parcel_id" in index.attributes(row))  # fmt: skip
    assert drawn > 1_650


def test_models_stand_where_the_footprints_are(city: City, reference: Path, rows: dict[str, dict[str, str]]) -> None:
    index = city.city.view.index
    mine = {identifier.partition(":")[2]: index.places[row] for identifier, row in buildings(index).items()}
    theirs = boston_plans.plans(reference / "boston", mine)
    apart = [mine[key].centroid.distance(theirs[key].centroid) for key in mine]
    assert np.median(apart) < 0.01
    alike = [mine[k].intersection(theirs[k]).area / mine[k].union(theirs[k]).area for k in mine]
    assert np.quantile(alike, 0.02) > 0.98
    footprints = boston_plans.footprints_2003(reference / "boston")
    offsets = boston_plans.offsets_from_footprints(mine, footprints)
    assert len(offsets) > 1_300
    assert np.median(offsets) <= 1.5
    assert np.median(boston_plans.offsets_from_catalogue(mine, rows)) <= 1.5


def test_its_real_proposals_are_schemes_with_their_models(city: City, boston: Boston) -> None:
    assert "schemes 8, models 10, demolitions 4" in boston.proposed
    seen = {one.words.name.en: one for one in city.planning.schemes.visible(Role.VISITOR)}
    assert set(seen) >= {"Government Center Garage Redevelopment", "Congress Square", "115 Winthrop Square",
                         "41 LaGrange Street", "171 - 172 TREMONT ST"}  # fmt: skip
    garage = seen["Government Center Garage Redevelopment"].state()
    changed = realise(garage, garage.base)
    assert changed["boston:BOS_9PL66T9"] is None
    made = [one for one in changed.values() if one is not None]
    assert len(made) == 4
    index = city.city.view.index
    for one in made:
        (body,) = one.geometries
        assert body.surface_count >= 12
        at = min(
            (index.places[row].centroid.distance(one.place.centroid), row) for row in index.rows_of_type["+Proposal"]
        )[1]
        assert one.place.centroid.distance(index.places[at].centroid) < 25.0
        low, high = index.boxes[at][2], index.boxes[at][5]
        assert body.bounds()[2] == pytest.approx(low, abs=0.01)
        assert body.bounds()[5] == pytest.approx(high, abs=0.01)
        assert shapely.box(*body.bounds()[:2], *body.bounds()[3:5]).contains(one.place.centroid)


def test_a_second_run_makes_nothing_new(boston: Boston, city: City) -> None:
    assert "schemes 8" in boston.again
    assert len(city.planning.schemes.shelf.actors()) == 8


def test_each_source_is_a_baseline_that_can_be_taken_back(boston: Boston) -> None:
    assert boston.ingested.count("done:") == boston.ingested.count("cim ingest --undo") == 7
    assert boston.ingested.count("buildings …") == 1  # tiles are built once, at the end
