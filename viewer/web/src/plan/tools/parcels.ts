import { html, nothing } from 'lit';
import { t, tn, word } from '../../i18n/index';
import { cssom } from '../../ui/cssom';
import type { LonLat } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { landUse } from '../edit-words';
import { shortId } from '../../scheme/thing-name';
import type { Parcel } from '../ground';
import { frameAt, middle } from '../shape/frame';
import { clicks } from './clicks';
import { Sketching } from './sketching';

/** Codes of the national classification of land use, with the token of each one's colour. */
export const LAND_USES: readonly (readonly [string, string])[] = [
  ['01', 'cropland'], ['02', 'orchard'], ['03', 'forest'], ['04', 'grass'], ['05', 'wetland'], ['06', 'agrifacility'], ['07', 'residential'], ['08', 'public'], ['09', 'commercial'],
  ['10', 'industry'], ['11', 'storage'], ['12', 'transport'], ['13', 'utility'], ['14', 'green'], ['15', 'special'], ['16', 'reserve'], ['17', 'water'],
];
/** Swatches on which only white reads. */
const DARK = new Set(['15']);

function outline(bench: Bench, parcel: Parcel | null): void {
  const ring = parcel?.rings[0];
  bench.draft(ring ? { ring, closed: true, height_m: 0, ground_m: null, storey_m: [], valid: true, handle: false, guides: [], dimensions: [] } : null);
}

const nameOf = (p: Parcel): string => p.name ?? shortId(p.id);

export function paintTool(bench: Bench): Tool {
  let use = '07';
  let over: Parcel | null = null;
  const paint = (parcel: Parcel | null): void => {
    if (parcel) void bench.plan.edit({ kind: 'parcel.land_use', target: parcel.id, params: { land_use: use }, ...(parcel.land_use ? { expect: { land_use: parcel.land_use } } : {}) });
  };
  const here = (): Parcel | null => {
    const view = bench.plan.city.map?.getView();
    return view ? bench.ground.parcelAt([view.longitude, view.latitude]) : null;
  };
  return {
    hint: 'plan.hint.paint',
    pointer: clicks('cell', (p) => paint(bench.ground.parcelAt(p.lngLat)), (p) => {
      const parcel = bench.ground.parcelAt(p.lngLat);
      if (parcel?.id === over?.id) return;
      over = parcel;
      outline(bench, over);
      bench.changed();
    }),
    card: () => html`<div class="uses" role="radiogroup" aria-label=${t('plan.ins.landUse')}>${LAND_USES.map(([code, token]) => html`<button type="button" class="use ${DARK.has(code) ? 'dark' : ''}" role="radio" aria-checked=${use === code} title="${code} ${word('landUse', code)}" aria-label="${code} ${word('landUse', code)}" data-testid="use-${code}" ${cssom({ background: `var(--use-${code}-${token})` })} @click=${() => { use = code; bench.changed(); }}>${code}</button>`)}</div>
      <div class="toolrow"><span class="say strong">${code(use)}</span><button type="button" class="btn" data-testid="paint-here" @click=${() => paint(here())}>${t('plan.paint.here')}</button>${over ? html`<span class="say">${t('plan.paint.was', { name: nameOf(over), use: landUse(over.land_use) })}</span>` : nothing}</div>`,
    key(key) {
      if (!/^\d$/.test(key)) return false;
      const next = LAND_USES.find(([c]) => c.endsWith(key) && c > use) ?? LAND_USES.find(([c]) => c.endsWith(key));
      if (next) use = next[0];
      bench.changed();
      return true;
    },
    start: () => undefined,
    stop: () => {
      over = null;
    },
  };
}

const code = (use: string): string => `${use} ${word('landUse', use)}`;

export function splitTool(bench: Bench): Tool {
  let mode: 'split' | 'merge' = 'split';
  let chosen: Parcel[] = [];
  let missed = false;
  const sketching = new Sketching(bench, {
    closed: false,
    body: () => ({ height_m: 0, storey_m: [] }),
    done: (places) => cut(places),
  });
  const cut = (places: readonly LonLat[]): void => {
    const [a, b] = [places[0], places.at(-1)];
    if (!a || !b) return;
    const frame = frameAt(a);
    const parcel = bench.ground.parcelAt(frame.from(middle([0, 0], frame.to(b)))) ?? places.map((p) => bench.ground.parcelAt(p)).find((p) => p !== null) ?? null;
    missed = parcel === null;
    bench.changed();
    if (parcel) void bench.plan.edit({ kind: 'parcel.split', target: parcel.id, params: { line: places.map((p) => [p[0], p[1]]) } });
  };
  const pick = clicks('cell', (p) => {
    const parcel = bench.ground.parcelAt(p.lngLat);
    if (!parcel) return;
    chosen = chosen.some((c) => c.id === parcel.id) ? chosen.filter((c) => c.id !== parcel.id) : [...chosen, parcel];
    outline(bench, chosen.at(-1) ?? null);
    bench.changed();
  });
  const merge = async (): Promise<void> => {
    const [first, ...rest] = chosen;
    if (first && rest.length > 0 && (await bench.plan.edit({ kind: 'parcel.merge', target: first.id, params: { with: rest.map((p) => p.id) } }))) clear();
  };
  const clear = (): void => {
    chosen = [];
    missed = false;
    sketching.clear();
  };
  const set = (next: typeof mode): void => {
    mode = next;
    clear();
  };
  return {
    hint: 'plan.hint.split',
    pointer: {
      cursor: 'crosshair',
      down: (p) => (mode === 'split' ? sketching.pointer : pick).down(p),
      move: (p) => (mode === 'split' ? sketching.pointer : pick).move(p),
      up: (p) => (mode === 'split' ? sketching.pointer : pick).up(p),
      cancel: () => (mode === 'split' ? sketching.pointer : pick).cancel(),
    },
    card: (ctx) => html`<div class="toolrow"><div class="seg small" role="group" aria-label=${t('plan.tool.split')}>${(['split', 'merge'] as const).map((one) => html`<button type="button" aria-pressed=${mode === one} @click=${() => set(one)}>${t(`plan.split.${one}`)}</button>`)}</div>
      ${mode === 'merge' ? html`<span class="say">${tn('plan.split.chosen', chosen.length, String(chosen.length))}</span><button type="button" class="btn pri" ?disabled=${chosen.length < 2} @click=${() => void merge()}>${t('plan.split.merge')}</button>` : missed ? html`<span class="say fail-text">${t('plan.split.missed')}</span>` : nothing}</div>
      ${mode === 'split' ? sketching.fields(ctx) : nothing}`,
    key: (key) => (mode === 'split' ? sketching.key(key) : key === 'Enter' ? (void merge(), true) : false),
    start: () => undefined,
    stop: clear,
  };
}
