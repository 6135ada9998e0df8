import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, t, title as titleOf, word } from '../i18n/index';
import { dayAndClock, number, quantity } from '../i18n/format';
import { CityMap } from '../map/city-map';
import { baselinesText, mixedBaselines } from '../scheme/baselines';
import { key } from '../scheme/key';
import { builtOf, builtSentence, sentences } from '../scheme/plain';
import { deltaText, indicatorName, isZero, ordered, qualityText, shownOf, targetText, verdictText } from '../scheme/reading';
import { thingName } from '../scheme/thing-name';
import { BASE, type Finding, type Reading } from '../scheme/types';
import { knownZone } from '../state/zone';
import { icon, logo, mark } from '../ui/icons';
import { pictures } from './pictures';
import type { OfScheme, Report } from './read';

const GROUPS = ['people', 'light', 'land', 'sky', 'carbon', 'cost'] as const;
const SIZE = [800, 500] as const;

/** The comparison as a page to read and to print. `data-ready` on the root says how far it is: told, then true. */
export class CimReport extends LitElement {
  static override properties = { report: { attribute: false }, failed: { state: true }, shots: { state: true }, noShots: { state: true } };
  declare report: Report | null;
  declare failed: boolean;
  declare shots: Readonly<Record<string, string>>;
  declare noShots: boolean;

