import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fetchFrom, pathOf, type Files } from './inlined';

const BASE = 'file:///home/someone/city.html';
const packed = (text: string): string => gzipSync(text).toString('base64');
const files: Files = new Map([
  ['/tiles/base/tileset.json', { media: 'application/json', text: () => packed('{"root":{}}') }],
  ['/ogc/collections/trees/items?limit=10000', { media: 'application/geo+json', text: () => ` ${packed('{"features":[]}')}\n` }],
]);
const never: typeof fetch = () => Promise.reject(new Error('asked the network'));
const ask = fetchFrom(files, BASE, never);

describe('an inlined file', () => {
  it('has the path it had on the server, wherever the page lies', () => {
    expect(pathOf('/tiles/base/a.glb?v=2', BASE)).toBe('/tiles/base/a.glb?v=2');
    expect(pathOf('/tiles/base/a.glb', 'file:///C:/Users/x/city.html')).toBe('/tiles/base/a.glb');
    expect(pathOf('/ogc/x', 'https://example.org/kept/city.html')).toBe('/ogc/x');
  });

  it('answers with its bytes, type and address', async () => {
    const answer = await ask('/tiles/base/tileset.json');
    expect([answer.status, answer.headers.get('content-type'), answer.url]).toEqual([200, 'application/json', '/tiles/base/tileset.json']);
    expect(await answer.json()).toEqual({ root: {} });
  });

  it('is found with its query, and with one that only asks for newness', async () => {
    expect(await (await ask('/ogc/collections/trees/items?limit=10000')).json()).toEqual({ features: [] });
    expect((await ask('/tiles/base/tileset.json?v=3')).status).toBe(200);
  });
});

describe('what is not inlined', () => {
  it('is 404 and never asked for', async () => {
    expect((await ask('/tiles/base/other.glb')).status).toBe(404);
    expect((await ask('https://example.org/tiles.json')).status).toBe(404);
  });

  it('is the browser’s where it is data', async () => {
    await expect(ask('data:,x')).rejects.toThrow('asked the network');
  });

  it('stops when it is told to', async () => {
    await expect(ask('/tiles/base/tileset.json', { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
