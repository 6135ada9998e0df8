import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, word } from '../i18n/index';
import { number, quantity } from '../i18n/format';
import { SchemeApi } from '../scheme/api';
import { ringArea } from '../scheme/area';
import { key } from '../scheme/key';
import { deltaText, indicatorName, isZero, ordered, qualityText, shownOf, targetText, verdictText } from '../scheme/reading';
import { storeysOf } from '../scheme/plain';
import { offered } from '../scheme/show-state';
import { BASE, type Comparison, type Reading, type Scheme, type SchemeObject } from '../scheme/types';
import { codeOf } from '../state/api';
import { failed, loading, ready, type Loadable } from '../state/model';
import { csv, save } from './download';
import { icon, mark } from './icons';
import { usesOf } from './place-card';

interface Known {
  readonly schemes: readonly Scheme[];
  readonly comparison: Comparison | null;
  readonly objects: readonly (readonly SchemeObject[])[];
}

/** The numbers of all schemes beside each other, and the things that each changes: what the map shows, as tables. */
export class CimSchemeTable extends LitElement {
  static override properties = { langNow: { attribute: false }, showHref: { attribute: false }, known: { state: true } };
  declare langNow: string;
  /** The address that shows an object of a scheme on the map. */
  declare showHref: (scheme: string, object: string) => string;
  declare known: Loadable<Known>;
  private readonly api = new SchemeApi(() => null);

  constructor() {
    super();
    this.langNow = '';
    this.known = loading;
    this.showHref = () => '/explore';
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read();
  }

  private async read(): Promise<void> {
    this.known = loading;
    try {
      const schemes = offered(await this.api.schemes());
      const [comparison, ...objects] = await Promise.all([
        schemes.length > 0 ? this.api.compare([BASE, ...schemes.map((scheme) => scheme.id)]) : null,
        ...schemes.map(async (scheme) => (await this.api.objects(scheme.id)).items),
      ]);
      this.known = ready({ schemes, comparison: comparison as Comparison | null, objects: objects as (readonly SchemeObject[])[] });
    } catch (error) {
      this.known = failed(codeOf(error));
    }
  }

  /** The same figures, unrounded, for a spreadsheet. */
  private exportCsv({ schemes, comparison }: Known): void {
    const columns = [BASE, ...schemes.map((scheme) => scheme.id)];
    const rows = (comparison?.rows ?? []).map((row) => [row.id, row.unit, ...row.readings.flatMap((reading) => [reading?.value ?? null, reading?.interval?.[0] ?? null, reading?.interval?.[1] ?? null])]);
    save('schemes.csv', 'text/csv;charset=utf-8', csv(['indicator', 'unit', ...columns.flatMap((id) => [id, `${id}_low`, `${id}_high`])], rows));
  }

  private cell(reading: Reading | null | undefined, base: boolean): TemplateResult {
    if (!reading || reading.value === null) return html`<td class="n dim">–</td>`;
    const delta = reading.delta === null || base ? '' : deltaText(reading, reading.delta);
    return html`<td class="n" title=${qualityText(reading)}>${shownOf(reading, reading.value).text}${delta && !isZero(delta) ? html` <span class="dim">${delta}</span>` : nothing}${!base && reading.verdict ? html` <span class="vd ${reading.verdict}">${mark(reading.verdict, 'xs')}<span class="sr">${verdictText(reading.verdict)}</span></span>` : nothing}</td>`;
  }

  private numbers({ schemes, comparison }: Known): TemplateResult {
    const rows = comparison?.rows ?? [];
    const order = ordered(rows.flatMap((row) => row.readings[1] ?? [])).map((reading) => reading.id);
    const sorted = [...rows].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    const row = (one: (typeof rows)[number]): TemplateResult => {
      const about = one.readings.find((reading) => reading?.value != null);
      const limit = one.readings.map((reading) => (reading?.target ? targetText(reading) : '')).find(Boolean) ?? '';
      return html`<tr><th scope="row">${indicatorName(one.id)}</th><td class="dim">${about?.value != null ? shownOf(about, about.value).unit : ''}</td><td>${limit || html`<span class="dim">–</span>`}</td>${one.readings.map((reading, i) => this.cell(reading, i === 0))}</tr>`;
    };
    return html`<table class="dt" data-testid="schemes-table"><caption class="sr">${t('table.schemes.title')}</caption><thead><tr><th scope="col">${t('report.indicator')}</th><th scope="col">${t('report.unit')}</th><th scope="col">${t('report.target')}</th><th scope="col" class="n">A ${t('schemes.base')}</th>${schemes.map((scheme) => html`<th scope="col" class="n">${scheme.letter} ${scheme.name[lang()]}</th>`)}</tr></thead><tbody>${sorted.map(row)}</tbody></table>`;
  }

