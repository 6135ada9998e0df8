import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, langTag, setLang, t } from '../i18n/index';
import { number } from '../i18n/format';
import type { Explore } from '../state/explore';
import type { ExploreState } from '../state/explore-state';
import { valueOf, type SearchItem } from '../state/model';
import type { Api } from '../state/api';
import { publicContext, type PublicCtx as Ctx } from './context';
import { controls, furniture } from './furniture';
import { mapFailed } from './map-failed';
import { icon } from './icons';
import { rightPanel } from './info-panel';
import { commandOf } from './keyboard';
import { leftPanel } from './layer-panel';
import { liveBadge } from './live-badge';
import { phoneTop, sheet, stopHeight } from './phone';
import { sunDock } from './sun-dock';
import { tourCard } from './tour-view';
import { CimCompare } from '../scheme/compare-view';
import type { SchemeShow } from '../scheme/show';
import { key } from '../scheme/key';
import { BASE_NAME, schemeOf, spokenOf } from '../scheme/show-state';
import { lineOf } from './scheme-cards';
import { BASE } from '../scheme/types';
import { collect } from './time-series';
import { topBar } from './top-bar';
import type { MapFactory, MapPort } from './map-port';
import { CimSearch } from './search-box';
import './announcer';

const NOTICE_MS = 5_000;

/** The Explore page. Set `explore`, `api` and `createMap` before it is connected. */
export class CimApp extends LitElement {
  declare explore: Explore;
  declare api: Api;
  declare createMap: MapFactory;
  declare show: SchemeShow;
  /** In a frame on somebody else's page: the map and whose it is, nothing else. */
  bare = false;

  private padded = '';
  private off: (() => void)[] = [];
  private noticeTimer: ReturnType<typeof setTimeout> | null = null;

  /** For browser tests: what the page knows, and the map it draws; of two, the right one. */
  get state(): ExploreState {
    return this.explore.state;
  }

  get map(): MapPort | null {
    return this.compare?.pair?.right ?? this.explore.map;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    setLang(this.explore.state.lang);
    this.off = [
      this.explore.store.subscribe((now, before) => {
        this.changed(now, before);
        this.requestUpdate();
      }),
      this.show.store.subscribe((now, before) => {
        // On a phone the schemes are what the sheet begins with.
        if (now.schemes !== before.schemes && before.schemes.state === 'loading' && !this.state.selection && now.schemes.state === 'ready' && now.schemes.value.length > 0) this.explore.store.set({ tab: 'schemes' });
        this.requestUpdate();
      }),
    ];
    document.addEventListener('keydown', this.key, true);
    addEventListener('resize', this.resized);
    this.dress(this.explore.state);
  }

  override disconnectedCallback(): void {
    for (const off of this.off) off();
    this.show.stop();
    document.removeEventListener('keydown', this.key, true);
    removeEventListener('resize', this.resized);
    this.explore.stop();
    super.disconnectedCallback();
  }

  protected override firstUpdated(): void {
    const compare = this.compare;
    if (compare) this.explore.start(compare.stage, compare.wrap(this.createMap));
    this.show.start(compare?.pair ?? null);
    this.label();
  }

  private get compare(): CimCompare | null {
    return this.querySelector<CimCompare>('cim-compare');
  }

  private readonly resized = (): void => {
    const phone = !this.bare && innerWidth < 900;
    this.explore.store.set({ phone, ...(phone !== this.state.phone ? {} : { leftOpen: innerWidth < 1180 ? false : this.state.leftOpen }) });
    this.requestUpdate();
  };

  private dress(s: ExploreState): void {
    document.documentElement.dataset['theme'] = s.theme;
    document.documentElement.lang = langTag(s.lang);
    const city = valueOf(s.city);
    document.title = city ? `${city.title[s.lang]} · ${t('bar.explore')}` : t('app.title');
  }

