/**
 * Position of the sun by the NOAA solar calculation (Meeus, Astronomical Algorithms, ch. 25 and 28,
 * in the simplified form NOAA publishes). Good to about 0.02° between 1900 and 2100.
 * Azimuth in degrees clockwise from north, altitude in degrees above the horizon.
 */
export interface SunPosition {
  azimuth_deg: number;
  /** With refraction, as the eye sees it. */
  altitude_deg: number;
  /** Without refraction. */
  geometric_altitude_deg: number;
}

export interface SunTimes {
  /** Null when the sun does not rise or set on that day (polar day or night). */
  sunrise: Date | null;
  sunset: Date | null;
  noon: Date;
}

const RAD = Math.PI / 180;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Zenith angle of the upper limb on the horizon with standard refraction. */
const RISE_ZENITH_DEG = 90.833;

const sin = (deg: number): number => Math.sin(deg * RAD);
const cos = (deg: number): number => Math.cos(deg * RAD);
const tan = (deg: number): number => Math.tan(deg * RAD);
const clampUnit = (x: number): number => Math.max(-1, Math.min(1, x));
const mod = (a: number, b: number): number => ((a % b) + b) % b;

/** Declination (degrees) and equation of time (minutes) at an instant. */
function solarTerms(at_ms: number): { declination_deg: number; equation_min: number } {
  const jc = (at_ms / DAY_MS + 2440587.5 - 2451545) / 36525;
  const l0 = mod(280.46646 + jc * (36000.76983 + jc * 0.0003032), 360);
  const m = 357.52911 + jc * (35999.05029 - 0.0001537 * jc);
  const e = 0.016708634 - jc * (0.000042037 + 0.0000001267 * jc);
  const centre =
    sin(m) * (1.914602 - jc * (0.004817 + 0.000014 * jc)) +
    sin(2 * m) * (0.019993 - 0.000101 * jc) +
    sin(3 * m) * 0.000289;
  const node = 125.04 - 1934.136 * jc;
  const apparent = l0 + centre - 0.00569 - 0.00478 * sin(node);
  const meanObliquity = 23 + (26 + (21.448 - jc * (46.815 + jc * (0.00059 - jc * 0.001813))) / 60) / 60;
  const obliquity = meanObliquity + 0.00256 * cos(node);
  const declination_deg = Math.asin(clampUnit(sin(obliquity) * sin(apparent))) / RAD;
  const y = tan(obliquity / 2) ** 2;
  const equation =
    y * sin(2 * l0) -
    2 * e * sin(m) +
    4 * e * y * sin(m) * cos(2 * l0) -
    0.5 * y * y * sin(4 * l0) -
    1.25 * e * e * sin(2 * m);
  return { declination_deg, equation_min: (4 * equation) / RAD };
}

/** Atmospheric refraction in degrees at a geometric altitude, NOAA's piecewise fit. */
function refractionDeg(altitude: number): number {
  if (altitude > 85) return 0;
  const t = tan(altitude);
  if (altitude > 5) return (58.1 / t - 0.07 / t ** 3 + 0.000086 / t ** 5) / 3600;
  if (altitude > -0.575) {
    return (1735 + altitude * (-518.2 + altitude * (103.4 + altitude * (-12.79 + altitude * 0.711)))) / 3600;
  }
  return -20.772 / t / 3600;
}

export function sunPosition(at: Date, longitude: number, latitude: number): SunPosition {
  const { declination_deg: d, equation_min } = solarTerms(at.getTime());
  const utcMinutes = mod(at.getTime(), DAY_MS) / MINUTE_MS;
  const trueSolar = mod(utcMinutes + equation_min + 4 * longitude, 1440);
  const hourAngle = trueSolar / 4 - 180;
  const cosZenith = clampUnit(sin(latitude) * sin(d) + cos(latitude) * cos(d) * cos(hourAngle));
  const altitude = 90 - Math.acos(cosZenith) / RAD;
  const azimuth = mod(
    Math.atan2(sin(hourAngle), cos(hourAngle) * sin(latitude) - tan(d) * cos(latitude)) / RAD + 180,
    360,
  );
  return {
    azimuth_deg: azimuth,
    altitude_deg: altitude + refractionDeg(altitude),
    geometric_altitude_deg: altitude,
  };
}

/** Sunrise, noon and sunset of the local solar day that holds the instant. */
export function sunTimes(at: Date, longitude: number, latitude: number): SunTimes {
  const offset_ms = longitude * 4 * MINUTE_MS;
  const dayStart = Math.floor((at.getTime() + offset_ms) / DAY_MS) * DAY_MS - offset_ms;
  const noonOf = (t: number): number => dayStart + (720 - solarTerms(t).equation_min) * MINUTE_MS;
  const noon = noonOf(noonOf(dayStart + DAY_MS / 2));
  const crossing = (sign: -1 | 1): Date | null => {
    let t = noon;
    // Declination moves during the day: three rounds bring the instant below a second.
    for (let i = 0; i < 3; i++) {
      const { declination_deg: d, equation_min } = solarTerms(t);
      const c = cos(RISE_ZENITH_DEG) / (cos(latitude) * cos(d)) - tan(latitude) * tan(d);
      if (Math.abs(c) > 1) return null;
      const halfDay_min = (Math.acos(c) / RAD) * 4;
      t = dayStart + (720 - equation_min + sign * halfDay_min) * MINUTE_MS;
    }
    return new Date(t);
  };
  return { sunrise: crossing(-1), sunset: crossing(1), noon: new Date(noon) };
}
