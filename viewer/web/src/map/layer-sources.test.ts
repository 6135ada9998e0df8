import { afterEach, describe, expect, it, vi } from 'vitest';
import { LayerSources } from './layer-sources';
import { LiveStore } from './live';
import type { LayerSpec } from './spec';

const HEIGHTS = '/tiles/base/ground/heights.json';
const heights = (level: number): object => ({ west: 8, south: 47, east: 9, north: 48, columns: 2, rows: 2, step_m: 1, heights: [level, level, level, level + 10] });
const TREE = { type: 'Feature', id: 't', properties: { height_m: 5 }, geometry: { type: 'Point', coordinates: [9, 48] } };

const spec = (id: string, role: LayerSpec['role'], data: string, hints: LayerSpec['hints'] = {}): LayerSpec => ({ id, type: 'x', role, data, hints, visible: true, props: {} });
const SPECS = [spec('ground', 'ground', '/tiles/base/ground/tileset.json', { heights: HEIGHTS }), spec('trees', 'trees', '/trees')];

/** A server whose answers a test changes. */
function serve(answers: Record<string, unknown>): LayerSources {
  vi.stubGlobal('fetch', (url: string) => Promise.resolve(url in answers ? new Response(JSON.stringify(answers[url])) : new Response('', { status: 404 })));
  vi.stubGlobal('location', new URL('http://here/'));
  return new LayerSources(new LiveStore(), () => undefined, () => undefined);
}

const settled = (sources: LayerSources): Promise<void> => vi.waitFor(() => { if (sources.waiting) throw new Error('waiting'); });
const treeUp = (sources: LayerSources): number | undefined => sources.get('trees')?.trees?.[0]?.position[2];

afterEach(() => vi.unstubAllGlobals());

describe('what layers are drawn by', () => {
  it('stands on the ground, which is there first', async () => {
    const sources = serve({ '/trees': { features: [TREE] }, '/tiles/base/ground/tileset.json': {}, [HEIGHTS]: heights(500) });
    sources.setSpecs(SPECS);
    await settled(sources);
    expect([sources.relief.zero_m, treeUp(sources)]).toEqual([500, 10]);
  });

  it('is read again when the ground is another, and a tileset when it was missing', async () => {
    const answers: Record<string, unknown> = { '/trees': { features: [TREE] } };
    const sources = serve(answers);
    sources.setSpecs(SPECS);
    await settled(sources);
    expect([sources.get('ground')?.phase, sources.relief.isFlat, treeUp(sources)]).toEqual(['failed', true, undefined]);
    Object.assign(answers, { '/tiles/base/ground/tileset.json': {}, [HEIGHTS]: heights(500) });
    await sources.renew();
    await settled(sources);
    expect([sources.get('ground')?.phase, sources.relief.zero_m, treeUp(sources)]).toEqual(['ready', 500, 10]);
  });

  it('stays where it is while the ground is the same, or cannot be read', async () => {
    const answers: Record<string, unknown> = { '/trees': { features: [TREE] }, '/tiles/base/ground/tileset.json': {}, [HEIGHTS]: heights(500) };
    const sources = serve(answers);
    sources.setSpecs(SPECS);
    await settled(sources);
    const [relief, trees] = [sources.relief, sources.get('trees')];
    await sources.renew();
    delete answers[HEIGHTS];
    await sources.renew();
    expect([sources.relief, sources.get('trees')]).toEqual([relief, trees]);
  });
});
