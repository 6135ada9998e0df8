import { html, nothing } from 'lit';
import { t, word } from '../../i18n/index';
import type { LonLat } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { choiceField, numberField } from '../fields';
import { thingName } from '../../scheme/thing-name';
import type { Street } from '../ground';
import { clicks } from './clicks';
import { Sketching } from './sketching';

const REACH_PX = 14;
const NEAREST_M = 400;

/** Close, open, turn to one way, change lanes; or draw a new one. */
export function streetTool(bench: Bench): Tool {
  let mode: 'change' | 'draw' = 'change';
  let id: string | null = null;
  const fresh = { lanes: 2, oneway: 'no' };
  const street = (): Street | null => bench.ground.streets().find((s) => s.id === id) ?? null;
  const sketching = new Sketching(bench, {
    closed: false,
    body: () => ({ height_m: 0, storey_m: [] }),
    done: (places) => void bench.plan.edit({ kind: 'street.add', params: { axis: places.map((p) => [p[0], p[1]]), lanes: fresh.lanes, oneway: fresh.oneway } }),
  });
  const show = (s: Street | null): void => {
    id = s?.id ?? null;
    bench.draft(s ? { ring: s.line, closed: false, height_m: 0, ground_m: null, storey_m: [], valid: true, handle: false, guides: [], dimensions: [] } : null);
    bench.changed();
  };
  const nearest = (at: LonLat, reach_m: number): void => show(bench.ground.streetAt(at, reach_m));
  const pick = clicks('pointer', (p) => nearest(p.lngLat, bench.metres(REACH_PX)));
  const active = (): typeof pick => (mode === 'draw' ? sketching.pointer : pick);
  const middle = (): void => {
    const view = bench.plan.city.map?.getView();
    if (view) nearest([view.longitude, view.latitude], NEAREST_M);
  };
  const edit = (kind: string, params: Record<string, number | string>): void => { if (id) void bench.plan.edit({ kind, target: id, params }); };
  const ways = (): readonly (readonly [string, string])[] => ['no', 'forward', 'backward'].map((v) => [v, word('oneway', v)] as const);
  const set = (next: typeof mode): void => {
    mode = next;
    sketching.clear();
    show(null);
  };
  return {
    hint: 'plan.hint.street',
    pointer: { cursor: 'crosshair', down: (p) => active().down(p), move: (p) => active().move(p), up: (p) => active().up(p), cancel: () => active().cancel() },
    card(ctx) {
      const s = street();
      return html`<div class="toolrow"><div class="seg small" role="group" aria-label=${t('plan.tool.street')}>${(['change', 'draw'] as const).map((one) => html`<button type="button" data-testid="street-${one}" aria-pressed=${mode === one} @click=${() => set(one)}>${t(`plan.street.${one}`)}</button>`)}</div>
        ${mode === 'draw'
          ? html`${numberField({ label: t('plan.street.lanes'), value: fresh.lanes, min: 1, max: 12, digits: 0, set: (v) => { fresh.lanes = Math.round(v); bench.changed(); } })}${choiceField({ label: t('plan.street.oneway'), value: fresh.oneway, options: ways(), set: (v) => { fresh.oneway = v; bench.changed(); } })}`
          : s
            ? html`<span class="say strong">${thingName(s.id, { name: s.name ?? null, type: 'Road' })}${s.closed ? html` <span class="tag fail">${t('plan.street.closed')}</span>` : nothing}</span>
              <button type="button" class="btn" data-testid="street-close" @click=${() => edit(s.closed ? 'street.open' : 'street.close', {})}>${t(s.closed ? 'plan.street.open' : 'plan.street.close')}</button>
              ${numberField({ label: t('plan.street.lanes'), value: s.lanes, min: 1, max: 12, digits: 0, testid: 'street-lanes', set: (lanes) => edit('street.lanes', { lanes: Math.round(lanes) }) })}
              ${choiceField({ label: t('plan.street.oneway'), value: s.oneway, options: ways(), testid: 'street-oneway', set: (oneway) => edit('street.oneway', { oneway }) })}`
            : html`<span class="say">${t('plan.street.none')}</span><button type="button" class="btn" data-testid="street-nearest" @click=${middle}>${t('plan.street.here')}</button>`}
      </div>${mode === 'draw' ? sketching.fields(ctx) : nothing}`;
    },
    key(key) {
      if (mode === 'draw') return sketching.key(key);
      if (key !== 'Escape' || !id) return false;
      show(null);
      return true;
    },
    start: () => undefined,
    stop: () => {
      sketching.clear();
      id = null;
    },
  };
}
