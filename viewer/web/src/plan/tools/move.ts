import { html } from 'lit';
import { t } from '../../i18n/index';
import { quantity } from '../../i18n/format';
import type { Json, LonLat, SchemeObject, ToolPoint } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { numberField } from '../fields';
import { ringsOf } from '../geojson';
import { centroid, distance, frameAt, middle, turned, type Xy } from '../shape/frame';

export interface Motion {
  /** Metres on the ground. */
  readonly east: number;
  readonly north: number;
  /** Clockwise, degrees. */
  readonly turn: number;
}

/**
 * What is asked of the server. The way is told by its ends: the axes of the city's projection are not
 * those of the map, and only the server knows them. It turns counter-clockwise. Pure.
 */
export function moveParams(ring: readonly LonLat[], by: Motion): Record<string, Json> {
  const first = ring[0];
  const params: Record<string, Json> = by.turn === 0 ? {} : { rotation_deg: -by.turn };
  if (!first || (by.east === 0 && by.north === 0)) return params;
  const frame = frameAt(first);
  const [x, y] = centroid(ring.map(frame.to));
  return { ...params, from: [...frame.from([x, y])], to: [...frame.from([x + by.east, y + by.north])] };
}

/** Move and turn a building: by hand in whole half metres, or by numbers. */
export function moveTool(bench: Bench): Tool {
  const by = { east: 0, north: 0, turn: 0 };
  let pressed: { readonly point: ToolPoint; readonly object: SchemeObject } | null = null;
  const selected = (): SchemeObject | null => {
    const o = bench.plan.selected;
    return o && o.type === 'Building' && o.change !== 'demolished' ? o : null;
  };
  const ghost = (o: SchemeObject): void => {
    const ring = ringsOf(o.geometry)[0];
    const first = ring?.[0];
    if (!ring || !first) return;
    const frame = frameAt(first);
    const xy = ring.map(frame.to);
    const centre = centroid(xy);
    const moved = turned(xy, centre, by.turn).map(([x, y]): Xy => [x + by.east, y + by.north]);
    const end: Xy = [centre[0] + by.east, centre[1] + by.north];
    const far = distance(centre, end);
    bench.draft({ ring: moved.map(frame.from), closed: true, height_m: o.height_m, ground_m: o.ground_m ?? 0, storey_m: [], valid: true, handle: false, guides: far > 0 ? [[frame.from(centre), frame.from(end)]] : [], dimensions: far > 0 ? [{ at: frame.from(middle(centre, end)), text: quantity(far, 'm') }] : [] });
  };
  const reset = (): void => {
    Object.assign(by, { east: 0, north: 0, turn: 0 });
    bench.draft(null);
    bench.changed();
  };
  const send = async (): Promise<void> => {
    const o = selected();
    if (!o || (by.east === 0 && by.north === 0 && by.turn === 0)) return;
    await bench.plan.edit({ kind: 'building.move', target: o.id, params: moveParams(ringsOf(o.geometry)[0] ?? [], by) });
    reset();
  };
  const set = (patch: Partial<typeof by>): void => {
    Object.assign(by, patch);
    const o = selected();
    if (o) ghost(o);
    bench.changed();
  };
  return {
    hint: 'plan.hint.move',
    pointer: {
      cursor: 'move',
      down(p) {
        const id = p.pick?.kind === 'object' ? p.pick.id : null;
        if (id && id !== selected()?.id) bench.plan.city.select({ kind: 'object', id });
        const object = selected();
        if (!object || id !== object.id || bench.plan.locked) return false;
        pressed = { point: p, object };
        return true;
      },
      move(p) {
        if (!pressed) return false;
        const frame = frameAt(pressed.point.lngLat);
        const [x, y] = frame.to(p.lngLat);
        const half = (v: number): number => (p.alt ? Math.round(v * 100) / 100 : Math.round(v * 2) / 2);
        set({ east: half(x), north: half(y) });
        return true;
      },
      up() {
        if (!pressed) return false;
        pressed = null;
        void send();
        return true;
      },
      cancel() {
        pressed = null;
        reset();
      },
    },
    card: () =>
      selected()
        ? html`<div class="toolrow">
          ${numberField({ label: t('plan.move.east'), value: by.east, unit: 'm', min: -2000, max: 2000, digits: 2, testid: 'move-east', set: (east) => set({ east }) })}
          ${numberField({ label: t('plan.move.north'), value: by.north, unit: 'm', min: -2000, max: 2000, digits: 2, testid: 'move-north', set: (north) => set({ north }) })}
          ${numberField({ label: t('plan.move.turn'), value: by.turn, unit: '°', min: -360, max: 360, digits: 1, testid: 'move-turn', set: (turn) => set({ turn }) })}
          <button type="button" class="btn pri" data-testid="move-apply" @click=${() => void send()}>${t('plan.move.apply')}</button></div>`
        : html`<p class="lockline xs">${t('plan.push.none')}</p>`,
    key(key) {
      if (key === 'Enter' && selected()) void send();
      else if (key === 'Escape' && (by.east !== 0 || by.north !== 0 || by.turn !== 0)) reset();
      else return false;
      return true;
    },
    start: () => undefined,
    stop: reset,
  };
}
