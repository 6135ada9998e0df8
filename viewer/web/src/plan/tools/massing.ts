import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, word } from '../../i18n/index';
import type { Json, LonLat, Massing, ToolPoint } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { choiceField, numberField } from '../fields';
import { useOptions } from '../inspector';
import { frameAt, rectangle } from '../shape/frame';
import { shortId } from '../../scheme/thing-name';

const CLICK_PX = 5;

/** Where a form or a model will stand: its plan's box, turned, under the pointer. */
export class Placing {
  turn_deg = 0;
  at: LonLat | null = null;
  private pressed: ToolPoint | null = null;

  constructor(private readonly bench: Bench, private readonly box: () => { readonly length_m: number; readonly width_m: number; readonly height_m: number; readonly storeys: number }, private readonly place: (at: LonLat) => void) {}

  readonly pointer = {
    cursor: 'copy',
    down: (p: ToolPoint): boolean => {
      this.pressed = p;
      return false;
    },
    move: (p: ToolPoint): boolean => {
      this.at = p.lngLat;
      this.redraw();
      return false;
    },
    up: (p: ToolPoint): boolean => {
      const start = this.pressed;
      this.pressed = null;
      if (!start || Math.hypot(p.x - start.x, p.y - start.y) > CLICK_PX) return false;
      this.place(p.lngLat);
      return true;
    },
    cancel: (): void => {
      this.pressed = null;
    },
  };

  redraw(): void {
    const box = this.box();
    if (!this.at || box.length_m <= 0) {
      this.bench.draft(null);
      return;
    }
    const frame = frameAt(this.at);
    const step = box.height_m / Math.max(1, box.storeys);
    this.bench.draft({
      ring: rectangle([0, 0], box.length_m, box.width_m, this.turn_deg).map(frame.from), closed: true, height_m: box.height_m, ground_m: null,
      storey_m: Array.from({ length: Math.max(0, box.storeys - 1) }, (_, i) => (i + 1) * step), valid: true, handle: false, guides: [], dimensions: [],
    });
  }

  middle(): void {
    const view = this.bench.plan.city.map?.getView();
    if (view) this.place([view.longitude, view.latitude]);
  }

  fields(): TemplateResult {
    const turn = (by: number): void => {
      this.turn_deg = (this.turn_deg + by + 360) % 360;
      this.redraw();
      this.bench.changed();
    };
    return html`${numberField({ label: t('plan.form.turn'), value: this.turn_deg, unit: '°', min: -360, max: 360, digits: 0, testid: 'turn', set: (v) => { this.turn_deg = ((v % 360) + 360) % 360; turn(0); } })}
      <button type="button" class="btn quiet" @click=${() => turn(-15)}>−15°</button><button type="button" class="btn quiet" @click=${() => turn(15)}>+15°</button>`;
  }
}

