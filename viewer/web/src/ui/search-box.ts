import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { t, tn, word, type Lang } from '../i18n/index';
import { wasAborted, type Api } from '../state/api';
import type { SearchItem } from '../state/model';
import { icon } from './icons';

const WAIT_MS = 180;

/** A street comes in many pieces; one line for each name is enough. */
export function distinct(items: readonly SearchItem[]): SearchItem[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = item.type === 'Road' && item.name ? `${item.type} ${item.name}` : item.id;
    return !seen.has(key) && seen.add(key);
  });
}

/** A combobox over the city's names: type, arrows, Enter; Escape empties, then leaves. */
export class CimSearch extends LitElement {
  static override properties = {
    api: { attribute: false },
    lang: { attribute: false },
    short: { type: Boolean },
    query: { state: true },
    items: { state: true },
    phase: { state: true },
    active: { state: true },
    open: { state: true },
  };

  declare api: Api;
  declare lang: Lang;
  declare short: boolean;
  declare query: string;
  declare items: readonly SearchItem[];
  declare phase: 'idle' | 'loading' | 'ready' | 'failed';
  declare active: number;
  declare open: boolean;

  private timer: ReturnType<typeof setTimeout> | null = null;
  private asked: AbortController | null = null;

  constructor() {
    super();
    this.short = false;
    this.query = '';
    this.items = [];
    this.phase = 'idle';
    this.active = -1;
    this.open = false;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override focus(): void {
    const input = this.querySelector('input');
    input?.focus();
    input?.select();
  }

  private changed(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
    this.open = true;
    this.active = -1;
    if (this.timer) clearTimeout(this.timer);
    if (this.query.trim() === '') {
      this.asked?.abort();
      this.items = [];
      this.phase = 'idle';
      return;
    }
    this.phase = 'loading';
    this.timer = setTimeout(() => void this.ask(this.query.trim()), WAIT_MS);
  }

  private async ask(q: string): Promise<void> {
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      this.items = distinct(await this.api.search(q, this.asked.signal));
      this.phase = 'ready';
      this.active = this.items.length > 0 ? 0 : -1;
    } catch (error) {
      if (wasAborted(error)) return;
      this.items = [];
      this.phase = 'failed';
    }
  }

  private key(event: KeyboardEvent): void {
    const last = this.items.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (last < 0) return;
      const by = event.key === 'ArrowDown' ? 1 : -1;
      this.active = this.active + by > last ? 0 : this.active + by < 0 ? last : this.active + by;
      this.open = true;
    } else if (event.key === 'Enter') {
      const item = this.items[this.active];
      if (item) this.choose(item);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (this.query === '') (event.target as HTMLElement).blur();
      else this.clear();
    }
  }

  private clear(): void {
    this.query = '';
    this.items = [];
    this.phase = 'idle';
    this.open = false;
    this.querySelector('input')?.focus();
  }

  private choose(item: SearchItem): void {
    this.open = false;
    this.query = item.name ?? item.id;
    this.dispatchEvent(new CustomEvent<SearchItem>('choose', { detail: item, bubbles: true }));
  }

  private results(): TemplateResult | typeof nothing {
    if (!this.open || this.phase === 'idle') return nothing;
    const say = this.phase === 'loading' ? t('search.loading') : this.phase === 'failed' ? t('search.failed') : this.items.length === 0 ? t('search.none', { q: this.query.trim() }) : '';
    if (say) return html`<div class="menu found"><p class="say mid">${say}</p></div>`;
    return html`<ul class="menu found" id="found" role="listbox" aria-label=${t('search.label')}>
      ${this.items.map((item, i) => html`<li role="option" id="found-${i}" aria-selected=${i === this.active} @mousedown=${(e: Event) => e.preventDefault()} @click=${() => this.choose(item)}>
        ${icon(item.type === 'Building' || item.type === 'BuildingPart' ? 'city' : item.type === 'Sensor' ? 'chart' : 'pin')}
        <span class="grow trunc">${item.name ?? item.id}${item.detail ? html`<span class="dim"> ${item.detail}</span>` : nothing}</span>
        <span class="xs dim">${word('type', item.type)}</span>
      </li>`)}
    </ul>`;
  }

  protected override render(): TemplateResult {
    const listed = this.open && this.phase === 'ready' && this.items.length > 0;
    return html`<div class="search" role="search">
      ${icon('search')}
      <input data-testid="search" type="text" role="combobox" autocomplete="off" spellcheck="false" enterkeyhint="search"
        aria-label=${t('search.label')} aria-expanded=${listed} aria-controls=${listed ? 'found' : nothing} aria-autocomplete="list"
        aria-activedescendant=${listed && this.active >= 0 ? `found-${this.active}` : nothing}
        placeholder=${this.short ? t('search.short') : t('search.placeholder')} .value=${this.query}
        @input=${this.changed} @keydown=${this.key} @focus=${() => { this.open = true; }} @blur=${() => { this.open = false; }}>
      ${this.query ? html`<button type="button" class="btn quiet sm ico" aria-label=${t('search.clear')} @mousedown=${(e: Event) => e.preventDefault()} @click=${this.clear}>${icon('x', 's')}</button>` : this.short ? nothing : html`<kbd class="kbd" aria-hidden="true">/</kbd>`}
    </div>
    ${this.results()}
    <span class="sr" role="status">${listed ? tn('search.count', this.items.length, String(this.items.length)) : ''}</span>`;
  }
}

customElements.define('cim-search', CimSearch);
