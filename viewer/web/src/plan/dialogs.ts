import { html, nothing, type TemplateResult } from 'lit';
import { lang, problemText, t, tn, word } from '../i18n/index';
import { listed, number } from '../i18n/format';
import type { EditRequest } from '../scheme/api';
import { BASE, type Conflict, type Json, type Words } from '../scheme/types';
import { mark } from '../ui/icons';
import type { PlanCtx } from './context';
import { frame } from './dialog-frame';
import { landUse, targetName } from './edit-words';
import { allChosen, conflictKey, type JoiningDesk } from './joining';
import { storeysIn, sumHeights } from './log';
import { methodPage } from './methods';
import { nameOf } from './schemes-panel';
import { TOOL_KEYS, toolName } from './strip';
import { TOOLS, type Dialog, type Joining } from './plan-state';
import { viewsDialog } from './views';

const failed = (ctx: PlanCtx): TemplateResult | typeof nothing => (ctx.s.dialogFailed ? html`<p class="row fail-text" role="alert">${mark('fail')}${problemText(ctx.s.dialogFailed)}</p>` : nothing);
const textOf = (form: HTMLFormElement, name: string): string => (form.elements.namedItem(name) as HTMLInputElement | null)?.value.trim() ?? '';

function form(submit: (form: HTMLFormElement) => void, content: unknown): TemplateResult {
  return html`<form class="dform" @submit=${(e: Event) => { e.preventDefault(); submit(e.target as HTMLFormElement); }}>${content}</form>`;
}

const field = (name: string, label: string, value: string, more: { readonly max?: number; readonly hint?: string; readonly type?: string; readonly required?: boolean } = {}): TemplateResult => html`<label class="fld"><span class="xs mid">${label}</span><input class="field" name=${name} data-testid="field-${name}" type=${more.type ?? 'text'} autocomplete="off" spellcheck="false" maxlength=${more.max ?? 120} ?required=${more.required ?? false} .value=${value}>${more.hint ? html`<span class="xs dim">${more.hint}</span>` : nothing}</label>`;
const buttons = (desk: JoiningDesk, label: string, disabled = false, danger = false): TemplateResult => html`<div class="drow"><button type="button" class="btn" @click=${desk.close}>${t('plan.cancel')}</button><button type="submit" class="btn ${danger ? 'danger' : 'pri'}" data-testid="confirm" ?disabled=${disabled}>${label}</button></div>`;

/** A name in one language stands in for the other until somebody writes it. */
const both = (en: string, zh: string): Words => ({ en: en || zh, zh: zh || en });

function tokenDialog(ctx: PlanCtx, desk: JoiningDesk, refused: boolean): TemplateResult {
  return frame(t('plan.token.title'), 'dialog-token', desk.close, form((f) => desk.enter(textOf(f, 'token'), textOf(f, 'author')), html`
    <p class="mid">${t('plan.token.text')}</p>
    ${field('token', t('plan.token.label'), '', { max: 256, type: 'password' })}
    ${refused ? html`<p class="row fail-text" role="alert">${mark('fail')}${t('plan.token.refused')}</p>` : nothing}
    ${field('author', t('plan.token.author'), ctx.s.author, { max: 80, hint: t('plan.token.authorHint') })}
    ${buttons(desk, t('plan.token.use'))}`));
}

function branchDialog(ctx: PlanCtx, desk: JoiningDesk, parent: string): TemplateResult {
  const from = ctx.tree.find((b) => b.scheme.id === parent);
  const options = [[BASE, `A ${t('plan.existing')}`] as const, ...ctx.tree.map((b) => [b.scheme.id, `${b.label} ${nameOf(b.scheme)}`] as const)];
  return frame(t('plan.branch.title'), 'dialog-branch', desk.close, form((f) => void desk.branch(both(textOf(f, 'en'), textOf(f, 'zh')), textOf(f, 'parent')), html`
    <label class="fld"><span class="xs mid">${t('plan.branch.from')}</span><select class="field" name="parent">${options.map(([id, name]) => html`<option value=${id} .selected=${id === (from?.scheme.id ?? BASE)}>${name}</option>`)}</select></label>
    ${field(lang(), t('plan.branch.name'), '', { required: true })}
    ${field(lang() === 'en' ? 'zh' : 'en', t(lang() === 'en' ? 'plan.branch.nameZh' : 'plan.branch.nameEn'), '')}
    ${failed(ctx)}${buttons(desk, t('plan.branch'))}`));
}

