from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cim.sensing.feed import begin

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_minute_of_the_city_passes_in_a_second():
    line = begin(NOW, None, 100.0)
    assert line.phenomenon_time(line.tick_at(100.0)) == datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    assert line.phenomenon_time(line.tick_at(101.0)) == datetime(2026, 11, 22, 12, 2, tzinfo=UTC)
    assert line.due_s(line.tick_at(160.0)) == 160.0


def test_a_late_tick_skips_and_does_not_drift():
    line = begin(NOW, None, 0.0)
    assert line.tick_at(7.999) - line.first_tick == 7
    for second in range(100_000):
        assert line.tick_at(float(second)) == line.first_tick + second
        if second > 1000:
            break


@given(INSTANTS, INSTANTS, st.sampled_from([0.5, 1.0, 60.0, 3600.0]))
def test_time_goes_on_after_what_is_stored(now, last, speed):
    line = begin(now, last, 5.0, speed=speed)
    first = line.phenomenon_time(line.first_tick)
    step = timedelta(seconds=speed)
    assert first > last
    assert first >= now
    assert first - max(now, last) <= step
    assert line.phenomenon_time(line.first_tick + 1) - first == step


@given(INSTANTS, st.sampled_from([1.0, 60.0]))
def test_the_same_tick_has_the_same_time_in_every_run(now, speed):
    one = begin(now, None, 0.0, speed=speed)
    two = begin(now + timedelta(days=3), None, 77.0, speed=speed)
    assert one.phenomenon_time(two.first_tick) == two.phenomenon_time(two.first_tick)
