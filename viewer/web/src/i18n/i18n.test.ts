import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { en } from './en';
import { zh } from './zh';
import { wordsEn } from './words-en';
import { wordsZh } from './words-zh';
import { langOf, setLang, t, title, tn, word } from './index';

afterEach(() => setLang('en'));

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

describe('both languages', () => {
  it('have the same keys', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it('fill the same parameters', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect([key, placeholders(zh[key])]).toEqual([key, placeholders(en[key])]);
  });

  it('leave no text empty and no exclamation mark', () => {
    for (const text of [...Object.values(en), ...Object.values(zh)]) {
      expect(text.length).toBeGreaterThan(0);
      expect(text).not.toMatch(/[!！]/);
    }
  });

  it('word the same codes', () => {
    for (const kind of Object.keys(wordsEn) as (keyof typeof wordsEn)[]) expect([kind, Object.keys(wordsZh[kind]).sort()]).toEqual([kind, Object.keys(wordsEn[kind]).sort()]);
  });
});

describe('server codes', () => {
  const source = (path: string): string => {
    const file = new URL(`../../../../${path}`, import.meta.url);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  it('of problems all have words', () => {
    const codes = [...source('cim/errors.py').matchAll(/code: ClassVar\[str\] = "([\w-]+)"|^ {4}code = "([\w-]+)"/gm)].map((m) => m[1] ?? m[2] ?? '');
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !(code in wordsEn.problem))).toEqual([]);
  });

  it('of units all have words', () => {
    const block = /UNITS[^{]*\{([\s\S]*?)\}\s*\)/.exec(source('cim/units.py'))?.[1] ?? '';
    const codes = [...block.matchAll(/"([^"]+)"/g)].map((m) => m[1] ?? '');
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !(code in wordsEn.unit))).toEqual([]);
  });

  it('of observed properties all have words', () => {
    for (const code of ['pressure_head', 'flow', 'tank_level', 'voltage', 'loading', 'active_power', 'traffic_volume', 'traffic_speed', 'energy_demand']) expect(code in wordsEn.property).toBe(true);
  });

  it('of building use in the sample extract all have words', () => {
    for (const code of ['yes', 'apartments', 'public', 'roof', 'office', 'block', 'retail', 'church', 'university', 'school', 'kiosk', 'shed', 'utility', 'tower', 'pavilion', 'commercial', 'atrium', 'museum', 'ship', 'service', 'train_station', 'glasshouse', 'entrance', 'chapel', 'underpass_entrance', 'cathedral']) {
      expect([code, code in wordsEn.use]).toEqual([code, true]);
    }
  });

  it('without a word are shown, not hidden', () => {
    expect(word('use', 'beach_hut')).toBe('beach hut');
    expect(word('use', 'constructor')).toBe('constructor');
  });
});

describe('t', () => {
  it('fills parameters in the language of the page', () => {
    expect(t('live.behind', { s: '0.4' })).toBe('Live, 0.4 s behind');
    setLang('zh');
    expect(t('live.behind', { s: '0.4' })).toBe('实时，滞后 0.4 秒');
  });

  it('takes the singular for one', () => {
    expect(tn('info.storeys', 1, '1')).toBe('1 storey');
    expect(tn('info.storeys', 4, '4')).toBe('4 storeys');
  });

  it('keeps a title that is not a key as the server wrote it', () => {
    expect(title('layer.buildings')).toBe('Buildings');
    expect(title('Zoning 2026')).toBe('Zoning 2026');
  });

  it('picks a language from what the browser asks for', () => {
    expect(langOf(['fi', 'zh-Hant', 'en'])).toBe('zh');
    expect(langOf(['fi'])).toBe('en');
  });
});
