"""``cim export`` as a user runs it: with the city to itself, and beside a running server."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.city_server import CityServer, run_cim

BUNDLE = Path(__file__).resolve().parents[2] / "viewer/static/export.js"
needs_bundle = pytest.mark.skipif(not BUNDLE.is_file(), reason="the bundle is not built: make bundle")


def test_a_collection_is_written_as_the_server_offers_it(own_sample: Path, tmp_path: Path) -> None:
    alone, beside = tmp_path / "alone.geojson", tmp_path / "beside.geojson"
    done = run_cim("export", str(alone), "--collection", "trees", "--data", str(own_sample))
    assert done.returncode == 0, done.stderr
    assert str(alone) in done.stdout
    with CityServer(own_sample) as server:
        offered = server.get("/ogc/collections/trees/items?limit=10000").json()
        assert run_cim("export", str(beside), "--collection", "trees", "--data", str(own_sample)).returncode == 0
    document = json.loads(alone.read_bytes())
    assert len(document["features"]) == offered["numberMatched"] > 500
    assert document["features"] == offered["features"]
    assert "OpenStreetMap" in document["attribution"]
    assert beside.read_bytes() == alone.read_bytes()


@needs_bundle
def test_a_view_is_one_file_and_sensors_have_values(sample_data: Path, own_sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "city.html"
    done = run_cim("export", str(out), "--data", str(own_sample))
    assert done.returncode == 0, done.stderr
    page = out.read_text("utf-8")
    start = page.index('id="cim-export">') + len('id="cim-export">')
    document = json.loads(page[start : page.index("</script>", start)])
    assert document["view"] == "explore"
    assert document["city"]["attributions"][0] == "© OpenStreetMap contributors"
    # The sample's sensors have read nothing yet: they show what the solved day has for now, labelled generated.
    assert len(document["datastreams"]) > 200
    assert all(item["latest"] is not None and item["generated"] for item in document["datastreams"])
    glb = {path.name for path in (sample_data / "tiles").rglob("*.glb")}
    assert glb
    assert all(f'/{name}"' in page for name in glb)


@needs_bundle
@pytest.mark.parametrize(("options", "code"), [(("--view", "nope"), "view"), (("--collection", "nope"), "collection")])
def test_what_does_not_exist_is_said_and_nothing_is_written(
    own_sample: Path, tmp_path: Path, options: tuple[str, str], code: str
) -> None:
    out = tmp_path / "out"
    done = run_cim("export", str(out), *options, "--data", str(own_sample))
    assert done.returncode == 1
    assert f"({code})" in done.stderr
    assert not out.exists()


def test_a_file_that_exists_is_left_alone(sample_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.html"
    out.write_text("mine")
    done = run_cim("export", str(out), "--data", str(sample_data))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert out.read_text() == "mine"


def test_buildings_are_written_for_other_programs_alone_and_beside_a_server(own_sample: Path, tmp_path: Path) -> None:
    """What is chosen is the same from the city itself and from the server that has it open."""
    options = ("--format", "csv", "--filter", "height_m > 25", "--data", str(own_sample))
    alone, beside = tmp_path / "alone.csv", tmp_path / "beside.csv"
    done = run_cim("export", str(alone), *options)
    assert done.returncode == 0, done.stderr
    parquet = tmp_path / "streets.parquet"
    done = run_cim(
        "export", str(parquet), "--format", "geoparquet", "--collection", "streets", "--data", str(own_sample)
    )
    assert done.returncode == 0, done.stderr
    with CityServer(own_sample) as server:
        offered = server.get("/ogc/collections/buildings/items?limit=10000&filter=height_m>25").json()
        streets = server.get("/ogc/collections/streets/items?limit=1").json()["numberMatched"]
        assert run_cim("export", str(beside), *options).returncode == 0
        refused = run_cim(
            "export", str(tmp_path / "no.glb"), "--format", "glb", "--bbox", "0,0,1,1", "--data", str(own_sample)
        )
        assert (refused.returncode, "(export-empty)" in refused.stderr) == (1, True)
    assert beside.read_bytes() == alone.read_bytes()
    assert len(alone.read_text().splitlines()) == offered["numberMatched"] + 1 > 2
    assert pq.read_metadata(parquet).num_rows == streets
    assert run_cim("export", str(tmp_path / "x"), "--ids", "a", "--data", str(own_sample)).returncode == 2
