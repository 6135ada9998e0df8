/** Drawing corner by corner, shared by all tools that draw: pointer, keys, number fields. */
import { html, nothing, type TemplateResult } from 'lit';
import { quantity } from '../../i18n/format';
import { t, tn } from '../../i18n/index';
import type { LonLat, PointerTool, ToolPoint } from '../../scheme/types';
import type { Bench } from '../bench';
import type { PlanCtx } from '../context';
import { parseNumber, parseSide } from '../shape/entry';
import { add, addPlace, addSide, back, closesAt, draftOf, EMPTY, hover, isOutline, measured, placesOf, type Sketch } from '../shape/sketch';

const REACH_PX = 12;
const CLICK_PX = 5;
const GRID_M = 1;

export interface SketchPlan {
  readonly closed: boolean;
  /** A line that ends by itself, e.g. two points of a section. */
  readonly pointsMax?: number;
  /** Heights above the ground of what it will be. */
  body(): { readonly height_m: number; readonly storey_m: readonly number[] };
  /** It is finished: places, those of an outline with the first repeated. */
  done(places: readonly LonLat[]): void;
}

export class Sketching {
  sketch: Sketch = EMPTY;
  private pressed: ToolPoint | null = null;
  /** What it will be, each time it is drawn; a measuring tape stays after its end. */
  constructor(private readonly bench: Bench, private readonly plan: SketchPlan) {}

  readonly pointer: PointerTool = {
    cursor: 'crosshair',
    down: (p) => {
      this.pressed = p;
      return false;
    },
    move: (p) => {
      this.sketch = hover(this.sketch, p.lngLat, this.around(), p.alt);
      this.redraw();
      return false;
    },
    up: (p) => {
      const start = this.pressed;
      this.pressed = null;
      // A press that went somewhere else moved the map.
      if (!start || Math.hypot(p.x - start.x, p.y - start.y) > CLICK_PX) return false;
      this.take(p);
      return true;
    },
    cancel: () => {
      this.pressed = null;
    },
  };

  private around(): Parameters<typeof hover>[2] {
    return { targets: (frame, at) => this.bench.ground.targets(frame, at), reach_m: this.bench.metres(REACH_PX), grid_m: GRID_M };
  }

  private take(p: ToolPoint): void {
    this.sketch = hover(this.sketch, p.lngLat, this.around(), p.alt);
    if (this.plan.closed && closesAt(this.sketch)) this.finish();
    else if (this.sketch.cursor) this.put(add(this.sketch, this.sketch.cursor.point));
  }

  /** Draw on with what there is now. */
  put(sketch: Sketch): void {
    this.sketch = sketch;
    this.redraw();
    if (this.plan.pointsMax !== undefined && sketch.points.length >= this.plan.pointsMax) this.finish();
  }

  redraw(): void {
    const body = this.plan.body();
    this.bench.draft(draftOf(this.sketch, { closed: this.plan.closed, ground_m: null, ...body, text: (m) => quantity(m, 'm') }));
    this.bench.changed();
  }

  get able(): boolean {
    return this.plan.closed ? isOutline(this.sketch.points) : this.sketch.points.length >= 2;
  }

  finish(): void {
    if (!this.able) return;
    const places = placesOf(this.sketch, this.plan.closed);
    this.clear();
    this.plan.done(places);
  }

  clear(): void {
    this.sketch = EMPTY;
    this.bench.draft(null);
    this.bench.changed();
  }

  key(key: string): boolean {
    const drawing = this.sketch.points.length > 0;
    if (key === 'Enter') drawing ? this.finish() : this.start();
    else if ((key === 'Backspace' || key === 'Delete') && drawing) this.put(back(this.sketch));
    else if (key === 'Escape' && drawing) this.clear();
    else return false;
    return true;
  }

  /** The first corner without a mouse, in the middle of the map; the field for the first side is next. */
  private start(): void {
    const view = this.bench.plan.city.map?.getView();
    if (!view) return;
    this.put(addPlace(this.sketch, [view.longitude, view.latitude]));
    requestAnimationFrame(() => document.querySelector<HTMLInputElement>('.toolcard input[name=side]')?.focus());
  }

  private enter(form: HTMLFormElement): void {
    const field = (name: string): HTMLInputElement => form.elements.namedItem(name) as HTMLInputElement;
    const side = parseSide(field('side').value);
    field('side').setAttribute('aria-invalid', String(side === null));
    if (!side) return;
    const way = parseNumber(field('way').value);
    this.put(addSide(this.sketch, { ...side, bearing_deg: side.bearing_deg ?? (way === null ? null : ((way % 360) + 360) % 360) }));
    field('side').value = '';
    field('side').focus();
  }

  /** Length and direction of the next side as fields; Enter adds it. */
  fields(_ctx: PlanCtx): TemplateResult {
    const n = this.sketch.points.length;
    if (n === 0) return html`<div class="toolrow"><button type="button" class="btn" data-testid="sketch-start" @click=${() => this.start()}>${t('plan.sketch.start')}</button></div>`;
    const m = measured(this.sketch);
    const crosses = this.plan.closed && n >= 3 && !isOutline(this.sketch.points);
    return html`<form class="toolrow" @submit=${(e: Event) => { e.preventDefault(); this.enter(e.target as HTMLFormElement); }}>
      <label class="nf"><span class="xs mid">${t('plan.sketch.length')}</span><span class="nfbox"><input class="field" name="side" inputmode="decimal" autocomplete="off" data-testid="sketch-length" placeholder=${m.side_m === null ? '24' : m.side_m.toFixed(1)}><span class="xs dim">m</span></span></label>
      <label class="nf"><span class="xs mid">${t('plan.sketch.bearing')}</span><span class="nfbox"><input class="field" name="way" inputmode="decimal" autocomplete="off" data-testid="sketch-bearing" placeholder=${m.bearing_deg === null ? '90' : m.bearing_deg.toFixed(0)}><span class="xs dim">°</span></span></label>
      <button type="submit" class="btn" data-testid="sketch-add">${t('plan.sketch.add')}</button>
      <button type="button" class="btn quiet" @click=${() => this.put(back(this.sketch))}>${t('plan.sketch.back')}</button>
      <button type="button" class="btn pri" data-testid="sketch-close" ?disabled=${!this.able} @click=${() => this.finish()}>${t(this.plan.closed ? 'plan.sketch.close' : 'plan.sketch.end')}</button>
      <span class="say">${crosses ? html`<span class="fail-text">${t('plan.sketch.crosses')}</span>` : html`${tn('plan.sketch.corners', n, String(n))}${m.area_m2 > 0 && this.plan.closed ? html`, ${quantity(m.area_m2, 'm2')}` : nothing}`}</span>
    </form>`;
  }
}
