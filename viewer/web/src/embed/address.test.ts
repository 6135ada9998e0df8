import { describe, expect, it } from 'vitest';
import { readLink } from '../state/url';
import { embedAddress } from './address';

const HOME = 'https://city.example/assets/cim-viewer.js';
const of = (attributes: Record<string, string>): string => embedAddress(HOME, (name) => attributes[name] ?? null);

describe('the frame of <cim-viewer>', () => {
  it('comes from where the script comes from', () => {
    expect(of({})).toBe('https://city.example/embed');
  });

  it('asks for what the attributes say, in the words of a link', () => {
    const address = new URL(of({ scheme: 's2wmvm2gb', compare: 'swipe', view: '24.94,60.17,17,52,-22', lang: 'zh', theme: 'dark' }));
    const link = readLink(address.search);
    expect(link.schemes).toEqual({ left: 'base', right: 's2wmvm2gb', mode: 'swipe' });
    expect(link.view).toEqual({ longitude: 24.94, latitude: 60.17, zoom: 17, pitch: 52, bearing: -22 });
    expect([link.lang, link.theme]).toEqual(['zh', 'dark']);
  });

  it.each<Record<string, string>>([{ scheme: '"><script>' }, { view: 'javascript:alert(1)' }, { compare: 'three' }, { lang: 'fr' }])('leaves out what cannot be read: %j', (attributes) => {
    expect(of(attributes)).toBe('https://city.example/embed');
  });
});
