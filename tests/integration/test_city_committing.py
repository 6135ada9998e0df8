"""A baseline is gathered beside the writer and moved in turns: nobody waits, nobody sees half of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from cim.city import service as city_service
from cim.city.committing import store as committing
from cim.city.merging.store import write_priority
from cim.city.service import CityService
from cim.city.store import Act
from cim.city.undoing.service import UndoService
from cim.errors import Conflict
from tests.support.merged_city import AT, FRAME, MergedCity, box, building, dataset, merged_city

WAIT_S = 30.0


@pytest.fixture
def city(tmp_path: Path) -> Iterator[MergedCity]:
    with merged_city(tmp_path) as opened:
        yield opened


@pytest.fixture
def small_turns(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Move a few rows a turn; return what has something done before each piece is appended."""
    monkeypatch.setattr(committing, "PIECE_BYTES", 2_048)
    monkeypatch.setattr(committing, "FIRST_ROWS", 3)
    monkeypatch.setattr(committing, "TURNS_A_GROUP", 1_000)
    whole = committing.append

    def watched(before: Callable[[], object]) -> None:
        def append(connection: duckdb.DuckDBPyConnection, name: str, piece: pa.Table) -> None:
            before()
            whole(connection, name, piece)

        monkeypatch.setattr(committing, "append", append)

    return watched


def first(turn: int = 0) -> list[Any]:
    return [building(f"models:{n}", box(n), "2", turn=turn) for n in range(20)]


def second() -> list[Any]:
    return [building(f"prints:{n}", box(n, 1.0), "1", storeys_above_ground=n) for n in range(20)]


def rows_beyond(city: MergedCity) -> int:
    with city.database.read() as cursor:
        return sum(
            cursor.execute(
                f"SELECT count(*) FROM {name} WHERE baseline_version > (SELECT max(baseline_version) FROM baseline)"
            ).fetchall()[0][0]
            for name in committing.TABLES
        )


def test_others_write_while_a_baseline_is_gathered(city: MergedCity, monkeypatch: pytest.MonkeyPatch) -> None:
    city.deliver(first())
    gathering, go_on = threading.Event(), threading.Event()
    whole = city_service.merge_delivery

    def slow(*arguments: Any) -> bool:
        gathering.set()
        assert go_on.wait(WAIT_S)
        return whole(*arguments)

    monkeypatch.setattr(city_service, "merge_delivery", slow)
    with ThreadPoolExecutor(1) as pool:
        delivered = pool.submit(city.deliver, second())
        assert gathering.wait(WAIT_S)
        write = city.database.submit(lambda c: c.execute("SELECT 7").fetchall()[0][0])
        try:
            assert write.result(WAIT_S) == 7
            assert not delivered.done()
        finally:
            go_on.set()
        assert delivered.result(WAIT_S).baseline_version == 2
    assert set(city.links().values()) == {f"models:{n}" for n in range(20)}


def test_nobody_sees_a_city_that_is_half_moved(
    city: MergedCity, small_turns: Callable[[Callable[[], object]], None]
) -> None:
    city.deliver(first())
    before = city.state()
    seen: list[tuple[int, bytes]] = []

    def look() -> None:
        # What is committed now, read anew, as somebody would who starts the server at this moment.
        fresh = CityService(city.database)
        seen.append((fresh.baseline_version, MergedCity(city.database, fresh).state()))

    small_turns(look)
    city.deliver(second())
    assert len(seen) > 20
    assert set(seen) == {(1, before)}
    assert city.city.baseline_version == 2
    assert city.state() != before


def test_turns_and_one_turn_make_the_same_city(
    city: MergedCity, small_turns: Callable[[Callable[[], object]], None], tmp_path: Path
) -> None:
    with merged_city(tmp_path / "whole") as whole:
        for one in (first(), second(), first(1)):
            whole.deliver(one)
        expected = whole.state()
    small_turns(lambda: None)
    for one in (first(), second(), first(1)):
        city.deliver(one)
    assert city.state() == expected


@pytest.mark.parametrize("pieces", [0, 5, 12])
def test_a_failure_between_two_turns_leaves_the_city_as_it_was(
    city: MergedCity, small_turns: Callable[[Callable[[], object]], None], pieces: int
) -> None:
    city.deliver(first())
    before = city.state()
    moved = iter(range(1_000))

    def fail() -> None:
        if next(moved) == pieces:
            raise Conflict("no")

    small_turns(fail)
    with pytest.raises(Conflict):
        city.deliver(second())
    city.city.reload()
    assert (city.city.baseline_version, rows_beyond(city)) == (1, 0)
    assert city.state() == before
    assert city.deliver(second()).baseline_version == 2


def test_what_a_crash_left_is_no_part_of_the_next_baseline(city: MergedCity) -> None:
    city.deliver(first())
    city.database.submit(
        lambda c: c.execute(
            """INSERT INTO city_object BY NAME
               SELECT * REPLACE (2 AS baseline_version, 'models:ghost' AS id) FROM city_object LIMIT 1"""
        ).fetchall()
    ).result()
    assert rows_beyond(city) == 1
    assert CityService(city.database).view.index.ids == city.city.view.index.ids
    city.deliver(second())
    assert "models:ghost" not in city.city.view.index.row_of
    assert rows_beyond(city) == 0


def test_what_an_attempt_gathered_is_no_part_of_the_next_on_its_bench(city: MergedCity) -> None:
    with city.database.bench() as bench:
        with city.city.committer.next_baseline(bench) as version:
            bench.run(lambda c: committing.begin_also(c, ["merge_priority"]))
            bench.run(lambda c: write_priority(c, version, "height_m=prints"))
            assert [name for name, _ in committing.pieces(bench)] == ["merge_priority"]
        with city.city.committer.next_baseline(bench):
            assert list(committing.pieces(bench)) == []


def test_a_priority_is_kept_that_comes_with_the_only_source(city: MergedCity) -> None:
    city.deliver(first(), priority="height_m=prints")
    with city.database.read() as cursor:
        kept = cursor.execute("SELECT baseline_version, rules FROM merge_priority").fetchall()
    assert kept == [(1, "height_m=prints")]


def test_taking_back_is_moved_in_turns_too(
    city: MergedCity, small_turns: Callable[[Callable[[], object]], None]
) -> None:
    city.deliver(first())
    before = city.state()
    city.deliver(second())
    versions: set[int] = set()
    small_turns(lambda: versions.add(CityService(city.database).baseline_version))
    undo = UndoService(city.database, city.city)
    undo.take_back(Act("j9", "local", "undo", AT), "j2")
    assert versions == {2}
    assert city.state() == before


def test_a_frame_that_does_not_fit_is_refused_before_anything_is_moved(city: MergedCity) -> None:
    city.deliver(first())
    with pytest.raises(Conflict) as refused:
        city.city.publish(Act("j7", "local", "test", AT), replace(FRAME, crs="EPSG:3067"), [dataset("models")])
    assert refused.value.problem_code == "city-crs"
