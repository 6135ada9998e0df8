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
STREETS = 12
"""Streets of one city, two kilometres apart: what is drawn for one has nothing to do with the others."""
PLOTS = 5
APART = 100
EXAMPLES = 10
"""Cities: a transaction costs as much for twelve streets as for one, so ten cities try 120 streets."""


@st.composite
def buildings(draw: st.DrawFn, source: str, street: int) -> list[CityObject]:
    """What a source delivers of a street: some plots, some with a part, moved, resized, renamed; perhaps nothing."""
    found: list[CityObject] = []
    for plot in draw(st.sets(st.integers(0, PLOTS - 1))):
        dx, size = draw(st.sampled_from([(0.0, 10.0), (1.0, 10.0), (3.0, 8.0), (0.0, 4.0), (20.0, 10.0), (0.0, 30.0)]))
        name = f"{source}:{street}-{plot}{draw(st.sampled_from(['', '', 'x']))}"
        lod = draw(st.sampled_from([None, "1", "2"]))
        facts = {"height_m": Attribute(float(draw(st.integers(5, 7))), "m"), f"{source}_fact": Attribute(plot)}
        if draw(st.booleans()):
            facts["parcel_id"] = Attribute(f"{street}-{plot}")
        at = street * APART + plot
        found.append(building(name, box(at, dx, size), lod, **facts))
        if draw(st.booleans()):
            found.append(building(f"{name}/part", box(at, dx, size / 2), "2", parent=name, kind="BuildingPart"))
    return found


@st.composite
def deliveries(draw: st.DrawFn) -> list[CityObject]:
    """One delivery of one source, of all streets together."""
    source = draw(st.sampled_from(SOURCES))
    return [one for street in range(STREETS) for one in draw(buildings(source, street))]


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
@given(st.lists(deliveries().filter(bool), min_size=2, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_is_lost_and_everything_can_be_taken_back(
    sequence: Sequence[list[CityObject]], chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder, merged_city(Path(folder)) as city:
        given_: dict[str, list[CityObject]] = {}
        states: list[tuple[str, bytes]] = []
        for objects in sequence:
            states.append((f"j{city.jobs + 1}", city.state()))
            city.deliver(objects)
            given_[objects[0].dataset] = objects
            check(city, given_)
        # The same again changes nothing, in whatever order: the order within a file means nothing.
        last, after = sequence[-1], city.state()
        turned = list(last)
        chance.shuffle(turned)
        published = city.deliver(turned)
        assert (published.added, published.changed, published.removed) == (0, 0, 0)
        assert published.unchanged == len(last)
        assert city.state() == after
        undo(city, f"j{city.jobs}")
        assert city.state() == after
        job, before = states.pop()
        undo(city, job)
        assert city.state() == before
        states.append((f"j{city.jobs + 1}", before))
        city.deliver(turned)
        assert city.state() == after
        # All the way back, the newest first.
        for job, before in reversed(states):
            undo(city, job)
            assert city.state() == before
        assert city.shown() == {}
