import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { lang, setLang, t, word, wordFor, type Lang } from '../i18n/index';
import { dayAndClock, number, unitText } from '../i18n/format';
import { keep } from '../pages/boot';
import { knownZone } from '../state/zone';
import type { City } from '../state/model';
import { factName } from '../ui/facts';
import { icon, logo, mark } from '../ui/icons';
import { GROUPS, isKept, mapLink, type Completeness, type Fault, type QualityReport, type Worst } from './read';

const NAMED_FIRST = 10;
const FACTS_FIRST = 12;
const BAR = 120;

/** The report on a delivery as a page to read and to print. */
export class CimQuality extends LitElement {
  static override properties = { report: { attribute: false }, city: { attribute: false }, failed: { state: true }, spoken: { state: true } };
  declare report: QualityReport | null;
  declare city: City | null;
  declare failed: boolean;
  declare spoken: Lang;

  constructor() {
    super();
    this.report = null;
    this.city = null;
    this.failed = false;
    this.spoken = lang();
  }

  protected override createRenderRoot(): this {
    return this;
  }

  private speak(next: Lang): void {
    setLang(next);
    keep({ lang: next });
    document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
    document.title = t('delivery.title');
    this.spoken = next;
  }

  private turnTheme(): void {
    const theme = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = theme;
    keep({ theme });
    this.requestUpdate();
  }

  private head(report: QualityReport, city: City): TemplateResult {
    const other: Lang = this.spoken === 'zh' ? 'en' : 'zh';
    const dark = document.documentElement.dataset['theme'] === 'dark';
    const lead = report.dataset === null ? t('delivery.leadCity', { n: report.baseline_version }) : t('delivery.lead', { file: report.title, dataset: report.dataset, n: report.baseline_version });
    return html`<header>${logo()}<div class="grow"><h1>${t('delivery.title')}</h1><p class="meta">${lead} · ${t('delivery.made', { at: dayAndClock(new Date(report.made_at), knownZone(city.time_zone)) })}</p></div>
      <div class="row noprint">
        <button type="button" class="btn quiet" data-testid="language" lang=${other === 'zh' ? 'zh-CN' : 'en'} @click=${() => this.speak(other)}>${other === 'zh' ? '中文' : 'English'}</button>
        <button type="button" class="btn quiet ico" data-testid="theme" aria-label=${t(dark ? 'bar.theme.light' : 'bar.theme.dark')} @click=${() => this.turnTheme()}>${icon(dark ? 'sun' : 'moon')}</button>
        <a class="btn" href="/explore">${t('delivery.back')}</a><button type="button" class="btn pri" data-testid="print" @click=${() => print()}>${icon('file')}${t('delivery.print')}</button>
      </div></header>`;
  }

  private figures(report: QualityReport): TemplateResult {
    const aside = report.put_aside.reduce((sum, one) => sum + one.features, 0);
    const { objects, invalid, surfaces, shells } = report.counts;
    const share = objects > 0 ? `${number((invalid / objects) * 100, 1)}%` : '';
    const figure = (value: number, name: string, note = '', state = ''): TemplateResult => html`<div class="fig"><b class=${state}>${number(value)}</b><span>${name}</span>${note ? html`<span class="d">${note}</span>` : nothing}</div>`;
    return html`<section class="figs" aria-label=${t('delivery.title')}>${figure(objects, t('delivery.objects'))}${figure(invalid, t('delivery.invalid'), invalid > 0 ? share : '', invalid > 0 ? 'bad' : '')}${figure(aside, t('delivery.put'), '', aside > 0 ? 'bad' : '')}${figure(surfaces, t('delivery.surfaces'))}${figure(shells, t('delivery.shells'))}</section>
      ${invalid > 0 && report.dataset !== null ? html`<p class="mid">${t(report.policy === 'keep' ? 'delivery.keep' : 'delivery.quarantine')}</p>` : nothing}`;
  }

