import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, tn, word } from '../i18n/index';
import { number } from '../i18n/format';
import { age } from '../i18n/format';
import { valueOf } from '../state/model';
import type { Conflict, Scheme } from '../scheme/types';
import { cssom } from '../ui/cssom';
import { mark } from '../ui/icons';
import { baseKey, schemeKey, type PlanCtx } from './context';
import { colourKey, contradictedEdits, historyRows, nextRedo, nextUndo, type Branch, type Row } from './log';
import { planIcon } from './icons';
import { conflictNote, rowDetail, rowTitle } from './edit-words';

export const nameOf = (scheme: Scheme): string => scheme.name[lang()] || scheme.name.en || scheme.name.zh || scheme.letter;

function badge(ctx: PlanCtx, branch: Branch): TemplateResult {
  const { scheme } = branch;
  if (scheme.id === ctx.s.current && scheme.state === 'draft' && ctx.s.token) return html`<span class="tag info">${t('plan.state.editing')}</span>`;
  if (scheme.stale_baseline) return html`<span class="tag discuss">${mark('discuss', 'xs')}${t('plan.state.behind')}</span>`;
  if (scheme.state !== 'draft') return html`<span class="tag">${t(scheme.state === 'published' ? 'plan.state.published' : 'plan.state.withdrawn')}</span>`;
  return html`<span class="xs dim trunc who">${scheme.author === ctx.do.author ? '' : scheme.author}</span>`;
}

function leaf(ctx: PlanCtx, branch: Branch): TemplateResult {
  const on = branch.scheme.id === ctx.s.current;
  const name = branch.depth === 0 ? nameOf(branch.scheme) : `${branch.label} ${nameOf(branch.scheme)}`;
  return html`<li class="d${Math.min(branch.depth, 4)}"><button type="button" class="leaf ${on ? 'on' : ''}" aria-current=${on ? 'true' : nothing} data-testid="scheme-${branch.scheme.id}" @click=${() => { ctx.do.open(branch.scheme.id); ctx.do.show(branch.scheme); }}>
    ${branch.depth === 0 ? schemeKey(branch, ctx.tree) : html`<span class="twig ${colourKey(branch, ctx.tree)}">${planIcon('branch')}</span>`}
    <span class="grow trunc ${on ? 'strong' : ''}" title=${name}>${name}</span>${badge(ctx, branch)}
  </button></li>`;
}

function tree(ctx: PlanCtx): TemplateResult {
  const { schemes, current } = ctx.s;
  const baseline = valueOf(ctx.city.s.city)?.baseline_version;
  const base = current === null || (schemes.state === 'ready' && ctx.scheme === null);
  const first = html`<li><button type="button" class="leaf ${base ? 'on' : ''}" aria-current=${base ? 'true' : nothing} data-testid="scheme-base" @click=${() => ctx.do.open(null)}>${baseKey}<span class="grow ${base ? 'strong' : ''}">${t('plan.existing')}</span><span class="xs dim">${baseline === undefined ? '' : t('plan.baseline', { n: baseline })}</span></button></li>`;
  if (schemes.state === 'failed') return html`<ul class="tree">${first}</ul><div class="sec state">${mark('fail')}<div><p class="xs">${problemText(schemes.code)}</p><button type="button" class="link xs" @click=${() => void ctx.do.readSchemes()}>${t('panel.retry')}</button></div></div>`;
  if (schemes.state !== 'ready') return html`<ul class="tree" aria-busy="true">${first}${[1, 2].map(() => html`<li class="leaf"><span class="sk box"></span><span class="sk line grow"></span></li>`)}</ul>`;
  return html`<ul class="tree">${first}${ctx.tree.map((branch) => leaf(ctx, branch))}</ul>
    ${ctx.tree.length === 0 ? html`<p class="sec xs mid">${t('plan.none')}</p>` : nothing}`;
}

/** The dialog of the rebase, with all there is to choose. */
const choose = (ctx: PlanCtx): void => ctx.do.store.set({ dialog: { kind: 'rebase', joining: { from: '', conflicts: ctx.s.contradicted, choices: {}, busy: false, done: false } }, dialogFailed: null });

