"""Taking back what a job did: the state before, to the byte; refused where something was built upon it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cim.city.attached import Attachment
from cim.city.merging.service import Declared
from cim.city.store import Act
from cim.city.telling.service import ObjectTeller
from cim.city.undoing.service import UndoService
from cim.errors import Conflict, Gone, NotFound
from tests.integration.test_city_merge import models, prints
from tests.support.merged_city import AT, MergedCity, box, building, merged_city


@pytest.fixture
def city(tmp_path: Path) -> Iterator[MergedCity]:
    with merged_city(tmp_path) as opened:
        yield opened


def undo(city: MergedCity, job: str) -> str:
    city.jobs += 1
    name = f"j{city.jobs}"
    UndoService(city.database, city.city).take_back(Act(name, "local", "undo", AT), job)
    return name


def test_a_merge_taken_back_is_as_if_it_had_not_been(city: MergedCity) -> None:
    city.deliver(models())
    before = city.state()
    city.deliver(prints())
    after = city.state()
    undone = undo(city, "j2")
    assert city.state() == before
    assert [one.dataset for one in city.city.view.datasets] == ["models"]
    undo(city, undone)
    assert city.state() == after


def test_what_was_taken_back_can_come_again(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    after = city.state()
    undo(city, "j2")
    city.deliver(prints())
    assert city.state() == after


def test_a_new_delivery_taken_back_brings_back_what_it_changed_and_removed(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    before = city.state()
    city.deliver([*models(1), building("models:7", box(7), "2")])
    undo(city, "j3")
    assert city.state() == before


def test_what_later_jobs_built_upon_is_refused_with_the_list(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    version, later = UndoService(city.database, city.city).look("j1")
    assert version == 1
    assert {(one.kind, one.id, one.job_id) for one in later} == {("object", f"models:{n}", "j2") for n in range(3)}
    with pytest.raises(Conflict) as refused:
        undo(city, "j1")
    assert refused.value.problem_code == "undo-built-upon"
    assert refused.value.params["count"] == 3
    assert city.city.baseline_version == 2
    city.jobs -= 1
    undo(city, "j2")
    undo(city, "j1")
    assert city.shown() == {}


def test_a_delivery_that_was_confirmed_since_is_not_taken_back(city: MergedCity) -> None:
    city.deliver(models())
    job = Act("again", "local", "test", AT)
    from dataclasses import replace

    from cim.city.columns import objects_to_columns
    from tests.support.merged_city import FRAME, dataset

    city.city.stage("again", 0, *objects_to_columns(models()))
    city.city.publish(job, FRAME, [replace(dataset("models"), source_sha256="1" * 64)], declared=Declared())
    _, later = UndoService(city.database, city.city).look("j1")
    assert [(one.kind, one.id, one.job_id) for one in later] == [("dataset", "models", "again")]


def test_jobs_without_a_baseline_have_nothing_to_take_back(city: MergedCity) -> None:
    with pytest.raises(NotFound) as nothing:
        UndoService(city.database, city.city).look("never")
    assert nothing.value.problem_code == "undo-nothing"


def test_a_declared_priority_is_taken_back_too(city: MergedCity) -> None:
    city.deliver(models())
    city.deliver(prints())
    before = city.state()
    city.deliver(prints(), priority="height_m=prints")
    assert city.state() != before
    undo(city, "j3")
    assert city.state() == before
    city.deliver([*prints(), building("prints:9", box(9))])
    assert city.shown()["models:0"].attributes["height_m"].value == 10.0


def test_nothing_that_is_attached_is_orphaned_unsaid(city: MergedCity) -> None:
    hung = [
        Attachment("models:1", "scheme", "s1"),
        Attachment("models:2", "datastream", "d1"),
        Attachment("models:2", "scheme", "draft", is_public=False),
    ]
    city.city.attachments.append(lambda gone: [one for one in hung if one.object_id in gone])
    city.deliver(models())
    published = city.deliver(models(2))
    assert published.attached == (hung[1], hung[2])
    # A summary is for everybody: a draft is counted and not named.
    assert published.attached_summary() == {"attached_gone": {"count": 2, "items": [hung[1].json()]}}
    city.deliver(prints())
    assert city.deliver(models(1)).attached == ()


def test_an_object_that_went_says_when_and_what_it_was(city: MergedCity) -> None:
    teller = ObjectTeller(city.database, city.city)
    city.deliver(models())
    city.deliver(models(2))
    with pytest.raises(Gone) as gone:
        teller.tell("models:2")
    assert gone.value.problem_code == "object-gone"
    assert gone.value.params["last_baseline_version"] == 1
    assert gone.value.params["job_id"] == "j2"
    assert teller.tell_at("models:2", 1)["attributes"][0]["value"] == 12.0
    with pytest.raises(NotFound):
        teller.tell("models:99")


def test_a_card_says_its_sources_conflicts_and_history(city: MergedCity) -> None:
    teller = ObjectTeller(city.database, city.city)
    city.deliver(models())
    assert teller.tell("models:0")["sources"] == [
        {"id": "models:0", "dataset": "models", "match": "first", "overlap": None, "iou": None}
    ]
    city.deliver(prints())
    card = teller.tell("models:0")
    assert [(one["id"], one["match"], one["overlap"]) for one in card["sources"]] == [
        ("models:0", "first", None),
        ("prints:0", "overlap", 0.9),
    ]
    assert card["conflicts"] == [
        {
            "attribute": "height_m",
            "kept": {"value": 10.0, "dataset": "models"},
            "other": {"value": 20.0, "dataset": "prints"},
        }
    ]
    assert [(one["baseline_version"], one["job_id"]) for one in card["history"]] == [(1, "j1"), (2, "j2")]
    assert card["history"][0]["valid_to"] == card["history"][1]["valid_from"]
    assert card["history"][1]["valid_to"] is None
    merged = teller.tell("prints:0")
    assert (merged["merged_into"], merged["match"], merged["overlap"]) == ("models:0", "overlap", 0.9)