  constructor() {
    super();
    this.report = null;
    this.failed = false;
    this.shots = {};
    this.noShots = false;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  /** Begins to draw the pictures once the report is known. */
  async draw(report: Report): Promise<void> {
    this.report = report;
    await this.updateComplete;
    document.documentElement.dataset['ready'] = 'told';
    const box = this.querySelector<HTMLElement>('.shotbox');
    try {
      if (!box) return;
      const map = new CityMap(box, { theme: 'light', language: lang(), label: t('report.pictures') });
      try {
        await pictures(map, report, SIZE, report.city.attributions, (id, address) => { this.shots = { ...this.shots, [id]: address }; });
      } finally {
        map.finalize();
      }
    } catch {
      this.noShots = true;
    } finally {
      await this.updateComplete;
      document.documentElement.dataset['ready'] = 'true';
    }
  }

  private picture(id: string, letter: string, colour: number, name: string): TemplateResult {
    const address = this.shots[id];
    return html`<figure>${address ? html`<img src=${address} alt=${t('report.picture', { name: `${letter} ${name}` })}>` : html`<div class="noimg">${this.noShots ? t('report.pictureFailed') : html`<span class="sk line"></span>`}</div>`}<figcaption>${key(letter, colour)}${t('report.picture', { name })}</figcaption></figure>`;
  }

  private summary(report: Report): TemplateResult {
    return html`<h2>${t('report.summary')}</h2><div class="cards">${report.schemes.map(({ scheme, objects }, i) => html`<section>
      <h3>${key(scheme.letter, scheme.colour_index)}${scheme.name[lang()]}</h3><p>${scheme.summary[lang()]}</p><p>${builtSentence(builtOf(objects.items))}</p>
      <ul class="says">${sentences(readingsOf(report, i + 1), 6).map((text) => html`<li>${text}</li>`)}</ul></section>`)}</div>`;
  }

  /** Schemes on different baselines: said before anything is compared. */
  private baselines(report: Report): TemplateResult {
    const mixed = mixedBaselines([{ letter: 'A', baseline_version: report.city.baseline_version }, ...report.schemes.map(({ scheme }) => scheme)]);
    return mixed ? html`<p class="state">${mark('discuss')}<span>${t('compare.baselines', { list: baselinesText(mixed, ', ') })}</span></p>` : html``;
  }

  private table(report: Report): TemplateResult {
    const { rows } = report.comparison;
    const columns = [{ letter: 'A', colour: 0, name: t('schemes.base') }, ...report.schemes.map(({ scheme }) => ({ letter: scheme.letter, colour: scheme.colour_index, name: scheme.name[lang()] }))];
    const sorted = (group: string): typeof rows => {
      const first = ordered(rows.flatMap((row) => (row.id.startsWith(`${group}.`) && row.readings[1] ? [row.readings[1]] : [])));
      return first.flatMap((reading) => rows.filter((row) => row.id === reading.id));
    };
    return html`<h2>${t('report.table')}</h2><div class="wide"><table>
      <thead><tr><th scope="col">${t('report.indicator')}</th><th scope="col" class="n">${t('report.target')}</th>${columns.map((c) => html`<th scope="col" class="n">${t('report.column', { letter: c.letter, name: c.name })}</th>`)}</tr></thead>
      ${GROUPS.map((group) => html`<tbody><tr class="grp"><th scope="rowgroup" colspan=${columns.length + 2}>${t(`group.${group}`)}</th></tr>${sorted(group).map((row) => this.row(row.readings))}</tbody>`)}
    </table></div>`;
  }

  private row(readings: readonly (Reading | null)[]): TemplateResult {
    const about = readings.find((reading) => reading !== null);
    if (!about) return html``;
    const limit = readings.flatMap((reading) => (reading?.target ? [targetText(reading)] : []))[0] ?? '';
    const words = about.value === null ? '' : shownOf(about, about.value).unit;
    // What the name says already is not said again.
    const unit = indicatorName(about.id).toLocaleLowerCase().includes(words.toLocaleLowerCase()) ? '' : words;
    return html`<tr><th scope="row">${indicatorName(about.id)}${unit ? html` <span class="dim plainw">${unit}</span>` : nothing}</th><td class="n">${limit || '–'}</td>${readings.map((reading, i) => html`<td class="n">${reading?.value === null || !reading ? '–' : shownOf(reading, reading.value).text}${reading && i > 0 ? beside(reading) : nothing}</td>`)}</tr>`;
  }

  private findings(report: Report): TemplateResult {
    const of = ({ scheme, findings }: OfScheme): TemplateResult => html`<h3>${key(scheme.letter, scheme.colour_index)}${scheme.name[lang()]}</h3>
      ${findings.length === 0 ? html`<p class="mid">${t('report.findings.none')}</p>` : html`<div class="wide"><table><thead><tr><th scope="col">${t('report.rule')}</th><th scope="col">${t('report.object')}</th><th scope="col" class="n">${t('report.measured')}</th><th scope="col" class="n">${t('report.limit')}</th><th scope="col">${t('report.clause')}</th></tr></thead><tbody>${findings.map(findingRow)}</tbody></table></div>`}`;
    return html`<h2>${t('report.findings')}</h2>${report.schemes.map(of)}`;
  }

  private methods(report: Report): TemplateResult {
    const shown = new Set(report.comparison.rows.map((row) => row.id));
    const factors = new Map(report.comparison.rows.flatMap((row) => row.readings.flatMap((reading) => (reading?.factors ?? []).map((factor) => [factor.id, factor] as const))));
    return html`<h2>${t('report.methods')}</h2><div class="wide"><table><thead><tr><th scope="col">${t('report.indicator')}</th><th scope="col">${t('reading.method')}</th><th scope="col">${t('reading.inputs')}</th></tr></thead><tbody>
      ${report.indicators.filter((one) => shown.has(one.id)).map((one) => html`<tr><th scope="row">${indicatorName(one.id)}</th><td>${one.method.replace(/\.md$/, '').replaceAll(/[-_]/g, ' ')}</td><td>${one.inputs.map((id) => (id.includes('.') ? indicatorName(id) : word('attribute', id))).join(', ')}</td></tr>`)}</tbody></table></div>
      <h2>${t('report.factors')}</h2><div class="wide"><table><thead><tr><th scope="col">${t('report.factor')}</th><th scope="col" class="n">${t('report.value')}</th><th scope="col" class="n">${t('report.range')}</th><th scope="col">${t('report.unit')}</th><th scope="col">${t('report.jurisdiction')}</th><th scope="col">${t('report.source')}</th></tr></thead><tbody>
      ${[...factors.values()].sort((a, b) => a.id.localeCompare(b.id)).map((f) => html`<tr><th scope="row">${f.id}</th><td class="n">${figure(f.value)}</td><td class="n">${f.low === null || f.high === null ? '–' : t('info.interval', { lo: figure(f.low), hi: figure(f.high) })}</td><td>${f.unit.replaceAll(/[{}]/g, '')}</td><td>${f.jurisdiction}</td><td class="src">${f.source}</td></tr>`)}</tbody></table></div>`;
  }

  private edits(report: Report): TemplateResult {
    const zone = knownZone(report.city.time_zone);
    const name = (objects: OfScheme['objects'], id: string): string => thingName(id, objects.items.find((one) => one.id === id));
    const of = ({ scheme, edits, objects }: OfScheme): TemplateResult => html`<h3>${key(scheme.letter, scheme.colour_index)}${scheme.name[lang()]}</h3>${edits.length === 0 ? html`<p class="mid">${t('report.edits.none')}</p>` : html`<div class="wide"><table><thead><tr><th scope="col" class="n">#</th><th scope="col">${t('report.what')}</th><th scope="col">${t('report.who')}</th><th scope="col">${t('report.when')}</th></tr></thead><tbody>
      ${edits.map((edit) => html`<tr class=${edit.undone ? 'dim' : ''}><td class="n">${edit.sequence}</td><th scope="row">${word('edit', edit.kind).replace('{name}', name(objects, edit.targets.at(-1) ?? '')).replace('{n}', String(edit.targets.length))}</th><td>${edit.author}</td><td>${dayAndClock(new Date(edit.at), zone)}</td></tr>`)}</tbody></table></div>`}`;
    return html`<h2>${t('report.edits')}</h2>${report.schemes.map(of)}`;
  }

  private data(report: Report): TemplateResult {
    return html`<h2>${t('report.data')}</h2><ul class="says">${report.city.datasets.map((d) => html`<li>${d.title}${d.generated ? html` <span class="tag stale">${t('layer.generated')}</span>` : nothing}<span class="d">${[d.attribution, d.licence].filter(Boolean).join(', ')}</span></li>`)}</ul>${report.city.generated ? html`<p class="mid">${t('report.generated')}</p>` : nothing}`;
  }

  protected override render(): TemplateResult {
    const { report } = this;
    if (this.failed) return html`<main class="rep"><div class="state">${mark('fail')}<p>${t('report.failed')}</p></div><p><a class="link" href="/explore">${t('report.back')}</a></p></main>`;
    if (!report) return html`<main class="rep" aria-busy="true"><p class="mid">${t('report.loading')}</p><div class="sk para"></div></main>`;
    const { city } = report;
    return html`<main class="rep">
      <header>${logo()}<div class="grow"><h1>${t('report.title')}</h1><p class="meta">${t('report.lead', { city: city.title[lang()], n: city.baseline_version })} · ${t('report.made', { at: dayAndClock(new Date(report.made_ms), knownZone(city.time_zone)) })}</p></div>
        <div class="row noprint"><a class="btn" href="/explore">${t('report.back')}</a><button type="button" class="btn pri" data-testid="print" @click=${() => print()}>${icon('file')}${t('report.print')}</button></div></header>
      ${this.baselines(report)}${this.summary(report)}
      <h2>${t('report.pictures')}</h2><div class="pics">${this.picture(BASE, 'A', 0, t('schemes.base'))}${report.schemes.map(({ scheme }) => this.picture(scheme.id, scheme.letter, scheme.colour_index, scheme.name[lang()]))}</div>
      ${this.table(report)}${this.findings(report)}${this.methods(report)}${this.edits(report)}${this.data(report)}
    </main><div class="shotbox" aria-hidden="true"></div>`;
  }
}

const readingsOf = (report: Report, column: number): Reading[] => report.comparison.rows.flatMap((row) => row.readings[column] ?? []);

const figure = (value: number): string => number(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 4);

/** Change, interval and verdict under a value. */
function beside(reading: Reading): TemplateResult {
  const delta = reading.delta === null ? '' : deltaText(reading, reading.delta);
  return html`${delta && !isZero(delta) ? html`<span class="d">${delta}</span>` : nothing}${reading.interval && reading.quality === 'modelled' ? html`<span class="d">${qualityText(reading)}</span>` : nothing}${reading.verdict ? html`<span class="vd ${reading.verdict}">${mark(reading.verdict, 'xs')}${verdictText(reading.verdict)}</span>` : nothing}`;
}

function findingRow(finding: Finding): TemplateResult {
  const name = finding.params['name'];
  const value = (x: number | null): string => (x === null ? '–' : quantity(x, finding.unit));
  const { verdict } = finding;
  return html`<tr><th scope="row"><span class="vd ${verdict}">${mark(verdict, 'xs')}${verdictText(verdict)}</span><span class="d">${titleOf(word('rule', finding.rule))}</span></th><td class="src">${(typeof name === 'string' && name) || (finding.object_id ?? '').replace(/^[^:]*:/, '') || '–'}</td><td class="n">${value(finding.measured)}</td><td class="n">${value(finding.limit)}</td><td class="src">${finding.clause}</td></tr>`;
}

customElements.define('cim-report', CimReport);