function renameDialog(ctx: PlanCtx, desk: JoiningDesk): TemplateResult | typeof nothing {
  const { scheme } = ctx;
  if (!scheme) return nothing;
  const area = (name: string, label: string, value: string): TemplateResult => html`<label class="fld"><span class="xs mid">${label}</span><textarea class="field" name=${name} rows="3" maxlength="2000" .value=${value}></textarea></label>`;
  return frame(t('plan.rename'), 'dialog-rename', desk.close, form((f) => void desk.rename(both(textOf(f, 'en'), textOf(f, 'zh')), { en: textOf(f, 'sen'), zh: textOf(f, 'szh') }), html`
    ${field('en', t('plan.branch.nameEn'), scheme.name.en, { required: true })}${field('zh', t('plan.branch.nameZh'), scheme.name.zh)}
    ${area('sen', t('plan.summaryEn'), scheme.summary.en)}${area('szh', t('plan.summaryZh'), scheme.summary.zh)}
    ${failed(ctx)}${buttons(desk, t('plan.save'))}`));
}

function publishDialog(ctx: PlanCtx, desk: JoiningDesk): TemplateResult | typeof nothing {
  const { scheme, branch } = ctx;
  if (!scheme || !branch) return nothing;
  const list = ctx.s.findings.state === 'ready' ? ctx.s.findings.value : [];
  const of = (v: string): number => list.filter((f) => f.verdict === v).length;
  return frame(t('plan.publish.title', { name: `${branch.label} ${nameOf(scheme)}` }), 'dialog-publish', desk.close, form(() => void desk.publish(), html`
    <p>${t('plan.publish.text')}</p>
    <dl class="kv"><div><dt>${t('plan.publish.edits')}</dt><dd>${number(scheme.edit_count)}</dd></div><div><dt>${t('plan.publish.changes')}</dt><dd>${t('plan.publish.counts', { ...scheme.counts })}</dd></div>
      <div><dt>${t('plan.rules')}</dt><dd><span class="row tight">${mark('fail', 'xs')}${of('fail')} ${mark('discuss', 'xs')}${of('discuss')}</span></dd></div>
      <div><dt>${t('plan.publish.version')}</dt><dd>${(scheme.version ?? 0) + 1}</dd></div></dl>
    ${of('fail') > 0 ? html`<p class="row xs">${mark('discuss')}${t('plan.publish.fails')}</p>` : nothing}
    ${failed(ctx)}${buttons(desk, t('plan.publish.do'))}`));
}

function withdrawDialog(ctx: PlanCtx, desk: JoiningDesk): TemplateResult | typeof nothing {
  if (!ctx.scheme) return nothing;
  return frame(t('plan.withdraw'), 'dialog-withdraw', desk.close, form(() => void desk.withdraw(), html`<p>${t('plan.withdraw.text', { name: nameOf(ctx.scheme) })}</p>${failed(ctx)}${buttons(desk, t('plan.withdraw.do'), false, true)}`));
}

/** The value of a field in words, as short as it can be told. */
export function valueText(fieldName: string, value: Json): string {
  if (value === null) return '–';
  if (fieldName === 'exists') return t(value ? 'plan.value.stays' : 'plan.value.gone');
  if (fieldName === 'storeys') {
    const storeys = storeysIn(value);
    return tn('plan.value.storeys', storeys.length, String(storeys.length), { h: number(sumHeights(storeys), 1), use: listed([...new Set(storeys.map((s) => word('floorUse', s[1])))]) });
  }
  if (fieldName === 'land_use' && typeof value === 'string') return landUse(value);
  if (fieldName === 'oneway' && typeof value === 'string') return word('oneway', value);
  if (fieldName === 'footprint' || fieldName === 'axis' || fieldName === 'place') return t('plan.value.shape', { n: JSON.stringify(value).split('[').length - 2 });
  if (typeof value === 'object') return listed(Object.values(value).map((v) => (typeof v === 'string' ? word('roofType', v) : typeof v === 'number' ? number(v, 1) : '')).filter(Boolean));
  return typeof value === 'number' ? number(value, Number.isInteger(value) ? 0 : 2) : String(value);
}

