import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, wordFor } from '../i18n/index';
import { number } from '../i18n/format';
import type { Attribute, CityObject, Conflict, Contribution, Dataset } from '../state/model';
import { factName, factText } from './facts';
import { icon, mark } from './icons';

type Named = Pick<Dataset, 'dataset' | 'title'>;
type Told = Pick<CityObject, 'attributes' | 'conflicts'>;

/** Where an object's facts come from, where its sources disagree, and what its geometry is worth. */

/** A source by its title; its slug where the city does not name it. */
const titleOf = (dataset: string, known: readonly Named[]): string => known.find((one) => one.dataset === dataset)?.title ?? dataset;

/** What a source says of a fact, with the unit of what is shown. */
export function saidText(object: Told, name: string, value: unknown): string {
  const shown = object.attributes.find((one) => one.name === name);
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
  const said: Attribute = { name, value: plain ? value : JSON.stringify(value), unit: shown?.unit ?? (name.endsWith('_m') ? 'm' : null), quality: 'recorded', interval: null, method: null, source: '' };
  return factText(said);
}

/** One sentence where sources disagree on a fact: whose word is shown, and what the others say. Empty where they agree. */
export function disagreement(object: Told, name: string, known: readonly Named[]): string {
  const found = object.conflicts.filter((one) => one.attribute === name);
  const first = found[0];
  if (!first) return '';
  const others = found.map((one) => t('info.otherSays', { source: titleOf(one.other.dataset, known), value: saidText(object, name, one.other.value) }));
  return [t('info.from', { source: titleOf(first.kept.dataset, known) }), ...others].join(lang() === 'zh' ? '；' : '; ');
}

export function disagreementLine(object: Told, name: string, known: readonly Named[]): TemplateResult | typeof nothing {
  const text = disagreement(object, name, known);
  return text ? html`<p class="unlike xs" data-testid="says-${name}">${mark('discuss', 'xs')}<span>${text}</span></p>` : nothing;
}

interface Joined {
  readonly dataset: string;
  readonly match: string;
  readonly ids: readonly string[];
  /** The largest share of the smaller footprint. */
  readonly overlap: number | null;
}

/** The sources, one row each and way of joining: a source may give a building in many parts. The first comes first. */
export function joinedOf(sources: readonly Contribution[]): Joined[] {
  const rows = new Map<string, Joined>();
  for (const one of sources) {
    const before = rows.get(`${one.dataset} ${one.match}`);
    rows.set(`${one.dataset} ${one.match}`, {
      dataset: one.dataset,
      match: one.match,
      ids: [...(before?.ids ?? []), one.id],
      overlap: Math.max(one.overlap ?? -1, before?.overlap ?? -1) < 0 ? null : Math.max(one.overlap ?? -1, before?.overlap ?? -1),
    });
  }
  return [...rows.values()].sort((a, b) => Number(b.match === 'first') - Number(a.match === 'first'));
}

function sourceTable(object: CityObject, known: readonly Named[]): TemplateResult {
  return html`<table class="mini" data-testid="sources"><caption class="sr">${t('info.sources')}</caption>
    <thead><tr><th scope="col">${t('info.source')}</th><th scope="col">${t('info.joined')}</th><th scope="col" class="n" title=${t('info.shared.why')}>${t('info.shared')}</th></tr></thead>
    <tbody>${joinedOf(object.sources).map((one) => html`<tr><th scope="row" title=${one.ids.join(', ')}>${titleOf(one.dataset, known)}${one.ids.length > 1 ? html` <span class="dim">× ${one.ids.length}</span>` : nothing}</th><td>${wordFor('match', one.match) ?? one.match}</td><td class="n">${one.overlap === null ? '–' : `${number(one.overlap * 100)}%`}</td></tr>`)}</tbody></table>`;
}

function conflictTable(object: CityObject, known: readonly Named[]): TemplateResult {
  const side = (one: Conflict, which: 'kept' | 'other'): TemplateResult => html`<td>${saidText(object, one.attribute, one[which].value)}<span class="d">${titleOf(one[which].dataset, known)}</span></td>`;
  return html`<details class="twin"><summary class="link" data-testid="conflicts">${t(object.conflicts.length === 1 ? 'info.conflicts.one' : 'info.conflicts', { n: object.conflicts.length })}${icon('down', 's')}</summary>
    <table class="mini"><caption class="sr">${t('info.conflicts.title')}</caption><thead><tr><th scope="col">${t('info.fact')}</th><th scope="col">${t('info.shown')}</th><th scope="col">${t('info.other')}</th></tr></thead>
    <tbody>${object.conflicts.map((one) => html`<tr><th scope="row">${factName(one.attribute)}</th>${side(one, 'kept')}${side(one, 'other')}</tr>`)}</tbody></table></details>`;
}

/** The sources of an object that several of them know. */
export function originsSection(object: CityObject, known: readonly Named[]): TemplateResult | typeof nothing {
  if (object.sources.length < 2) return nothing;
  return html`<div class="sec origins"><h3>${t('info.sources.one')}</h3>${sourceTable(object, known)}${object.conflicts.length > 0 ? conflictTable(object, known) : nothing}</div>`;
}

/** What is wrong with the geometry in plain words, and the way to the report on its delivery. */
export function validityNote(object: CityObject): TemplateResult | typeof nothing {
  const fact = object.attributes.find((one) => one.name === 'geometry_validity');
  if (typeof fact?.value !== 'string' || fact.value === '') return nothing;
  const job = object.provenance.find((one) => one.dataset === fact.source)?.job_id;
  return html`<div class="sec validity" data-testid="validity"><div class="state">${mark('discuss')}<div><p class="strong">${t('info.invalid')}</p>
    <ul>${fact.value.split(' ').map((code) => html`<li>${wordFor('fault', code) ?? code} <span class="dim">${code}</span></li>`)}</ul>
    <p class="xs dim">${t('info.invalid.note')}</p>
    ${job ? html`<a class="link" data-testid="quality-link" href="/jobs/${job}/quality#f-${fact.value.split(' ')[0] ?? ''}">${t('info.invalid.report')}</a>` : nothing}</div></div></div>`;
}
