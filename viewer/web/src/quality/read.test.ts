import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wordsEn } from '../i18n/words-en';
import { readLink } from '../state/url';
import { isKept, jobOf, mapLink, type Fault, type QualityReport } from './read';

const worst = { id: 'two:way/12', lod: '2', measured: 40, place: [4.4501234, 51.9, 3.2] as const };

describe('the page', () => {
  it('takes its job from its path', () => {
    expect(jobOf('/jobs/ab12cd/quality')).toBe('ab12cd');
    expect(jobOf('/jobs/a/b/quality')).toBeNull();
    expect(jobOf('/jobs//quality')).toBeNull();
  });

  it('links to a feature so that the map goes there and selects it', () => {
    const link = mapLink(worst, true) ?? '';
    expect(link).toBe('/explore?v=4.450123,51.900000,18.5,55,0&select=two:way/12');
    const read = readLink(link.split('?')[1] ?? '');
    expect(read.selection).toEqual({ kind: 'object', id: 'two:way/12' });
    expect(read.view?.longitude).toBeCloseTo(4.450123);
  });

  it('links to the place alone of what is not in the city', () => {
    expect(mapLink(worst, false)).toBe('/explore?v=4.450123,51.900000,18.5,55,0');
    expect(mapLink({ ...worst, place: null }, false)).toBeNull();
    const report = { policy: 'quarantine' } as QualityReport;
    expect(isKept(report, { group: 'geometry' } as Fault)).toBe(false);
    expect(isKept(report, { group: 'coverage' } as Fault)).toBe(true);
  });
});

describe('codes of the server', () => {
  it('all have words', () => {
    const file = new URL('../../../../cim/quality/codes.py', import.meta.url);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const numbers = [...text.matchAll(/^[A-Z_]+: Final = (\d{3})$/gm)].map((m) => m[1] ?? '');
    const names = [...text.matchAll(/^ {4}\("([a-z-]+)", "[\w]+"\),$/gm)].map((m) => m[1] ?? '');
    expect(numbers.length).toBeGreaterThan(15);
    expect(names.length).toBeGreaterThan(10);
    expect([...numbers, ...names].filter((code) => !(code in wordsEn.fault))).toEqual([]);
  });
});
