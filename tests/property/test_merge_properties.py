"""Whatever three sources deliver, in whatever order: nothing is lost or twice, everything can be taken back."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim.city.merging.plan import dataset_of
from cim.city.model import Attribute, CityObject
from cim.city.store import Act
from cim.city.undoing.service import UndoService
from tests.support.merged_city import AT, MergedCity, box, building, merged_city

SOURCES = ("alpha", "beta", "gamma")
PLOTS = 5


@st.composite
def deliveries(draw: st.DrawFn) -> list[CityObject]:
    """One delivery of one source: some buildings on some plots, some with a part, moved, resized, renamed."""
    source = draw(st.sampled_from(SOURCES))
    found: list[CityObject] = []
    for plot in draw(st.sets(st.integers(0, PLOTS - 1), min_size=1)):
        dx, size = draw(st.sampled_from([(0.0, 10.0), (1.0, 10.0), (3.0, 8.0), (0.0, 4.0), (20.0, 10.0), (0.0, 30.0)]))
        name = f"{source}:{plot}{draw(st.sampled_from(['', '', 'x']))}"
        lod = draw(st.sampled_from([None, "1", "2"]))
        facts = {"height_m": Attribute(float(draw(st.integers(5, 7))), "m"), f"{source}_fact": Attribute(plot)}
        if draw(st.booleans()):
            facts["parcel_id"] = Attribute(str(plot))
        found.append(building(name, box(plot, dx, size), lod, **facts))
        if draw(st.booleans()):
            found.append(building(f"{name}/part", box(plot, dx, size / 2), "2", parent=name, kind="BuildingPart"))
    return found


def check(city: MergedCity, given_: dict[str, list[CityObject]]) -> None:
    """Each object of each source is found in exactly one object of the city, with its facts said or contradicted."""
    shown, links = city.shown(), city.links()
    every = {one.id: one for objects in given_.values() for one in objects}
    for identifier, one in every.items():
        where = links.get(identifier, identifier)
        assert where in shown
        own = shown[where]
        if one.type == "Building" and f"{one.dataset}_fact" in one.attributes:
            assert own.attributes[f"{one.dataset}_fact"].value == one.attributes[f"{one.dataset}_fact"].value
            assert own.attributes["height_m"].value in {
                every[other].attributes["height_m"].value
                for other in {identifier, *(other for other, at in links.items() if at == where)}
                if "height_m" in every[other].attributes
            }
    assert set(links) <= set(every)
    # What is shown is somebody's: nothing is left over.
    for identifier in shown:
        assert identifier in every or identifier in links.values()
    # A building has at most one member of each source.
    for canonical in {at for one, at in links.items() if every[one].type == "Building"}:
        members = [one for one, at in links.items() if at == canonical and every[one].type == "Building"]
        assert len({dataset_of(one) for one in members}) == len(members) > 0
    # A part's building is shown.
    assert all(one.parent_id is None or one.parent_id in shown for one in shown.values())


def undo(city: MergedCity, job: str) -> str:
    city.jobs += 1
    name = f"j{city.jobs}"
    UndoService(city.database, city.city).take_back(Act(name, "local", "undo", AT), job)
    return name


@pytest.mark.timeout(900)
@given(st.lists(deliveries(), min_size=2, max_size=5), st.integers(0, 2**16))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_nothing_is_lost_and_everything_can_be_taken_back(sequence: Sequence[list[CityObject]], seed: int) -> None:
    shuffle = random.Random(seed).shuffle
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        merged_city(Path(one)) as city,
        merged_city(Path(other)) as mixed,
    ):
        given_: dict[str, list[CityObject]] = {}
        states: list[tuple[str, bytes]] = []
        for objects in sequence:
            before = city.state()
            city.deliver(objects)
            states.append((f"j{city.jobs}", before))
            given_[objects[0].dataset] = objects
            check(city, given_)
            # The order within a file means nothing.
            turned = list(objects)
            shuffle(turned)
            mixed.deliver(turned)
            assert mixed.state() == city.state()
            # The same again changes nothing.
            after = city.state()
            published = city.deliver(objects)
            assert (published.added, published.changed, published.removed) == (0, 0, 0)
            assert published.unchanged == len(objects)
            assert city.state() == after
            states.append((f"j{city.jobs}", after))
            mixed.jobs += 1
        # All the way back, the newest first.
        for job, before in reversed(states):
            undone = undo(city, job)
            assert city.state() == before
            del undone
        assert city.shown() == {}
