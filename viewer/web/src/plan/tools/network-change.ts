/** An element of a network that is there already: another size, closed, opened again, taken away. */
import { html, nothing, type TemplateResult } from 'lit';
import { t, word } from '../../i18n/index';
import type { Json, LonLat } from '../../scheme/types';
import type { Bench } from '../bench';
import { numberField } from '../fields';
import { shortId } from '../../scheme/thing-name';
import { schemeElement, type NetworkElement } from '../networks';
import { ELEMENTS } from './network-elements';

export class Changing {
  private id: string | null = null;
  /** What the scheme would know of an element of the city: it knows more than the map does. */
  private told: NetworkElement | null = null;

  constructor(private readonly bench: Bench) {}

  private get items(): Parameters<Bench['ground']['networks']['all']>[0] {
    return this.bench.plan.state.objects?.items ?? [];
  }

  private get element(): NetworkElement | null {
    if (this.id === null) return null;
    const found = this.bench.ground.networks.all(this.items).find((e) => e.id === this.id) ?? null;
    const own = this.items.some((o) => o.id === this.id);
    return found && !own && this.told?.id === found.id ? { ...found, diameter_m: this.told.diameter_m, capacity: this.told.capacity } : found;
  }

  take(at: LonLat, reach_m: number): void {
    this.choose(this.bench.ground.networks.nearest(this.items, at, reach_m));
  }

  choose(element: NetworkElement | null): void {
    this.id = element?.id ?? null;
    this.bench.draft(element ? { ring: outline(element.at), closed: false, height_m: 0, ground_m: null, storey_m: [], valid: true, handle: false, guides: [], dimensions: [] } : null);
    this.bench.changed();
    if (element) void this.ask(element);
  }

  /** Asked by an edit that is only tried. */
  private async ask(element: NetworkElement): Promise<void> {
    const { current } = this.bench.plan.state;
    if (current === null || this.bench.plan.locked) return;
    try {
      const tried = await this.bench.plan.api.try(current, { kind: element.closed ? 'network.open' : 'network.close', target: element.id, params: {} });
      const object = tried.objects.find((o) => o.id === element.id);
      this.told = object ? schemeElement(object) : null;
      if (this.id === element.id) this.bench.changed();
    } catch {
      // What the map knows of it has to do.
    }
  }

  key(key: string): boolean {
    if (this.id === null || (key !== 'Escape' && key !== 'Delete')) return false;
    if (key === 'Delete') this.edit('object.remove', {});
    this.choose(null);
    return true;
  }

  fields(nearest: () => void): TemplateResult {
    const e = this.element;
    if (!e) return html`<span class="say">${t('plan.network.none')}</span><button type="button" class="btn" data-testid="network-nearest" @click=${nearest}>${t('plan.network.here')}</button>`;
    const { diameter, capacity } = ELEMENTS[e.element] ?? { diameter: false, capacity: null };
    const factor = capacity?.factor ?? 1;
    return html`<span class="say strong" data-testid="network-chosen">${word('networkElement', e.element)} ${e.name ?? shortId(e.id)}${e.closed ? html` <span class="tag fail">${t('plan.street.closed')}</span>` : nothing}</span>
      ${diameter ? numberField({ label: t('plan.network.diameter'), value: e.diameter_m === null ? null : e.diameter_m * 1000, unit: 'mm', min: 1, max: 20_000, digits: 0, testid: 'network-size', set: (mm) => this.edit('network.size', { diameter_m: Number((mm / 1000).toFixed(3)) }) }) : nothing}
      ${capacity ? numberField({ label: t('plan.network.capacity'), value: e.capacity === null ? null : e.capacity / factor, unit: capacity.unit, min: 0, max: 1e6, placeholder: '–', testid: 'network-carries', set: (value) => this.edit('network.size', { capacity: Number((value * factor).toFixed(6)) }) }) : nothing}
      <button type="button" class="btn" data-testid="network-close" @click=${() => this.edit(e.closed ? 'network.open' : 'network.close', {})}>${t(e.closed ? 'plan.street.open' : 'plan.street.close')}</button>
      <button type="button" class="btn danger" data-testid="network-remove" @click=${() => { this.edit('object.remove', {}); this.choose(null); }}>${t('plan.remove')}</button>`;
  }

  private edit(kind: string, params: Record<string, Json>): void {
    if (this.id !== null) void this.bench.plan.edit({ kind, target: this.id, params });
  }
}

/** A line as it is; a place as a small square round it, so that it can be seen. */
function outline(at: readonly LonLat[]): readonly LonLat[] {
  const [first] = at;
  if (at.length !== 1 || !first) return at;
  const [dx, dy] = [0.00006 / Math.cos((first[1] * Math.PI) / 180), 0.00006];
  return ([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]] as const).map(([x, y]): LonLat => [first[0] + x * dx, first[1] + y * dy]);
}
