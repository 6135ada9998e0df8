"""Schemes on a real DuckDB: branches, edits, conflicts, undo, merge, rebase, versions, and starting again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from cim.accounts.model import Role, Who
from cim.errors import Conflict, IntegrityError, InvalidInput, NotFound
from cim.schemes.faults import EditConflict, EditRefused
from cim.schemes.model import SchemeState, Side, Text, Words
from cim.schemes.realise import realise
from cim.schemes.service import Wish
from tests.support.scheme_city import MEI, OLLI, Planned, X, Y, deliver, house, opened, plain_city

YARD = [[[X + 10, Y + 40], [X + 30, Y + 40], [X + 30, Y + 60], [X + 10, Y + 60]]]
BOW_TIE = [[[X, Y], [X + 9, Y + 9], [X + 9, Y], [X, Y + 9]]]
STACK = [[4.0, "retail"], [3.2, "residential"], [3.2, "residential"]]


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Planned]:
    with opened(tmp_path) as city:
        yield city


def test_a_branch_is_the_city_until_it_is_edited(planned: Planned) -> None:
    scheme = planned.branch()
    state = planned.schemes.shelf.actor(scheme).state()
    assert state.net() == {}
    assert state.base.version == 1
    assert state.value("test:b0", "storeys") == [[3.2, "residential"]] * 4
    assert state.fields("test:p0")["land_use"] == "residential"


def test_edits_build_on_each_other_and_on_the_parent(planned: Planned) -> None:
    scheme = planned.branch()
    made = planned.edit(scheme, "building.add", footprint=YARD, storeys=STACK).edit.targets[0]
    assert made == f"{scheme}:b/1"
    planned.edit(scheme, "building.demolish", "test:b1")
    child = planned.branch("Child", scheme)
    planned.edit(child, "building.height", made, height_m=30.0)
    # What the parent does afterwards is not the child's.
    planned.edit(scheme, "building.demolish", "test:b2")
    seen = planned.schemes.shelf.actor(child).state()
    assert not seen.exists("test:b1")
    assert seen.exists("test:b2")
    assert sum(storey[0] for storey in seen.value(made, "storeys")) == pytest.approx(30.0, abs=1e-9)
    # A grandchild at an earlier edit of the parent.
    early = planned.branch("Early", scheme, at=1)
    assert planned.schemes.shelf.actor(early).state().exists("test:b1")
    shown = realise(seen, seen.base)
    assert shown["test:b1"] is None
    assert shown[made] is not None


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        scheme = first.branch()
        first.edit(scheme, "building.add", footprint=YARD, storeys=STACK)
        first.edit(scheme, "street.close", "test:r1")
        first.schemes.undo(scheme, MEI)
        child = first.branch("Child", scheme)
        first.edit(child, "parcel.land_use", "test:p0", land_use="park")
        version = first.joining.publish(scheme, MEI)
        before = [first.schemes.shelf.actor(one).state().net() for one in (scheme, child)]
        log = list(first.schemes.shelf.actor(scheme).log())
    with opened(tmp_path) as again:
        assert [again.schemes.shelf.actor(one).state().net() for one in (scheme, child)] == before
        assert list(again.schemes.shelf.actor(scheme).log()) == log
        assert again.joining.version(scheme, 1)[0] == version
        assert again.edit(scheme, "building.demolish", "test:b3").edit.sequence == 4


def test_two_planners_who_saw_the_same_are_in_conflict(planned: Planned) -> None:
    scheme = planned.branch()
    seen = planned.schemes.shelf.actor(scheme).state().value("test:b0", "storeys")
    planned.schemes.edit(scheme, Wish("building.height", "test:b0", {"height_m": 30}, expect={"storeys": seen}), MEI)
    late = Wish("building.storeys", "test:b0", {"storeys": STACK}, expect={"storeys": seen})
    with pytest.raises(EditConflict) as refused:
        planned.schemes.edit(scheme, late, OLLI)
    (conflict,) = refused.value.conflicts
    assert (conflict.base, conflict.theirs) == (seen, STACK)
    assert len(conflict.ours) == 9
    assert planned.head(scheme) == 1


def test_an_edit_of_what_is_gone_is_a_conflict_and_of_what_never_was_refused(planned: Planned) -> None:
    scheme = planned.branch()
    planned.edit(scheme, "building.demolish", "test:b0")
    for kind, params in (("building.height", {"height_m": 9.0}), ("building.demolish", {})):
        with pytest.raises(EditConflict) as refused:
            planned.edit(scheme, kind, "test:b0", OLLI, **params)
        assert refused.value.conflicts[0].field == "exists"
    with pytest.raises(EditRefused) as unknown:
        planned.edit(scheme, "building.height", "test:nobody", height_m=9.0)
    assert unknown.value.findings[0].rule == "target-unknown"
    assert planned.head(scheme) == 1


@pytest.mark.parametrize(
    ("kind", "target", "params", "rule"),
    [
        ("building.storeys", "test:b0", {"count": 10_000}, "field-limit"),
        ("building.height", "test:b0", {"height_m": 40_000.0}, "field-limit"),
        ("building.height", "test:b0", {"height_m": float("nan")}, "field-value"),
        ("building.height", "test:b0", {"height_m": 0.5}, "height-under-roof"),
        ("building.footprint", "test:b0", {"footprint": BOW_TIE}, "footprint-invalid"),
        ("building.add", None, {"storeys": STACK}, "param-missing"),
        ("building.use", "test:b0", {"use": "castle"}, "field-value"),
        ("street.close", "test:b0", {}, "target-type"),
        ("parcel.split", "test:p0", {"line": [[0, 0], [1, 1]]}, "split-misses"),
        ("parcel.merge", "test:p0", {"with": ["test:p2"]}, "parcels-apart"),
        ("make.coffee", None, {}, "edit-kind"),
        ("street.open", "test:r1", {}, "edit-empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_finding(
    planned: Planned, kind: str, target: str | None, params: dict[str, object], rule: str
) -> None:
    scheme = planned.branch()
    with pytest.raises(EditRefused) as refused:
        planned.edit(scheme, kind, target, **params)
    assert refused.value.findings[0].rule == rule
    assert planned.head(scheme) == 0


def test_a_trial_writes_nothing_and_says_the_same(planned: Planned) -> None:
    scheme = planned.branch()
    wish = Wish("building.add", None, {"footprint": YARD, "storeys": STACK})
    trial = planned.schemes.edit(scheme, wish, MEI, trial=True)
    assert not trial.stored
    assert planned.head(scheme) == 0
    real = planned.schemes.edit(scheme, wish, MEI)
    assert real.edit.changes == trial.edit.changes


def test_a_retry_is_the_same_edit(planned: Planned) -> None:
    scheme = planned.branch()
    who = Who("Mei", "key-1", "print")
    first = planned.schemes.edit(scheme, Wish("building.demolish", "test:b0"), who)
    again = planned.schemes.edit(scheme, Wish("building.demolish", "test:b0"), who)
    assert again.edit == first.edit
    assert planned.head(scheme) == 1
    with pytest.raises(Conflict) as other:
        planned.schemes.edit(scheme, Wish("building.demolish", "test:b1"), Who("Mei", "key-1", "other"))
    assert other.value.problem_code == "idempotency-key-reused"
    create = Who("Mei", "key-2", "print")
    made = {planned.schemes.create(Words(Text("A", "A")), create).scheme.id for _ in range(2)}
    assert len(made) == 1


def test_each_author_undoes_their_own(planned: Planned) -> None:
    scheme = planned.branch()
    planned.edit(scheme, "building.demolish", "test:b0", MEI)
    planned.edit(scheme, "building.demolish", "test:b1", OLLI)
    planned.edit(scheme, "building.demolish", "test:b2", MEI)
    assert planned.schemes.undo(scheme, MEI).edit.undoes == 3
    assert planned.schemes.undo(scheme, MEI).edit.undoes == 1
    with pytest.raises(Conflict) as nothing:
        planned.schemes.undo(scheme, MEI)
    assert nothing.value.problem_code == "nothing-to-undo"
    state = planned.schemes.shelf.actor(scheme).state()
    assert [state.exists(f"test:b{n}") for n in range(3)] == [True, False, True]
    assert planned.schemes.redo(scheme, MEI).after.exists("test:b0") is False
    assert planned.schemes.redo(scheme, MEI).after.exists("test:b2") is False
    with pytest.raises(Conflict):
        planned.schemes.redo(scheme, MEI)
    # The log has grown only: every step stands in it.
    assert [edit.kind for edit in planned.schemes.shelf.actor(scheme).log()][3:] == ["undo", "undo", "redo", "redo"]


def test_an_undo_that_others_built_on_is_a_conflict(planned: Planned) -> None:
    scheme = planned.branch()
    made = planned.edit(scheme, "building.add", footprint=YARD, storeys=STACK).edit.targets[0]
    planned.edit(scheme, "building.solar", made, OLLI, solar_share=0.5)
    with pytest.raises(EditConflict) as refused:
        planned.schemes.undo(scheme, MEI)
    assert any(conflict.field in {"exists", "solar_share"} for conflict in refused.value.conflicts)
    planned.edit(scheme, "building.height", "test:b0", height_m=20.0)
    planned.edit(scheme, "building.height", "test:b0", OLLI, height_m=30.0)
    with pytest.raises(EditConflict) as changed:
        planned.schemes.undo(scheme, MEI, 3)
    (conflict,) = changed.value.conflicts
    assert len(conflict.ours) == 9
    # Once the other has taken theirs back, it goes.
    planned.schemes.undo(scheme, OLLI)
    assert planned.schemes.undo(scheme, MEI, 3).after.value("test:b0", "storeys") == [[3.2, "residential"]] * 4


def test_a_merge_takes_everything_in_once(planned: Planned) -> None:
    main = planned.branch("Main")
    side = planned.branch("Side", main)
    made = planned.edit(side, "building.add", footprint=YARD, storeys=STACK).edit.targets[0]
    planned.edit(main, "building.demolish", "test:b3")
    done = planned.joining.merge(main, side, OLLI).done
    assert done is not None
    assert done.after.exists(made)
    assert not done.after.exists("test:b3")
    # The side goes on; merged again, only what is new comes.
    planned.edit(side, "building.solar", made, solar_share=0.4)
    planned.edit(main, "building.roof", made, type="gabled", height_m=4.0)
    again = planned.joining.merge(main, side, OLLI).done
    assert again is not None
    assert [(c.target, c.field) for c in again.edit.changes] == [(made, "solar_share")]
    # And back: the side gets what main has.
    back = planned.joining.merge(side, main, OLLI).done
    assert back is not None
    assert back.after == again.after


def test_a_conflict_waits_for_a_choice(planned: Planned) -> None:
    ours, theirs = planned.branch("Ours"), planned.branch("Theirs")
    planned.edit(ours, "building.height", "test:b0", height_m=30.0)
    planned.edit(theirs, "building.use", "test:b0", use="hotel")
    planned.edit(ours, "building.demolish", "test:b1")
    planned.edit(theirs, "building.solar", "test:b1", solar_share=1.0)
    planned.edit(theirs, "street.close", "test:r1")
    waiting = planned.joining.merge(ours, theirs, MEI)
    assert waiting.done is None
    assert {(c.target, c.field) for c in waiting.conflicts} == {("test:b0", "storeys"), ("test:b1", "exists")}
    assert planned.head(ours) == 2
    choices = {("test:b0", "storeys"): Side.THEIRS, ("test:b1", "exists"): Side.THEIRS}
    done = planned.joining.merge(ours, theirs, MEI, choices).done
    assert done is not None
    assert done.after.value("test:b0", "storeys") == [[3.2, "hotel"]] * 4
    assert done.after.value("test:b1", "solar_share") == 1.0
    assert done.after.value("test:r1", "closed") is True
    with pytest.raises(InvalidInput):
        planned.joining.merge(ours, ours, MEI)


def test_two_merges_crosswise_do_not_wait_for_each_other(planned: Planned) -> None:
    one, two = planned.branch("One"), planned.branch("Two")
    for n in range(3):
        planned.edit(one, "building.demolish", f"test:b{n}")
        planned.edit(two, "building.demolish", f"test:b{n + 3}")
    threads = [
        threading.Thread(target=planned.joining.merge, args=pair) for pair in ((one, two, MEI), (two, one, OLLI))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert planned.schemes.shelf.actor(one).state() == planned.schemes.shelf.actor(two).state()


def test_a_newer_baseline_is_taken_by_a_rebase(planned: Planned) -> None:
    scheme = planned.branch()
    planned.edit(scheme, "building.height", "test:b0", height_m=30.0)
    planned.edit(scheme, "building.use", "test:b1", use="office")
    planned.edit(scheme, "building.demolish", "test:b2")
    planned.edit(scheme, "street.close", "test:r1")
    newer = [house(0, 20.0), house(2, 12.8), *(house(n) for n in range(3, 6)), *plain_city()[6:]]
    assert deliver(planned.city, "second", newer) == 2
    # The scheme stands where it stood: its old baseline is read from the store.
    actor = planned.schemes.shelf.actor(scheme)
    assert actor.overview().baseline_version == 1
    assert actor.state().base.fields("test:b1") is not None
    tried = planned.joining.contradictions(scheme)
    waiting = planned.joining.rebase(scheme, MEI)
    assert tried == waiting
    assert {(c.target, c.field) for c in waiting.conflicts} == {("test:b0", "storeys"), ("test:b1", "exists")}
    (gone,) = [c for c in waiting.conflicts if c.target == "test:b1"]
    assert "storeys" in gone.edits
    choices = {("test:b0", "storeys"): Side.OURS, ("test:b1", "exists"): Side.OURS}
    assert planned.joining.contradictions(scheme, choices=choices).conflicts == ()
    assert actor.overview().baseline_version == 1, "what is only asked moves nothing"
    done = planned.joining.rebase(scheme, MEI, choices=choices).done
    assert done is not None
    state = actor.state()
    assert state.base.version == 2
    assert len(state.value("test:b0", "storeys")) == 9
    assert state.exists("test:b1")
    assert state.value("test:b1", "storeys") == [[3.2, "office"]] * 4
    assert state.value("test:b1", "footprint") is not None
    assert not state.exists("test:b2")
    with pytest.raises(Conflict) as same:
        planned.joining.rebase(scheme, MEI)
    assert same.value.problem_code == "baseline-not-newer"


def test_a_rebase_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        scheme = first.branch()
        first.edit(scheme, "building.use", "test:b1", use="office")
        deliver(first.city, "second", [house(0), *plain_city()[6:]])
        choices = {("test:b1", "exists"): Side.OURS}
        done = first.joining.rebase(scheme, MEI, choices=choices).done
        assert done is not None
        other = first.branch("Other")
        deliver(first.city, "third", [house(0), house(1), *plain_city()[6:]])
        newest = first.branch("New")
        with pytest.raises(Conflict) as differs:
            first.joining.merge(newest, other, MEI)
        assert differs.value.problem_code == "baseline-differs"
        net = first.schemes.shelf.actor(scheme).state().net()
    with opened(tmp_path) as again:
        actor = again.schemes.shelf.actor(scheme)
        assert actor.state().net() == net
        assert actor.state(1).base.version == 1
        assert actor.state().base.version == 2


def test_what_is_published_never_changes(planned: Planned) -> None:
    scheme = planned.branch()
    planned.edit(scheme, "building.demolish", "test:b0")
    with pytest.raises(NotFound):
        planned.schemes.seen(scheme, Role.VISITOR)
    first = planned.joining.publish(scheme, MEI)
    assert planned.joining.publish(scheme, MEI) == first
    planned.edit(scheme, "building.demolish", "test:b1")
    planned.schemes.say(scheme, lambda words: Words(Text("Renamed", "改名")))
    seen = planned.schemes.seen(scheme, Role.VISITOR)
    assert (seen.head, seen.words.name.en) == (1, "Towers")
    assert seen.state().exists("test:b1")
    assert planned.schemes.seen(scheme, Role.PLANNER).head == 2
    second = planned.joining.publish(scheme, MEI)
    assert (second.number, second.sequence) == (2, 2)
    assert second.digest != first.digest
    version, state = planned.joining.version(scheme, 1)
    assert version == first
    assert state.exists("test:b1")
    planned.joining.withdraw(scheme)
    assert planned.schemes.shelf.actor(scheme).scheme.state is SchemeState.WITHDRAWN
    with pytest.raises(NotFound):
        planned.schemes.seen(scheme, Role.VISITOR)
    assert planned.joining.version(scheme, 2)[0] == second
    with pytest.raises(NotFound):
        planned.joining.version(scheme, 3)


def test_a_version_that_was_tampered_with_is_not_shown(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        scheme = first.branch()
        first.edit(scheme, "building.height", "test:b0", height_m=30.0)
        first.joining.publish(scheme, MEI)
        tamper = "UPDATE scheme_edit SET changes = replace(changes, '3.334', '3.335')"
        first.database.submit(lambda c: c.execute(tamper).fetchall()).result()
    with opened(tmp_path) as again, pytest.raises(IntegrityError):
        again.joining.version(scheme, 1)


def test_phases_show_what_is_begun_by_a_year(planned: Planned) -> None:
    scheme = planned.branch()
    for number, year in ((0, 2027), (1, 2030), (2, None)):
        planned.schemes.edit(scheme, Wish("building.demolish", f"test:b{number}", phase_year=year), MEI)
    seen = planned.schemes.seen(scheme, Role.PLANNER)
    gone = {
        year: [n for n in range(3) if not seen.state(year=year).exists(f"test:b{n}")] for year in (2026, 2027, 2031)
    }
    assert gone == {2026: [2], 2027: [0, 2], 2031: [0, 1, 2]}
    assert seen.actor.overview().phases == [2027, 2030]
    with pytest.raises(EditRefused):
        planned.schemes.edit(scheme, Wish("building.demolish", "test:b3", phase_year=99_999), MEI)


def test_parcels_are_split_and_merged_without_losing_ground(planned: Planned) -> None:
    scheme = planned.branch()
    line = [[X + 10, Y - 50], [X + 10, Y + 50]]
    parts = planned.edit(scheme, "parcel.split", "test:p0", line=line)
    made = parts.edit.targets[1:]
    assert made == [f"{scheme}:p/1-2", f"{scheme}:p/1-3"]
    areas = [shapely.Polygon(parts.after.value(t, "footprint")[0]).area for t in made]
    assert sum(areas) == pytest.approx(40 * 30)
    assert not parts.after.exists("test:p0")
    joined = planned.edit(scheme, "parcel.merge", made[0], **{"with": [made[1]]})
    shape = shapely.Polygon(joined.after.value(joined.edit.targets[-1], "footprint")[0])
    assert shape.area == pytest.approx(1200)
    assert planned.schemes.undo(scheme, MEI).after.exists(made[0])


def test_many_at_once_lose_nothing(planned: Planned) -> None:
    scheme = planned.branch()
    errors: list[BaseException] = []

    def plant(author: str) -> None:
        try:
            for n in range(10):
                planned.edit(scheme, "tree.add", who=Who(author), place=[X + n, Y + 80])
        except BaseException as error:  # noqa: BLE001 -- told to the test
            errors.append(error)

    threads = [threading.Thread(target=plant, args=(f"planner {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    log = planned.schemes.shelf.actor(scheme).log()
    assert [edit.sequence for edit in log] == list(range(1, 41))
    assert len(planned.schemes.shelf.actor(scheme).state().targets) == 40
