"""Readings of schemes: recomputed as they are edited, published in order, asked over HTTP."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
import pytest_asyncio
from fastapi import FastAPI

from cim.accounts.service import Accounts
from cim.impact.api import impact_router
from cim.impact.graph import Case, Graph, Node, Superseded
from cim.impact.indicators import indicator_graph
from cim.impact.model import Outcome, Range, State, Title
from cim.impact.service import ImpactService, Subject
from cim.ports import SystemClock
from cim.web.problems import install_problems
from cim.wiring.impact import SchemeRegistry
from tests.support.impact_city import MadeCity, box, drawn, town
from tests.support.scheme_city import deliver, opened, plain_city
from tests.support.web_city import asgi_client

TOKEN = "planner-token"
TOWER = {"storeys": [[3.0, "residential"]] * 10}


class Heard:
    """What was published, in order."""

    def __init__(self) -> None:
        self.readings: list[tuple[str, int, str]] = []
        self.turn = threading.Condition()

    def __call__(self, subject, items) -> None:
        with self.turn:
            for item in items:
                reading = item["reading"]
                assert item["id"] == f"reading/{reading['id']}"
                self.readings.append((reading["id"], reading["sequence"], reading["state"]))
            self.turn.notify_all()

    def wait(self, test) -> None:
        with self.turn:
            assert self.turn.wait_for(lambda: test(self.readings), 30.0), self.readings


@pytest.fixture
def made():
    heard = Heard()
    service = ImpactService(MadeCity(town(40)), indicator_graph(), heard, SystemClock())
    yield service, heard
    service.stop()


def overlay(number: int):
    return {f"s:b/{i}": drawn(f"s:b/{i}", box(60.0 * i, -30, 10, 10), [[3.0, "office"]] * 4) for i in range(number)}


def test_readings_come_cheapest_first_and_only_what_is_reached_is_computed(made) -> None:
    service, heard = made
    service.start()
    service.submit(Subject("s1", 1, lambda: overlay(1)))
    heard.wait(lambda found: len(found) == len(service.graph.nodes))
    assert heard.readings[0][0] == "land.floor_area"
    fast = [name for name, _, _ in heard.readings]
    assert fast.index("land.floor_area") < fast.index("people.access_park") < fast.index("sky.view_factor")
    heard.readings.clear()
    street = {**overlay(1), "t:row/1": None}
    service.submit(Subject("s1", 2, lambda: street))
    heard.wait(lambda found: len(found) == len(service.graph.nodes))
    # What a street does not reach is told at once with its new number, before anything is computed.
    kept = {name for name, _, _ in heard.readings[: len(service.graph.nodes) - 4]}
    assert not kept & {
        "people.access_park",
        "people.access_school",
        "people.access_transit",
        "people.street_connection",
    }
    assert {sequence for _, sequence, _ in heard.readings} == {2}


def test_a_question_waits_a_moment_and_is_answered_whole(made) -> None:
    service, _ = made
    found = {reading.id: reading for reading in service.readings(Subject("s1", 1, lambda: overlay(2)))}
    assert set(found) == set(service.graph.nodes)
    assert found["land.floor_area"].delta == 800.0
    assert all(reading.state is State.READY for reading in found.values())


def test_schemes_are_compared_on_one_common_site(made) -> None:
    service, _ = made
    one = Subject("s1", 1, lambda: {"t:house/1": None})
    two = Subject("s2", 1, lambda: {"t:house/20": None})
    rows = {row[0].id: row for row in service.compare([None, one, two])}
    base, first, second = rows["land.floor_area_ratio"]
    assert base.value == first.base.value == second.base.value
    assert first.value < base.value > second.value
    alone = next(r for r in service.readings(one) if r.id == "land.floor_area_ratio")
    assert alone.base.value != first.base.value


def slow_graph(started: threading.Event, steps: list[str]) -> Graph:
    def compute(case: Case) -> Outcome:
        started.set()
        for _ in range(200):
            time.sleep(0.01)
            try:
                case.check()
            except Superseded:
                steps.append("stopped")
                raise
        return Outcome(Range.exact(1.0))

    def quick(case: Case) -> Outcome:
        return Outcome(Range.exact(float(len(case.overlay))))

    def fails(_: Case) -> Outcome:
        raise RuntimeError("no")

    inputs = ("buildings",)
    return Graph(
        [
            Node("a.quick", "1", Title("a", "a"), inputs, "m", quick, rank=0),
            Node("b.fails", "1", Title("b", "b"), inputs, "m", fails, rank=1),
            Node("c.slow", "1", Title("c", "c"), inputs, "m", compute, rank=90),
        ]
    )


def test_a_newer_edit_stops_what_is_under_way_and_does_not_wait_for_it() -> None:
    started, steps, heard = threading.Event(), [], Heard()
    service = ImpactService(MadeCity(town(10)), slow_graph(started, steps), heard, SystemClock())
    service.start()
    service.submit(Subject("s1", 1, lambda: overlay(1)))
    assert started.wait(10)
    begun = time.monotonic()
    service.submit(Subject("s1", 2, lambda: overlay(2)))
    heard.wait(lambda found: ("a.quick", 2, "ready") in found)
    assert time.monotonic() - begun < 1.0
    heard.wait(lambda found: ("c.slow", 2, "ready") in found)
    service.stop()
    assert steps == ["stopped"]
    assert ("c.slow", 1, "ready") not in heard.readings
    assert ("b.fails", 2, "failed") in heard.readings


@pytest_asyncio.fixture
async def client(tmp_path):
    with opened(tmp_path) as planned:
        planning = SimpleNamespace(schemes=planned.schemes, accounts=Accounts(TOKEN))
        registry = SchemeRegistry(planning, planned.city)
        service = ImpactService(planned.city, indicator_graph(), lambda *_: None, SystemClock())
        app = FastAPI()
        install_problems(app)
        app.include_router(impact_router(service, registry))
        async with asgi_client(app) as http:
            yield planned, http
        service.stop()


async def test_impact_over_http(client) -> None:
    planned, http = client
    scheme = planned.branch()
    planned.edit(scheme, "building.demolish", "test:b1")
    mine = {"authorization": f"Bearer {TOKEN}"}
    listed = (await http.get("/api/v1/indicators")).json()["items"]
    assert {"id", "unit", "title", "method", "inputs", "quality", "better"} <= set(listed[0])
    assert (await http.get(f"/api/v1/schemes/{scheme}/impact")).status_code == 404
    told = (await http.get(f"/api/v1/schemes/{scheme}/impact", headers=mine)).json()
    found = {item["id"]: item for item in told["items"]}
    assert told["sequence"] == 1
    assert found["land.floor_area"]["delta"] == -800.0
    assert found["carbon.demolition_waste"]["value"] == 800.0
    assert found["people.dwellings"]["delta"] < 0
    # Against itself nothing changes.
    other = planned.branch("Other", scheme)
    same = (await http.get(f"/api/v1/schemes/{other}/impact?against={scheme}", headers=mine)).json()
    assert {item["id"]: item["delta"] for item in same["items"]}["land.floor_area"] == 0.0


async def test_a_scheme_is_read_over_its_own_baseline_when_a_newer_one_is_there(client) -> None:
    """The newer city has a house less: the older scheme knows nothing of that."""
    planned, http = client
    mine = {"authorization": f"Bearer {TOKEN}"}
    old = planned.branch()
    planned.edit(old, "building.demolish", "test:b1")

    async def floor(path: str) -> list[dict]:
        told = (await http.get(path, headers=mine)).json()
        rows = {item["id"]: item for item in told.get("items", told.get("rows"))}
        found = rows["land.floor_area"]
        return found.get("readings", [found])

    (before,) = await floor(f"/api/v1/schemes/{old}/impact")
    assert (before["base"], before["delta"], before["baseline_version"]) == (4_800.0, -800.0, 1)
    assert deliver(planned.city, "second", [one for one in plain_city() if one.id != "test:b5"]) == 2
    assert (await floor(f"/api/v1/schemes/{old}/impact"))[0] == before
    new = planned.branch("Newer")
    planned.edit(new, "building.demolish", "test:b1")
    (after,) = await floor(f"/api/v1/schemes/{new}/impact")
    assert (after["base"], after["delta"], after["baseline_version"]) == (4_000.0, -800.0, 2)
    base, first, second = await floor(f"/api/v1/compare?schemes=base,{old},{new}")
    assert [one["baseline_version"] for one in (base, first, second)] == [2, 1, 2]
    assert [one["value"] for one in (base, first, second)] == [4_000.0, 4_000.0, 3_200.0]
    assert first["base"] == 4_800.0


async def test_compare_over_http(client) -> None:
    planned, http = client
    scheme = planned.branch()
    planned.edit(scheme, "building.demolish", "test:b1")
    mine = {"authorization": f"Bearer {TOKEN}"}
    told = (await http.get(f"/api/v1/compare?schemes=base,{scheme}", headers=mine)).json()
    assert [one["id"] for one in told["schemes"]] == ["base", scheme]
    row = next(row for row in told["rows"] if row["id"] == "land.building_density")
    base, after = (reading["value"] for reading in row["readings"])
    assert base == pytest.approx(200 / 1_200)
    assert after == 0.0
    for wrong in ("", f"{scheme},{scheme}"):
        assert (await http.get(f"/api/v1/compare?schemes={wrong}", headers=mine)).status_code == 400
    assert (await http.get(f"/api/v1/compare?schemes={','.join(map(str, range(9)))}", headers=mine)).status_code in {
        413,
        422,
    }
    assert (await http.get("/api/v1/compare?schemes=base,snobody", headers=mine)).status_code == 404