  private group(report: QualityReport, group: (typeof GROUPS)[number]): TemplateResult {
    const faults = report.faults.filter((fault) => fault.group === group);
    const most = Math.max(1, ...faults.map((fault) => fault.objects));
    return html`<h2 id=${group}>${t(`delivery.${group}`)}</h2>${faults.length === 0 ? html`<p class="mid none">${mark('pass', 'xs')}${t('delivery.nothingHere')}</p>` : html`
      <div class="wide" role="group" tabindex="0" aria-label=${t(`delivery.${group}`)}><table><thead><tr>${group === 'geometry' ? html`<th scope="col">${t('delivery.code')}</th>` : nothing}<th scope="col">${t('delivery.fault')}</th><th scope="col" class="n">${t('delivery.count')}</th><th scope="col" class="n">${t('delivery.times')}</th><td></td></tr></thead><tbody>
        ${faults.map((fault) => html`<tr>${group === 'geometry' ? html`<td class="code">${fault.code}</td>` : nothing}<th scope="row"><a class="link" href="#f-${fault.code}">${faultName(fault.code)}</a>${group === 'geometry' ? html`<span class="d mono">${fault.name}</span>` : nothing}</th><td class="n">${number(fault.objects)}</td><td class="n">${number(fault.occurrences)}</td><td class="barcell">${bar(fault.objects / most, 0)}</td></tr>`)}
      </tbody></table></div>${faults.map((fault) => this.worst(report, fault))}`}`;
  }

  private worst(report: QualityReport, fault: Fault): TemplateResult {
    const first = fault.worst.slice(0, NAMED_FIRST);
    const more = fault.worst.slice(NAMED_FIRST);
    const rest = fault.objects - fault.worst.length;
    const table = (rows: readonly Worst[]): TemplateResult => html`<div class="wide" role="group" tabindex="0" aria-label=${faultName(fault.code)}><table><thead><tr><th scope="col">${t('delivery.object')}</th>${fault.group === 'geometry' ? html`<th scope="col">${t('delivery.lod')}</th>` : nothing}${isMeasured(fault) ? html`<th scope="col" class="n">${t('delivery.measured')}${unitText(fault.unit) && fault.unit !== 'a' ? html` (${unitText(fault.unit)})` : nothing}</th>` : nothing}<th scope="col" class="noprint"><span class="sr">${t('delivery.show')}</span></th></tr></thead><tbody>
      ${rows.map((one) => this.row(report, fault, one))}</tbody></table></div>`;
    return html`<section class="fault" id="f-${fault.code}"><h3>${fault.group === 'geometry' ? html`<span class="tag fail">${fault.code}</span>` : nothing}${faultName(fault.code)} <span class="dim plainw">${t('delivery.worst', { n: first.length })}</span></h3>
      ${table(first)}${more.length > 0 ? html`<details><summary class="link">${t('delivery.more', { n: more.length })}</summary>${table(more)}</details>` : nothing}
      ${rest > 0 ? html`<p class="meta">${t('delivery.rest', { n: number(rest) })}</p>` : nothing}</section>`;
  }

  private row(report: QualityReport, fault: Fault, one: Worst): TemplateResult {
    const link = mapLink(one, isKept(report, fault));
    return html`<tr><th scope="row" class="src mono">${link ? html`<a class="link" href=${link} data-testid="worst">${one.id}</a>` : one.id}</th>${fault.group === 'geometry' ? html`<td>${one.lod ?? '–'}</td>` : nothing}${isMeasured(fault) ? html`<td class="n">${measured(fault, one)}</td>` : nothing}<td class="noprint n">${link ? html`<a class="link" href=${link} aria-label=${`${t('delivery.show')}: ${one.id}`}>${icon('pin', 's')}</a>` : nothing}</td></tr>`;
  }

  private aside(report: QualityReport): TemplateResult | typeof nothing {
    if (report.put_aside.length === 0) return nothing;
    return html`<h2>${t('delivery.aside')}</h2><div class="wide" role="group" tabindex="0" aria-label=${t('delivery.aside')}><table><thead><tr><th scope="col">${t('delivery.reason')}</th><th scope="col" class="n">${t('delivery.features')}</th></tr></thead><tbody>
      ${report.put_aside.map((one) => html`<tr><th scope="row">${one.code ? html`<span class="tag fail">${one.code}</span> ${faultName(one.code)}` : wordFor('problem', one.reason) ?? one.reason}</th><td class="n">${number(one.features)}</td></tr>`)}</tbody></table></div>`;
  }

