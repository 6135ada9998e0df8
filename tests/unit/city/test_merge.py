"""One building from what several sources say of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cim.city.merge import Conflict, Member, agree, combine
from cim.city.priority import Priority, read_priority, say_priority
from cim.errors import InvalidInput

AGES = Priority({}, {"old": 0, "new": 1, "newest": 2})


def member(dataset: str, lods: tuple[str, ...] = (), parts: tuple[str, ...] = (), **facts: Any) -> Member:
    said = {name: fact if isinstance(fact, dict) else {"v": fact} for name, fact in facts.items()}
    return Member(f"{dataset}:1", dataset, said, lods, parts)


def values(members: list[Member], priority: Priority = AGES) -> dict[str, Any]:
    return {name: fact["v"] for name, fact in combine(members, "old", priority).facts.items()}


def test_of_equals_the_newer_counts_and_the_other_is_a_conflict() -> None:
    combined = combine([member("old", function="shop"), member("new", function="office")], "old", AGES)
    assert combined.facts == {"function": {"v": "office", "s": "new"}}
    assert combined.conflicts == (Conflict("function", "office", "new", "shop", "old"),)


def test_own_facts_name_no_source_and_a_source_that_is_named_stays() -> None:
    combined = combine([member("old", a=1), member("new", b={"v": 2, "s": "elsewhere"}, c=3)], "old", AGES)
    assert combined.facts == {"a": {"v": 1}, "b": {"v": 2, "s": "elsewhere"}, "c": {"v": 3, "s": "new"}}


@pytest.mark.parametrize(
    ("better", "worse"), [("recorded", "modelled"), ("measured", "generated"), ("modelled", "generated")]
)
def test_quality_counts_before_age(better: str, worse: str) -> None:
    found = combine([member("old", x={"v": 1, "q": better}), member("new", x={"v": 2, "q": worse})], "old", AGES)
    assert found.facts["x"]["v"] == 1
    assert found.conflicts == ()


def test_a_declared_order_counts_before_quality_and_then_the_other_is_a_conflict() -> None:
    declared = Priority(read_priority("x=new; *=old"), AGES.seniority)
    members = [member("old", x=1, y=1), member("new", x={"v": 2, "q": "modelled"}, y=2)]
    assert values(members, declared) == {"x": 2, "y": 1}
    assert len(combine(members, "old", declared).conflicts) == 2


def test_heights_come_with_the_geometry_that_is_shown() -> None:
    members = [
        member("old", ("2",), height_m={"v": 10.0, "u": "m"}),
        member("new", ("1",), height_m={"v": 12.0, "u": "m"}),
    ]
    assert values(members) == {"height_m": 10.0}


def test_every_level_comes_from_the_best_source_that_has_it() -> None:
    combined = combine(
        [member("old", ("1", "2")), member("new", ("0", "1", "2")), member("newest", ("1",))], "old", AGES
    )
    assert combined.shapes == (("0", "new:1"), ("1", "new:1"), ("2", "new:1"))
    assert combined.body == combined.place_from == "new:1"
    combined = combine([member("old", ("1",)), member("new", ("2.2",))], "old", AGES)
    assert combined.shapes == (("1", "old:1"), ("2.2", "new:1"))


def test_where_parts_are_shown_nothing_of_others_is_drawn_through_them() -> None:
    combined = combine([member("old", ("1",)), member("new", ("0",), ("2",))], "old", AGES)
    assert combined.body == "new:1"
    assert combined.shapes == (("0", "new:1"),)


def test_what_is_wrong_with_a_geometry_is_said_of_the_one_that_is_shown() -> None:
    wrong = member("old", ("1",), geometry_validity="302")
    assert values([wrong, member("new", ("2",))]) == {}
    assert values([wrong, member("new")]) == {"geometry_validity": "302"}


def test_what_is_empty_is_not_said() -> None:
    assert values([member("old", name="House"), member("new", name="")]) == {"name": "House"}
    assert values([member("old", name=None)]) == {}
    assert values([member("old", flag=False), member("new")]) == {"flag": False}


def test_a_fact_that_a_reader_keeps_under_two_names_is_one_conflict() -> None:
    one = member("old", yearOfConstruction=1900, year_of_construction=1900)
    other = member("new", yearOfConstruction=1950, year_of_construction=1950)
    assert [found.attribute for found in combine([one, other], "old", AGES).conflicts] == ["year_of_construction"]


def test_the_order_of_members_means_nothing() -> None:
    members = [
        member("old", ("1",), a=1, b="x", height_m={"v": 3.0, "u": "m"}),
        member("new", ("1",), a=2, c=5, height_m={"v": 9.0, "u": "m"}),
        member("newest", ("2",), ("2",), a=2, b="y"),
    ]
    results = {repr(combine(list(order), "old", AGES)) for order in itertools.permutations(members)}
    assert len(results) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"v": 10.0, "u": "m"}, {"v": 10.4, "u": "m"}, True),
        ({"v": 10.0, "u": "m"}, {"v": 10.6, "u": "m"}, False),
        ({"v": 10.0, "u": "m"}, {"v": 10.0, "u": "ft"}, False),
        ({"v": 3}, {"v": 3.0}, True),
        ({"v": 3}, {"v": 4}, False),
        ({"v": "Main  Street"}, {"v": "main street"}, True),
        ({"v": True}, {"v": 1}, True),
        ({"v": [1, 2]}, {"v": [1, 3]}, False),
    ],
)
def test_what_counts_as_the_same(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert agree(one, other) is agree(other, one) is same


def test_a_declaration_is_read_and_said_again() -> None:
    rules = read_priority("height_m = lidar , register; *=b; geometry=models;")
    assert rules == {"height_m": ("lidar", "register"), "*": ("b",), "geometry": ("models",)}
    assert read_priority(say_priority(rules)) == rules
    assert read_priority("") == {}


@pytest.mark.parametrize(
    "text",
    ["height_m", "=a", "a=", "a=b,b", "a=b;a=c", "a=B", "a=b c", "a" * 9_000, ";".join(f"a{n}=b" for n in range(300))],
)
def test_a_declaration_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_priority(text)
    assert refused.value.problem_code == "priority"


@pytest.mark.parametrize(
    ("name", "one", "other", "conflicts"),
    [
        ("parcel_id", "0500129000", "500129000", 0),
        ("PID_LONG", "0500129000", 500129000, 0),
        ("parcel_id", "0500129000", "0500129001", 1),
        ("house_number", "007", "7", 1),
    ],
)
def test_zeros_in_front_make_no_other_parcel(name: str, one: Any, other: Any, conflicts: int) -> None:
    members = [member("old", **{name: one}), member("new", **{name: other})]
    assert len(combine(members, "old", AGES).conflicts) == conflicts
