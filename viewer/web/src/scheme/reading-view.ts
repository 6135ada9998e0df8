import { html, nothing, svg, type TemplateResult } from 'lit';
import { t, tn, word } from '../i18n/index';
import { number } from '../i18n/format';
import { icon, mark } from '../ui/icons';
import { bulletOf, deltaText, indicatorName, isZero, qualityText, shownOf, targetText, verdictText } from './reading';
import type { Reading } from './types';

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

/** Value bar, ring of the base, tick of each limit, band with two end ticks for the interval. */
export function bulletBar(reading: Reading, colour: string): TemplateResult {
  const bullet = bulletOf(reading);
  const fill = `var(--scheme-${colour})`;
  const rail = svg`<rect x="0" y="6" width="100%" height="6" rx="3" fill="var(--color-surface-3)"/>`;
  if (!bullet) return html`<svg class="bul" aria-hidden="true">${rail}</svg>`;
  const [from, to] = bullet.value < bullet.zero ? [bullet.value, bullet.zero] : [bullet.zero, bullet.value];
  const band = bullet.interval && svg`<rect x=${percent(bullet.interval[0])} y="2.5" width=${percent(bullet.interval[1] - bullet.interval[0])} height="13" rx="3" fill=${fill} opacity="var(--chart-interval)"/>
    <rect x=${percent(bullet.interval[0])} y="4" width="1.5" height="10" fill=${fill}/><rect x=${percent(bullet.interval[1])} y="4" width="1.5" height="10" fill=${fill}/>`;
  return html`<svg class="bul" aria-hidden="true">${rail}<rect x=${percent(from)} y="6" width=${percent(to - from)} height="6" rx="3" fill=${fill}/>${band ?? nothing}
    ${bullet.base === null ? nothing : svg`<circle cx=${percent(bullet.base)} cy="9" r="4" fill="var(--color-surface)" stroke="var(--scheme-a)" stroke-width="2"/>`}
    ${bullet.targets.map((at) => svg`<rect x=${percent(at)} y="0" width="2" height="18" fill="var(--chart-target)"/>`)}</svg>`;
}

/** What ring, bar and tick mean, in the head of the list. */
export const bulletKey = (base: string, scheme: string, colour: string): TemplateResult => html`<span class="bkey xs dim">
  <span><svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="3.8" fill="none" stroke="var(--scheme-a)" stroke-width="2"/></svg>${base}</span>
  <span><svg viewBox="0 0 14 6" width="14" height="6" aria-hidden="true"><rect width="14" height="6" rx="3" fill="var(--scheme-${colour})"/></svg>${scheme}</span>
  <span><svg viewBox="0 0 2 14" width="2" height="14" aria-hidden="true"><rect width="2" height="14" fill="var(--chart-target)"/></svg>${t('changes.key.target')}</span></span>`;

export interface ReadingView {
  readonly baseLetter: string;
  readonly colour: string;
  /** Edits that the reading does not know of yet. */
  readonly behind: number;
  readonly open: boolean;
  readonly toggle: () => void;
}

function how(reading: Reading): TemplateResult {
  const scope = reading.scope === 'site' ? t('changes.site') : t('changes.city');
  return html`<dl class="how xs">
    <div><dt>${t('reading.scope')}</dt><dd>${scope}</dd></div>
    <div><dt>${t('reading.method')}</dt><dd>${reading.method.replace(/\.md$/, '').replaceAll(/[-_]/g, ' ')}</dd></div>
    <div><dt>${t('reading.inputs')}</dt><dd>${reading.inputs.map((id) => (id.includes('.') ? indicatorName(id) : word('attribute', id))).join(', ')}</dd></div>
    ${reading.target ? html`<div><dt>${t('reading.source')}</dt><dd>${reading.target.source}</dd></div>` : nothing}
    ${reading.factors.length > 0 ? html`<div><dt>${t('reading.factors')}</dt><dd>${reading.factors.map((f) => html`<span class="fac">${f.id} ${number(f.value, Math.abs(f.value) < 10 ? 2 : 0)} ${f.unit.replace(/[{}]/g, '')}<span class="dim"> ${f.source}</span></span>`)}</dd></div>` : nothing}
  </dl>`;
}

/** The same height while it is waited for. */
export const readingSkeleton = (): TemplateResult => html`<div class="ind rd"><div class="t"><span class="sk line"></span></div><div class="v"><span class="sk num"></span></div><span class="sk line"></span><div class="f"><span class="sk line"></span></div></div>`;

export function readingBlock(reading: Reading, view: ReadingView): TemplateResult {
  const name = indicatorName(reading.id);
  const stale = view.behind > 0;
  const verdict = reading.state === 'ready' && !stale ? reading.verdict : null;
  const shown = reading.value === null ? null : shownOf(reading, reading.value);
  const delta = reading.delta === null ? '' : deltaText(reading, reading.delta);
  const tag = stale ? html`<span class="tag stale">${tn('changes.stale', view.behind, number(view.behind))}</span>` : verdict ? html`<span class="tag ${verdict}">${verdictText(verdict)}</span>` : nothing;
  const foot = reading.state === 'pending' ? t('changes.pending') : reading.state === 'failed' ? t('changes.failedOne') : shown ? qualityText(reading) : t('changes.noValue');
  return html`<div class="ind rd ${stale || reading.state !== 'ready' ? 'old' : ''}" data-testid="reading-${reading.id}">
    <div class="t">${stale ? mark('stale') : verdict ? mark(verdict) : nothing}<button type="button" class="plain grow name" aria-expanded=${view.open} title=${t('reading.how')} @click=${view.toggle}><b>${name}</b>${icon('down', 's')}</button>${tag}</div>
    <div class="v"><span class="big">${shown?.text ?? '–'}</span><span class="u">${shown?.unit ?? ''}</span><span class="grow"></span>${delta ? html`<span class="delta ${isZero(delta) ? 'dim' : ''}">${delta}</span>${isZero(delta) ? nothing : html`<span class="u">${t('changes.vs', { letter: view.baseLetter })}</span>`}` : nothing}</div>
    ${bulletBar(reading, view.colour)}
    <div class="f"><span>${foot}</span><span>${targetText(reading)}</span></div>
    ${view.open ? how(reading) : nothing}
  </div>`;
}