  private known(report: QualityReport): TemplateResult {
    const row = (type: Completeness, fact: Completeness['attributes'][number]): TemplateResult => html`<tr><th scope="row">${factName(fact.name)}</th><td class="n">${number(fact.recorded)}</td><td class="n">${number(fact.derived)}</td><td class="n">${number(fact.missing)}</td><td class="barcell">${bar(fact.recorded / type.objects, fact.derived / type.objects)}<span class="pct">${number(((fact.recorded + fact.derived) / type.objects) * 100, 1)}%</span></td></tr>`;
    const table = (type: Completeness, facts: Completeness['attributes']): TemplateResult => html`<div class="wide" role="group" tabindex="0" aria-label=${`${t('delivery.known')}: ${word('type', type.type)}`}><table><thead><tr><th scope="col">${t('delivery.fact')}</th><th scope="col" class="n">${t('delivery.recorded')}</th><th scope="col" class="n">${t('delivery.derived')}</th><th scope="col" class="n">${t('delivery.missing')}</th><th scope="col">${t('delivery.share')}</th></tr></thead><tbody>${facts.map((fact) => row(type, fact))}</tbody></table></div>`;
    const of = (type: Completeness): TemplateResult => {
      const more = type.attributes.slice(FACTS_FIRST);
      return html`<h3>${word('type', type.type)} <span class="dim plainw">${number(type.objects)}</span></h3>${type.attributes.length === 0 ? nothing : table(type, type.attributes.slice(0, FACTS_FIRST))}${more.length > 0 ? html`<details><summary class="link">${t('delivery.more', { n: more.length })}</summary>${table(type, more)}</details>` : nothing}`;
    };
    return html`<h2>${t('delivery.known')}</h2>${report.completeness.map(of)}`;
  }

  private how(report: QualityReport): TemplateResult {
    const { snap_m, plane_m, normals_deg } = report.tolerances;
    return html`<h2>${t('delivery.how')}</h2><p>${t('delivery.rules', { snap: `${number(snap_m * 1000)} mm`, plane: `${number(plane_m * 100)} cm`, angle: `${number(normals_deg)}°` })}</p><p>${t('delivery.first')}</p><p class="meta">${t('delivery.notLooked', { codes: report.not_looked_for.join(', ') })}</p>`;
  }

  protected override render(): TemplateResult {
    const { report, city } = this;
    if (this.failed) return html`<main class="rep"><div class="state">${mark('fail')}<p>${t('delivery.failed')}</p></div><p><a class="link" href="/explore">${t('delivery.back')}</a></p></main>`;
    if (!report || !city) return html`<main class="rep" aria-busy="true"><p class="mid">${t('delivery.loading')}</p><div class="sk para"></div></main>`;
    return html`<main class="rep qual">${this.head(report, city)}${this.figures(report)}${GROUPS.map((group) => this.group(report, group))}${this.aside(report)}${this.known(report)}${this.how(report)}</main>`;
  }
}

const faultName = (code: string): string => wordFor('fault', code) ?? code;

/** Some faults are there or not: what would be measured is always one. */
const isMeasured = (fault: Fault): boolean => fault.worst.some((one) => one.measured !== 1) || fault.unit !== '1';

function measured(fault: Fault, one: Worst): string {
  if (fault.unit === 'a') return String(one.measured);
  if (fault.unit === 'deg') return number(one.measured, 1);
  if (fault.unit === '1') return number(one.measured, Number.isInteger(one.measured) ? 0 : 1);
  return number(one.measured, Math.abs(one.measured) < 10 ? 3 : 1);
}

/** What is recorded, then what is derived, as shares of a bar. */
function bar(full: number, pale: number): TemplateResult {
  return html`<svg class="qbar" viewBox="0 0 ${BAR} 8" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width=${BAR} height="8"/>${svg`<rect class="full" width=${BAR * full} height="8"/><rect class="pale" x=${BAR * full} width=${BAR * pale} height="8"/>`}</svg>`;
}

customElements.define('cim-quality', CimQuality);
