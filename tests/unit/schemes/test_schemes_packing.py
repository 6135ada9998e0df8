"""Packing loses nothing and is small."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from cim.schemes.model import Change
from cim.schemes.packing import pack, unpack

storeys = st.lists(
    st.tuples(st.sampled_from((3.0, 3.2, 4.5)), st.sampled_from(("office", "hotel"))).map(list), min_size=1, max_size=30
)
values = (
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.lists(st.floats(0, 9))
)
changes = st.builds(
    Change, st.text(min_size=1), st.sampled_from(("name", "exists", "roof")), values, values, st.none() | st.just(2030)
) | st.builds(Change, st.text(min_size=1), st.just("storeys"), st.none() | storeys, st.none() | storeys)


@given(st.lists(changes, max_size=8))
def test_what_was_packed_is_what_comes_out(made: list[Change]) -> None:
    found = unpack(pack(made))
    assert found == tuple(made)
    assert [orjson.dumps(c.new) for c in found] == [orjson.dumps(c.new) for c in made]


def test_a_tower_is_stored_as_a_line() -> None:
    tower = [Change("helsinki:way/1", "storeys", [[3.2, "office"]] * 6, [[3.2, "office"]] * 60)]
    assert len(pack(tower)) < 100
