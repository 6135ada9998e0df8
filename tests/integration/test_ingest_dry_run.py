"""``cim ingest --dry-run``: says what would go in, stores nothing, and its mapping can be given back."""

import json

import pytest

from cim.config import Settings
from cim.main import open_city, run_job
from tests.support.city_server import run_cim
from tests.support.made_vector import polygon, squares, write_geojson, write_layer


@pytest.fixture
def buildings(tmp_path):
    columns = {"id": ["a", "b", "c"], "hgt_ft": [30.0, None, 90.0], "name": ["Ä", "b", "c"]}
    return write_layer(tmp_path / "buildings.gpkg", squares(3), columns)


def test_it_says_what_would_go_in_and_stores_nothing(tmp_path, buildings):
    data, mapping = tmp_path / "data", tmp_path / "mapping.json"
    told = run_cim("ingest", str(buildings), "--dry-run", "--data", str(data))
    assert told.returncode == 0, told.stderr
    assert "Building: 3" in told.stdout
    assert "Nothing was stored" in told.stdout
    mapping.write_text(json.dumps({"type": "Building", "id": "id", "attributes": {
        "height_m": {"column": "hgt_ft", "unit": "ft"}}}), encoding="utf-8")  # fmt: skip
    done = run_cim("ingest", str(buildings), "--json", "--mapping", str(mapping), "--data", str(data))
    summary = json.loads(done.stdout)
    assert not data.exists()
    assert summary["objects"] == {"Building": 3}
    fields = {one["name"]: one for one in summary["fields"]["Building"]}
    assert fields["height_m"]["samples"][0] == pytest.approx(9.14)
    assert fields["height_m"]["modelled"] == 1
    assert len(summary["sketch"]["features"]) == 3
    west, south, east, north = summary["bbox"]
    assert (24.9 < west < east < 25.0, 60.1 < south < north < 60.2) == (True, True)


def test_the_mapping_that_it_saves_can_be_given_back(tmp_path, buildings):
    data, mapping = tmp_path / "data", tmp_path / "mapping.json"
    first = run_cim("ingest", str(buildings), "--json", "--save-mapping", str(mapping), "--data", str(data))
    again = run_cim("ingest", str(buildings), "--json", "--mapping", str(mapping), "--data", str(data))
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(mapping.read_text(encoding="utf-8"))["type"] == "Building"
    assert run_cim("ingest", str(buildings), "--save-mapping", str(mapping), "--data", str(data)).returncode == 2


def test_a_file_that_is_refused_is_refused_dry_too(tmp_path):
    path = write_layer(tmp_path / "lost.shp", squares(2), crs=None)
    done = run_cim("ingest", str(path), "--dry-run", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "--crs" in done.stderr


def test_what_was_said_is_what_goes_in(tmp_path, buildings):
    wrong = write_geojson(tmp_path / "b.geojson", [(polygon(), {"id": "x"}), (polygon([[0, 0], [1, 0], [1, 1]]), {})])
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as opened:
        params = {"dataset": "test", "source_crs": None, "path": str(buildings)}
        dry = run_job(opened, "preview", params, "look", lambda job: None)
        assert opened.city.baseline_version == 0
        done = run_job(opened, "ingest", {**params, "more": True}, "take", lambda job: None)
        assert dry["summary"]["objects_total"] == done["summary"]["added"] == 3
        # The city has a CRS now, and the dry run reads into it.
        params = {**params, "path": str(wrong), "mapping": json.dumps({"type": "Building"})}
        dry = run_job(opened, "preview", params, "look", lambda job: None)
        assert dry["summary"]["quarantined_by_code"] == {"geometry-empty": 1, "outside-crs-area": 1}
        assert opened.city.baseline_version == 1
