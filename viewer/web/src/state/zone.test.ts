import { describe, expect, it } from 'vitest';
import { instantOf, knownZone, offsetMinutes, wallOf } from './zone';

describe('the city clock', () => {
  it('is ahead of UTC by summer and winter time', () => {
    expect(offsetMinutes(new Date('2026-06-21T12:00:00Z'), 'Europe/Helsinki')).toBe(180);
    expect(offsetMinutes(new Date('2026-12-21T12:00:00Z'), 'Europe/Helsinki')).toBe(120);
    expect(offsetMinutes(new Date('2026-12-21T12:00:00Z'), 'America/St_Johns')).toBe(-210);
  });

  it('gives the instant of a wall time, across the change of summer time too', () => {
    expect(instantOf('2026-06-21', 910, 'Europe/Helsinki').toISOString()).toBe('2026-06-21T12:10:00.000Z');
    expect(instantOf('2026-03-29', 60, 'Europe/Helsinki').toISOString()).toBe('2026-03-28T23:00:00.000Z');
    expect(instantOf('2026-03-29', 720, 'Europe/Helsinki').toISOString()).toBe('2026-03-29T09:00:00.000Z');
  });

  it('goes there and back', () => {
    for (const [date, minutes] of [['2026-01-01', 0], ['2026-06-21', 1439], ['2026-10-26', 300]] as const) {
      expect(wallOf(instantOf(date, minutes, 'Asia/Shanghai'), 'Asia/Shanghai')).toEqual({ date, minutes });
    }
  });

  it('falls back to UTC for a zone nobody knows', () => {
    expect(knownZone('Mars/Olympus')).toBe('UTC');
    expect(knownZone('Asia/Shanghai')).toBe('Asia/Shanghai');
  });
});
