from __future__ import annotations

import pytest

from cim.errors import CimError
from cim.live.filter import EVERYTHING, SubjectFacts, read_filter
from cim.live.limits import LiveLimits

LIMITS = LiveLimits(filter_datastreams_max=3)
HELSINKI = SubjectFacts(24.94, 60.17, "flow")


def test_filters_that_mean_the_same_have_the_same_key():
    one = read_filter({"datastreams": ["b", "a", "a"], "bbox": [24, 60, 25, 61]}, LIMITS)
    two = read_filter({"bbox": [24.0, 60.0, 25.0, 61.0], "datastreams": ["a", "b"]}, LIMITS)
    assert one.key == two.key
    assert read_filter({"bbox": [-0.0, 0, 1, 1]}, LIMITS).key == read_filter({"bbox": [0, 0, 1, 1]}, LIMITS).key
    assert read_filter({"observed_property": "flow"}, LIMITS) == read_filter({"observed_property": ["flow"]}, LIMITS)


def test_nothing_asked_lets_all_through():
    assert read_filter(None, LIMITS) is EVERYTHING
    assert read_filter({}, LIMITS).lets_all_through
    assert EVERYTHING.matches("a", None)


def test_an_empty_list_lets_nothing_through():
    assert not read_filter({"datastreams": []}, LIMITS).matches("a", HELSINKI)


def test_a_box_has_its_edges_and_may_cross_the_antimeridian():
    box = read_filter({"bbox": [24.94, 60.17, 24.95, 60.18]}, LIMITS)
    assert box.matches("a", HELSINKI)
    assert not box.matches("a", SubjectFacts(24.9399, 60.17, "flow"))
    assert not box.matches("a", None)
    pacific = read_filter({"bbox": [170, -10, -170, 10]}, LIMITS)
    assert pacific.matches("a", SubjectFacts(179.0, 0.0, ""))
    assert pacific.matches("a", SubjectFacts(-175.0, 0.0, ""))
    assert not pacific.matches("a", SubjectFacts(0.0, 0.0, ""))


@pytest.mark.parametrize(
    "raw",
    [
        [],
        "flow",
        {"polygon": []},
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, 3, "4"]},
        {"bbox": [1, 2, 3, True]},
        {"bbox": [1, 5, 3, 4]},
        {"bbox": [1, 2, 300, 4]},
        {"bbox": None},
        {"datastreams": "a"},
        {"datastreams": [1]},
        {"datastreams": [""]},
        {"datastreams": ["x" * 300]},
        {"observed_property": {}},
    ],
)
def test_what_is_not_a_filter_is_refused(raw):
    with pytest.raises(CimError) as error:
        read_filter(raw, LIMITS)
    assert error.value.problem_code == "live-filter"


def test_too_many_names_hit_a_named_limit():
    with pytest.raises(CimError) as error:
        read_filter({"datastreams": ["a", "b", "c", "d"]}, LIMITS)
    assert error.value.params == {"limit": "filter_datastreams_max", "value": 3}
