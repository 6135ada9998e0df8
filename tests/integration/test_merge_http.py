"""Merging as a user meets it: the command line, a running server, reports, refusals."""

from __future__ import annotations

import copy
import json
import re
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from cim.client import CityProblem, open_city
from tests.integration.test_command_line import CUBE, write
from tests.support.city_server import CityServer, run_cim

ROOT = Path(__file__).resolve().parents[2]


def moved(dx_mm: int, name: str, year: int) -> dict:
    """The cube of the command line's tests, a little elsewhere, under another name."""
    document = copy.deepcopy(CUBE)
    cube = document["CityObjects"].pop("cube")
    cube["attributes"] = {"yearOfConstruction": year, "storeysAboveGround": 3}
    document["CityObjects"][name] = cube
    document["vertices"] = [[x + dx_mm, y, z] for x, y, z in document["vertices"]]
    return document


def post(server: CityServer, path: str, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{server.address}{path}", headers=headers, timeout=30, trust_env=False)


def ended(server: CityServer, job: str) -> dict:
    """A job when it has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.get(f"/api/v1/jobs/{job}").json()
        if found["ended_at"]:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("merged")
    data = str(folder / "city")
    first = run_cim("ingest", str(write(folder / "cube.city.json", CUBE)), "--data", data)
    assert first.returncode == 0, first.stderr
    register = str(write(folder / "register.city.json", moved(800, "r-1", 1950)))
    second = run_cim("ingest", register, "--data", data, "--dataset", "register")
    assert second.returncode == 0, second.stderr
    assert "one building with other sources: 1 (1 by overlap); conflicts 1" in second.stdout
    found = re.search(r"cim ingest --undo (\S+)", second.stdout)
    assert found is not None
    return folder / "city", found.group(1)


def test_an_object_says_its_sources_and_where_they_disagree(city: tuple[Path, str]) -> None:
    data, job = city
    with CityServer(data) as server:
        card = server.get("/api/v1/objects/cube:cube").json()
        facts = {fact["name"]: (fact["value"], fact["source"]) for fact in card["attributes"]}
        assert facts["storeys_above_ground"] == (3, "register")
        assert [(one["dataset"], one["match"]) for one in card["sources"]] == [
            ("cube", "first"),
            ("register", "overlap"),
        ]
        assert card["sources"][1]["overlap"] == pytest.approx(0.9)
        # Each source's newest delivery is named: its quality report is found there.
        delivered = {one["dataset"]: one["job_id"] for one in card["provenance"]}
        assert delivered["register"] == job
        for dataset, made_by in delivered.items():
            assert server.get(f"/api/v1/jobs/{made_by}/quality").json()["dataset"] == dataset
        assert {one["attribute"] for one in card["conflicts"]} == {"year_of_construction"}
        assert server.get("/api/v1/objects/register:r-1").json()["merged_into"] == "cube:cube"
        assert server.get("/api/v1/city").json()["counts"]["Building"] == 1
        items = server.get("/ogc/collections/buildings/items?limit=10").json()
        assert [feature["id"] for feature in items["features"]] == ["cube:cube"]
        described = server.get("/openapi.json").json()["paths"]["/api/v1/jobs/{job_id}/merge"]["get"]
        assert {one["name"]: one["in"] for one in described["parameters"]} == {
            "job_id": "path",
            "authorization": "header",
        }
        report = server.get(f"/api/v1/jobs/{job}/merge").json()
        assert report["matched"] == {"count": 1, "overlap": 1}
        assert report["gained"]["storeys_above_ground"] == 1
        assert server.get(f"/api/v1/jobs/{job}/undo").json()["possible"] is True


def test_a_notebook_reads_the_reports_and_takes_a_job_back(city: tuple[Path, str], tmp_path: Path) -> None:
    data, job = city
    copied = tmp_path / "city"
    shutil.copytree(data, copied)
    token = (copied / "planner-token").read_text().strip()
    with CityServer(copied) as server, open_city(server.address, token) as opened:
        listed = opened.jobs()
        assert job in listed.index
        assert set(listed["state"]) == {"succeeded"}
        mine = opened.job(job)
        merged = mine.merge_report()
        assert (merged.merged, merged.matched, merged.delivery["added"]) == (True, {"count": 1, "overlap": 1}, 1)
        assert merged.gained["storeys_above_ground"] == 1
        (row,) = merged.conflicts.to_dict("records")
        assert (row["object_id"], row["attribute"], row["other"], row["said_by"]) == (
            *("cube:cube", "year_of_construction"),
            *(1931, "cube"),
        )
        assert (row["kept"], row["kept_by"]) == (1950, "register")
        checked = mine.quality_report()
        assert checked.counts["objects"] == 1
        facts = checked.completeness.set_index(["type", "attribute"])
        assert facts.loc[("Building", "storeys_above_ground"), "recorded"] == 1
        assert len(mine.quarantine()) == 0
        first = opened.job(listed.index[-1])
        assert not first.merge_report().merged
        outlook = first.undo_outlook()
        assert not outlook.possible
        assert outlook.built_upon[["kind", "id"]].values.tolist() == [["object", "cube:cube"]]
        with pytest.raises(CityProblem, match="undo-built-upon"):
            first.undo()
        with open_city(server.address) as visitor, pytest.raises(CityProblem) as refused:
            visitor.job(job).undo()
        assert refused.value.status == 401
        back = mine.undo()
        assert back.state == "succeeded"
        assert [one["dataset"] for one in opened.object("cube:cube")["sources"]] == ["cube"]
        back.undo()
        assert len(opened.object("cube:cube")["sources"]) == 2


def test_the_example_of_the_documentation_runs(city: tuple[Path, str], tmp_path: Path) -> None:
    text = (ROOT / "docs/merge.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    data, job = city
    copied = tmp_path / "city"
    shutil.copytree(data, copied)
    token = (copied / "planner-token").read_text().strip()
    with CityServer(copied) as server:
        names = {"ADDRESS": server.address, "TOKEN": token}
        # The newest job draws tiles or checks; the one to look at is the delivery.
        exec(example.replace("city.jobs().index[0]", repr(job)), names)
        assert names["back"].state == "succeeded"  # type: ignore[attr-defined]
        assert len(names["merged"].conflicts) == 1  # type: ignore[attr-defined]


def test_taking_back_needs_the_planner_token_and_is_refused_where_built_upon(city: tuple[Path, str]) -> None:
    data, job = city
    token = (data / "planner-token").read_text().strip()
    with CityServer(data) as server:
        first = server.get("/api/v1/jobs").json()["items"][-1]["id"]
        assert post(server, f"/api/v1/jobs/{job}/undo").status_code == 401
        refused = post(server, f"/api/v1/jobs/{first}/undo", token)
        assert refused.status_code == 409
        assert refused.json()["code"] == "undo-built-upon"
        listed = server.get(f"/api/v1/jobs/{first}/undo").json()
        assert listed["possible"] is False
        assert {(one["kind"], one["id"]) for one in listed["built_upon"]["items"]} == {("object", "cube:cube")}
        undone = post(server, f"/api/v1/jobs/{job}/undo", token)
        assert undone.status_code == 202
        assert ended(server, undone.json()["id"])["state"] == "succeeded"
        card = server.get("/api/v1/objects/cube:cube").json()
        assert [one["dataset"] for one in card["sources"]] == ["cube"]
        assert [one["id"] for one in server.get("/api/v1/city").json()["datasets"]] == ["cube"]
        again = post(server, f"/api/v1/jobs/{undone.json()['id']}/undo", token)
        assert ended(server, again.json()["id"])["state"] == "succeeded"
        assert server.get("/api/v1/objects/register:r-1").json()["merged_into"] == "cube:cube"


def test_what_went_is_gone_and_says_since_when(city: tuple[Path, str]) -> None:
    data, _ = city
    document = copy.deepcopy(CUBE)
    document["CityObjects"]["other"] = document["CityObjects"].pop("cube")
    document["vertices"] = [[x + 50_000, y, z] for x, y, z in document["vertices"]]
    for given in (document, moved(90_000, "elsewhere", 1)):
        path = str(write(data.parent / "extra.city.json", given))
        done = run_cim("ingest", path, "--data", str(data))
        assert done.returncode == 0, done.stderr
    with CityServer(data) as server:
        gone = server.get(f"/api/v1/objects/{quote('extra:other')}")
        assert gone.status_code == 410
        problem = gone.json()
        assert problem["code"] == "object-gone"
        was = server.get(f"/api/v1/objects/extra:other?baseline_version={problem['params']['last_baseline_version']}")
        assert was.json()["type"] == "Building"


@pytest.mark.parametrize("priority", ["height_m", "height_m=", "a=b;a=c", "a=b,b", "a=B b", ";" * 9_000])
def test_a_priority_that_says_nothing_is_refused_before_anything_is_read(
    tmp_path: Path, city: tuple[Path, str], priority: str
) -> None:
    data, _ = city
    path = write(tmp_path / "cube.city.json", CUBE)
    done = run_cim("ingest", str(path), "--data", str(data), "--dataset", "third", "--priority", priority)
    assert done.returncode == 1
    assert "priority" in done.stderr
    assert json.loads(path.read_text())["type"] == "CityJSON"
