import { describe, expect, it } from 'vitest';
import type { LonLat } from '../../scheme/types';
import { area, bearing, centroid, crossesItself, distance, frameAt, inside, length, rectangle, step, turned, type Xy } from './frame';
import { parseNumber, parseSide, parseWithin } from './entry';
import { snap, targetsOf, type Asked } from './snap';
import { add, addPlace, addSide, back, closesAt, draftOf, EMPTY, hover, isOutline, measured, placesOf, type Around } from './sketch';

const HELSINKI: LonLat = [24.9384, 60.1699];
const SQUARE: readonly Xy[] = [[0, 0], [10, 0], [10, 10], [0, 10]];
const none = { corners: [], edges: [] };
const ask = (points: readonly Xy[], more: Partial<Asked> = {}): Asked => ({ targets: none, points, reach_m: 2, grid_m: 1, ...more });

describe('metres around a place', () => {
  it('come back as the same degrees', () => {
    const frame = frameAt(HELSINKI);
    const [lon, lat] = frame.from(frame.to([24.9421, 60.1712]));
    expect([lon, lat]).toEqual([expect.closeTo(24.9421, 9), expect.closeTo(60.1712, 9)]);
  });

  it('agree with the length of a degree in the tables of WGS 84 at 60 degrees', () => {
    const frame = frameAt([25, 60]);
    expect(frame.to([26, 60])[0]).toBeCloseTo(55_800, -1);
    expect(frame.to([25, 61])[1]).toBeCloseTo(111_412, -1);
  });

  it('measure length, area, bearing and the middle', () => {
    expect(length(SQUARE)).toBe(30);
    expect(area(SQUARE)).toBe(100);
    expect(area([...SQUARE].reverse())).toBe(-100);
    expect(centroid(SQUARE)).toEqual([5, 5]);
    expect(bearing([0, 0], [10, 0])).toBe(90);
    expect(bearing([0, 0], [0, -10])).toBe(180);
    const [x, y] = step([0, 0], 10, 270);
    expect([x, y]).toEqual([expect.closeTo(-10), expect.closeTo(0)]);
    expect(inside([5, 5], SQUARE)).toBe(true);
    expect(inside([15, 5], SQUARE)).toBe(false);
  });

  it('turn clockwise, as a compass does', () => {
    const [p] = turned([[0, 10]], [0, 0], 90);
    expect(p).toEqual([expect.closeTo(10), expect.closeTo(0)]);
    expect(Math.abs(area(rectangle([3, 4], 20, 10, 33)))).toBeCloseTo(200);
  });

  it('know an outline whose sides cross', () => {
    expect(crossesItself(SQUARE)).toBe(false);
    expect(crossesItself([[0, 0], [10, 10], [10, 0], [0, 10]])).toBe(true);
  });
});

describe('snapping', () => {
  const targets = targetsOf([SQUARE], [5, 5], 100);

  it('takes a corner before an edge', () => {
    expect(snap([9.5, 0.6], ask([], { targets }))).toMatchObject({ kind: 'corner', point: [10, 0] });
  });

  it('takes the nearest point of an edge, and shows the edge', () => {
    expect(snap([5.2, -1.1], ask([], { targets }))).toMatchObject({ kind: 'edge', point: [5.2, 0], guides: [[[0, 0], [10, 0]]] });
  });

  it('closes on the first corner once there are three', () => {
    expect(snap([0.5, 0.5], ask([[0, 0], [20, 0], [20, 20]])).kind).toBe('start');
    expect(snap([0.5, 0.5], ask([[0, 0], [20, 0]])).kind).not.toBe('start');
  });

  it('keeps a right angle to the last side, at whole metres', () => {
    const found = snap([20.6, 7.3], ask([[0, 0], [20, 0]]));
    expect(found.kind).toBe('angle');
    expect(found.point).toEqual([20, 7]);
  });

  it('stops level with the first corner, so that the closing side is at a right angle too', () => {
    const slanted: readonly Xy[] = [[0.4, 0], [20, 0], [20, 12.3]];
    expect(snap([1.3, 12.5], ask(slanted)).point).toEqual([expect.closeTo(0.4), expect.closeTo(12.3)]);
  });

  it('leaves a slant alone but for its length', () => {
    const found = snap([30, 5], ask([[0, 0], [20, 0]]));
    expect(found.kind).toBe('grid');
    expect(distance([20, 0], found.point)).toBeCloseTo(11);
  });

  it('sees only what is near', () => {
    expect(targetsOf([SQUARE], [500, 500], 50)).toEqual(none);
  });
});

