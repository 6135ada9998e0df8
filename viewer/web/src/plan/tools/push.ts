/** Push and pull: the roof follows the hand by whole storeys; edits go out on the way and at the end. */
import { html } from 'lit';
import { t } from '../../i18n/index';
import { quantity } from '../../i18n/format';
import type { Draft, LonLat, SchemeObject, ToolPoint } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { numberField } from '../fields';
import { ringsOf } from '../geojson';
import { sumHeights } from '../log';
import { centroid, frameAt } from '../shape/frame';

const SEND_EVERY_MS = 500;
const HEIGHT_MAX = 600;

/** The height that a pull comes to: whole storeys, or a tenth of a metre without snapping. Pure. */
export function pulled(from_m: number, by_m: number, storey_m: number, roof_m: number, free: boolean): number {
  const wanted = Math.min(HEIGHT_MAX, Math.max(roof_m + 2, from_m + by_m));
  if (free) return Math.round(wanted * 10) / 10;
  const storeys = Math.max(1, Math.round((wanted - roof_m) / storey_m));
  return Math.round((roof_m + storeys * storey_m) * 1000) / 1000;
}

interface Held {
  readonly id: string;
  readonly object: SchemeObject;
  readonly anchor: LonLat;
  readonly pressed: ToolPoint;
  readonly start_m: number;
  readonly hand_m: number;
  height_m: number;
  sent_m: number;
}

export const usualStorey = (o: SchemeObject): number => [...(o.storeys ?? [])].map((s) => s[0]).sort((a, b) => a - b)[(o.storeys ?? []).length >> 1] ?? 3.2;

export function anchorOf(o: SchemeObject): LonLat | null {
  const ring = ringsOf(o.geometry)[0];
  const first = ring?.[0];
  if (!ring || !first) return null;
  const frame = frameAt(first);
  return frame.from(centroid(ring.map(frame.to)));
}

export function pushTool(bench: Bench): Tool {
  let held: Held | null = null;
  let busy = false;
  let last_ms = 0;

  const selected = (): SchemeObject | null => {
    const o = bench.plan.selected;
    return o && o.type === 'Building' && o.change !== 'demolished' ? o : null;
  };
  const ghost = (o: SchemeObject, height_m: number): void => {
    const ring = ringsOf(o.geometry)[0];
    if (!ring) return;
    const storey = usualStorey(o);
    const roof = o.roof?.height_m ?? 0;
    const count = Math.max(1, Math.round((height_m - roof) / storey));
    const anchor = anchorOf(o) ?? ring[0];
    const draft: Draft = {
      ring, closed: true, height_m, ground_m: o.ground_m ?? 0, storey_m: Array.from({ length: count - 1 }, (_, i) => (i + 1) * storey), valid: true, handle: true, guides: [],
      dimensions: anchor ? [{ at: anchor, text: `${quantity(height_m, 'm')} · ${t('plan.edit.of', { n: count })}` }] : [],
    };
    bench.draft(draft);
  };
  const send = async (id: string, o: SchemeObject, height_m: number): Promise<void> => {
    busy = true;
    last_ms = Date.now();
    await bench.plan.edit({ kind: 'building.height', target: id, params: { height_m } });
    busy = false;
    if (!held) rest(o.id);
  };
  const rest = (_id: string): void => {
    const o = selected();
    if (o) ghost(o, o.height_m);
    else bench.draft(null);
  };
  const storeyBy = (by: number): void => {
    const o = selected();
    if (!o || bench.plan.locked) return;
    const storeys = o.storeys ?? [];
    const target = pulled(o.height_m, by * usualStorey(o), usualStorey(o), o.roof?.height_m ?? 0, false);
    if (storeys.length + by >= 1) void send(o.id, o, target);
  };

  const begin = (p: ToolPoint): boolean => {
    const id = p.pick?.kind === 'object' ? p.pick.id : null;
    let o = selected();
    if (id && id !== o?.id && p.pick?.layerId !== 'draft') {
      bench.plan.city.select({ kind: 'object', id });
      o = selected();
    }
    // A press beside the building moves the map.
    if (!o || (id === null && p.pick === null) || bench.plan.locked) return false;
    const anchor = anchorOf(o);
    if (!anchor) return false;
    held = { id: o.id, object: o, anchor, pressed: p, start_m: o.height_m, hand_m: bench.plan.city.map?.heightAt?.(p.x, p.y, anchor) ?? o.height_m, height_m: o.height_m, sent_m: o.height_m };
    return true;
  };
  const follow = (p: ToolPoint): boolean => {
    if (!held) return false;
    const hand = bench.plan.city.map?.heightAt?.(p.x, p.y, held.anchor) ?? held.hand_m + (held.pressed.y - p.y) * bench.metres(1);
    held.height_m = pulled(held.start_m, hand - held.hand_m, usualStorey(held.object), held.object.roof?.height_m ?? 0, p.alt);
    ghost(held.object, held.height_m);
    if (held.height_m !== held.sent_m && !busy && Date.now() - last_ms > SEND_EVERY_MS) {
      held.sent_m = held.height_m;
      void send(held.id, held.object, held.height_m);
    }
    bench.changed();
    return true;
  };

  return {
    hint: 'plan.hint.push',
    pointer: {
      cursor: 'ns-resize',
      down: begin,
      move: follow,
      up(p) {
        if (!held) return false;
        follow(p);
        const { id, object, height_m, sent_m } = held;
        held = null;
        if (height_m !== sent_m) void send(id, object, height_m);
        else rest(id);
        return true;
      },
      cancel() {
        held = null;
        rest('');
      },
    },
    card() {
      const o = selected();
      if (!held && o && !busy) queueMicrotask(() => { if (bench.id === 'push' && !held) ghost(o, o.height_m); });
      if (!o) return html`<p class="lockline xs">${t('plan.push.none')}</p>`;
      const height = held?.height_m ?? o.height_m;
      const storey = usualStorey(o);
      return html`<div class="toolrow">
        ${numberField({ label: t('plan.ins.height'), value: height, unit: 'm', min: 2, max: HEIGHT_MAX, testid: 'push-height', set: (v) => void send(o.id, o, v) })}
        ${numberField({ label: t('plan.ins.storeys'), value: held ? Math.round((height - (o.roof?.height_m ?? 0)) / storey) : (o.storeys ?? []).length, min: 1, max: 200, digits: 0, testid: 'push-storeys', set: (n) => void bench.plan.edit({ kind: 'building.storeys', target: o.id, params: { count: Math.round(n), storey_height_m: storey } }) })}
        <button type="button" class="btn" data-testid="push-down" aria-label=${t('plan.push.down')} @click=${() => storeyBy(-1)}>−</button><button type="button" class="btn" data-testid="push-up" aria-label=${t('plan.push.up')} @click=${() => storeyBy(1)}>+</button>
        <span class="say">${quantity(sumHeights(o.storeys ?? []), 'm')}</span>
      </div>`;
    },
    key(key) {
      if (key === 'PageUp' || key === 'PageDown') {
        storeyBy(key === 'PageUp' ? 1 : -1);
        return true;
      }
      return false;
    },
    start: () => rest(''),
    stop: () => {
      held = null;
    },
  };
}
