import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { lang, langTag, setLang, problemText, t, tn, word, type Lang, type MessageKey } from '../i18n/index';
import { age, figure, figureUnit, number, quantity } from '../i18n/format';
import { LiveSocket, liveAddress } from '../live/socket';
import { initial, type LiveState } from '../live/machine';
import { FEATURES_MAX, codeOf, type Api } from '../state/api';
import { isStale } from '../state/explore-state';
import { failed, loading, ready, valueOf, type City, type Datastream, type Feature, type Loadable, type SearchItem } from '../state/model';
import { writeLink, type Link, type Theme } from '../state/url';
import { knownZone } from '../state/zone';
import { csv, geojson, save } from './download';
import { icon, mark } from './icons';
import { liveBadge } from './live-badge';
import { standing } from './sensor-card';
import './scheme-table';
import './search-box';
import { cells, centreOf, filtered, NO_FILTER, rowsOf, sorted, usesOf, within, type Filter, type Row, type SortKey } from './table-model';
import { topBar } from './top-bar';
import './announcer';

const PAGE = 50;
const RETRY_MS = 3_000;

interface Column {
  readonly key: SortKey | SensorKey;
  readonly title: MessageKey;
  readonly right?: boolean;
}
type SensorKey = 'sensor' | 'property' | 'value' | 'limit' | 'state' | 'age';

const BUILDING_COLUMNS: readonly Column[] = [
  { key: 'id', title: 'table.id' }, { key: 'name', title: 'table.name' }, { key: 'use', title: 'table.use' },
  { key: 'storeys', title: 'table.storeys', right: true }, { key: 'height_m', title: 'table.height', right: true },
  { key: 'quality', title: 'table.heightFrom' }, { key: 'year', title: 'table.year', right: true }, { key: 'sensors', title: 'table.sensorCount', right: true },
];
const SENSOR_COLUMNS: readonly Column[] = [
  { key: 'sensor', title: 'table.sensorId' }, { key: 'property', title: 'table.property' }, { key: 'value', title: 'table.value', right: true },
  { key: 'limit', title: 'table.limit', right: true }, { key: 'state', title: 'table.state' }, { key: 'age', title: 'table.age' },
];

/** The table twin of the map: the same set, sorted, filtered, exported. */
export class CimTable extends LitElement {
  static override properties = {
    link: { attribute: false }, langNow: { attribute: false }, theme: { attribute: false }, inView: { attribute: false },
    city: { state: true }, features: { state: true }, streams: { state: true }, live: { state: true }, filter: { state: true },
    sortKey: { state: true }, down: { state: true }, page: { state: true }, chosen: { state: true }, notice: { state: true }, now_ms: { state: true },
  };

  declare api: Api;
  declare keep: (choice: { readonly lang?: Lang; readonly theme?: Theme }) => void;
  declare link: Link;
  declare langNow: Lang;
  declare theme: Theme;
  declare inView: ReadonlySet<string> | null;
  declare city: Loadable<City>;
  declare features: Loadable<readonly Feature[]>;
  declare streams: Loadable<readonly Datastream[]>;
  declare live: LiveState;
  declare filter: Filter;
  declare sortKey: string;
  declare down: boolean;
  declare page: number;
  declare chosen: string | null;
  declare notice: string | null;
  declare now_ms: number;

