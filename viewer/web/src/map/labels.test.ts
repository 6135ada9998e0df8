import { describe, expect, it } from 'vitest';
import { chooseLabels, MAX_LABELS, textWidth, uprightAngle, type Frame, type LabelCandidate } from './labels';

const FRAME: Frame = { width: 1000, height: 800, padding: { left: 0, right: 0, top: 0, bottom: 0 } };

const label = (id: string, extra: Partial<LabelCandidate> = {}): LabelCandidate => ({
  id, text: id, style: 'street', rank: 10, height_m: 0, size_px: 12, lngLat: [0, 0], x: 500, y: 400, angle_deg: 0, room_px: Infinity, ...extra,
});

const ids = (list: LabelCandidate[]): string[] => list.map((l) => l.id);

describe('chooseLabels', () => {
  it('keeps the more important of two that overlap', () => {
    expect(ids(chooseLabels([label('side street'), label('main road', { rank: 1, x: 510 })], FRAME))).toEqual(['main road']);
  });

  it('keeps both when turned text passes', () => {
    const a = label('aaaaaaaaaa', { angle_deg: 45, x: 500, y: 400 });
    // Parallel and 40 px aside: their upright boxes overlap, they do not.
    const b = label('bbbbbbbbbb', { angle_deg: 45, x: 530, y: 430 });
    expect(chooseLabels([a, b], FRAME)).toHaveLength(2);
    expect(chooseLabels([a, { ...b, x: 505, y: 405 }], FRAME)).toHaveLength(1);
  });

  it('never shows more than forty', () => {
    const many = Array.from({ length: 200 }, (_, i) => label(`n${i}`, { x: 30 + (i % 20) * 48, y: 30 + Math.floor(i / 20) * 70 }));
    expect(chooseLabels(many, FRAME)).toHaveLength(MAX_LABELS);
  });

  it('never shrinks below 11 px', () => {
    expect(chooseLabels([label('small', { size_px: 10.9 })], FRAME)).toEqual([]);
    expect(chooseLabels([label('least', { size_px: 11 })], FRAME)).toHaveLength(1);
  });

  it('keeps out of panels and off the border', () => {
    const left = { ...FRAME, padding: { ...FRAME.padding, left: 300 } };
    expect(chooseLabels([label('behind', { x: 200 })], left)).toEqual([]);
    expect(chooseLabels([label('cut', { x: 310 })], left)).toEqual([]);
    expect(chooseLabels([label('free', { x: 400 })], left)).toHaveLength(1);
  });

  it('drops a name that does not fit its street', () => {
    expect(chooseLabels([label('Kaisaniemenkatu', { room_px: 60 })], FRAME)).toEqual([]);
    expect(chooseLabels([label('Kaisaniemenkatu', { room_px: 160 })], FRAME)).toHaveLength(1);
  });

  it('does not write the same name twice close by', () => {
    const near = [label('a1', { text: 'Katu', x: 300 }), label('a2', { text: 'Katu', x: 600 })];
    expect(chooseLabels(near, FRAME)).toHaveLength(1);
    expect(chooseLabels([near[0] as LabelCandidate, label('a3', { text: 'Katu', x: 800 })], FRAME)).toHaveLength(2);
  });

  it('prefers what is on the screen, so that nothing flickers', () => {
    const pair = [label('a'), label('b', { x: 503 })];
    expect(ids(chooseLabels(pair, FRAME))).toEqual(['a']);
    expect(ids(chooseLabels(pair, FRAME, new Set(['b'])))).toEqual(['b']);
  });
});

describe('text', () => {
  it('counts a Chinese character as one em', () => expect(textWidth('港湾片区', 12)).toBe(48));
  it.each([[0, 0], [100, -80], [-100, 80], [90, 90], [-90, 90], [270, 90], [181, 1]])('turns %d to %d', (from, to) =>
    expect(uprightAngle(from)).toBeCloseTo(to),
  );
});

describe('labels and marks', () => {
  const disc = (x: number, y: number) => ({ x, y, radius: 8 });

  it('steps aside for a disc, above or below', () => {
    const [l] = chooseLabels([label('Ateneum')], FRAME, new Set(), [disc(500, 400)]);
    expect(Math.abs(l?.shift_px?.[1] ?? 0)).toBeGreaterThanOrEqual(16);
    expect(chooseLabels([label('Ateneum')], FRAME, new Set(), [disc(560, 400)])[0]?.shift_px).toBeUndefined();
  });

  it('moves along its street, and is left out where there is no room', () => {
    const street = label('Kaivokatu', { room_px: 300, angle_deg: 30 });
    const [l] = chooseLabels([street], FRAME, new Set(), [disc(500, 400)]);
    const [dx = 0, dy = 0] = l?.shift_px ?? [];
    expect(dy / dx).toBeCloseTo(-Math.tan(Math.PI / 6));
    expect(chooseLabels([{ ...street, room_px: 60 }], FRAME, new Set(), [disc(500, 400)])).toEqual([]);
  });

  it('never steps aside into another name', () => {
    expect(ids(chooseLabels([label('main', { rank: 1 }), label('side', { x: 505 })], FRAME))).toEqual(['main']);
  });
});
