import type { Position } from './features';

const RAD = Math.PI / 180;
const WORLD = 512;
/** What deck.gl takes the way round the Earth to be, metres. */
const EARTH_M = 40.03e6;

const mercatorY = (lat: number): number => (WORLD * (Math.PI + Math.log(Math.tan(Math.PI / 4 + (lat * RAD) / 2)))) / (2 * Math.PI);
const latitudeOf = (y: number): number => (2 * (Math.atan(Math.exp((y / WORLD) * 2 * Math.PI - Math.PI)) - Math.PI / 4)) / RAD;

/**
 * Metres east and north of an origin, as deck.gl's METER_OFFSETS takes them: a place given in degrees and one given
 * in metres of this frame fall on the same pixel.
 */
export class LocalFrame {
  private readonly units: number;
  private readonly growth: number;
  private readonly y0: number;

  constructor(readonly origin: Position) {
    const lat = origin[1] * RAD;
    this.units = WORLD / EARTH_M / Math.cos(lat);
    // The scale grows towards the poles: deck.gl follows that to the first order.
    const perDegreeY = WORLD / 360 / Math.cos(lat);
    this.growth = ((WORLD / EARTH_M) * ((RAD * Math.tan(lat)) / Math.cos(lat)) * this.units) / perDegreeY;
    this.y0 = mercatorY(origin[1]);
  }

  toMetres(at: readonly [number, number, ...unknown[]]): Position {
    const y = (mercatorY(at[1]) - this.y0) / this.units;
    const x = ((at[0] - this.origin[0]) * (WORLD / 360)) / (this.units + this.growth * y);
    return [x, y];
  }

  toLngLat(at: readonly [number, number]): Position {
    const [x, y] = at;
    return [this.origin[0] + (x * (this.units + this.growth * y)) / (WORLD / 360), latitudeOf(this.y0 + y * this.units)];
  }
}
