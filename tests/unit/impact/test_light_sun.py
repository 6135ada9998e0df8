"""Where the sun stands, against pvlib's solar position algorithm (NREL SPA), and the days that rules name."""

from __future__ import annotations

import numpy as np
import pytest

from cim.geometry.crs import WorkingFrame
from cim.impact.light.sun import day_of_longitude, grid_bearing_of_north, sun_path, sun_position, true_noon

PLACES = {"Helsinki": (60.17, 24.94), "Rotterdam": (51.91, 4.46), "Shenzhen": (22.54, 114.06)}
ERROR_DEG = 0.012


@pytest.mark.parametrize("year", [2000, 2026, 2060])
@pytest.mark.parametrize("place", PLACES)
def test_the_sun_stands_where_pvlib_says(place: str, year: int) -> None:
    pandas, solarposition = pytest.importorskip("pandas"), pytest.importorskip("pvlib.solarposition")
    latitude, longitude = PLACES[place]
    times = pandas.date_range(f"{year}-01-01", f"{year}-12-31", freq="97min", tz="UTC")
    theirs = solarposition.get_solarposition(times, latitude, longitude, method="nrel_numpy")
    instants = times.tz_localize(None).to_numpy().astype("datetime64[ms]")
    azimuth, elevation = sun_position(latitude, longitude, instants)
    up = theirs["elevation"].to_numpy() > -1.0
    away = np.abs(elevation - theirs["elevation"].to_numpy())[up]
    turned = (azimuth - theirs["azimuth"].to_numpy() + 180.0) % 360.0 - 180.0
    across = np.abs(turned * np.cos(np.radians(elevation)))[up]
    assert away.max() < ERROR_DEG
    assert across.max() < ERROR_DEG


def test_days_of_the_chinese_calendar() -> None:
    """Great cold and winter solstice as the Purple Mountain Observatory publishes them, Beijing's meridian."""
    assert [day_of_longitude(year, 300.0, 120.0).isoformat() for year in (2024, 2025)] == ["2024-01-20", "2025-01-20"]
    assert [day_of_longitude(year, 270.0, 120.0).isoformat() for year in (2024, 2025)] == ["2024-12-21", "2025-12-21"]


def test_at_true_noon_the_sun_is_due_south_and_highest() -> None:
    day = day_of_longitude(2026, 0.0, 24.94)
    noon = true_noon(day, 24.94)
    azimuth, elevation = sun_position(60.17, 24.94, noon + np.array([-600, 0, 600]) * np.timedelta64(1, "s"))
    assert azimuth[1] == pytest.approx(180.0, abs=0.01)
    assert elevation[1] > elevation[0]
    assert elevation[1] > elevation[2]
    assert elevation[1] == pytest.approx(90.0 - 60.17, abs=0.25)


def test_a_path_counts_the_hours_of_the_rule_and_turns_with_the_grid() -> None:
    frame = WorkingFrame("EPSG:28992")
    place = (91_000.0, 436_000.0)
    day = day_of_longitude(2026, 300.0, 4.46)
    path = sun_path(frame, place, day, (8.0, 16.0), elevation_deg_min=0.0, step_min=10.0)
    assert len(path) <= 48
    assert path.step_h == pytest.approx(1 / 6)
    assert (path.elevation_deg > 0).all()
    # West of the grid's meridian true north lies to the east of grid north.
    assert grid_bearing_of_north(frame, place) == pytest.approx(0.73, abs=0.01)
    middle = path.directions[np.argmax(path.elevation_deg)]
    bearing = np.degrees(np.arctan2(middle[0], middle[1])) % 360.0
    assert bearing == pytest.approx(path.azimuth_deg[np.argmax(path.elevation_deg)] + 0.73, abs=0.01)
    assert np.linalg.norm(path.directions, axis=1) == pytest.approx(1.0)