export function massingTool(bench: Bench): Tool {
  let form: Massing | null = null;
  let numbers: Record<string, number> = {};
  let use = 'residential';
  let site: { readonly id: string; readonly name: string } | null = null;
  const forms = (): readonly Massing[] => bench.plan.state.massings;
  const choose = (id: string): void => {
    form = forms().find((f) => f.id === id) ?? forms()[0] ?? null;
    numbers = Object.fromEntries((form?.params ?? []).map((p) => [p.name, p.default]));
    placing.redraw();
    bench.changed();
  };
  const of = (...names: string[]): number => names.map((n) => numbers[n]).find((v) => v !== undefined) ?? 0;
  const box = (): { length_m: number; width_m: number; height_m: number; storeys: number } => {
    if (!form || form.needs_site) return { length_m: 0, width_m: 0, height_m: 0, storeys: 0 };
    const row = numbers['houses'];
    const storeys = of('storeys');
    return { length_m: row ? row * of('width_m') : of('length_m', 'width_m'), width_m: row ? of('depth_m') : numbers['length_m'] !== undefined && numbers['width_m'] !== undefined ? of('width_m') : of('depth_m', 'width_m'), height_m: storeys * 3.2, storeys };
  };
  const send = async (at: LonLat): Promise<void> => {
    if (!form) return;
    const params: Record<string, Json> = { form: form.id, numbers, bearing_deg: placing.turn_deg, use };
    let target: string | undefined;
    if (form.needs_site) {
      const parcel = bench.ground.parcelAt(at);
      if (!parcel) return;
      target = parcel.id;
      site = { id: parcel.id, name: parcel.name ?? shortId(parcel.id) };
    } else params['anchor'] = [at[0], at[1]];
    const answer = await bench.plan.edit({ kind: 'massing.add', ...(target ? { target } : {}), params });
    if (answer) bench.draft(null);
  };
  const placing = new Placing(bench, box, (at) => void send(at));
  return {
    hint: 'plan.hint.massing',
    pointer: placing.pointer,
    card() {
      if (forms().length === 0) return html`<p class="lockline xs">${t('plan.form.none')}</p>`;
      if (!form) queueMicrotask(() => choose(''));
      return html`<div class="toolrow">
        ${choiceField({ label: t('plan.form'), value: form?.id ?? '', options: forms().map((f) => [f.id, f.title[lang()]] as const), testid: 'form', set: choose })}
        ${choiceField({ label: t('plan.ins.use'), value: use, options: useOptions(), set: (v) => { use = v; bench.changed(); } })}
        ${(form?.params ?? []).map((p) => numberField({ label: word('massingParam', p.name), value: numbers[p.name] ?? p.default, ...(p.unit === 'm' ? { unit: 'm' } : {}), min: p.min, max: p.max, digits: p.unit === '1' ? 0 : 1, testid: `form-${p.name}`, set: (v) => { numbers = { ...numbers, [p.name]: p.unit === '1' ? Math.round(v) : v }; placing.redraw(); bench.changed(); } }))}
        ${form?.needs_site ? html`<span class="say">${t('plan.form.site')}${site ? ` ${site.name}` : ''}</span>` : placing.fields()}
        <button type="button" class="btn" data-testid="place" @click=${() => placing.middle()}>${t('plan.form.place')}</button>
      </div>`;
    },
    key: (key) => {
      if (key !== 'Enter' || !placing.at) return false;
      void send(placing.at);
      return true;
    },
    start: () => { if (!form) choose(''); },
    stop: () => { placing.at = null; },
  };
}

const BYTES_MAX = 50 * 1024 * 1024;

export function modelTool(bench: Bench): Tool {
  let model: { readonly id: string; readonly name: string; readonly triangles: number; readonly height_m: number; readonly bbox_m: readonly number[] } | null = null;
  let state: 'none' | 'busy' | 'large' = 'none';
  const side = (i: number): number => Math.abs((model?.bbox_m[i + (model.bbox_m.length >= 6 ? 3 : 2)] ?? 20) - (model?.bbox_m[i] ?? 0));
  const send = async (at: LonLat): Promise<void> => {
    if (model) await bench.plan.edit({ kind: 'model.add', params: { model: model.id, anchor: [at[0], at[1]], bearing_deg: placing.turn_deg } });
  };
  const placing = new Placing(bench, () => (model ? { length_m: side(0), width_m: side(1), height_m: model.height_m, storeys: 1 } : { length_m: 0, width_m: 0, height_m: 0, storeys: 0 }), (at) => void send(at));
  const upload = async (file: File): Promise<void> => {
    state = file.size > BYTES_MAX ? 'large' : 'busy';
    model = null;
    bench.changed();
    if (state === 'large') return;
    try {
      const made = await bench.plan.api.upload(file);
      model = { id: made.id, name: file.name, triangles: made.triangles, height_m: made.height_m, bbox_m: made.bbox_m ?? [] };
    } catch (error) {
      bench.plan.failedWith((error as { code?: string }).code ?? 'unreachable');
    }
    state = 'none';
    bench.changed();
  };
  return {
    hint: 'plan.hint.model',
    pointer: placing.pointer,
    card: () => html`<div class="toolrow">
      <label class="nf file"><span class="xs mid">${t('plan.model.file')}</span><input type="file" class="field" accept=".glb,.json,.city.json,model/gltf-binary" data-testid="model-file" @change=${(e: Event) => { const file = (e.target as HTMLInputElement).files?.[0]; if (file) void upload(file); }}></label>
      ${state === 'busy' ? html`<span class="say">${t('plan.model.busy')}</span>` : state === 'large' ? html`<span class="say fail-text">${t('plan.model.tooLarge')}</span>` : nothing}
      ${model ? html`<span class="say">${t('plan.model.ready', { n: model.triangles, h: model.height_m.toFixed(1) })}</span>${placing.fields()}<button type="button" class="btn" @click=${() => placing.middle()}>${t('plan.form.place')}</button>` : nothing}
    </div>`,
    key: () => false,
    start: () => undefined,
    stop: () => { placing.at = null; },
  };
}