function historyRow(ctx: PlanCtx, row: Row, conflict: Conflict | null): TemplateResult {
  const { last } = row;
  const looked = ctx.s.at === last.sequence;
  const when = age(Date.parse(last.at), ctx.city.s.now_ms, ctx.city.zone);
  const note = row.state === 'undone' ? t('plan.edit.undone') : conflict ? conflictNote(conflict) : '';
  const free = ctx.do.locked === null;
  const steps = row.steps.map((e) => e.sequence);
  const toggle = (): void => void (row.state === 'undone' ? ctx.do.redo(steps) : ctx.do.undo(steps.toReversed()));
  return html`<li class="${row.state} ${looked ? 'looked' : ''}" data-testid="edit-${last.sequence}" data-state=${row.state}>
    <span class="dot" aria-hidden="true">${row.state === 'conflict' ? mark('discuss') : html`<i></i>`}</span>
    <button type="button" class="plain grow" aria-current=${looked ? 'true' : nothing} title=${t('plan.edit.look')} @click=${() => ctx.do.lookAt(looked ? null : last.sequence)}>
      <span class="row between"><span class="trunc ${row.state === 'current' ? 'strong' : ''}">${rowTitle(ctx, row)}</span><span class="xs mid nowrap">${rowDetail(row)}</span></span>
      <span class="xs ${row.state === 'conflict' ? 'discuss-text' : 'dim'}">${[last.author === ctx.do.author ? when : t('plan.edit.by', { name: last.author, when }), note, last.phase_year ?? ''].filter(Boolean).join(' · ')}</span>
    </button>
    ${conflict && free ? html`<button type="button" class="link xs" data-testid="choose-${last.sequence}" @click=${() => choose(ctx)}>${t('plan.edit.choose.do')}<span class="sr"> ${rowTitle(ctx, row)}</span></button>` : nothing}
    ${free ? html`<button type="button" class="btn quiet sm ico one" aria-label=${t(row.state === 'undone' ? 'plan.edit.redoOne' : 'plan.edit.undoOne', { name: rowTitle(ctx, row) })} title=${t(row.state === 'undone' ? 'plan.redo' : 'plan.undo')} @click=${toggle}>${planIcon(row.state === 'undone' ? 'redo' : 'undo', 's')}</button>` : nothing}
  </li>`;
}

function history(ctx: PlanCtx): TemplateResult | typeof nothing {
  const { log, at } = ctx.s;
  if (!ctx.branch) return nothing;
  const contradicted = contradictedEdits(valueOf(log) ?? [], ctx.s.contradicted);
  const rows = historyRows(valueOf(log) ?? [], new Set(contradicted.keys()));
  const conflictOf = (row: Row): Conflict | null => row.steps.map((e) => contradicted.get(e.sequence)).find((c) => c !== undefined) ?? null;
  const free = ctx.do.locked === null;
  const step = (what: 'undo' | 'redo', able: boolean): TemplateResult => html`<button type="button" class="btn quiet sm ico" data-testid=${what} aria-label=${t(`plan.${what}`)} title="${t(`plan.${what}`)} (Ctrl+${what === 'undo' ? '' : 'Shift+'}Z)" ?disabled=${!free || !able} @click=${() => void ctx.do[what]()}>${planIcon(what)}</button>`;
  const body =
    log.state === 'failed'
      ? html`<p class="xs fail-text">${problemText(log.code)}</p>`
      : log.state !== 'ready'
        ? html`<ul class="hist" aria-busy="true">${[1, 2, 3].map(() => html`<li><span class="dot"><i></i></span><span class="grow"><span class="sk line"></span></span></li>`)}</ul>`
        : rows.length === 0
          ? html`<p class="xs mid">${t('plan.edits.none')}</p>`
          : html`<ul class="hist">${rows.map((row) => historyRow(ctx, row, conflictOf(row)))}</ul>`;
  return html`<div class="ph div"><h2 class="grow trunc">${t('plan.edits', { name: ctx.branch.label })} <span class="dim plainw">${number(rows.length)}</span></h2>${step('undo', nextUndo(ctx.do.log, ctx.do.author) !== null)}${step('redo', nextRedo(ctx.do.log, ctx.do.author) !== null)}</div>
    ${at === null ? nothing : html`<div class="past"><span class="grow">${t('plan.past', { n: at })}</span><button type="button" class="link xs" data-testid="now" @click=${() => ctx.do.lookAt(null)}>${t('plan.past.now')}</button></div>`}
    <div class="sec hscroll">${body}</div>`;
}

function people(ctx: PlanCtx): TemplateResult | typeof nothing {
  const { people: all } = ctx.s;
  if (all.length === 0) return nothing;
  const names = [...new Set(all.map((p) => p.author))];
  return html`<p class="here xs mid" data-testid="people">${planIcon('people', 's')}<span class="trunc">${tn('plan.here', names.length, names.join(lang() === 'zh' ? '、' : ', '))}</span></p>`;
}

