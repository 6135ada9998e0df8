import { describe, expect, it } from 'vitest';
import { readLink, writeLink, type Link } from './url';

const full: Link = {
  schemes: { left: 'base', right: 'sabcdefgh', mode: 'swipe', position: 0.44, phase: 2030, stop: 2 },
  view: { longitude: 24.9412, latitude: 60.1699, zoom: 15.5, pitch: 46, bearing: -18 },
  layers: { trees: false, traffic: true, sensors: false },
  colourBy: 'height_m',
  selection: { kind: 'object', id: 'helsinki:way/123&x=1' },
  sun: { date: '2026-06-21', minutes: 910 },
  lang: 'zh',
  theme: 'dark',
  bbox: [24.93, 60.16, 24.95, 60.18],
  set: 'sensors',
};

describe('a link', () => {
  it('brings back what was written', () => {
    expect(readLink(writeLink(full))).toEqual(full);
  });

  it.each<Link['selection']>([{ kind: 'datastream', id: 'flow/P12' }, { kind: 'element', network: 'water', id: 'P/12' }, null])('keeps the selection %j', (selection) => {
    expect(readLink(writeLink({ ...full, selection })).selection).toEqual(selection);
  });

  it('with one scheme compares it with the city as it is', () => {
    expect(readLink('schemes=sabcdefgh').schemes).toEqual({ left: 'base', right: 'sabcdefgh' });
  });

  it.each(['pos=101', 'pos=x', 'phase=-1', 'stop=0', 'mode=three'])('keeps the schemes where the rest cannot be read: %s', (rest) => {
    expect(readLink(`schemes=base,sabcdefgh&${rest}`).schemes).toEqual({ left: 'base', right: 'sabcdefgh' });
  });

  it('is empty where nothing was chosen', () => {
    expect(writeLink({ layers: {}, colourBy: null, selection: null, sun: null })).toBe('');
  });

  it.each(['v=1,2,3', 'v=a,b,c,d,e', 'v=999,0,1,1,1', 'by=constructor', 'sun=2026-13-01T10:00', 'sun=2026-01-01T25:00', 'bbox=2,0,1,1', 'element=/P1', 'lang=fr', 'v=,,,,', 'schemes=a,b,c', 'schemes=<script>', 'mode=swipe'])('leaves out what cannot be read: %s', (search) => {
    const link = readLink(search);
    expect(link).toEqual({ layers: {}, colourBy: null, selection: null, sun: null });
  });
});