  private changed(now: ExploreState, before: ExploreState): void {
    if (now.theme !== before.theme || now.lang !== before.lang || now.city !== before.city) this.dress(now);
    if (now.spec !== before.spec) this.show.viewReady();
    if (now.selection !== before.selection) this.show.selectionChanged();
    if (now.lang !== before.lang || now.city !== before.city || now.layers !== before.layers || now.streams !== before.streams) this.label();
    if (now.live.values !== before.live.values) for (const [id, value] of now.live.values) if (before.live.values.get(id) !== value) collect(id, Date.parse(value.t), value.v);
    if (now.notice !== before.notice && now.notice) {
      if (this.noticeTimer) clearTimeout(this.noticeTimer);
      this.noticeTimer = setTimeout(() => this.explore.store.set({ notice: null }), NOTICE_MS);
    }
  }

  /** Name and summary of the canvas. */
  private label(): void {
    const city = valueOf(this.state.city);
    const summary = t('map.summary', {
      buildings: number(city?.counts['Building'] ?? 0),
      sensors: number(valueOf(this.state.streams)?.length ?? 0),
      layers: this.state.layers.filter((row) => row.visible).length,
    });
    this.explore.map?.setLabel(`${t('map.label', { city: city?.title[lang()] ?? '' })}. ${summary} ${t('map.keys')}`);
  }

  protected override updated(): void {
    const { phone, leftOpen, rightOpen, selection, sheet: stop } = this.state;
    const padding = this.bare
      ? { left: 0, right: 0, top: 8, bottom: 64 }
      : phone
      ? { left: 0, right: 0, top: 124, bottom: stopHeight(stop, innerHeight) }
      : { left: leftOpen ? 300 : 68, right: rightOpen || selection ? 364 : 0, top: 12, bottom: 84 };
    // The map lays its labels out anew for each padding: only a new one is worth that.
    const key = JSON.stringify(padding);
    if (key === this.padded) return;
    this.padded = key;
    this.compare?.setFree(padding);
    this.explore.map?.setPadding(padding);
  }

