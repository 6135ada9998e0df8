import { describe, expect, it } from 'vitest';
import { changedStop, movedStop, newStop, said, step, stopTime, STOPS_MAX, sunOf, viewOf, viewText, withoutStop, withStop } from './tour';

const VIEW = { longitude: 24.9442, latitude: 60.1711, zoom: 17, pitch: 52, bearing: -22 };
const stop = (en: string): ReturnType<typeof newStop> => ({ ...newStop(VIEW, null, 'Europe/Helsinki'), title: { en, zh: '' } });

describe('a stop', () => {
  it('keeps its view and its sun', () => {
    const made = newStop(VIEW, { date: '2026-03-20', minutes: 750 }, 'Europe/Helsinki');
    expect(viewOf(made.view)).toEqual(VIEW);
    expect(made.sun).toBe('2026-03-20T10:30:00.000Z');
    expect(sunOf(made, 'Europe/Helsinki')).toEqual({ date: '2026-03-20', minutes: 750 });
  });

  it.each(['', 'a,b,c', '1,2', '999,0,16', '24,60,NaN'])('with a view that cannot be read has none: %s', (text) => {
    expect(viewOf(text)).toBeNull();
  });

  it('takes pitch and bearing that are not said', () => {
    expect(viewOf('24,60,16')).toEqual({ longitude: 24, latitude: 60, zoom: 16, pitch: 50, bearing: 0 });
    expect(viewText(VIEW)).toBe('24.9442,60.1711,17,52,-22');
  });

  it('speaks the other language rather than none', () => {
    expect(said({ en: 'Court', zh: '' }, 'zh')).toBe('Court');
  });

  it('is shown as long as its words need', () => {
    expect(stopTime(stop('x'.repeat(200)), 'en')).toBeGreaterThan(stopTime(stop('x'), 'en'));
    expect(stopTime(stop('x'.repeat(9_000)), 'en')).toBeLessThanOrEqual(20_000);
  });
});

describe('a list of stops', () => {
  const three = [stop('a'), stop('b'), stop('c')];
  const names = (stops: readonly { title: { en: string } }[]): string => stops.map((one) => one.title.en).join('');

  it('is put in another order', () => {
    expect([names(movedStop(three, 0, 1)), names(movedStop(three, 2, -1)), names(movedStop(three, 0, -1)), names(movedStop(three, 2, 1))]).toEqual(['bac', 'acb', 'abc', 'abc']);
  });

  it('grows, shrinks and changes', () => {
    expect(names(withStop(three, stop('d')))).toBe('abcd');
    expect(names(withoutStop(three, 1))).toBe('ac');
    expect(names(changedStop(three, 1, { title: { en: 'x', zh: '' } }))).toBe('axc');
  });

  it('ends somewhere', () => {
    const full = Array.from({ length: STOPS_MAX }, () => stop('a'));
    expect(withStop(full, stop('b'))).toBe(full);
  });
});

describe('a tour', () => {
  it('goes on to the last stop and stands there', () => {
    expect(step({ stop: 1, auto: true }, 3, 1)).toEqual({ stop: 2, auto: false });
    expect(step({ stop: 0, auto: true }, 3, 1)).toEqual({ stop: 1, auto: true });
    expect(step({ stop: 2, auto: false }, 3, 1).stop).toBe(2);
    expect(step({ stop: 0, auto: false }, 3, -1).stop).toBe(0);
  });
});
