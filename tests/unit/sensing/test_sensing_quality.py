from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cim.errors import CimError
from cim.findings import Quality
from cim.sensing.model import Datastream, ObservationBatch
from cim.sensing.quality import iso_times, quality_of, sort_out

STREAM = Datastream(
    "d:s", "Head", "水头", "pressure_head", "m", 0.0, 0.0, None, "water", "J1", Quality.MODELLED,
    generated=True, period_s=5.0, range_low=20.0, range_high=60.0, limit_min=28.0, limit_max=60.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("result", "quality"),
    [(27.99, "limit_min"), (28.0, "ok"), (40.0, "ok"), (60.0, "ok"), (60.01, "limit_max"), (-1e9, "limit_min")],
)
def test_a_result_on_a_limit_is_within_it(result, quality):
    assert quality_of(STREAM, result) == quality


def test_no_limits_no_alarm():
    free = dataclasses.replace(STREAM, limit_min=None, limit_max=None)
    assert quality_of(free, 1e9) == "ok"


def batch(names: list[str], times: list[str], results: list[float]) -> ObservationBatch:
    return ObservationBatch(names, np.array(times, "datetime64[us]"), np.array(results))


def test_what_cannot_be_stored_is_refused_row_by_row():
    sent = batch(
        ["a", "x", "a", "a", "a", "a"],
        ["2026-01-01", "2026-01-01", "2026-01-01", "NaT", "3000-01-01", "2026-01-02"],
        [1.0, 1.0, np.nan, 1.0, 1.0, 2.0],
    )
    kept, refused = sort_out(sent, {"a"}, 100)
    assert kept.datastream_ids == ["a", "a"]
    assert kept.results.tolist() == [1.0, 2.0]
    assert iso_times(kept.phenomenon_times) == ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"]
    assert refused == (
        (1, "unknown-datastream"), (2, "result-not-finite"), (3, "phenomenon-time"), (4, "phenomenon-time"),
    )  # fmt: skip


def test_infinity_is_not_a_result():
    assert sort_out(batch(["a"], ["2026-01-01"], [np.inf]), {"a"}, 9)[1] == ((0, "result-not-finite"),)


def test_a_batch_that_does_not_fit_together_or_is_too_large_is_refused_whole():
    with pytest.raises(CimError) as error:
        sort_out(batch(["a", "b"], ["2026-01-01"], [1.0, 2.0]), {"a"}, 9)
    assert error.value.problem_code == "observation-batch"
    with pytest.raises(CimError) as error:
        sort_out(batch(["a"] * 3, ["2026-01-01"] * 3, [1.0] * 3), {"a"}, 2)
    assert error.value.params == {"limit": "batch_observations_max", "value": 2}
