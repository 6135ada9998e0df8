from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim.errors import LimitExceeded
from cim.web.limits import Limits, TokenBuckets, check_head


def test_a_burst_passes_then_one_each_interval() -> None:
    buckets = TokenBuckets(rate_per_s=2.0, burst=3)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take("a", 0.5) == 0.0
    assert buckets.take("a", 0.5) == 0.5


def test_clients_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(rate_per_s=1.0, burst=1)
    assert buckets.take("a", 0.0) == 0.0
    assert buckets.take("b", 0.0) == 0.0
    assert buckets.take("a", 0.0) > 0.0


def test_the_number_of_clients_is_bounded() -> None:
    buckets = TokenBuckets(rate_per_s=1.0, burst=1, clients_max=10)
    for number in range(1000):
        buckets.take(str(number), 0.0)
    assert len(buckets._buckets) == 10


@given(st.lists(st.floats(min_value=0, max_value=2), min_size=1, max_size=200))
def test_never_more_than_burst_plus_rate_times_time(waits: list[float]) -> None:
    buckets, now_s, granted = TokenBuckets(rate_per_s=5.0, burst=4), 0.0, 0
    for wait_s in waits:
        now_s += wait_s
        granted += buckets.take("a", now_s) == 0.0
    assert granted <= 4 + 5.0 * sum(waits) + 1e-6


@pytest.mark.parametrize(
    ("url_bytes", "count", "header_bytes", "code"),
    [(8_193, 1, 1, "url-length"), (1, 101, 1, "header-count"), (1, 1, 32_769, "header-bytes")],
)
def test_each_limit_has_its_own_code(url_bytes: int, count: int, header_bytes: int, code: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        check_head(Limits(), url_bytes, count, header_bytes)
    assert caught.value.problem_code == code
    check_head(Limits(), 8_192, 100, 32_768)
