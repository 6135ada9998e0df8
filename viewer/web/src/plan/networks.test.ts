import { describe, expect, it } from 'vitest';
import type { Feature, FeatureCollection } from '../state/model';
import type { SchemeObject } from '../scheme/types';
import { elementOf, Networks, schemeElement } from './networks';

const feature = (id: string, kind: string, coordinates: unknown, more: Record<string, number | string> = {}): Feature => ({
  type: 'Feature', id, properties: { kind, network_id: id.slice(2, id.indexOf('/')), ...more }, geometry: { type: Array.isArray((coordinates as number[][])[0]) ? 'LineString' : 'Point', coordinates },
});
const LINKS = [
  feature('h:water/P1', 'pipe', [[24.94, 60.17], [24.941, 60.17]], { diameter_m: 0.2, name: 'Long Street' }),
  feature('h:water/PU', 'pump', [[24.93, 60.17], [24.94, 60.17]]),
  feature('h:grid/TS', 'transformer', [[24.95, 60.17], [24.951, 60.17]]),
  feature('h:grid/L1', 'line', [[24.95, 60.171], [24.951, 60.171]]),
];
const NODES = [feature('h:water/J1', 'junction', [24.94, 60.17]), feature('h:water/T', 'tank', [24.9405, 60.1705]), feature('h:grid/S', 'transformer', [24.95, 60.17])];
const collection = (features: Feature[]): FeatureCollection => ({ type: 'FeatureCollection', features });
const asked: string[] = [];
const networks = async (): Promise<Networks> => {
  const made = new Networks({
    collections: () => Promise.resolve(['buildings', 'street-links', 'water-links', 'water-nodes', 'grid-links', 'grid-nodes']),
    features: (name) => {
      asked.push(name);
      const all = name.endsWith('-links') ? LINKS : NODES;
      return Promise.resolve(collection(all.filter((f) => f.properties['network_id'] === name.split('-')[0])));
    },
  });
  await made.read([24, 60, 25, 61]);
  return made;
};
const changed = (id: string, type: string, change: SchemeObject['change'], properties: SchemeObject['properties']): SchemeObject => ({
  id, type, change, properties, geometry: { type: 'LineString', coordinates: [[24.94, 60.17], [24.941, 60.17]] },
  ground_m: 0, height_m: 0, storeys: [], roof: { type: 'flat', height_m: 0 }, land_use: null, phase_year: null, name: null,
});

describe('elements of networks', () => {
  it('are what can be changed: no junction, no winding', () => {
    expect([...LINKS, ...NODES].map((f) => elementOf(f)?.element ?? null)).toEqual(['main', 'pump', null, 'feeder', null, 'tank', 'substation']);
    expect(elementOf(LINKS[1] as Feature)?.at).toHaveLength(1);
  });

  it('a network is chosen among those that have lines of its sort', async () => {
    const known = await networks();
    expect(asked).not.toContain('street-links');
    expect(asked).not.toContain('buildings');
    expect(known.of('main', 'water')).toEqual(['water']);
    expect(known.of('feeder', 'power')).toEqual(['grid']);
    expect(new Networks({ collections: () => Promise.reject(new Error()), features: () => Promise.reject(new Error()) }).of('main', 'water')).toEqual(['water']);
  });

  it('the nearest is found, as the scheme has it', async () => {
    const known = await networks();
    expect(known.nearest([], [24.9404, 60.17002], 30)?.id).toBe('h:water/P1');
    expect(known.nearest([], [24.9405, 60.1705], 30)?.id).toBe('h:water/T');
    expect(known.nearest([], [24.9, 60.1], 30)).toBeNull();
    const shut = changed('h:water/P1', '+Main', 'changed', { closed: true, diameter_m: 0.4, network_id: 'water' });
    expect(known.nearest([shut], [24.9404, 60.17002], 30)).toMatchObject({ closed: true, diameter_m: 0.4, element: 'main' });
    const gone = changed('h:water/P1', '+Main', 'demolished', {});
    expect(known.nearest([gone], [24.9406, 60.17], 10)).toBeNull();
    expect(schemeElement(changed('x', 'Road', 'added', {}))).toBeNull();
  });
});