function side(name: string, value: string, chosen: boolean, choose: (() => void) | null, group: string, testid: string): TemplateResult {
  const body = html`<span class="xs mid">${name}</span><span class="strong">${value}</span>`;
  return choose ? html`<label class="cside ${chosen ? 'on' : ''}"><input type="radio" name=${group} data-testid=${testid} .checked=${chosen} @change=${choose}><span class="grow cs">${body}</span></label>` : html`<span class="cside plainside"><span class="grow cs">${body}</span></span>`;
}

/** Both sides of a conflict and what they came from; where one may choose, as radio buttons. */
function conflictRow(ctx: PlanCtx, c: Conflict & { readonly wanted?: string }, names: { readonly ours: string; readonly theirs: string }, chosen: 'ours' | 'theirs' | undefined, choose: ((side: 'ours' | 'theirs') => void) | null): TemplateResult {
  const key = conflictKey(c);
  const wanted = c.edits ? listed(Object.keys(c.edits).filter((f) => f !== 'kind').map((f) => word('field', f))) : '';
  return html`<li class="conflict" data-testid="conflict">
    <div class="row between"><span class="strong trunc">${targetName(ctx, c.target)}</span><span class="xs dim">${word('field', c.field)}${wanted ? `: ${wanted}` : ''}</span></div>
    <p class="xs dim">${t('plan.conflict.was', { value: valueText(c.field, c.base) })}</p>
    <div class="csides" role=${choose ? 'radiogroup' : nothing} aria-label=${key}>${side(names.ours, valueText(c.field, c.ours), chosen === 'ours', choose && (() => choose('ours')), key, 'ours')}${side(names.theirs, c.wanted ?? valueText(c.field, c.theirs), chosen === 'theirs', choose && (() => choose('theirs')), key, 'theirs')}</div>
  </li>`;
}

function joinDialog(ctx: PlanCtx, desk: JoiningDesk, kind: 'merge' | 'rebase', joining: Joining): TemplateResult | typeof nothing {
  const { scheme, branch } = ctx;
  if (!scheme || !branch) return nothing;
  const others = ctx.tree.filter((b) => b.scheme.id !== scheme.id);
  const from = others.find((b) => b.scheme.id === joining.from) ?? others[0];
  const baseline = ctx.city.s.city.state === 'ready' ? ctx.city.s.city.value.baseline_version : 0;
  const asked = joining.conflicts.length > 0;
  const left = joining.conflicts.filter((c) => !(conflictKey(c) in joining.choices)).length;
  const choose = (c: Conflict) => (which: 'ours' | 'theirs'): void => ctx.do.store.set({ dialog: { kind, joining: { ...joining, choices: { ...joining.choices, [conflictKey(c)]: which } } } });
  const names = { ours: `${branch.label} ${nameOf(scheme)}`, theirs: kind === 'rebase' ? t('plan.baseline', { n: baseline }) : from ? `${from.label} ${nameOf(from.scheme)}` : '' };
  const submit = (f: HTMLFormElement): void => void desk.join(kind, kind === 'merge' ? (asked ? joining.from : textOf(f, 'from')) : '', joining.choices);
  return frame(t(kind === 'merge' ? 'plan.merge.title' : 'plan.rebase.title', { name: branch.label }), `dialog-${kind}`, desk.close, form(submit, html`
    ${asked ? html`<p>${tn('plan.conflict.text', joining.conflicts.length, String(joining.conflicts.length))}</p><ul class="conflicts">${joining.conflicts.map((c) => conflictRow(ctx, c, names, joining.choices[conflictKey(c)], choose(c)))}</ul>`
      : kind === 'merge' ? html`<p class="mid">${t('plan.merge.text', { name: branch.label })}</p><label class="fld"><span class="xs mid">${t('plan.merge.from')}</span><select class="field" name="from" data-testid="merge-from">${others.map((b) => html`<option value=${b.scheme.id} .selected=${b.scheme.id === from?.scheme.id}>${b.label} ${nameOf(b.scheme)}</option>`)}</select></label>`
      : html`<p class="mid">${t('plan.rebase.text', { from: scheme.baseline_version, to: baseline })}</p>`}
    ${failed(ctx)}
    ${buttons(desk, joining.busy ? t('plan.working') : asked && left > 0 ? t('plan.conflict.left', { n: left }) : t(kind === 'merge' ? 'plan.merge.do' : 'plan.rebase.do'), joining.busy || (asked && !allChosen(joining)) || (kind === 'merge' && !from))}`), asked);
}