  private socket: LiveSocket | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.city = loading;
    this.features = loading;
    this.streams = loading;
    this.live = initial(['observations']);
    this.filter = NO_FILTER;
    this.sortKey = '';
    this.down = false;
    this.page = 0;
    this.chosen = null;
    this.notice = null;
    this.now_ms = Date.now();
    this.inView = null;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    setLang(this.langNow);
    this.chosen = this.link.selection?.id ?? null;
    this.timer = setInterval(() => { this.now_ms = Date.now(); }, 1_000);
    document.addEventListener('keydown', this.key);
    void this.readCity();
    void this.readStreams();
    void this.readFeatures();
    this.socket = new LiveSocket(liveAddress(location), ['observations'], {
      onState: (state) => { this.live = state; },
      onItems: () => undefined,
      onEvent: () => undefined,
      onEpoch: () => { void this.readCity(); void this.readStreams(); void this.readFeatures(); },
    });
    this.socket.start();
  }

  override disconnectedCallback(): void {
    this.socket?.stop();
    if (this.timer) clearInterval(this.timer);
    document.removeEventListener('keydown', this.key);
    super.disconnectedCallback();
  }

  private async readCity(): Promise<void> {
    try {
      this.city = ready(await this.api.city());
    } catch (error) {
      if (this.city.state !== 'ready') this.city = failed(codeOf(error));
      setTimeout(() => void this.readCity(), RETRY_MS);
    }
  }

  private async readStreams(): Promise<void> {
    try {
      this.streams = ready(await this.api.datastreams());
    } catch (error) {
      this.streams = failed(codeOf(error));
    }
  }

  private async readFeatures(): Promise<void> {
    if (this.features.state !== 'ready') this.features = loading;
    try {
      this.features = ready((await this.api.features('buildings', this.link.bbox ?? null)).features);
    } catch (error) {
      this.features = failed(codeOf(error));
    }
  }

  // --- what is listed --------------------------------------------------------

  private get sensors(): boolean {
    return this.link.set === 'sensors';
  }

  private get schemes(): boolean {
    return this.link.set === 'schemes';
  }

  private get listed(): readonly Feature[] {
    const all = valueOf(this.features) ?? [];
    const ids = this.inView;
    return ids && this.link.bbox ? all.filter((f) => ids.has(f.id)) : all;
  }

  private get buildingRows(): Row[] {
    const key = (this.sortKey || 'id') as SortKey;
    return sorted(filtered(rowsOf(this.listed, valueOf(this.streams) ?? []), this.filter), (row) => (key === 'use' ? cells.use(row).replace('–', '') : row[key]), this.down);
  }

  private value(stream: Datastream): number | null {
    return this.live.values.get(stream.id)?.v ?? stream.latest?.result ?? null;
  }

  private get sensorRows(): Datastream[] {
    const box = this.link.bbox;
    const wanted = this.filter.text.trim().toLocaleLowerCase();
    const list = (valueOf(this.streams) ?? []).filter((s) => (!box || within(s.location, box)) && (wanted === '' || `${s.id} ${s.name.en} ${s.name.zh} ${word('property', s.observed_property)}`.toLocaleLowerCase().includes(wanted)));
    const by: Record<SensorKey, (s: Datastream) => unknown> = {
      sensor: (s) => s.name[lang()], property: (s) => word('property', s.observed_property), value: (s) => this.value(s), limit: (s) => s.limit_min ?? s.limit_max,
      state: (s) => standing(s, this.value(s))?.mark ?? null, age: (s) => this.live.values.get(s.id)?.received_ms ?? null,
    };
    return sorted(list, by[(this.sortKey || 'sensor') as SensorKey] ?? by.sensor, this.down);
  }

  // --- what a person does ----------------------------------------------------

  private relink(change: Partial<Link>): void {
    this.link = { ...this.link, ...change };
    history.replaceState(null, '', this.href('/table'));
  }

  private href(page: '/explore' | '/table', change: Partial<Link> = {}): string {
    const { bbox, set, ...rest } = { ...this.link, ...change };
    const query = writeLink(page === '/table' ? { ...rest, ...(bbox ? { bbox } : {}), ...(set ? { set } : {}) } : rest);
    return `${page}${query ? `?${query}` : ''}`;
  }

  private showSet(set: NonNullable<Link['set']>): void {
    this.sortKey = '';
    this.down = false;
    this.page = 0;
    this.filter = NO_FILTER;
    this.chosen = null;
    this.relink({ set, selection: null });
  }

  private sortBy(key: string): void {
    const current = this.sortKey || (this.sensors ? 'sensor' : 'id');
    this.down = current === key ? !this.down : false;
    this.sortKey = key;
    this.page = 0;
  }

  private setFilter(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
    this.page = 0;
  }

  private choose(id: string): void {
    this.chosen = id;
    this.relink({ selection: this.sensors ? { kind: 'datastream', id } : { kind: 'object', id } });
  }

  private show(id: string): void {
    this.choose(id);
    const stream = this.sensors ? valueOf(this.streams)?.find((s) => s.id === id) : undefined;
    const at = stream?.location ?? centreOf(this.listed.find((f) => f.id === id)?.geometry);
    const view = this.link.view ?? { longitude: 0, latitude: 0, zoom: 17.2, pitch: 50, bearing: 18 };
    location.assign(this.href('/explore', at ? { view: { ...view, longitude: at[0], latitude: at[1], zoom: Math.max(view.zoom, 17.2) } } : {}));
  }

  private readonly key = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, select, textarea')) return;
    if (event.key === '/') {
      event.preventDefault();
      this.querySelector<HTMLElement>('#filter')?.focus();
    } else if (event.key === 'm' || event.key === 'M') {
      if (this.chosen) this.show(this.chosen);
      else location.assign(this.href('/explore'));
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const ids = this.pageIds();
      const next = ids[Math.min(ids.length - 1, Math.max(0, ids.indexOf(this.chosen ?? '') + (event.key === 'ArrowDown' ? 1 : -1)))];
      if (!next) return;
      event.preventDefault();
      this.choose(next);
      void this.updateComplete.then(() => this.querySelector('tr.sel')?.scrollIntoView({ block: 'nearest' }));
    } else if (event.key === 'Enter' && this.chosen && target === document.body) this.show(this.chosen);
  };

  private pageIds(): string[] {
    const list: readonly { readonly id: string }[] = this.sensors ? this.sensorRows : this.buildingRows;
    return list.slice(this.page * PAGE, (this.page + 1) * PAGE).map((row) => row.id);
  }

  private exportCsv(): void {
    if (this.sensors) {
      const rows = this.sensorRows.map((s) => [s.id, s.name[lang()], s.observed_property, this.value(s), s.unit, s.limit_min, s.limit_max, s.location[0], s.location[1], s.object_id, s.quality, s.generated]);
      save('sensors.csv', 'text/csv;charset=utf-8', csv(['id', 'name', 'observed_property', 'value', 'unit', 'limit_min', 'limit_max', 'longitude', 'latitude', 'object_id', 'quality', 'generated'], rows));
    } else {
      const rows = this.buildingRows.map((r) => [r.id, r.name, r.use, r.storeys, r.height_m, r.quality, r.year, r.sensors]);
      save('buildings.csv', 'text/csv;charset=utf-8', csv(['id', 'name', 'function', 'storeys_above_ground', 'height_m', 'height_quality', 'year_of_construction', 'sensors'], rows));
    }
  }

  private exportGeojson(): void {
    const attributions = valueOf(this.city)?.attributions ?? [];
    if (this.sensors) {
      const points = this.sensorRows.map((s): Feature => ({ type: 'Feature', id: s.id, geometry: { type: 'Point', coordinates: s.location }, properties: { name: s.name[lang()], observed_property: s.observed_property, value: this.value(s), unit: s.unit, object_id: s.object_id, generated: s.generated } }));
      save('sensors.geojson', 'application/geo+json', geojson(points, attributions));
    } else {
      const ids = new Set(this.buildingRows.map((row) => row.id));
      save('buildings.geojson', 'application/geo+json', geojson(this.listed.filter((f) => ids.has(f.id)), attributions));
    }
  }

  // --- drawing ---------------------------------------------------------------

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('langNow')) {
      setLang(this.langNow);
      document.documentElement.lang = langTag(this.langNow);
    }
    if (changed.has('theme')) document.documentElement.dataset['theme'] = this.theme;
    const city = valueOf(this.city);
    document.title = city ? `${city.title[lang()]} · ${t('bar.table')}` : t('app.title');
  }

  private head(columns: readonly Column[]): TemplateResult {
    const current = this.sortKey || (this.sensors ? 'sensor' : 'id');
    return html`<thead><tr>${columns.map((c) => html`<th scope="col" class=${c.right ? 'n' : ''} aria-sort=${current === c.key ? (this.down ? 'descending' : 'ascending') : nothing}>
      <button type="button" class="plain" title=${t('table.sortBy', { column: t(c.title) })} @click=${() => this.sortBy(c.key)}>${t(c.title)}<span class="arrow" aria-hidden="true">${current === c.key ? (this.down ? '↓' : '↑') : ''}</span></button>
    </th>`)}<th scope="col"><span class="sr">${t('table.actions')}</span></th></tr></thead>`;
  }

  private action(id: string, name: string): TemplateResult {
    return html`<td class="n"><button type="button" class="btn sm ${this.chosen === id ? '' : 'quiet'}" data-testid="show-on-map" title=${t('table.showNamed', { name })} @click=${(e: Event) => { e.stopPropagation(); this.show(id); }}>${icon('zoom', 's')}${t('table.showOnMap')}<span class="sr"> ${name}</span></button></td>`;
  }

  private buildingRow(row: Row): TemplateResult {
    const q = row.quality;
    return html`<tr class=${this.chosen === row.id ? 'sel' : ''} aria-selected=${this.chosen === row.id} data-id=${row.id} @click=${() => this.choose(row.id)}>
      <th scope="row" class="mono">${row.id}</th><td class="wide">${row.name || html`<span class="dim">–</span>`}</td><td>${cells.use(row)}</td>
      <td class="n">${cells.storeys(row)}</td><td class="n">${cells.height(row)}</td>
      <td>${q === 'recorded' || q === 'measured' || q === 'modelled' || q === 'generated' ? html`<span class=${q === 'modelled' ? 'mid' : ''}>${t(`quality.${q}`)}</span>` : html`<span class="dim">–</span>`}</td>
      <td class="n ${row.year === null ? 'dim' : ''}">${cells.year(row)}</td><td class="n ${row.sensors === 0 ? 'dim' : ''}">${number(row.sensors)}</td>
      ${this.action(row.id, row.name || row.id)}</tr>`;
  }

  private sensorRow(s: Datastream): TemplateResult {
    const value = this.value(s);
    const live = this.live.values.get(s.id);
    const stale = live ? isStale(live.received_ms, this.now_ms, s.period_s) : false;
    const stand = stale ? null : standing(s, value);
    const limit = s.limit_min !== null ? `≥ ${quantity(s.limit_min, s.unit)}` : s.limit_max !== null ? `≤ ${quantity(s.limit_max, s.unit)}` : '–';
    return html`<tr class=${this.chosen === s.id ? 'sel' : ''} aria-selected=${this.chosen === s.id} data-id=${s.id} @click=${() => this.choose(s.id)}>
      <th scope="row" class="wide">${s.name[lang()]}</th><td>${word('property', s.observed_property)}</td>
      <td class="n" data-testid="sensor-value">${value === null ? '–' : html`${figure(value, s.unit)} <span class="dim">${figureUnit(value, s.unit)}</span>`}</td><td class="n">${limit}</td>
      <td>${stale ? html`<span class="row tight">${mark('stale')}${t('sensor.gap')}</span>` : stand ? html`<span class="row tight">${mark(stand.mark)}${stand.text}</span>` : html`<span class="dim">–</span>`}</td>
      <td class="mid">${live ? age(live.received_ms, this.now_ms, knownZone(valueOf(this.city)?.time_zone ?? 'UTC')) : '–'}</td>
      ${this.action(s.id, s.name[lang()])}</tr>`;
  }

  private chips(): TemplateResult {
    const uses = usesOf(rowsOf(this.listed, []));
    const select = (label: string, value: string, options: readonly (readonly [string, string])[], change: (value: string) => void): TemplateResult => html`<span class="flt ${value ? 'on' : ''}"><select aria-label=${label} .value=${value} @change=${(e: Event) => change((e.target as HTMLSelectElement).value)}><option value="">${label}</option>${options.map(([code, text]) => html`<option value=${code} ?selected=${code === value}>${text}</option>`)}</select>${icon('down', 's')}</span>`;
    return html`<label class="search">${icon('search')}<input id="filter" data-testid="table-filter" type="search" aria-label=${t('table.filter')} placeholder=${t('table.filter')} .value=${this.filter.text} @input=${(e: Event) => this.setFilter({ text: (e.target as HTMLInputElement).value })}></label>
      ${this.link.bbox ? html`<button type="button" class="flt on" data-testid="within-view" title=${t('table.within.remove')} @click=${() => { this.inView = null; this.relink({ bbox: undefined }); void this.readFeatures(); }}>${t('table.withinView')}${icon('x', 's')}</button>` : nothing}
      ${this.sensors ? nothing : html`${select(t('table.useAny'), this.filter.use, uses.map((use) => [use, word('use', use)] as const), (use) => this.setFilter({ use }))}
      ${select(t('table.qualityAny'), this.filter.quality, [['recorded', t('table.qualityRecorded')], ['modelled', t('table.qualityModelled')]], (quality) => this.setFilter({ quality }))}`}`;
  }

  private empty(columns: number): TemplateResult {
    const none = this.filter === NO_FILTER && !this.link.bbox;
    return html`<tr class="msg"><td colspan=${columns}><p class="mid">${t(none ? 'table.emptyCity' : 'table.empty')}</p>${none ? nothing : html`<button type="button" class="btn" @click=${() => { this.filter = NO_FILTER; this.inView = null; this.relink({ bbox: undefined }); void this.readFeatures(); }}>${t('table.removeFilters')}</button>`}</td></tr>`;
  }

  private body(columns: readonly Column[]): TemplateResult {
    const source = this.sensors ? this.streams : this.features;
    const span = columns.length + 1;
    if (source.state === 'failed') {
      return html`<tbody><tr class="msg"><td colspan=${span}><div class="state">${mark('fail')}<div><p>${t('table.failed')}</p><p class="xs dim">${problemText(source.code)}</p><button type="button" class="btn" @click=${() => void (this.sensors ? this.readStreams() : this.readFeatures())}>${t('panel.retry')}</button></div></div></td></tr></tbody>`;
    }
    if (source.state !== 'ready') return html`<tbody aria-busy="true">${Array.from({ length: 14 }, () => html`<tr>${Array.from({ length: span }, () => html`<td><span class="sk line"></span></td>`)}</tr>`)}</tbody>`;
    const from = this.page * PAGE;
    const rows = this.sensors ? this.sensorRows.slice(from, from + PAGE).map((s) => this.sensorRow(s)) : this.buildingRows.slice(from, from + PAGE).map((r) => this.buildingRow(r));
    return html`<tbody>${rows.length > 0 ? rows : this.empty(span)}</tbody>`;
  }

  private foot(count: number): TemplateResult {
    const pages = Math.max(1, Math.ceil(count / PAGE));
    const go = (by: number): void => {
      this.page = Math.min(pages - 1, Math.max(0, this.page + by));
      this.querySelector('.scr')?.scrollTo(0, 0);
    };
    return html`<div class="ft"><span class="mid" role="status">${count === 0 ? '' : t('table.range', { from: number(this.page * PAGE + 1), to: number(Math.min(count, (this.page + 1) * PAGE)), n: number(count) })}</span><span class="xs dim keys">${t('table.keys')}</span><div class="row"><button type="button" class="btn sm" ?disabled=${this.page === 0} @click=${() => go(-1)}>${t('table.back')}</button><button type="button" class="btn sm" ?disabled=${this.page >= pages - 1} @click=${() => go(1)}>${t('table.next')}</button></div></div>`;
  }

  protected override render(): TemplateResult {
    const columns = this.sensors ? SENSOR_COLUMNS : BUILDING_COLUMNS;
    const count = this.sensors ? this.sensorRows.length : this.buildingRows.length;
    const sortTitle = columns.find((c) => c.key === this.sortKey)?.title ?? columns[0]?.title ?? 'table.id';
    const scope = this.link.bbox ? 'view' : 'all';
    const heading = t(this.schemes ? 'table.schemes.title' : this.sensors ? `table.sensors.${scope}` : `table.title.${scope}`);
    const waiting = (this.sensors ? this.streams : this.features).state === 'loading';
    const segment = (set: NonNullable<Link['set']>, text: string): TemplateResult => html`<button type="button" aria-pressed=${(this.link.set ?? 'buildings') === set} data-testid="set-${set}" @click=${() => this.showSet(set)}>${text}</button>`;
    const search = html`<cim-search .api=${this.api} .lang=${this.langNow} @choose=${(e: CustomEvent<SearchItem>) => { const item = e.detail; location.assign(this.href('/explore', { selection: { kind: 'object', id: item.id }, view: { ...(this.link.view ?? { pitch: 50, bearing: 18 }), longitude: item.centroid[0], latitude: item.centroid[1], zoom: 17.2 } })); }}></cim-search>`;
    return html`<a class="skip" href="#rows">${t('bar.table')}</a>
      ${topBar({ page: 'table', cityTitle: valueOf(this.city)?.title, theme: this.theme, exploreHref: this.href('/explore'), tableHref: this.href('/table'), search, badge: liveBadge(this.live, this.now_ms, knownZone(valueOf(this.city)?.time_zone ?? 'UTC')),
        actions: { setLanguage: (value) => { this.langNow = value; this.keep({ lang: value }); this.relink({ lang: value }); }, setTheme: (value) => { this.theme = value; this.keep({ theme: value }); this.relink({ theme: value }); }, share: () => void this.share() } })}
      <main class="pg">
        <div class="hd">
          <div class="row between top-line"><div class="grow"><h1>${heading}</h1><p class="mid">${this.schemes ? nothing : waiting ? html`<span class="sk line"></span>` : tn(this.sensors ? 'table.countSensors' : 'table.count', count, number(count), { column: t(sortTitle) })}${(valueOf(this.features)?.length ?? 0) >= FEATURES_MAX ? html` ${t('table.tooMany', { n: number(FEATURES_MAX) })}` : nothing}</p></div>
            <div class="row"><div class="seg" role="group" aria-label=${t('table.set')}>${segment('buildings', t('table.buildings'))}${segment('sensors', t('table.sensors'))}${segment('schemes', t('table.schemes'))}</div>${this.schemes ? nothing : html`<button type="button" class="btn" data-testid="csv" aria-label=${t('table.csv')} @click=${() => this.exportCsv()}>${icon('dl')}CSV</button><button type="button" class="btn" data-testid="geojson" aria-label=${t('table.geojson')} @click=${() => this.exportGeojson()}>${icon('dl')}GeoJSON</button>`}</div></div>
          ${this.schemes ? nothing : html`<div class="row wrap filters">${this.chips()}</div>`}
        </div>
        <div class="scr" id="rows" tabindex="0" role="region" aria-label=${heading}>${this.schemes ? html`<cim-scheme-table .langNow=${this.langNow} .showHref=${(scheme: string, id: string) => this.href('/explore', { schemes: { left: 'base', right: scheme, mode: 'one' }, selection: { kind: 'object', id } })}></cim-scheme-table>` : html`<table class="dt"><caption class="sr">${heading}</caption>${this.head(columns)}${this.body(columns)}</table>`}</div>
        ${this.schemes ? nothing : this.foot(count)}
      </main>
      ${this.notice ? html`<div class="toast">${this.notice}</div>` : nothing}
      <cim-announcer .message=${this.notice}></cim-announcer>`;
  }

  private async share(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.notice = t('bar.share.copied');
    } catch {
      this.notice = t('bar.share.failed');
    }
    setTimeout(() => { this.notice = null; }, 5_000);
  }
}

customElements.define('cim-table', CimTable);