  private things(scheme: Scheme, objects: readonly SchemeObject[]): TemplateResult {
    const heading = t('table.objects.title', { letter: scheme.letter });
    const row = (one: SchemeObject): TemplateResult => html`<tr><th scope="row" class="mono">${one.id}</th><td class="wide">${one.name ?? html`<span class="dim">–</span>`}</td><td>${word('type', one.type)}</td><td>${t(`change.${one.change}`)}</td><td>${storeysOf(one).length > 0 ? usesOf(one) : html`<span class="dim">–</span>`}</td><td class="n">${storeysOf(one).length > 0 ? number(storeysOf(one).length) : '–'}</td><td class="n">${one.height_m > 0 ? number(one.height_m, 1) : '–'}</td><td class="n">${ringArea(one.geometry) > 0 ? quantity(ringArea(one.geometry), 'm2') : '–'}</td><td class="n">${one.phase_year ?? '–'}</td>
      <td class="n"><a class="btn sm quiet" href=${this.showHref(scheme.id, one.id)}>${icon('zoom', 's')}${t('table.showOnMap')}<span class="sr"> ${one.name ?? one.id}</span></a></td></tr>`;
    return html`<h2 class="row sub">${key(scheme.letter, scheme.colour_index)}${heading}</h2>${objects.length === 0 ? html`<p class="sub mid">${t('table.objects.none')}</p>` : html`<table class="dt"><caption class="sr">${heading}</caption><thead><tr><th scope="col">${t('table.id')}</th><th scope="col">${t('table.name')}</th><th scope="col">${t('table.type')}</th><th scope="col">${t('table.objects.change')}</th><th scope="col">${t('table.use')}</th><th scope="col" class="n">${t('table.storeys')}</th><th scope="col" class="n">${t('table.height')}</th><th scope="col" class="n">${t('place.area')}</th><th scope="col" class="n">${t('place.year')}</th><th scope="col"><span class="sr">${t('table.actions')}</span></th></tr></thead><tbody>${objects.map(row)}</tbody></table>`}`;
  }

  protected override render(): TemplateResult {
    const { known } = this;
    if (known.state === 'failed') return html`<div class="sub state">${mark('fail')}<div><p>${t('schemes.failed')}</p><p class="xs dim">${problemText(known.code)}</p><button type="button" class="btn" @click=${() => void this.read()}>${t('panel.retry')}</button></div></div>`;
    if (known.state !== 'ready') return html`<table class="dt" aria-busy="true"><tbody>${Array.from({ length: 14 }, () => html`<tr>${[1, 2, 3, 4, 5].map(() => html`<td><span class="sk line"></span></td>`)}</tr>`)}</tbody></table>`;
    const { schemes, objects } = known.value;
    if (schemes.length === 0) return html`<p class="sub mid">${t('schemes.none')}</p>`;
    return html`<p class="sub row"><span class="mid grow">${t('table.schemes.lead', { letter: 'A' })}</span><a class="btn" href="/plan/report?schemes=${schemes.map((scheme) => scheme.id).join(',')}&lang=${lang()}">${icon('file')}${t('schemes.report')}</a><button type="button" class="btn" data-testid="csv" aria-label=${t('table.csv')} @click=${() => this.exportCsv(known.value)}>${icon('dl')}CSV</button></p>
      ${this.numbers(known.value)}${schemes.map((scheme, i) => this.things(scheme, objects[i] ?? []))}`;
  }
}

customElements.define('cim-scheme-table', CimSchemeTable);
