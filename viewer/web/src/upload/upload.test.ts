import { describe, expect, it } from 'vitest';
import { RequestFailed } from '../state/api';
import type { City } from '../state/model';
import { saidBody, type Sending, type UploadApi } from './api';
import { initialUpload, UploadDesk } from './desk';
import { bytesText, planFault, planOf, type Chosen } from './files';
import { changed, mappingDocument, rowOf } from './mapping';
import { objectsOf, viewOf } from './sketch';
import { lookOf, NOTHING_SAID, type Job, type LayerNote, type Upload } from './types';

const file = (path: string, size: number): Chosen => ({ path, file: { size, name: path.split('/').at(-1) } as File });
const LIMITS = { bytes: 1000, files: 3 };

describe('what is dropped', () => {
  it('is sent in order, without empty files and those that systems leave', () => {
    const plan = planOf([file('b/2.shp', 5), file('b/.DS_Store', 9), file('b/1.shp', 4), file('b/lock', 0), file('__MACOSX/1.shp', 3)]);
    expect(plan.files.map((c) => c.path)).toEqual(['b/1.shp', 'b/2.shp']);
    expect([plan.bytes, plan.skipped.length]).toEqual([9, 3]);
  });
  it('is held against the limits before it is tried', () => {
    expect(planFault(planOf([]), LIMITS)).toBe('upload-empty');
    expect(planFault(planOf([file('a', 1001)]), LIMITS)).toBe('upload-bytes');
    expect(planFault(planOf([1, 2, 3, 4].map((n) => file(`f${n}`, 1))), LIMITS)).toBe('upload-files');
    expect(planFault(planOf([file('a', 1000)]), LIMITS)).toBeNull();
  });
  it('is told in bytes that can be read', () => {
    expect([0, 999, 1000, 12_345, 999_600, 8 * 1024 ** 3].map(bytesText)).toEqual(['0 B', '999 B', '1.00 kB', '12.3 kB', '1.00 MB', '8.59 GB']);
  });
});

const note: LayerNote = {
  layer: 'roofs', crs: 'EPSG:2249', features: 12, types: { area: 'Building' }, columns: ['OBJ', 'HGT_FT', 'FLOORS', 'NAME'],
  mapping: { type: 'Building', id: 'OBJ', attributes: { height_m: { column: 'HGT_FT', unit: 'ft' }, storeys_above_ground: 'FLOORS' }, encoding: 'cp1252' },
};

describe('a mapping', () => {
  it('is shown as rows, one a fact, units for lengths', () => {
    const row = rowOf(note);
    expect([row.type, row.id, row.byColumn]).toEqual(['Building', 'OBJ', null]);
    expect(row.fields.find((f) => f.target === 'height_m')).toEqual({ target: 'height_m', column: 'HGT_FT', unit: 'ft' });
    expect(row.fields.find((f) => f.target === 'name')?.column).toBe('');
  });
  it('is changed one choice at a time, the rest stays', () => {
    const named = changed(note.mapping, { field: { target: 'name', column: 'NAME', unit: 'm' } });
    expect(named.attributes).toMatchObject({ name: 'NAME', storeys_above_ground: 'FLOORS' });
    expect(named['encoding']).toBe('cp1252');
    const without = changed(named, { field: { target: 'height_m', column: '', unit: 'ft' } });
    expect(without.attributes).not.toHaveProperty('height_m');
    expect(changed(without, { id: '' })).not.toHaveProperty('id');
    // A tree has no storeys.
    expect(changed(note.mapping, { type: 'SolitaryVegetationObject' }).attributes).toEqual({ height_m: { column: 'HGT_FT', unit: 'ft' } });
  });
  it('of several layers is sent by their names', () => {
    expect(mappingDocument([])).toBeNull();
    expect(mappingDocument([{ layer: 'a', mapping: { type: 'Road' } }])).toEqual({ type: 'Road' });
    expect(mappingDocument([{ layer: 'a', mapping: { type: 'Road' } }, { layer: 'b', mapping: { type: 'skip' } }])).toEqual({ layers: { a: { type: 'Road' }, b: { type: 'skip' } } });
  });
  it('where a column tells the type, that is kept', () => {
    const by = { column: 'class', values: { tree: 'SolitaryVegetationObject' }, default: 'skip' };
    expect(rowOf({ ...note, mapping: { type: by } })).toMatchObject({ type: 'skip', byColumn: 'class' });
    expect(changed({ type: by }, { id: 'OBJ' }).type).toEqual(by);
  });
});

describe('the sketch', () => {
  it('is areas, lines and points on the ground', () => {
    const ring = [[0, 0], [1, 0], [1, 1], [0, 0]];
    const of = (type: string, coordinates: unknown): { id: string; properties: { type: string }; geometry: never } => ({ id: type, properties: { type: 'Building' }, geometry: { type, coordinates } as never });
    const made = objectsOf([of('Polygon', [ring]), of('LineString', ring), of('MultiPoint', ring), { id: 'x', properties: { type: 'x' }, geometry: null }]);
    expect(made.map((o) => o.type)).toEqual(['+Parcel', '+Main', '+Pump', '+Pump', '+Pump', '+Pump']);
    expect(new Set(made.map((o) => o.id)).size).toBe(made.length);
  });
  it('comes into view whole', () => {
    const { at, zoom } = viewOf([24.9, 60.1, 25.0, 60.2], 800, 600);
    expect(at).toEqual([24.95, 60.150000000000006]);
    expect(zoom).toBeGreaterThan(9);
    expect(zoom).toBeLessThan(13);
    expect(viewOf([24.9, 60.1, 24.9, 60.1], 800, 600).zoom).toBe(17);
  });
});

