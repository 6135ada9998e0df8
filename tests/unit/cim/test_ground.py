"""Ids, findings and errors: the words that everything else uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim.errors import CimError, InvalidInput, LimitExceeded
from cim.findings import Verdict, judge
from cim.geometry.crs import WorkingFrame, is_metric_projected, working_crs_for
from cim.ids import DATASET_LENGTH_MAX, dataset_slug, object_id, split_id


def test_an_id_is_dataset_and_native_id() -> None:
    assert object_id("helsinki", "way/123") == "helsinki:way/123"
    assert split_id("delfshaven:NL.IMBAG.Pand.1:2") == ("delfshaven", "NL.IMBAG.Pand.1:2")


@pytest.mark.parametrize("native_id", ["", "a\nb", "\x00", "x" * 201])
def test_an_unusable_native_id_is_refused(native_id: str) -> None:
    with pytest.raises(InvalidInput):
        object_id("helsinki", native_id)


@given(st.text())
def test_any_text_gives_a_slug_that_is_one(text: str) -> None:
    slug = dataset_slug(text)
    assert 0 < len(slug) <= DATASET_LENGTH_MAX
    assert split_id(object_id(slug, "1")) == (slug, "1")


@pytest.mark.parametrize(
    ("interval", "at_most", "verdict"),
    [
        ((10.0, 12.0), True, Verdict.PASS),
        ((13.0, 14.0), True, Verdict.FAIL),
        ((11.0, 13.0), True, Verdict.DISCUSS),
        ((13.0, 14.0), False, Verdict.PASS),
        ((12.0, 12.0), True, Verdict.PASS),
        ((12.0, 12.0), False, Verdict.PASS),
    ],
)
def test_an_interval_that_crosses_the_limit_is_discussed(
    interval: tuple[float, float], at_most: bool, verdict: Verdict
) -> None:
    assert judge(interval, 12.0, at_most=at_most) is verdict


def test_an_error_says_code_message_hint_and_numbers() -> None:
    error = LimitExceeded("Too many.", hint="Wait.", limit="clients_max", value=3)
    assert error.as_problem() == {
        "type": "urn:cim:problem:limit-exceeded",
        "code": "limit-exceeded",
        "detail": "Too many.",
        "hint": "Wait.",
        "params": {"limit": "clients_max", "value": 3},
    }
    assert CimError("x", code="other").as_problem()["code"] == "other"


@pytest.mark.parametrize(
    ("crs", "metric"), [("EPSG:3879", True), ("EPSG:28992", True), ("EPSG:4326", False), ("EPSG:2249", False)]
)
def test_a_working_crs_is_projected_and_metric(crs: str, metric: bool) -> None:
    assert is_metric_projected(crs) is metric
    if not metric:
        with pytest.raises(InvalidInput):
            WorkingFrame(crs)


@pytest.mark.parametrize(
    ("lon", "lat", "crs"), [(24.94, 60.17, "EPSG:32635"), (-71.06, 42.36, "EPSG:32619"), (151.2, -33.9, "EPSG:32756")]
)
def test_a_place_without_a_crs_gets_its_utm_zone(lon: float, lat: float, crs: str) -> None:
    assert working_crs_for(lon, lat) == crs


def test_an_unknown_crs_is_named_in_the_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        WorkingFrame("EPSG:999999")
    assert caught.value.problem_code == "unknown-crs"
    assert "EPSG:999999" in caught.value.message
