"""A delivery's report: made in the child while reading, stored with the job, told over HTTP; the policy is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from cim.config import Settings
from cim.jobs.model import JobState
from cim.main import build_server, open_city
from cim.web.files import FileSender
from cim.web.static import static_routes
from tests.support.city_server import run_cim
from tests.support.faulty_city import write_cubes


def taken_in(tmp_path: Path, **params: object) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    """Ingest the two cubes; return the job's summary, its report, and the open cube as the API tells it."""
    source = write_cubes(tmp_path / "two.city.json")
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as opened:
        opened.jobs.start()
        job = opened.jobs.run("ingest", {"path": str(source), "dataset": "two", **params})
        assert job.state is JobState.SUCCEEDED, job.error
        opened.jobs.stop()
        app = build_server(opened, Settings(data=tmp_path / "data"), token="t")
        client = TestClient(app, base_url="http://127.0.0.1")
        report = client.get(f"/api/v1/jobs/{job.id}/quality")
        assert report.status_code == 200, report.text
        found = client.get("/api/v1/objects/two%3Aopen")
        missing = client.get("/api/v1/jobs/nothing/quality")
        assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
        return dict(job.summary), report.json(), found.json() if found.status_code == 200 else None


def test_what_is_invalid_goes_in_with_a_mark(tmp_path: Path) -> None:
    summary, report, found = taken_in(tmp_path)
    assert (summary["added"], summary["invalid"], summary["quarantined"]) == (2, 1, 0)
    assert summary["faults"] == {"302 SHELL_NOT_CLOSED": 1, "year-in-future": 1, "no-ground-surface": 1}
    assert report["counts"] == {"objects": 2, "invalid": 1, "geometries": 2, "surfaces": 11, "shells": 2}
    fault, year, _ = report["faults"]
    assert (fault["code"], fault["name"], fault["group"]) == ("302", "SHELL_NOT_CLOSED", "geometry")
    worst = fault["worst"][0]
    assert (worst["id"], worst["lod"], worst["measured"]) == ("two:open", "2", 40.0)
    west, south, east, north = report["extent"]
    assert west <= worst["place"][0] <= east
    assert south <= worst["place"][1] <= north
    assert (year["group"], year["worst"][0]["measured"]) == ("attributes", 2090.0)
    assert found is not None
    mark = next(one for one in found["attributes"] if one["name"] == "geometry_validity")
    assert mark["value"] == "302"


def test_what_is_invalid_is_put_aside_where_that_was_asked(tmp_path: Path) -> None:
    summary, report, found = taken_in(tmp_path, invalid="quarantine")
    assert (summary["added"], summary["quarantined"]) == (1, 1)
    assert summary["quarantined_by_code"] == {"geometry-302": 1}
    assert report["put_aside"] == [{"reason": "geometry-302", "features": 1, "code": "302"}]
    assert report["policy"] == "quarantine"
    assert found is None


def test_completeness_counts_what_is_missing(tmp_path: Path) -> None:
    _, report, _ = taken_in(tmp_path)
    (buildings,) = report["completeness"]
    facts = {fact["name"]: (fact["recorded"], fact["derived"], fact["missing"]) for fact in buildings["attributes"]}
    assert facts["year_of_construction"] == (2, 0, 0)
    assert facts["storeys_above_ground"] == (0, 0, 2)


def test_a_policy_that_is_none_is_refused(tmp_path: Path) -> None:
    source = write_cubes(tmp_path / "two.city.json")
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as opened:
        opened.jobs.start()
        job = opened.jobs.run("ingest", {"path": str(source), "dataset": "two", "invalid": "drop"})
        opened.jobs.stop()
        assert job.error is not None
        assert job.error["code"] == "invalid-policy"
        assert opened.city.baseline_version == 0


@pytest.mark.reference
def test_rotterdam_has_the_vertices_that_its_file_repeats(tmp_path: Path, reference: Path) -> None:
    """How many rings repeat a vertex is counted in the text of the file itself."""
    source = reference / "rotterdam" / "3-20-DELFSHAVEN.city.json"
    body = json.loads(source.read_text("utf-8"))
    vertices = body["vertices"]
    rings = [
        ring
        for city_object in body["CityObjects"].values()
        for geometry in city_object.get("geometry", ())
        for surface in geometry["boundaries"]
        for ring in surface
    ]
    # A ring of CityJSON does not repeat its first vertex; those of more than three that do are read as what they mean.
    opened = [ring[:-1] if len(ring) > 3 and vertices[ring[0]] == vertices[ring[-1]] else ring for ring in rings]
    repeated = sum(
        len(ring) >= 3 and any(vertices[a] == vertices[b] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
        for ring in opened
    )
    with open_city(tmp_path / "data", Settings(data=tmp_path / "data")) as city:
        city.jobs.start()
        job = city.jobs.run("ingest", {"path": str(source), "dataset": "delfshaven"})
        city.jobs.stop()
        client = TestClient(
            build_server(city, Settings(data=tmp_path / "data"), token="t"), base_url="http://127.0.0.1"
        )
        report = client.get(f"/api/v1/jobs/{job.id}/quality").json()
    by_code = {fault["code"]: fault for fault in report["faults"]}
    assert by_code["102"]["occurrences"] == repeated


def test_the_command_says_what_is_wrong_with_a_delivery_and_with_the_city(tmp_path: Path) -> None:
    source, data = write_cubes(tmp_path / "two.city.json"), tmp_path / "data"
    taken = run_cim("ingest", str(source), "--data", str(data), "--dataset", "two")
    assert taken.returncode == 0, taken.stderr
    assert "faults: 1 × 302 SHELL_NOT_CLOSED" in taken.stdout
    job = taken.stdout.rpartition("cim quality ")[2].split()[0]
    told = run_cim("quality", job, "--data", str(data))
    assert told.returncode == 0, told.stderr
    assert "302 SHELL_NOT_CLOSED" in told.stdout
    assert "two:open  40 m" in told.stdout
    whole = run_cim("quality", "--data", str(data), "--json")
    assert whole.returncode == 0, whole.stderr
    report = json.loads(whole.stdout)
    assert (report["dataset"], report["counts"]["invalid"]) == (None, 1)
    assert [fault["code"] for fault in report["faults"]] == ["302", "year-in-future", "no-ground-surface"]
    missing = run_cim("quality", "nothing", "--data", str(data))
    assert missing.returncode == 1
    empty = run_cim("quality", "--data", str(tmp_path / "empty"))
    assert empty.returncode == 1
    assert "city-empty" in empty.stderr


def test_a_report_has_a_page_whatever_its_job_is_called(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "quality.html").write_text("<title>Quality report</title>")
    app = Starlette(routes=static_routes(tmp_path, FileSender()))
    page = TestClient(app).get("/jobs/ab12/quality")
    assert (page.status_code, page.text) == (200, "<title>Quality report</title>")
    assert TestClient(app).get("/jobs/ab12/other").status_code == 404