const job = (kind: string, state: Job['state'], summary: Record<string, unknown> = {}): Job => ({ id: `${kind}-1`, kind, title: 't', state, steps: [], queued_ahead: 0, error: null, summary });
const LOOK = { layers: [note], sketch: { features: [] }, objects: {}, bbox: null };
const upload: Upload = { id: 'u1', name: 'roofs', files: [{ name: 'roofs.gpkg', bytes: 5 }], bytes: 5, touched_at: '', job: null };

class Fake implements UploadApi {
  asked: string[] = [];
  fail: Record<string, string> = {};
  private note(what: string): void {
    this.asked.push(what);
    const code = this.fail[what.split(' ')[0] ?? ''];
    if (code) throw new RequestFailed(code, 400);
  }
  uploads = async () => { this.note('uploads'); return { items: [], limits: LIMITS }; };
  upload = async () => upload;
  remove = async (id: string) => this.note(`remove ${id}`);
  send = (_file: Blob, name: string, to: string | null, sent: (bytes: number) => void): Sending => ({
    done: (async () => { sent(3); this.note(`send ${name} ${to ?? 'new'}`); return upload; })(),
    stop: () => undefined,
  });
  look = async (_id: string, said: object) => { this.note(`look ${JSON.stringify(saidBody(said as never))}`); return job('preview', 'running'); };
  ingest = async () => { this.note('ingest'); return job('ingest', 'queued'); };
  cancel = async () => this.note('cancel');
  job = async () => { this.note('job'); return job('preview', 'succeeded', LOOK); };
  undo = async (id: string) => { this.note(`undo ${id}`); return job('undo', 'running'); };
}

const desk = (token: string | null = 'token'): { api: Fake; desk: UploadDesk } => {
  const api = new Fake();
  return { api, desk: new UploadDesk(initialUpload({ token, lang: 'en', theme: 'light' }), api, () => Promise.resolve({ crs: 'EPSG:3879', baseline_version: 3 } as City)) };
};

describe('the desk', () => {
  it('sends file after file into one upload and looks at it', async () => {
    const { api, desk: d } = desk();
    await d.bring([file('b/1.shp', 4), file('b/2.shp', 4)]);
    expect(api.asked).toEqual(['send b/1.shp new', 'send b/2.shp u1', 'look {}']);
    d.heard(job('preview', 'succeeded', LOOK));
    expect(lookOf(d.state.look)?.layers).toHaveLength(1);
    expect(d.state.mapping).toEqual([{ layer: 'roofs', mapping: note.mapping }]);
  });

  it('asks for what the live stream does not tell', async () => {
    const { api, desk: d } = desk();
    await d.bring([file('a.gpkg', 4)]);
    d.heard(job('preview', 'succeeded'));
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(api.asked.at(-1)).toBe('job');
    expect(lookOf(d.state.look)?.layers).toHaveLength(1);
  });

  it('leaves no part of a folder where one file is refused', async () => {
    const { api, desk: d } = desk();
    api.send = (_f, name, to, sent) => ({ done: name.includes('2') ? Promise.reject(new RequestFailed('storage-full', 507)) : new Fake().send(_f, name, to, sent).done, stop: () => undefined });
    await d.bring([file('b/1.shp', 4), file('b/2.shp', 4)]);
    expect(api.asked).toEqual(['remove u1']);
    expect([d.state.failed, d.state.upload, d.state.sending]).toEqual(['storage-full', null, null]);
  });

  it('what is too large is not sent at all', async () => {
    const { api, desk: d } = desk();
    await d.start();
    d.stop();
    await d.bring([file('a', 2000)]);
    expect(api.asked).toEqual(['uploads']);
    expect(d.state.failed).toBe('upload-bytes');
  });

  it('what was said is sent, and another look comes before taking in', async () => {
    const { api, desk: d } = desk();
    await d.bring([file('a.gpkg', 4)]);
    d.heard(job('preview', 'succeeded', LOOK));
    d.map('roofs', { type: 'Road' });
    d.say({ crs: 'EPSG:3879', policy: 'quarantine', vertical_error_m: 0.5 });
    expect(d.state.changed).toBe(true);
    await d.look();
    expect(JSON.parse(api.asked.at(-1)?.slice(5) ?? '')).toMatchObject({ crs: 'EPSG:3879', policy: 'quarantine', vertical_error_m: 0.5, mapping: { type: 'Road', encoding: 'cp1252' } });
    expect(d.state.changed).toBe(false);
    // The mapping that somebody chose stays, whatever the look says.
    d.heard(job('preview', 'succeeded', LOOK));
    expect(d.state.mapping?.[0]?.mapping.type).toBe('Road');
  });

  it('takes in, and takes back', async () => {
    const { api, desk: d } = desk();
    await d.bring([file('a.gpkg', 4)]);
    await d.ingest();
    d.heard(job('ingest', 'succeeded', { baseline_version: 4 }));
    expect(d.state.job?.state).toBe('succeeded');
    await d.takeBack();
    expect(api.asked.at(-1)).toBe('undo ingest-1');
    d.heard(job('undo', 'succeeded'));
    expect(d.state.undo?.state).toBe('succeeded');
    // What is not ours is none of our business.
    d.heard({ ...job('ingest', 'failed'), id: 'other' });
    expect(d.state.job?.state).toBe('succeeded');
  });

  it('a token that is not taken is asked for again', async () => {
    const { api, desk: d } = desk();
    api.fail['uploads'] = 'planner-token';
    await d.start();
    d.stop();
    expect([d.state.token, d.state.tokenRefused]).toEqual([null, true]);
    await d.bring([file('a', 1)]);
    expect(d.state.plan).toBeNull();
  });

  it('says nothing that was not said', () => {
    expect(saidBody(NOTHING_SAID)).toEqual({});
  });
});
