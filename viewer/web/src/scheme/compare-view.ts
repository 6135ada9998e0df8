import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, t } from '../i18n/index';
import { number } from '../i18n/format';
import type { Bilingual } from '../state/model';
import { cssom } from '../ui/cssom';
import { icon } from '../ui/icons';
import type { MapFactory } from '../ui/map-port';
import { PairedMap } from './paired-map';
import { clampShare, dividerAt, shareAt, type CompareMode, type Panes, type Sides } from './panes';
import { key } from './key';

/** What a side is called: `A` Existing, `B` Mid-rise courtyards. */
export interface SideName {
  readonly letter: string;
  readonly name: Bilingual;
}

const STEP = 0.01;
const BIG_STEP = 0.1;

/**
 * `<cim-compare>`: a map, or two that are compared by a divider or side by side.
 *
 *   const map = view.wrap(createMap)(view.stage, callbacks, options);   // a MapPort: draws in both
 *   view.mode = 'swipe'; view.position = 0.5; view.names = [existing, midRise];
 *   view.pair.setSides(null, overlayOfMidRise);
 *
 * Tells `position` (detail: share of the free width, 0 to 1) when a person moves the divider.
 */
export class CimCompare extends LitElement {
  static override properties = {
    mode: { attribute: false }, position: { attribute: false }, names: { attribute: false }, langNow: { attribute: false }, panes: { state: true },
  };

  declare mode: CompareMode;
  declare position: number;
  declare names: readonly [SideName | null, SideName | null];
  /** The words are in the page's language: a new one draws them anew. */
  declare langNow: string;
  declare panes: Panes | null;
  pair: PairedMap | null = null;
  /** Where the maps are drawn; the element's own, so that it is there before the element has been drawn first. */
  readonly stage = Object.assign(document.createElement('div'), { className: 'cmp-stage' });
  private free: Sides & { readonly top: number; readonly bottom: number } = { left: 0, right: 0, top: 0, bottom: 0 };
  private readonly sizes = new ResizeObserver(() => this.pair?.lay());
  private dragging = false;

  constructor() {
    super();
    this.mode = 'one';
    this.position = 0.5;
    this.names = [null, null];
    this.langNow = '';
    this.panes = null;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    this.sizes.disconnect();
    super.disconnectedCallback();
  }

  /** What makes maps for a page: a pair of those that `factory` makes, drawn in this element. */
  wrap(factory: MapFactory): MapFactory {
    return (stage, callbacks, options) => {
      const pane = (side: string): HTMLElement => stage.appendChild(Object.assign(document.createElement('div'), { className: `cmp-pane ${side}` }));
      // The map that is always there comes first.
      const right = pane('right');
      const left = pane('left');
      this.pair = new PairedMap({ left, right, laid: (panes) => { this.panes = panes; } }, factory, callbacks, options);
      this.compareNow();
      return this.pair;
    };
  }

  /** Space that the page's panels take; the divider and the names keep out of it. */
  setFree(free: Sides & { readonly top: number; readonly bottom: number }): void {
    this.free = free;
    this.requestUpdate();
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has('mode') || changed.has('position')) this.compareNow();
  }

  private compareNow(): void {
    try {
      this.pair?.setCompare(this.mode, this.position);
    } catch {
      // No second drawing context: the one that there is stays.
      this.dispatchEvent(new CustomEvent('refused'));
    }
  }

  private move(share: number): void {
    this.dispatchEvent(new CustomEvent('position', { detail: clampShare(share) }));
  }

  private readonly keys = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? BIG_STEP : STEP;
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: this.position - step, ArrowDown: this.position - step, ArrowRight: this.position + step, ArrowUp: this.position + step,
      PageDown: this.position - BIG_STEP, PageUp: this.position + BIG_STEP, Home: 0, End: 1,
    };
    const share = to[event.key];
    if (share === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(share);
  };

  private readonly down = (event: PointerEvent): void => {
    this.dragging = true;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    event.preventDefault();
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>('[role=slider]')?.focus({ preventScroll: true });
  };

  private readonly drag = (event: PointerEvent): void => {
    if (this.dragging) this.move(shareAt(this.clientWidth, this.free, event.clientX - this.getBoundingClientRect().left));
  };

  private readonly up = (): void => {
    this.dragging = false;
  };

  private name(side: SideName | null, place: 'left' | 'right', divider: number): TemplateResult | typeof nothing {
    if (!side) return nothing;
    const width = this.clientWidth;
    const split = this.mode === 'split';
    const room = place === 'left' ? divider - this.free.left - 24 : width - this.free.right - divider - 24;
    if (room < 60) return nothing;
    const middle = place === 'left' ? (this.free.left + divider) / 2 : (divider + width - this.free.right) / 2;
    const at: Record<string, string> = split
      ? { left: `${middle}px`, right: 'auto', transform: 'translateX(-50%)' }
      : place === 'left' ? { left: 'auto', right: `${width - divider + 12}px`, transform: 'none' } : { left: `${divider + 12}px`, right: 'auto', transform: 'none' };
    return html`<div class="cmp-name" data-side=${place} ${cssom({ ...at, 'top': `${this.free.top + 4}px`, 'max-width': `${room}px` })}>${key(side.letter)}<span class="trunc">${side.name[lang()]}</span></div>`;
  }

  private divider(at: number): TemplateResult {
    const [left, right] = this.names;
    const called = (side: SideName | null): string => (side ? `${side.letter} ${side.name[lang()]}` : '');
    if (this.mode === 'split') return html`<div class="cmp-line" ${cssom({ left: `${at}px` })}></div>`;
    const percent = number(this.position * 100);
    return html`<div class="cmp-grip" ${cssom({ left: `${at}px` })} @pointerdown=${this.down} @pointermove=${this.drag} @pointerup=${this.up} @pointercancel=${this.up}>
      <div class="cmp-line"></div>
      <div class="cmp-handle" role="slider" tabindex="0" data-testid="swipe-handle" aria-orientation="horizontal" aria-label=${t('compare.divider')} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(this.position * 100)}
        aria-valuetext=${t('compare.value', { n: percent, left: called(left), right: called(right) })} ${cssom({ top: `${Math.round((this.free.top + this.clientHeight - this.free.bottom) / 2 + 40)}px` })} @keydown=${this.keys}>${icon('swipe', 'l')}</div>
    </div>`;
  }

  protected override render(): TemplateResult {
    // Where the divider is drawn follows the position at once; the maps follow in the same frame.
    const at = this.panes?.divider === null || !this.panes ? null : this.mode === 'swipe' ? dividerAt(this.clientWidth, this.free, this.position) : this.panes.divider;
    return html`${this.stage}
      ${at === null || this.mode === 'one' ? nothing : html`${this.name(this.names[0], 'left', at)}${this.name(this.names[1], 'right', at)}${this.divider(at)}`}`;
  }
}

customElements.define('cim-compare', CimCompare);
