/** The ground of the city: heights on a grid of longitude and latitude, as the tiles have them (pure). */
import type { Place, Position } from './features';

export interface HeightsDocument {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
  readonly columns: number;
  readonly rows: number;
  readonly step_m: number;
  readonly heights: readonly number[];
}

/**
 * How high the map draws things, metres. Its zero is the ground's middle height: the camera looks at zero, and a city
 * may lie anywhere above the sea.
 */
export class Relief {
  private constructor(
    private readonly grid: HeightsDocument | null,
    /** The height that is the map's zero. */
    readonly zero_m: number,
    /** Where the map draws the lowest ground. */
    readonly lowest_m: number,
  ) {}

  static readonly FLAT = new Relief(null, 0, 0);

  /** Reads what the server tells; what is not as it should be is flat. */
  static of(document: unknown): Relief {
    const d = document as HeightsDocument | null;
    const sound = d && d.columns >= 2 && d.rows >= 2 && Array.isArray(d.heights) && d.heights.length === d.columns * d.rows && d.east > d.west && d.north > d.south;
    if (!sound || !(d.step_m > 0) || !d.heights.every(Number.isFinite)) return Relief.FLAT;
    const sorted = Float64Array.from(d.heights).sort();
    const zero_m = (sorted[sorted.length >> 1] ?? 0) * d.step_m;
    return new Relief(d, zero_m, (sorted[0] ?? 0) * d.step_m - zero_m);
  }

  /** Whether this is the same ground as another. */
  equals(other: Relief): boolean {
    const [a, b] = [this.grid, other.grid];
    if (!a || !b) return a === b;
    const same = (['west', 'south', 'east', 'north', 'columns', 'rows', 'step_m'] as const).every((name) => a[name] === b[name]);
    return same && a.heights.every((height, i) => height === b.heights[i]);
  }

  get isFlat(): boolean {
    return this.grid === null;
  }

  /** Where the map draws the ground at a place; beyond the grid its border goes on. */
  at(place: readonly [number, number, ...unknown[]]): number {
    const { grid } = this;
    if (!grid) return 0;
    const { west, south, east, north, columns, rows, heights, step_m } = grid;
    const x = Math.min(Math.max(((place[0] - west) / (east - west)) * (columns - 1), 0), columns - 1);
    const y = Math.min(Math.max(((place[1] - south) / (north - south)) * (rows - 1), 0), rows - 1);
    const [i, j] = [Math.min(Math.floor(x), columns - 2), Math.min(Math.floor(y), rows - 2)];
    const [u, v] = [x - i, y - j];
    const node = (k: number, l: number): number => heights[(j + l) * columns + i + k] ?? 0;
    const low = node(0, 0) * (1 - u) + node(1, 0) * u;
    const high = node(0, 1) * (1 - u) + node(1, 1) * u;
    return (low * (1 - v) + high * v) * step_m - this.zero_m;
  }

  /** Where the map draws a height of the city. */
  drawn(height_m: number): number {
    return height_m - this.zero_m;
  }

  /** A place on the ground, as the map draws it; of two numbers in a flat city. */
  on(place: Place): Place {
    return this.grid ? [place[0], place[1], this.at(place)] : place;
  }

  /** A line on the ground. */
  along(line: readonly Place[]): Place[] {
    return line.map((place) => this.on(place));
  }

  /** The move that brings tiles down to the map's zero: a matrix for places in metres from the middle of the Earth. */
  lowering(): number[] {
    const { grid, zero_m } = this;
    const [lon, lat] = grid ? [((grid.west + grid.east) / 2) * RAD, ((grid.south + grid.north) / 2) * RAD] : [0, 0];
    const up = [Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)];
    return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...up.map((part) => -part * zero_m || 0), 1];
  }

  /**
   * Where a ray from the eye meets the ground: `lngLatAt` gives where it is at a height of the map. The ground is
   * nearly level against the slope of a look at a map, so a few steps come to rest.
   */
  under(lngLatAt: (height_m: number) => Position | null): Position | null {
    let place = lngLatAt(0);
    for (let step = 0; this.grid && place && step < STEPS; step++) place = lngLatAt(this.at(place));
    return place;
  }
}

const STEPS = 4;
const RAD = Math.PI / 180;
