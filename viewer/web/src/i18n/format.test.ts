import { afterEach, describe, expect, it } from 'vitest';
import { setLang } from './index';
import { age, clock, day, dayOfYear, figure, interval, minuteClock, number, quantity, span, year } from './format';

afterEach(() => setLang('en'));

describe('numbers', () => {
  it('group thousands with a comma in both languages', () => {
    expect(number(1234567)).toBe('1,234,567');
    setLang('zh');
    expect(number(1234567.25, 1)).toBe('1,234,567.3');
  });

  it('use a true minus, and none on a rounded zero', () => {
    expect(number(-12.34, 1)).toBe('−12.3');
    expect(number(-0.04, 1)).toBe('0.0');
  });

  it('say nothing rather than NaN', () => {
    expect(number(Number.NaN)).toBe('–');
  });
});

describe('quantities', () => {
  it('put a space before a unit and none before a percent sign', () => {
    expect(quantity(46.84, 'm')).toBe('46.8 m');
    expect(quantity(31.5, '%')).toBe('31.5%');
    expect(quantity(2, null)).toBe('2');
  });

  it('show flow in litres a second', () => {
    expect(quantity(0.0123, 'm3/s')).toBe('12.3 L/s');
    expect(quantity(0.412, 'm3/s')).toBe('412 L/s');
    expect(figure(-0.0123, 'm3/s')).toBe('−12.3');
  });

  it('turn large areas into hectares', () => {
    expect(quantity(7240, 'm2')).toBe('7,240 m²');
    expect(quantity(21_000, 'm2')).toBe('2.1 ha');
  });

  it('write an interval without a plus-minus', () => {
    expect(interval(10.2, 15.44, 'm')).toBe('10.2 to 15.4 m');
    setLang('zh');
    expect(interval(10.2, 15.44, 'm')).toBe('10.2 至 15.4 m');
  });

  it('write years without a comma', () => {
    expect(year(1912)).toBe('1912');
  });
});

describe('time', () => {
  const noon = new Date('2026-11-22T12:36:08Z');

  it('is told in the zone of the city', () => {
    expect(clock(noon, 'Europe/Helsinki')).toBe('14:36');
    expect(day(noon, 'Europe/Helsinki')).toBe('22 Nov 2026');
    setLang('zh');
    expect(day(noon, 'Europe/Helsinki')).toBe('2026-11-22');
    expect(dayOfYear('2026-06-21')).toBe('6 月 21 日');
  });

  it('is an age up to an hour, then a clock', () => {
    const ms = noon.getTime();
    expect(age(ms - 4000, ms, 'UTC')).toBe('4 s ago');
    expect(age(ms - 12 * 60_000, ms, 'UTC')).toBe('12 min ago');
    expect(age(ms - 2 * 3_600_000, ms, 'UTC')).toBe('10:36');
    expect(age(ms + 5000, ms, 'UTC')).toBe('now');
  });

  it('wraps at midnight', () => {
    expect(minuteClock(910)).toBe('15:10');
    expect(minuteClock(1440)).toBe('00:00');
    expect(minuteClock(-15)).toBe('23:45');
  });

  it('says spans shortly', () => {
    expect(span(5)).toBe('5 s');
    expect(span(720)).toBe('12 min');
  });
});
