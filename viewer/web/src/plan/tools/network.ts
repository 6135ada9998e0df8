/** Mains and feeders along a line; pumps, tanks and substations at a place. */
import { html, nothing, type TemplateResult } from 'lit';
import { t, word } from '../../i18n/index';
import type { Json, LonLat, PointerTool } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { choiceField, numberField } from '../fields';
import { Changing } from './network-change';
import { ELEMENTS, type Element } from './network-elements';
import { clicks } from './clicks';
import { Sketching } from './sketching';

export interface NetworkForm {
  readonly element: string;
  /** Where the city has several; else the usual one. */
  readonly network?: string;
  readonly diameter_mm: number;
  /** As the reader's unit has it; null: not known yet. */
  readonly capacity: number | null;
}

/** What is asked of the server, in its units. Pure. */
export function networkParams(form: NetworkForm, places: readonly LonLat[]): Record<string, Json> | null {
  const kind = ELEMENTS[form.element];
  const first = places[0];
  if (!kind || !first || (kind.along && places.length < 2)) return null;
  return {
    element: form.element,
    network_id: form.network ?? kind.network,
    ...(kind.along ? { axis: places.map((p) => [p[0], p[1]]) } : { place: [first[0], first[1]] }),
    ...(kind.diameter ? { diameter_m: Number((form.diameter_mm / 1000).toFixed(3)) } : {}),
    ...(kind.capacity && form.capacity !== null ? { capacity: Number((form.capacity * kind.capacity.factor).toFixed(6)) } : {}),
  };
}

const REACH_PX = 14;
const NEAREST_M = 400;

export function networkTool(bench: Bench): Tool {
  let mode: 'change' | 'draw' = 'draw';
  let form: NetworkForm = { element: 'main', diameter_mm: 200, capacity: null };
  const kind = (): Element => ELEMENTS[form.element] as Element;
  const networks = (): readonly string[] => bench.ground.networks.of(kind().network === 'power' ? 'feeder' : 'main', kind().network);
  const network = (): string => {
    const known = networks();
    return form.network !== undefined && known.includes(form.network) ? form.network : known.includes(kind().network) ? kind().network : (known[0] ?? kind().network);
  };
  const send = (places: readonly LonLat[]): void => {
    const params = networkParams({ ...form, network: network() }, places);
    if (params) void bench.plan.edit({ kind: 'network.add', params });
  };
  const sketching = new Sketching(bench, { closed: false, body: () => ({ height_m: 0, storey_m: [] }), done: send });
  const point = clicks('copy', (p) => send([p.lngLat]));
  const changing = new Changing(bench);
  const take = clicks('pointer', (p) => changing.take(p.lngLat, bench.metres(REACH_PX)));
  const active = (): PointerTool => (mode === 'change' ? take : kind().along ? sketching.pointer : point);
  const set = (patch: Partial<NetworkForm>): void => {
    // A number of one kind of thing says nothing of another.
    if (patch.element !== undefined && patch.element !== form.element) {
      sketching.clear();
      patch = { capacity: null, ...patch };
    }
    form = { ...form, ...patch };
    bench.changed();
  };
  const middle = (then: (at: LonLat) => void): void => {
    const view = bench.plan.city.map?.getView();
    if (view) then([view.longitude, view.latitude]);
  };
  const turn = (next: typeof mode): void => {
    mode = next;
    sketching.clear();
    changing.choose(null);
  };
  const drawing = (): TemplateResult => {
    const { along, diameter, capacity } = kind();
    return html`${choiceField({ label: t('plan.network.element'), value: form.element, options: Object.keys(ELEMENTS).map((one) => [one, word('networkElement', one)] as const), testid: 'network-element', set: (element) => set({ element }) })}
      ${networks().length > 1 ? choiceField({ label: t('plan.network.network'), value: network(), options: networks().map((one) => [one, networkName(one)] as const), testid: 'network-network', set: (chosen) => set({ network: chosen }) }) : nothing}
      ${diameter ? numberField({ label: t('plan.network.diameter'), value: form.diameter_mm, unit: 'mm', min: 1, max: 20_000, digits: 0, testid: 'network-diameter', set: (diameter_mm) => set({ diameter_mm }) }) : nothing}
      ${capacity ? numberField({ label: t('plan.network.capacity'), value: form.capacity, unit: capacity.unit, min: 0, max: 1e6, placeholder: '–', testid: 'network-capacity', set: (value) => set({ capacity: value }) }) : nothing}
      ${along ? nothing : html`<button type="button" class="btn" data-testid="network-middle" @click=${() => middle((at) => send([at]))}>${t('plan.here.middle')}</button>`}`;
  };
  return {
    hint: 'plan.hint.network',
    pointer: { cursor: 'crosshair', down: (p) => active().down(p), move: (p) => active().move(p), up: (p) => active().up(p), cancel: () => active().cancel() },
    card(ctx) {
      return html`<div class="toolrow"><div class="seg small" role="group" aria-label=${t('plan.tool.network')}>${(['change', 'draw'] as const).map((one) => html`<button type="button" data-testid="network-${one}" aria-pressed=${mode === one} @click=${() => turn(one)}>${t(`plan.street.${one}`)}</button>`)}</div>
        ${mode === 'draw' ? drawing() : changing.fields(() => middle((at) => changing.take(at, NEAREST_M)))}
      </div>${mode === 'draw' && kind().along ? sketching.fields(ctx) : nothing}`;
    },
    key(key) {
      if (mode === 'draw') return kind().along && sketching.key(key);
      return changing.key(key);
    },
    start: () => void bench.ground.wakeNetworks(),
    stop: () => {
      sketching.clear();
      changing.choose(null);
    },
  };
}

/** A network in words, or its own name where it is none of the usual ones. */
export const networkName = (id: string): string => word('network', id);