  private readonly key = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const command = commandOf({
      key: event.key, shiftKey: event.shiftKey, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey,
      inText: target.matches('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]'),
      onMap: target instanceof HTMLCanvasElement,
      onPage: target === document.body,
    });
    if (command && this.carryOut(command)) event.preventDefault();
  };

  private carryOut(command: NonNullable<ReturnType<typeof commandOf>>): boolean {
    const act = this.explore;
    switch (command.kind) {
      case 'search':
        this.querySelector<CimSearch>('cim-search')?.focus();
        return true;
      case 'table':
        act.openTable();
        return true;
      case 'left':
        act.store.set({ leftOpen: !this.state.leftOpen });
        return true;
      case 'right':
        act.store.set({ rightOpen: !this.state.rightOpen });
        return true;
      case 'back':
        return this.back();
      case 'home':
        act.home();
        return true;
      case 'take':
        act.takeWalked();
        return true;
      case 'pan':
        act.camera.pan(command.right, command.up);
        return true;
      case 'zoom':
        act.camera.move({ zoom: command.by * 0.7 });
        return true;
      case 'turn':
        act.camera.move({ bearing: command.by });
        return true;
      case 'walk':
        return act.walker.go(command.by);
    }
  }

  /** Escape: the innermost thing first. */
  private back(): boolean {
    const act = this.explore;
    if (act.walker.end()) {
      (document.activeElement as HTMLElement | null)?.blur();
      return true;
    }
    if (this.state.sunMenu) {
      act.store.set({ sunMenu: false });
      this.querySelector<HTMLElement>('[data-testid=sun-menu]')?.focus();
      return true;
    }
    if (this.state.selection) {
      act.select(null);
      return true;
    }
    if (this.show.state.tour) {
      this.show.endTour();
      return true;
    }
    return false;
  }

  private chosen(event: CustomEvent<SearchItem>): void {
    const item = event.detail;
    this.explore.select(item.type === 'Sensor' || item.type === 'Datastream' ? { kind: 'datastream', id: item.id } : { kind: 'object', id: item.id });
    this.explore.camera.zoomTo(item.centroid[0], item.centroid[1]);
  }

  private search(ctx: Ctx, short: boolean): TemplateResult {
    return html`<cim-search .api=${this.api} .lang=${ctx.s.lang} .short=${short} @choose=${this.chosen}></cim-search>`;
  }

  private desktop(ctx: Ctx): TemplateResult {
    const { s } = ctx;
    const openTable = (e: Event): void => {
      e.preventDefault();
      this.explore.openTable();
    };
    return html`${topBar({
      page: 'explore', cityTitle: valueOf(s.city)?.title, theme: s.theme, exploreHref: this.explore.link('/explore'), tableHref: this.explore.link('/table'), onTable: openTable,
      search: this.search(ctx, false), badge: liveBadge(s.live, s.now_ms, ctx.zone),
      actions: { setLanguage: (value) => this.explore.setLanguage(value), setTheme: (value) => this.explore.setTheme(value), share: () => void this.explore.share() },
    })}
    ${leftPanel(ctx)}${rightPanel(ctx)}${controls(ctx)}${ctx.c.tour ? tourCard(ctx) : sunDock(ctx)}${furniture(ctx)}`;
  }

  private framed(ctx: Ctx): TemplateResult {
    const spoken = spokenOf(ctx.c);
    const open = html`<a class="btn sm" href=${ctx.do.link('/explore')} target="_blank" rel="noopener">${icon('ext', 's')}${t('embed.open')}</a>`;
    const missing = ctx.c.schemes.state === 'ready' && !spoken;
    return html`${controls(ctx)}${furniture(ctx)}<section class="framed" aria-label=${t('schemes.title')}>${spoken ? html`${key(spoken.scheme.letter, spoken.scheme.colour_index)}<span class="grow"><span class="strong trunc">${spoken.scheme.name[ctx.s.lang]}</span><span class="xs dim trunc">${lineOf(ctx, spoken.scheme)}</span></span>` : html`<span class="grow mid">${missing ? t('embed.none') : t('app.loading')}</span>`}${open}</section>`;
  }

  private phone(ctx: Ctx): TemplateResult {
    return html`${phoneTop(ctx, this.search(ctx, true))}${furniture(ctx)}${sheet(ctx)}`;
  }

  protected override render(): TemplateResult {
    const ctx = publicContext(this.explore, this.show);
    const { c } = ctx;
    const named = (id: string): { letter: string; name: typeof BASE_NAME } => (id === BASE ? { letter: 'A', name: BASE_NAME } : { letter: schemeOf(c, id)?.letter ?? '', name: schemeOf(c, id)?.name ?? BASE_NAME });
    const { s } = ctx;
    const open = s.rightOpen || s.selection !== null;
    return html`<a class="skip" href="#map">${t('app.skip')}</a>
      <div class="page ${this.bare ? 'bare' : s.phone ? 'phone' : 'desk'} ${open && !this.bare ? 'with-right' : ''} ${s.leftOpen && !this.bare ? 'with-left' : ''}" data-stop=${s.phone ? s.sheet : nothing}>
        <main class="map" id="map" tabindex="-1"><cim-compare .mode=${c.schemes.state === 'ready' ? c.mode : 'one'} .position=${c.position} .names=${[named(c.left), named(c.right)]} .langNow=${s.lang} @position=${(e: CustomEvent<number>) => this.show.setPosition(e.detail)} @refused=${() => { this.show.setMode('one'); this.explore.say(t('compare.refused')); }}></cim-compare></main>
        ${mapFailed(s.mapFailed, ctx.do.link('/table'))}
        ${this.bare ? this.framed(ctx) : s.phone ? this.phone(ctx) : this.desktop(ctx)}
        ${s.notice ? html`<div class="toast">${s.notice}</div>` : nothing}
      </div>
      <cim-announcer .message=${s.spoken}></cim-announcer>`;
  }
}

customElements.define('cim-app', CimApp);
