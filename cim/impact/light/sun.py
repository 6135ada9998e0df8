"""Where the sun stands: its direction from a place at an instant, and the hours that a rule counts.

Method: J. Meeus, Astronomical Algorithms (2nd ed.), chapters 12, 13, 22 and 25 ("low accuracy"): the
sun's apparent longitude from its mean motion and the equation of the centre, with aberration and the
main term of nutation.  The height is that of the sun's middle as seen from the Earth's surface, without
refraction.  Against pvlib's SPA the direction is within 0.012 degrees from 2000 to 2060 (tests/unit/impact).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cim.geometry.crs import WorkingFrame

FloatArray = NDArray[np.float64]
Instants = NDArray[np.datetime64]

J2000: Final = np.datetime64("2000-01-01T12:00:00", "ms")
DELTA_T_S: Final = 72.0
"""Terrestrial minus universal time, seconds: about that of 2026; a minute of error moves the sun by 0.0007 degrees."""
PARALLAX_DEG: Final = 8.794 / 3600
DAY_MS: Final = 86_400_000
HOUR_ANGLE_DEG_PER_H: Final = 15.0
LONGITUDE_DEG_PER_DAY: Final = 360.0 / 365.2422


@dataclass(frozen=True, slots=True)
class SunPath:
    """The sun over the counted hours of one day, at the middle of equal steps.

    ``instants`` (s,) UTC; ``azimuth_deg`` from true north, clockwise; ``elevation_deg`` above the horizon;
    ``directions`` (s, 3) unit vectors to the sun in the working CRS (grid east, grid north, up).
    Steps in which the sun stands lower than the rule counts are left out.
    """

    day: date
    instants: Instants
    azimuth_deg: FloatArray
    elevation_deg: FloatArray
    directions: FloatArray
    step_h: float

    def __len__(self) -> int:
        return len(self.instants)


def sun_position(
    latitude_deg: float, longitude_deg: float, instants: Instants | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return azimuth (from true north, clockwise) and elevation of the sun, degrees, at UTC instants (n,)."""
    declination, hour_angle = _equatorial(longitude_deg, instants)
    latitude = np.radians(latitude_deg)
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.sin(declination) * np.cos(latitude) - np.cos(declination) * np.cos(hour_angle) * np.sin(latitude)
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    elevation = np.degrees(np.arcsin(np.clip(up, -1.0, 1.0)))
    elevation -= PARALLAX_DEG * np.cos(np.radians(elevation))
    return np.degrees(np.arctan2(east, north)) % 360.0, elevation


def solar_longitude(instants: Instants | FloatArray) -> FloatArray:
    """Return the sun's apparent ecliptic longitude, degrees: 0 at the March equinox, 270 at the December solstice."""
    longitude, _ = _ecliptic(_days(instants))
    return longitude


def day_of_longitude(year: int, longitude_deg: float, place_longitude_deg: float) -> date:
    """Return the day of a year, by local mean solar time, on which the sun reaches an ecliptic longitude.

    300 degrees is the great cold (大寒), 270 the winter solstice (冬至), 0 the March equinox.
    """
    start = np.datetime64(f"{year}-01-01T00:00:00", "ms")
    days = np.arange(367)
    behind = (solar_longitude(start + days * np.timedelta64(DAY_MS, "ms")) - longitude_deg) % 360.0
    day = int(np.flatnonzero(np.diff(behind) < -180.0)[0])
    part = (360.0 - behind[day]) / LONGITUDE_DEG_PER_DAY
    local = start + np.timedelta64(round((day + part + place_longitude_deg / 360.0) * DAY_MS), "ms")
    return date.fromisoformat(str(local)[:10])


def true_noon(day: date, longitude_deg: float) -> np.datetime64:
    """Return the instant (UTC) at which the sun stands in the meridian of a place on a day."""
    noon = np.datetime64(f"{day.isoformat()}T12:00:00", "ms") - np.timedelta64(
        round(longitude_deg / 360.0 * DAY_MS), "ms"
    )
    for _ in range(2):
        _, hour_angle = _equatorial(longitude_deg, np.array([noon]))
        turned = (float(np.degrees(hour_angle[0])) + 180.0) % 360.0 - 180.0
        noon -= np.timedelta64(round(turned / 360.0 * DAY_MS), "ms")
    return noon


def sun_path(
    frame: WorkingFrame,
    place: tuple[float, float],
    day: date,
    hours: tuple[float, float],
    *,
    elevation_deg_min: float,
    step_min: float,
) -> SunPath:
    """Return the sun over ``hours`` of true solar time of a day, seen from a place of the working CRS."""
    lon, lat = (float(v) for v in frame.to_lonlat(np.array([place]))[0])
    count = max(1, round((hours[1] - hours[0]) * 60.0 / step_min))
    step_h = (hours[1] - hours[0]) / count
    solar_h = hours[0] + (np.arange(count) + 0.5) * step_h
    instants = true_noon(day, lon) + np.round((solar_h - 12.0) / 24.0 * DAY_MS).astype("timedelta64[ms]")
    azimuth, elevation = sun_position(lat, lon, instants)
    counted = elevation >= max(elevation_deg_min, 0.1)
    instants, azimuth, elevation = instants[counted], azimuth[counted], elevation[counted]
    on_grid = np.radians(azimuth + grid_bearing_of_north(frame, place))
    flat = np.cos(np.radians(elevation))
    directions = np.column_stack((flat * np.sin(on_grid), flat * np.cos(on_grid), np.sin(np.radians(elevation))))
    return SunPath(day, instants, azimuth, elevation, directions, step_h)


def grid_bearing_of_north(frame: WorkingFrame, place: tuple[float, float]) -> float:
    """Return the bearing of true north, degrees clockwise from the grid's north, at a place of the working CRS."""
    lonlat = frame.to_lonlat(np.array([place]))
    half = np.array([[0.0, 1e-4]])
    step = frame.from_lonlat(np.concatenate((lonlat - half, lonlat + half)))
    east, north = step[1] - step[0]
    return float(np.degrees(np.arctan2(east, north)))


def _days(instants: Instants | FloatArray) -> FloatArray:
    """Return days of universal time since J2000."""
    return (np.asarray(instants, dtype="datetime64[ms]") - J2000) / np.timedelta64(DAY_MS, "ms")


def _ecliptic(days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the apparent longitude, degrees, and the longitude of the Moon's node, radians."""
    t = (days + DELTA_T_S / 86_400.0) / 36_525.0
    mean = 280.46646 + t * (36_000.76983 + t * 0.0003032)
    anomaly = np.radians(357.52911 + t * (35_999.05029 - t * 0.0001537))
    centre = (
        (1.914602 - t * (0.004817 + t * 0.000014)) * np.sin(anomaly)
        + (0.019993 - t * 0.000101) * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    node = np.radians(125.04 - 1934.136 * t)
    return (mean + centre - 0.00569 - 0.00478 * np.sin(node)) % 360.0, node


def _equatorial(longitude_deg: float, instants: Instants | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return declination and local hour angle, radians."""
    days = _days(instants)
    t = days / 36_525.0
    apparent, node = _ecliptic(days)
    longitude = np.radians(apparent)
    obliquity = np.radians(23.4392911 - 0.0130042 * t + 0.00256 * np.cos(node))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude))
    sidereal = 280.46061837 + 360.98564736629 * days + 0.000387933 * t * t - 0.00478 * np.sin(node) * np.cos(obliquity)
    return declination, np.radians(sidereal + longitude_deg) - ascension
