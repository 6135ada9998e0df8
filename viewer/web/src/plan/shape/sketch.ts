/** A line or an outline as it is drawn, corner by corner; pure. Points are metres in a frame of its own. */
import type { Draft, LonLat } from '../../scheme/types';
import { area, bearing, crossesItself, distance, frameAt, length, middle, step, type Frame, type Xy } from './frame';
import type { Side } from './entry';
import { snap, type Snapped, type Targets } from './snap';

export interface Sketch {
  readonly frame: Frame | null;
  readonly points: readonly Xy[];
  readonly cursor: Snapped | null;
}

export const EMPTY: Sketch = { frame: null, points: [], cursor: null };
const SAME_M = 0.05;

export interface Around {
  readonly targets: (frame: Frame, at: Xy) => Targets;
  readonly reach_m: number;
  readonly grid_m: number;
}

/** The pointer is over a place. */
export function hover(sketch: Sketch, place: LonLat, around: Around, free: boolean): Sketch {
  const frame = sketch.frame ?? frameAt(place);
  const at = frame.to(place);
  const cursor = free
    ? { point: at, kind: 'free' as const, guides: [] }
    : snap(at, { targets: around.targets(frame, at), points: sketch.points, reach_m: around.reach_m, grid_m: sketch.frame ? around.grid_m : 0 });
  return { ...sketch, frame, cursor };
}

/** Takes a point; one where the last is adds nothing. */
export function add(sketch: Sketch, point: Xy): Sketch {
  const last = sketch.points.at(-1);
  return last && distance(last, point) < SAME_M ? sketch : { ...sketch, points: [...sketch.points, point] };
}

export function addPlace(sketch: Sketch, place: LonLat): Sketch {
  const frame = sketch.frame ?? frameAt(place);
  return add({ ...sketch, frame }, frame.to(place));
}

/** A side by its length; without a bearing towards the cursor, else at a right angle to the last side. */
export function addSide(sketch: Sketch, side: Side): Sketch {
  const last = sketch.points.at(-1);
  if (!last) return sketch;
  const before = sketch.points.at(-2);
  const way = side.bearing_deg ?? (sketch.cursor && distance(last, sketch.cursor.point) > SAME_M ? bearing(last, sketch.cursor.point) : before ? bearing(before, last) + 90 : 90);
  return add(sketch, step(last, side.length_m, way));
}

export const back = (sketch: Sketch): Sketch => (sketch.points.length <= 1 ? EMPTY : { ...sketch, points: sketch.points.slice(0, -1) });

export const closesAt = (sketch: Sketch): boolean => sketch.cursor?.kind === 'start';

/** Points that make an outline: not in one line, no side across another. */
export function isOutline(points: readonly Xy[]): boolean {
  return points.length >= 3 && Math.abs(area(points)) >= 1 && !crossesItself(points);
}

/** Coordinates of the points; an outline repeats its first. */
export function placesOf(sketch: Sketch, closed: boolean): LonLat[] {
  const frame = sketch.frame;
  if (!frame) return [];
  const places = sketch.points.map(frame.from);
  const first = places[0];
  return closed && first ? [...places, first] : places;
}

export interface Measured {
  readonly length_m: number;
  readonly side_m: number | null;
  readonly bearing_deg: number | null;
  readonly area_m2: number;
}

/** The figures of what is drawn so far, the cursor included. */
export function measured(sketch: Sketch): Measured {
  const points = withCursor(sketch);
  const last = sketch.points.at(-1);
  const at = sketch.cursor?.point;
  const on = last && at && distance(last, at) > SAME_M;
  return { length_m: length(points), side_m: on ? distance(last, at) : null, bearing_deg: on ? bearing(last, at) : null, area_m2: points.length >= 3 ? Math.abs(area(points)) : 0 };
}

export function withCursor(sketch: Sketch): readonly Xy[] {
  const at = sketch.cursor?.point;
  const last = sketch.points.at(-1);
  return at && !closesAt(sketch) && (!last || distance(last, at) > SAME_M) ? [...sketch.points, at] : sketch.points;
}

export interface Body {
  readonly closed: boolean;
  readonly height_m: number;
  readonly ground_m: number | null;
  readonly storey_m: readonly number[];
  readonly text: (length_m: number) => string;
}

/** What the map draws of it. */
export function draftOf(sketch: Sketch, body: Body): Draft | null {
  const frame = sketch.frame;
  const points = withCursor(sketch);
  if (!frame || points.length === 0) return null;
  const sides = points.slice(1).map((p, i) => [points[i] ?? p, p] as const);
  const last = points.at(-1);
  const first = points[0];
  if (body.closed && points.length >= 3 && last && first) sides.push([last, first]);
  const whole = body.closed && points.length >= 3;
  return {
    ring: points.map(frame.from),
    closed: whole,
    height_m: whole ? body.height_m : 0,
    ground_m: body.ground_m,
    storey_m: whole ? body.storey_m : [],
    valid: !body.closed || points.length < 3 || !crossesItself(points),
    handle: false,
    guides: (sketch.cursor?.guides ?? []).map(([a, b]) => [frame.from(a), frame.from(b)] as const),
    dimensions: sides.filter(([a, b]) => distance(a, b) >= 0.5).map(([a, b]) => ({ at: frame.from(middle(a, b)), text: body.text(distance(a, b)) })),
  };
}
