import { html, nothing, svg, type TemplateResult } from 'lit';
import { quantity } from '../../i18n/format';
import { t } from '../../i18n/index';
import type { LonLat, ProfilePoint } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { distance, frameAt } from '../shape/frame';
import { measured } from '../shape/sketch';
import { Sketching } from './sketching';

/** Lengths and areas; nothing is changed by it. */
export function measureTool(bench: Bench): Tool {
  let kept: { readonly length_m: number; readonly area_m2: number } | null = null;
  const sketching: Sketching = new Sketching(bench, { closed: false, body: () => ({ height_m: 0, storey_m: [] }), done: () => undefined });
  const end = (): void => {
    const { points, frame } = sketching.sketch;
    const m = measured({ frame, points, cursor: null });
    kept = { length_m: m.length_m, area_m2: m.area_m2 };
  };
  return {
    hint: 'plan.hint.measure',
    pointer: sketching.pointer,
    card(ctx) {
      const drawing = sketching.sketch.points.length > 0;
      const m = drawing ? measured(sketching.sketch) : kept;
      return html`${sketching.fields(ctx)}${m && m.length_m > 0 ? html`<div class="toolrow"><span class="say" data-testid="measured">${t('plan.sketch.sum')} <b class="strong">${quantity(m.length_m, 'm')}</b></span>${m.area_m2 > 0 ? html`<span class="say">${t('plan.sketch.area')} <b class="strong">${quantity(m.area_m2, 'm2')}</b></span>` : nothing}<button type="button" class="btn quiet" @click=${() => { kept = null; sketching.clear(); }}>${t('plan.measure.clear')}</button></div>` : nothing}`;
    },
    key(key) {
      if (key === 'Enter' && sketching.sketch.points.length > 0) end();
      return sketching.key(key);
    },
    start: () => undefined,
    stop: () => {
      kept = null;
      sketching.clear();
    },
  };
}

function profileView(points: readonly ProfilePoint[]): TemplateResult | typeof nothing {
  const long = points.at(-1)?.distance_m ?? 0;
  const high = Math.max(1, ...points.map((p) => p.height_m));
  if (points.length < 2 || long <= 0) return nothing;
  const path = `M0 100${points.map((p) => `L${((p.distance_m / long) * 400).toFixed(1)} ${(100 - (p.height_m / high) * 92).toFixed(1)}`).join('')}L400 100Z`;
  return html`<div class="toolrow"><svg class="profile" viewBox="0 0 400 100" preserveAspectRatio="none" role="img" aria-label=${t('plan.section.profile', { m: quantity(long, 'm'), h: quantity(high, 'm') })}>${svg`<path d=${path}/>`}</svg><span class="say">${t('plan.section.profile', { m: quantity(long, 'm'), h: quantity(high, 'm') })}</span></div>`;
}

/** A cut through the city along a line. */
export function sectionTool(bench: Bench): Tool {
  let line: readonly [LonLat, LonLat] | null = null;
  let profile: readonly ProfilePoint[] = [];
  const sketching = new Sketching(bench, {
    closed: false,
    pointsMax: 2,
    body: () => ({ height_m: 0, storey_m: [] }),
    done: (places) => {
      const [a, b] = places;
      if (a && b && distance([0, 0], frameAt(a).to(b)) > 1) set([a, b]);
    },
  });
  const set = (next: typeof line): void => {
    line = next;
    const map = bench.plan.city.map;
    map?.setSection?.(line);
    profile = line ? map?.sectionProfile?.(line) ?? [] : [];
    bench.changed();
  };
  return {
    hint: 'plan.hint.section',
    pointer: sketching.pointer,
    card: (ctx) => html`${line ? html`<div class="toolrow"><button type="button" class="btn" data-testid="section-clear" @click=${() => set(null)}>${t('plan.section.clear')}</button></div>${profileView(profile)}` : sketching.fields(ctx)}`,
    key(key) {
      if (key === 'Escape' && line) {
        set(null);
        return true;
      }
      return sketching.key(key);
    },
    start: () => undefined,
    stop: () => {
      sketching.clear();
      if (line) set(null);
    },
  };
}
