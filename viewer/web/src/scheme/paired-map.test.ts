import { describe, expect, it, vi } from 'vitest';
import { CONTEXT_LOST } from '../map/types';
import type { MapCallbacks, MapPort, ViewState } from '../ui/map-port';
import { PairedMap } from './paired-map';
import type { SchemeOverlay } from './types';

const VIEW: ViewState = { longitude: 24, latitude: 60, zoom: 16, pitch: 40, bearing: 0 };

interface Fake extends MapPort {
  readonly calls: string[];
  readonly callbacks: MapCallbacks;
}

function fake(callbacks: MapCallbacks): Fake {
  const calls: string[] = [];
  let view = VIEW;
  const answers: Record<string, unknown> = {
    calls,
    callbacks,
    getView: () => view,
    setView: (next: Partial<ViewState>) => { view = { ...view, ...next }; calls.push(`view ${view.zoom}`); callbacks.onViewChange(view); },
    screenPositionOf: () => [10, 20],
    unproject: (x: number) => [x, 60],
  };
  return new Proxy({} as Fake, { get: (_, name: string) => answers[name] ?? ((...args: unknown[]) => void calls.push(`${name} ${JSON.stringify(args[0] ?? null)}`)) });
}

const element = (width: number): HTMLElement => ({ style: {}, hidden: false, parentElement: { clientWidth: width } }) as unknown as HTMLElement;

function pair(): { map: PairedMap; made: Fake[]; views: ViewState[]; callbacks: MapCallbacks } {
  const made: Fake[] = [];
  const views: ViewState[] = [];
  const callbacks: MapCallbacks = { onPick: vi.fn(), onHover: vi.fn(), onViewChange: (view) => views.push(view), onIdle: vi.fn(), onLayerState: vi.fn() };
  const map = new PairedMap({ left: element(1000), right: element(1000), laid: vi.fn() }, (_, given) => {
    const one = fake(given);
    made.push(one);
    return one;
  }, callbacks, { theme: 'light', language: 'en' });
  return { map, made, views, callbacks };
}

describe('a pair of maps', () => {
  it('is one map until something is compared', () => {
    const { map, made } = pair();
    map.setCompare('one', 0.5);
    expect(made).toHaveLength(1);
  });

  it('hears of the left map only that it is gone as a whole', () => {
    const { map, made, callbacks } = pair();
    map.setCompare('swipe', 0.5);
    made[1]?.callbacks.onLayerState('buildings', 'failed', 'one.glb');
    expect(callbacks.onLayerState).not.toHaveBeenCalled();
    made[1]?.callbacks.onLayerState('map', 'failed', CONTEXT_LOST);
    expect(callbacks.onLayerState).toHaveBeenCalledWith('map', 'failed', CONTEXT_LOST);
  });

  it('gives a new left map all that the right one was told', () => {
    const { map, made } = pair();
    map.setTheme('dark');
    map.setLayerVisible('trees', false);
    map.setLayerVisible('labels', true);
    map.setLive([{ id: 'a', t: '', v: 1, q: 'ok' }]);
    map.setLive([{ id: 'b', t: '', v: 2, q: 'ok' }]);
    map.setCompare('swipe', 0.5);
    const left = made[1]?.calls ?? [];
    expect(left).toContain('setTheme "dark"');
    expect(left.filter((call) => call.startsWith('setLayerVisible'))).toHaveLength(2);
    expect(left).toContain(`view ${VIEW.zoom}`);
  });

  it('moves both cameras and tells of it once', () => {
    const { map, made, views } = pair();
    map.setCompare('swipe', 0.5);
    views.length = 0;
    made[1]?.setView({ zoom: 18 });
    expect(made[0]?.getView().zoom).toBe(18);
    made[0]?.setView({ zoom: 15 });
    expect(made[1]?.getView().zoom).toBe(15);
    expect(views.map((view) => view.zoom)).toEqual([18, 15]);
  });

  it('ends the left map when nothing is compared any more', () => {
    const { map, made } = pair();
    map.setCompare('split', 0.5);
    map.setCompare('one', 0.5);
    expect(made[1]?.calls).toContain('finalize null');
    expect(map.left).toBeNull();
  });

  it('keeps each scheme on its side', () => {
    const { map, made } = pair();
    const overlay = (letter: string): SchemeOverlay => ({ scheme: letter, letter, colour_index: 1, objects: [], hidden: new Set(), phase: null });
    map.setSides(overlay('B'), overlay('C'));
    map.setCompare('swipe', 0.5);
    expect(made[0]?.calls.some((call) => call.startsWith('setOverlay') && call.includes('"letter":"C"'))).toBe(true);
    expect(made[1]?.calls.some((call) => call.startsWith('setOverlay') && call.includes('"letter":"B"'))).toBe(true);
  });

  it('keeps in the middle what was there when the way of comparing changes', () => {
    const { map, made } = pair();
    map.setCompare('one', 0.5);
    map.setPadding({ left: 300, right: 100 });
    map.setCompare('split', 0.5);
    expect(made[0]?.calls).toContain('centreOn [600,60]');
    const before = made[0]?.calls.filter((call) => call.startsWith('centreOn')).length;
    map.setCompare('split', 0.5);
    map.setCompare('split', 0.7);
    expect(made[0]?.calls.filter((call) => call.startsWith('centreOn')).length).toBe(before);
  });

  it('tells where a thing is on the page, not in its own pane', () => {
    const { map } = pair();
    map.setCompare('split', 0.5);
    expect(map.screenPositionOf('x')?.[0]).toBeGreaterThan(10);
  });
});
