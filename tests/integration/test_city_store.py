"""Baselines on a real DuckDB: append-only, numbered, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely

from cim.city import store
from cim.city.columns import objects_to_columns
from cim.city.model import Attribute, CityFrame, CityObject, FirstView
from cim.city.service import CityService
from cim.city.store import Act
from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import Conflict, IntegrityError, NotFound, Unavailable
from cim.findings import Provenance

FRAME = CityFrame("test", "Test", "测试", "EPSG:3879", None, "flat", "Europe/Helsinki")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
X, Y = 25_496_000.0, 6_673_000.0


def building(number: int, height_m: float = 12.0, name: str = "") -> CityObject:
    attributes = {"height_m": Attribute(height_m, "m")}
    if name:
        attributes["name"] = Attribute(name)
    x = X + 20 * number
    return CityObject(f"test:{number}", "Building", shapely.box(x, Y, x + 10, Y + 10), attributes=attributes)


def dataset(identifier: str = "test") -> Provenance:
    return Provenance(identifier, "Test", "test.json", "0" * 64, "CC0-1.0", "nobody", "test", "1", AT)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with DataDirectory(tmp_path) as directory, Database.open(directory) as opened:
        yield opened


@pytest.fixture
def city(database: Database) -> CityService:
    return CityService(database)


def publish(city: CityService, job: str, objects: list[CityObject], frame: CityFrame = FRAME) -> store.Published:
    city.stage(job, 0, *objects_to_columns(objects))
    return city.publish(Act(job, "local", "test", AT), frame, [dataset()])


def test_a_delivery_adds_changes_removes_and_leaves_alone(city: CityService) -> None:
    assert publish(city, "j1", [building(n) for n in range(5)]) == store.Published(1, 5, 0, 0, 0)
    second = publish(city, "j2", [building(0), building(1, 30.0), building(2), building(7)])
    assert second == store.Published(2, added=1, changed=1, removed=2, unchanged=2)
    assert city.object("test:1").attributes["height_m"].value == 30.0
    assert city.view.index.ids == sorted(city.view.index.ids, key=city.view.index.ids.index)
    assert set(city.view.index.ids) == {"test:0", "test:1", "test:2", "test:7"}
    with pytest.raises(NotFound):
        city.object("test:3")


def test_an_older_baseline_can_still_be_read(city: CityService, database: Database) -> None:
    publish(city, "j1", [building(n) for n in range(3)])
    publish(city, "j2", [building(0, 99.0)])
    with database.read() as cursor:
        first = store.read_objects(cursor, 1)
        second = store.read_objects(cursor, 2)
    assert first.num_rows == 3
    assert second["id"].to_pylist() == ["test:0"]
    assert '"v":12.0' in next(
        a for i, a in zip(first["id"].to_pylist(), first["attributes"].to_pylist(), strict=True) if i == "test:0"
    )


def test_the_same_delivery_again_adds_no_versions(city: CityService, database: Database) -> None:
    publish(city, "j1", [building(n) for n in range(3)])
    assert publish(city, "j2", [building(n) for n in range(3)]) == store.Published(2, 0, 0, 0, unchanged=3)
    with database.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM city_object").fetchall() == [(3,)]


def test_what_is_staged_is_unseen_and_can_be_forgotten(city: CityService) -> None:
    city.stage("j1", 0, *objects_to_columns([building(1)]))
    city.reload()
    assert len(city.view.index) == 0
    city.discard("j1")
    assert publish(city, "j1", [building(2)]) == store.Published(1, 1, 0, 0, unchanged=0)
    assert city.view.index.ids == ["test:2"]


def test_what_was_staged_on_a_connection_that_is_gone_is_not_published_in_part(
    city: CityService, database: Database
) -> None:
    publish(city, "j1", [building(1)])
    city.stage("j2", 0, *objects_to_columns([building(1)]))
    database.reopen()
    city.stage("j2", 1, *objects_to_columns([building(2)]))
    with pytest.raises(IntegrityError) as lost:
        city.publish(Act("j2", "local", "test", AT), FRAME, [dataset()])
    assert lost.value.problem_code == "staging-lost"
    city.reload()
    assert city.view.index.ids == ["test:1"]


def test_an_object_that_is_staged_twice_stops_the_whole(city: CityService) -> None:
    city.stage("j1", 0, *objects_to_columns([building(1)]))
    city.stage("j1", 1, *objects_to_columns([building(1)]))
    with pytest.raises(IntegrityError):
        city.publish(Act("j1", "local", "test", AT), FRAME, [dataset()])
    city.reload()
    assert city.baseline_version == 0


def test_a_failing_companion_rolls_the_baseline_back(city: CityService) -> None:
    def fail(_connection: object, _version: int) -> None:
        raise Conflict("no")

    city.stage("j1", 0, *objects_to_columns([building(1)]))
    with pytest.raises(Conflict):
        city.publish(Act("j1", "local", "test", AT), FRAME, [dataset()], [fail])
    city.reload()
    assert city.baseline_version == 0
    assert city.view.frame is None


def test_another_crs_is_refused(city: CityService) -> None:
    publish(city, "j1", [building(1)])
    other = CityFrame("test", "Test", "测试", "EPSG:28992", None, "flat", "UTC")
    with pytest.raises(Conflict):
        publish(city, "j2", [building(2)], other)
    assert city.baseline_version == 1


def test_the_first_view_and_the_middle_of_the_buildings_are_said(city: CityService) -> None:
    view = FirstView(24.94, 60.17, 16.25, 52.0, -22.0)
    publish(city, "j1", [building(n) for n in range(3)], replace(FRAME, first_view=view))
    city.reload()
    summary = city.summary()
    assert summary["first_view"] == list(view)
    west, south, east, north = summary["bbox"]
    assert west < summary["middle"][0] < east
    assert south < summary["middle"][1] < north


def test_an_empty_city_says_so(city: CityService) -> None:
    with pytest.raises(Unavailable):
        city.summary()


def test_a_card_has_each_fact_with_its_source(city: CityService) -> None:
    publish(city, "j1", [building(1, name="Pöytätalo")])
    card = city.card("test:1")
    height = next(a for a in card["attributes"] if a["name"] == "height_m")
    assert height == {
        "name": "height_m",
        "value": 12.0,
        "unit": "m",
        "quality": "recorded",
        "interval": None,
        "method": None,
        "source": "test",
    }
    assert card["provenance"][0]["licence"] == "CC0-1.0"
    west, south, east, north = card["bbox"]
    assert 24 < west < card["centroid"][0] < east < 26
    assert 60 < south < card["centroid"][1] < north < 61


@pytest.mark.parametrize("wanted", ["pöytä", "POYTA", "talo", "test:1"])
def test_a_search_folds_case_and_accents(city: CityService, wanted: str) -> None:
    publish(city, "j1", [building(1, name="Pöytätalo"), building(2, name="Asema")])
    assert [hit["id"] for hit in city.search(wanted, 10)] == ["test:1"]


def test_a_search_knows_names_in_other_languages(city: CityService) -> None:
    church = CityObject(
        "test:9",
        "Building",
        shapely.box(X, Y, X + 10, Y + 10),
        attributes={"name": Attribute("Helsingin tuomiokirkko"), "name:zh": Attribute("赫尔辛基大教堂")},
    )
    publish(city, "j1", [church, building(2, name="Asema")])
    assert [hit["name"] for hit in city.search("大教堂", 10)] == ["Helsingin tuomiokirkko"]


def test_a_gap_in_the_baselines_is_seen_at_the_next_start(tmp_path: Path) -> None:
    from cim.db.faults import DatabaseDamaged
    from cim.db.settings import gapless_check

    check = gapless_check("baseline", "baseline_version")
    with DataDirectory(tmp_path) as directory:
        with Database.open(directory, checks=[check]) as database:
            city = CityService(database)
            publish(city, "j1", [building(1)])
            publish(city, "j2", [building(2)])
            database.submit(lambda c: c.execute("DELETE FROM baseline WHERE baseline_version = 1").fetchall()).result()
        with pytest.raises(DatabaseDamaged):
            Database.open(directory, checks=[check])