export function moreMenu(ctx: PlanCtx): TemplateResult {
  const close = (work: () => void) => (): void => {
    ctx.do.store.set({ more: null });
    work();
  };
  const item = (label: string, work: () => void, testid: string, disabled = false): TemplateResult => html`<li><button type="button" class="mi" data-testid=${testid} ?disabled=${disabled} @click=${close(work)}>${label}</button></li>`;
  const joining = { from: '', conflicts: [], choices: {}, busy: false, done: false };
  const { scheme } = ctx;
  const locked = ctx.s.token === null || !scheme;
  const at = ctx.s.more ?? { left: 12, bottom: 72 };
  return html`<ul class="menu moremenu" id="more-menu" ${cssom({ left: `${at.left}px`, bottom: `${at.bottom}px` })}>
    ${item(t('plan.rename'), () => ctx.do.store.set({ dialog: { kind: 'rename' }, dialogFailed: null }), 'menu-rename', locked)}
    ${item(t('plan.merge'), () => ctx.do.store.set({ dialog: { kind: 'merge', joining }, dialogFailed: null }), 'menu-merge', locked)}
    ${item(t('plan.rebase'), () => ctx.do.store.set({ dialog: { kind: 'rebase', joining }, dialogFailed: null }), 'menu-rebase', locked || !scheme?.stale_baseline)}
    ${item(t('plan.withdraw'), () => ctx.do.store.set({ dialog: { kind: 'withdraw' }, dialogFailed: null }), 'menu-withdraw', locked || scheme?.state !== 'published')}
    ${scheme ? html`<li><a class="mi" data-testid="menu-report" href="/plan/report?schemes=base,${scheme.id}&lang=${lang()}">${t('plan.report')}</a></li>` : nothing}
    ${item(t('plan.views'), () => ctx.do.store.set({ dialog: { kind: 'views' } }), 'menu-views')}
    ${item(t('plan.keys'), () => ctx.do.store.set({ dialog: { kind: 'keys' } }), 'menu-keys')}
  </ul>`;
}

export function schemesPanel(ctx: PlanCtx): TemplateResult {
  const { scheme, branch } = ctx;
  const ask = (): void => ctx.do.store.set({ dialog: ctx.s.token ? { kind: 'branch', parent: ctx.s.current ?? 'base' } : { kind: 'token', refused: false }, dialogFailed: null });
  const toggleMore = (event: Event): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    ctx.do.store.set({ more: ctx.s.more ? null : { left: Math.max(8, box.right - 260), bottom: Math.max(8, innerHeight - box.top + 6) } });
  };
  return html`<aside class="panel l plan-left" aria-label=${t('plan.schemes')} tabindex="-1">
    <div class="ph"><h2 class="grow">${t('plan.schemes')}</h2><button type="button" class="btn quiet sm" data-testid="branch" @click=${ask}>${planIcon('branch', 's')}${t('plan.branch')}</button></div>
    <div class="treebox">${tree(ctx)}</div>
    ${people(ctx)}
    ${scheme?.stale_baseline && ctx.s.token ? html`<div class="past discuss"><span class="grow">${t('plan.rebase.offer')}</span><button type="button" class="link xs" @click=${() => ctx.do.store.set({ dialog: { kind: 'rebase', joining: { from: '', conflicts: [], choices: {}, busy: false, done: false } }, dialogFailed: null })}>${t('plan.rebase.do')}</button></div>` : nothing}
    ${history(ctx)}
    <div class="footrow">
      <button type="button" class="btn grow" data-testid="compare" ?disabled=${!scheme} aria-pressed=${ctx.s.compare !== null} @click=${() => ctx.do.store.set({ compare: ctx.s.compare ? null : { mode: 'swipe', with: 'base' } })}>${t('plan.compare')}</button>
      <button type="button" class="btn pri grow trunc" data-testid="publish" ?disabled=${!scheme || !ctx.s.token} @click=${() => ctx.do.store.set({ dialog: { kind: 'publish' }, dialogFailed: null })}>${branch ? t('plan.publish', { name: branch.label }) : t('plan.publishNone')}</button>
      <button type="button" class="btn ico" data-testid="more" aria-label=${t('plan.more')} title=${t('plan.more')} aria-expanded=${ctx.s.more !== null} aria-controls=${ctx.s.more ? 'more-menu' : nothing} @click=${toggleMore}>${planIcon('dots')}</button>
    </div>
  </aside>${ctx.s.more ? moreMenu(ctx) : nothing}`;
}

export const stateWord = (scheme: Scheme): string => word('schemeState', scheme.state);
