/** What stands in the way of a look at the city; pure. Metres of one local frame, heights as the map draws them. */

export type Point3 = readonly [number, number, number];

/** Something that stands upright: a building as a disc of the same area. */
export interface Upright {
  readonly x: number;
  readonly y: number;
  readonly radius_m: number;
  readonly top_m: number;
}

const CELL_M = 64;
/** A disc reaches beyond what it stands for here and there: only what is well behind it counts as hidden. */
const SOLID = 0.85;
/** How far a roof has to stick out over the line of sight, metres. */
const OVER_M = 1;

export class Surroundings {
  private readonly cells = new Map<number, Upright[]>();
  private readonly highest_m: number;

  constructor(uprights: Iterable<Upright>) {
    let highest_m = 0;
    for (const one of uprights) {
      if (one.top_m > highest_m) highest_m = one.top_m;
      const [a, b] = [Math.floor((one.x - one.radius_m) / CELL_M), Math.floor((one.x + one.radius_m) / CELL_M)];
      const [c, d] = [Math.floor((one.y - one.radius_m) / CELL_M), Math.floor((one.y + one.radius_m) / CELL_M)];
      for (let i = a; i <= b; i++) for (let j = c; j <= d; j++) this.put(i, j, one);
    }
    this.highest_m = highest_m;
  }

  private put(i: number, j: number, one: Upright): void {
    const key = keyOf(i, j);
    const cell = this.cells.get(key);
    if (cell) cell.push(one);
    else this.cells.set(key, [one]);
  }

  /** Whether something hides a place from an eye above it; what the place itself lies on or in does not. */
  hides(at: Point3, eye: Point3): boolean {
    const [dx, dy, rise] = [eye[0] - at[0], eye[1] - at[1], eye[2] - at[2]];
    const far = Math.hypot(dx, dy);
    if (rise <= 0 || far < 1) return false;
    const [ux, uy, slope] = [dx / far, dy / far, rise / far];
    // Beyond this the line of sight is over every roof.
    const reach = Math.min(far, (this.highest_m - at[2]) / slope);
    for (let s = 0; s < reach + CELL_M; s += CELL_M / 2) {
      const cell = this.cells.get(keyOf(Math.floor((at[0] + ux * s) / CELL_M), Math.floor((at[1] + uy * s) / CELL_M)));
      if (cell?.some((one) => standsBetween(one, at, ux, uy, slope, reach))) return true;
    }
    return false;
  }
}

function standsBetween(one: Upright, at: Point3, ux: number, uy: number, slope: number, reach: number): boolean {
  const [x, y, radius] = [one.x - at[0], one.y - at[1], one.radius_m * SOLID];
  if (Math.hypot(x, y) <= one.radius_m) return false;
  const across = Math.abs(x * uy - y * ux);
  if (across >= radius) return false;
  const enters = x * ux + y * uy - Math.sqrt(radius * radius - across * across);
  return enters > 0 && enters < reach && one.top_m - OVER_M > at[2] + slope * enters;
}

const keyOf = (i: number, j: number): number => (i + 0x100000) * 0x400000 + (j + 0x100000);