describe('typed numbers', () => {
  it('are read with a point or a comma, a true minus and a unit', () => {
    expect([parseNumber('24'), parseNumber('24,5'), parseNumber('−3.2 m'), parseNumber('12 层'), parseNumber('.5')]).toEqual([24, 24.5, -3.2, 12, 0.5]);
  });

  it('are refused where they are none', () => {
    for (const text of ['', 'm', '1e3', '1,000,000', '--2', '0x10', 'NaN', 'Infinity', '12 12m x']) expect([text, parseNumber(text)]).toEqual([text, null]);
  });

  it('make a side by length, or by length and direction', () => {
    expect(parseSide('24')).toEqual({ length_m: 24, bearing_deg: null });
    expect(parseSide('24,5 m < 450°')).toEqual({ length_m: 24.5, bearing_deg: 90 });
    expect(parseSide('24 @ -90')).toEqual({ length_m: 24, bearing_deg: 270 });
    for (const text of ['0', '-4', '20000', '24<', '1<2<3', '<90']) expect([text, parseSide(text)]).toEqual([text, null]);
  });

  it('stay within bounds', () => {
    expect(parseWithin('12', 1, 20)).toBe(12);
    expect(parseWithin('21', 1, 20)).toBeNull();
  });
});

describe('drawing corner by corner', () => {
  const around: Around = { targets: () => none, reach_m: 2, grid_m: 1 };
  const body = { closed: true, height_m: 16, ground_m: 0, storey_m: [4, 8, 12], text: (m: number) => m.toFixed(1) };
  const typed = [{ length_m: 40, bearing_deg: 20 }, { length_m: 18, bearing_deg: 110 }, { length_m: 40, bearing_deg: 200 }].reduce(addSide, addPlace(EMPTY, HELSINKI));

  it('makes a rectangle of typed sides, to the centimetre', () => {
    expect(typed.points).toHaveLength(4);
    expect(isOutline(typed.points)).toBe(true);
    expect(measured(typed).area_m2).toBeCloseTo(720, 2);
    const places = placesOf(typed, true);
    expect(places).toHaveLength(5);
    expect(places[4]).toEqual(places[0]);
    const frame = frameAt(HELSINKI);
    expect(distance(frame.to(places[0] ?? HELSINKI), frame.to(places[3] ?? HELSINKI))).toBeCloseTo(18, 2);
  });

  it('turns at a right angle where only a length is typed', () => {
    const two = addSide(addSide(addPlace(EMPTY, HELSINKI), { length_m: 10, bearing_deg: 0 }), { length_m: 5, bearing_deg: null });
    expect(bearing(two.points[1] ?? [0, 0], two.points[2] ?? [0, 0])).toBeCloseTo(90);
  });

  it('takes corners back one by one, to nothing', () => {
    expect(back(typed).points).toHaveLength(3);
    expect(back(back(back(back(typed))))).toEqual(EMPTY);
  });

  it('does not take the same corner twice', () => {
    expect(add(typed, typed.points[3] ?? [0, 0]).points).toHaveLength(4);
  });

  it('closes where the pointer comes back to the first corner', () => {
    expect(closesAt(hover(typed, HELSINKI, around, false))).toBe(true);
    expect(closesAt(hover(typed, HELSINKI, around, true))).toBe(false);
  });

  it('is drawn with its height, storeys and sides once it is an outline', () => {
    const draft = draftOf(typed, body);
    expect(draft).toMatchObject({ closed: true, height_m: 16, storey_m: [4, 8, 12], valid: true });
    expect(draft?.dimensions.map((d) => d.text)).toEqual(['40.0', '18.0', '40.0', '18.0']);
    expect(draftOf(EMPTY, body)).toBeNull();
    expect(draftOf(back(back(typed)), body)).toMatchObject({ closed: false, height_m: 0 });
  });

  it('says that crossing sides are no outline', () => {
    const crossed = [{ length_m: 10, bearing_deg: 0 }, { length_m: 10, bearing_deg: 135 }, { length_m: 10, bearing_deg: 315 - 45 }].reduce(addSide, addPlace(EMPTY, HELSINKI));
    expect(isOutline(crossed.points)).toBe(false);
    expect(draftOf(crossed, body)?.valid).toBe(false);
    expect(isOutline([[0, 0], [10, 0], [20, 0]])).toBe(false);
  });
});