/** What an edit asked for, where the server has no single value to tell. */
export function wantedText(request: EditRequest): string {
  const words: Readonly<Record<string, (value: Json) => string>> = {
    count: (v) => tn('plan.edit.of', Number(v), String(v)), height_m: (v) => `${number(Number(v), 1)} m`, use: (v) => word('floorUse', String(v)), land_use: (v) => landUse(String(v)),
    lanes: (v) => String(v), oneway: (v) => word('oneway', String(v)), type: (v) => word('roofType', String(v)), solar_share: (v) => `${number(Number(v) * 100)}%`, storeys: (v) => valueText('storeys', v),
  };
  const said = Object.entries(request.params).flatMap(([name, value]) => (words[name] && value !== null ? [words[name](value)] : []));
  return said.length > 0 ? listed(said) : word('edit', request.kind).replace(/\s*\{\w+\}/g, '');
}

/** Another planner was there first: both sides, and nothing is overwritten unasked. */
function conflictDialog(ctx: PlanCtx, desk: JoiningDesk, dialog: Extract<Dialog, { kind: 'conflict' }>): TemplateResult {
  const { request, conflicts } = dialog;
  const gone = conflicts.some((c) => c.field === 'exists');
  const insist = (): void => {
    desk.close();
    // What the other side has is now what this edit expects to find.
    const expect = Object.fromEntries(conflicts.map((c) => [c.field, c.ours]));
    void ctx.do.edit({ ...request, expect });
  };
  return frame(t('plan.conflict.title'), 'dialog-conflict', desk.close, html`<div class="dform">
    <p>${t('plan.conflict.first')}</p>
    <ul class="conflicts">${conflicts.map((c) => conflictRow(ctx, c.theirs === null ? { ...c, wanted: wantedText(request) } : c, { ours: t('plan.conflict.scheme'), theirs: t('plan.conflict.yours') }, undefined, null))}</ul>
    <div class="drow"><button type="button" class="btn ${gone ? 'pri' : ''}" data-testid="keep-theirs" @click=${desk.close}>${t('plan.conflict.keep')}</button>${gone ? nothing : html`<button type="button" class="btn pri" data-testid="use-mine" @click=${insist}>${t('plan.conflict.mine')}</button>`}</div>
  </div>`, true);
}

function keysDialog(desk: JoiningDesk): TemplateResult {
  const line = (key: string, name: string): TemplateResult => html`<div><dt><kbd class="kbd">${key}</kbd></dt><dd>${name}</dd></div>`;
  return frame(t('plan.keys'), 'dialog-keys', desk.close, html`<div class="dform"><dl class="kv keys">${TOOLS.map((id) => line(TOOL_KEYS[id], toolName(id)))}</dl>
    <dl class="kv keys">${line('Enter', t('plan.keys.enter'))}${line('Backspace', t('plan.keys.back'))}${line('Esc', t('plan.keys.esc'))}${line('Ctrl+Z', t('plan.undo'))}${line('Ctrl+Shift+Z', t('plan.redo'))}${line('Alt', t('plan.keys.alt'))}${line('← ↑ ↓ →  Q E  + −', t('plan.keys.camera'))}</dl></div>`, true);
}

export function dialogs(ctx: PlanCtx, desk: JoiningDesk): TemplateResult | typeof nothing {
  const { dialog } = ctx.s;
  switch (dialog?.kind) {
    case undefined:
      return nothing;
    case 'token':
      return tokenDialog(ctx, desk, dialog.refused);
    case 'branch':
      return branchDialog(ctx, desk, dialog.parent);
    case 'rename':
      return renameDialog(ctx, desk);
    case 'publish':
      return publishDialog(ctx, desk);
    case 'withdraw':
      return withdrawDialog(ctx, desk);
    case 'merge':
    case 'rebase':
      return joinDialog(ctx, desk, dialog.kind, dialog.joining);
    case 'conflict':
      return conflictDialog(ctx, desk, dialog);
    case 'views':
      return viewsDialog(ctx, desk);
    case 'keys':
      return keysDialog(desk);
    case 'method':
      return frame(t('plan.why.method'), 'dialog-method', desk.close, html`<div class="dform prose">${methodPage(dialog.name, () => ctx.bench.changed())}</div>`, true);
  }
}
