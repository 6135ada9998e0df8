"""What is screened out before a closer look has nothing that the closer look would find."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim.geometry.wkb import offsets_of
from cim.quality.ranges import check_facts, suspects
from cim.quality.rings import touching_rings

NUMBERS = st.one_of(
    st.sampled_from(
        [-3, 0, 0.0, 1, 2.5, 1.75, 3, 40, 830.0, 831, 999, 1000, 2026, 2027, None, "", "12", "x", "nan", True]
    ),
    st.floats(-10, 900, allow_nan=False),
)
FACTS = st.dictionaries(
    st.sampled_from(
        ["height_m", "storeys_above_ground", "storeys_below_ground", "year_of_construction", "area_m2", "floor_area_m2"]
    ),
    st.fixed_dictionaries({"v": NUMBERS}, optional={"q": st.sampled_from(["recorded", "modelled"])}),
)
DRAWN = st.one_of(st.just(math.nan), st.floats(0, 900))


@given(st.lists(st.tuples(st.sampled_from(["Building", "BuildingPart", "Road"]), FACTS, DRAWN), max_size=6))
def test_every_row_with_an_odd_fact_is_looked_at(rows):
    types, facts, drawn = ([row[item] for row in rows] for item in range(3))
    odd = {row for row in range(len(rows)) if list(check_facts(types[row], facts[row], drawn[row], 2026))}
    assert odd <= set(suspects(types, facts, np.array(drawn, dtype=np.float64), 2026))


@pytest.mark.parametrize("seed", range(40))
def test_rings_touch_themselves_where_shapely_says_that_a_vertex_is_near_a_side(seed):
    chance = np.random.default_rng(seed)
    sizes = chance.integers(3, 12, size=20)
    offsets = offsets_of(sizes)
    flat = chance.uniform(-20.0, 20.0, (int(offsets[-1]), 2))
    for ring in chance.choice(20, 8, replace=False).tolist():
        start, count = int(offsets[ring]), int(sizes[ring])
        if count > 3:
            one, two = flat[start], flat[start + 1]
            across = np.array([one[1] - two[1], two[0] - one[0]]) / np.hypot(*(two - one))
            flat[start + 3] = one + (two - one) * chance.uniform(-0.2, 1.2) + across * chance.choice([0.0, 5e-5, 3e-4])
    found = touching_rings(flat, offsets, np.arange(20), 1e-4)
    for ring in range(20):
        own = flat[offsets[ring] : offsets[ring + 1]]
        count = len(own)
        near = any(
            shapely.distance(shapely.Point(own[v]), shapely.LineString([own[s], own[(s + 1) % count]])) <= 1e-4
            for s in range(count)
            for v in range(count)
            if (v - s) % count > 1
        )
        assert found[ring] == near
