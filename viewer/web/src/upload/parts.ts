/** The parts of the upload page, each drawn from the state alone. */
import { html, nothing, type TemplateResult } from 'lit';
import { listed, number, span } from '../i18n/format';
import { isKey, lang, problemText, t, tn, word } from '../i18n/index';
import { cssom } from '../ui/cssom';
import { icon, mark } from '../ui/icons';
import type { UploadDesk, UploadState } from './desk';
import { bytesText, chosenOf } from './files';
import { ended, lookOf, type Job, type Look, type Upload } from './types';

export interface Ctx {
  readonly s: UploadState;
  readonly do: UploadDesk;
}

const share = (done: number, total: number | null): number | null => (total ? Math.min(1, done / total) : null);

/** A bar that says how far something is; without a total it says only that it goes on. */
export function progressBar(label: string, part: number | null, testid: string): TemplateResult {
  const percent = part === null ? null : Math.round(part * 100);
  return html`<div class="pbar ${percent === null ? 'open' : ''}" role="progressbar" data-testid=${testid} aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent ?? nothing}><i ${cssom({ width: percent === null ? '34%' : `${percent}%` })}></i></div>`;
}

export function failure(s: UploadState): TemplateResult | typeof nothing {
  if (!s.failed) return nothing;
  const limit = s.failed === 'upload-bytes' ? bytesText(s.limits.bytes) : s.failed === 'upload-files' ? number(s.limits.files) : '';
  return html`<div class="state note fail" role="alert" data-testid="upload-failed">${mark('fail')}<p>${problemText(s.failed)}${limit ? ` ${t('upload.limit', { limit })}` : ''}</p></div>`;
}

/** Where files are dropped, or chosen by two plain inputs. */
export function dropZone(ctx: Ctx, over: boolean): TemplateResult {
  const take = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (input.files?.length) void ctx.do.bring(chosenOf(input.files));
    input.value = '';
  };
  const off = ctx.s.token === null;
  return html`<section class="drop ${over ? 'over' : ''}" aria-label=${t('upload.drop.label')}>
    <p class="dropsay">${icon('file', 'l')}<span>${t(over ? 'upload.drop.now' : 'upload.drop')}</span></p>
    <div class="row wrap choose">
      <label class="btn pri" ?data-off=${off}><input type="file" multiple class="sr" data-testid="choose-files" ?disabled=${off} @change=${take}>${t('upload.files')}</label>
      <label class="btn" ?data-off=${off}><input type="file" webkitdirectory multiple class="sr" data-testid="choose-folder" ?disabled=${off} @change=${take}>${t('upload.folder')}</label>
    </div>
    <p class="xs mid">${t('upload.accepts')}</p>
    <p class="xs dim">${t('upload.limits', { bytes: bytesText(ctx.s.limits.bytes), files: number(ctx.s.limits.files) })}</p>
  </section>`;
}

export function sendingPart(ctx: Ctx): TemplateResult | typeof nothing {
  const { sending } = ctx.s;
  if (!sending) return nothing;
  return html`<section class="part" aria-label=${t('upload.sending')}>
    <div class="row between"><h2>${t('upload.sending')}</h2><button type="button" class="btn sm" data-testid="stop-sending" @click=${() => ctx.do.stopSending()}>${t('upload.stop')}</button></div>
    ${progressBar(t('upload.sending'), share(sending.sent, sending.total), 'sending')}
    <p class="xs mid row between"><span class="trunc">${sending.of > 1 ? `${sending.number} / ${sending.of} · ` : ''}${sending.file}</span><span class="nowrap" data-testid="sent">${t('upload.of', { done: bytesText(sending.sent), total: bytesText(sending.total) })}</span></p>
  </section>`;
}

/** What was brought before and waits. */
export function waitingPart(ctx: Ctx): TemplateResult | typeof nothing {
  if (ctx.s.upload || ctx.s.sending || ctx.s.waiting.length === 0) return nothing;
  const row = (upload: Upload): TemplateResult => html`<li class="row">
    <span class="grow trunc"><span class="strong">${upload.name}</span> <span class="xs dim">${tn('upload.fileCount', upload.files.length, number(upload.files.length))}, ${bytesText(upload.bytes)}</span></span>
    <button type="button" class="btn sm" data-testid="go-on" @click=${() => void ctx.do.take(upload)}>${t('upload.goOn')}</button>
    <button type="button" class="btn quiet sm ico" aria-label=${t('upload.removeOne', { name: upload.name })} title=${t('upload.remove')} @click=${() => void ctx.do.drop(upload.id)}>${icon('x', 's')}</button></li>`;
  return html`<section class="part" aria-label=${t('upload.waiting')}><h2>${t('upload.waiting')}</h2><ul class="rows">${ctx.s.waiting.map(row)}</ul></section>`;
}

const stepText = (name: string): string => {
  const key = `upload.step.${name}`;
  return isKey(key) ? t(key) : name;
};

/** The step that a job is at. */
function jobLine(job: Job): TemplateResult {
  const step = job.steps.findLast((one) => one.state === 'running') ?? job.steps.find((one) => one.state !== 'succeeded') ?? job.steps.at(-1);
  if (job.state === 'queued') return html`<p class="xs mid">${job.queued_ahead > 0 ? tn('upload.queued', job.queued_ahead, String(job.queued_ahead)) : t('upload.starts')}</p>`;
  if (!step) return html``;
  const left = step.remaining_s === null ? '' : t('upload.left', { time: span(step.remaining_s) });
  return html`<p class="xs mid row between"><span>${stepText(step.name)}</span><span class="nowrap">${listed([step.done > 0 ? `${number(step.done)}${step.total ? ` / ${number(step.total)}` : ''} ${step.unit}` : '', left].filter(Boolean))}</span></p>`;
}

export function jobPart(ctx: Ctx, job: Job, label: string, testid: string): TemplateResult {
  const step = job.steps.findLast((one) => one.state === 'running');
  return html`<section class="part" aria-label=${label} data-testid=${testid} data-state=${job.state}>
    <div class="row between"><h2>${label}</h2>${job.kind === 'undo' ? nothing : html`<button type="button" class="btn sm" data-testid="cancel-job" @click=${() => void ctx.do.cancel()}>${t('upload.stop')}</button>`}</div>
    ${progressBar(label, step ? share(step.done, step.total) : null, `${testid}-progress`)}${jobLine(job)}
  </section>`;
}

/** Why a job ended badly: what the city is now, and what to do. */
export function jobFailure(job: Job, unchanged: boolean): TemplateResult {
  const code = job.error?.code ?? (job.state === 'cancelled' ? 'cancelled' : 'internal');
  return html`<div class="state note ${job.state === 'cancelled' ? '' : 'fail'}" role="alert" data-testid="job-failed" data-code=${code}>${mark(job.state === 'cancelled' ? 'stale' : 'fail')}
    <div><p>${job.state === 'cancelled' ? t('upload.cancelled') : problemText(code)}</p>${job.state !== 'cancelled' && job.error?.detail ? html`<p class="xs mid" lang="en">${job.error.detail}${job.error.hint ? ` ${job.error.hint}` : ''}</p>` : nothing}${unchanged ? html`<p class="xs mid">${t('upload.unchanged')}</p>` : nothing}</div></div>`;
}

const counts = (all: Readonly<Record<string, number>>, words: (code: string) => string): TemplateResult[] => Object.entries(all).map(([code, n]) => html`<div><dt>${words(code)}</dt><dd>${number(n)}</dd></div>`);

/** What a look found: counts, what is put aside, fields with samples. */
export function foundPart(look: Look): TemplateResult {
  const other = [
    ...look.networks.map((n) => [t('upload.network', { name: word('network', n.id) }), t('upload.nodesLinks', { nodes: number(n.nodes), links: number(n.links) })] as const),
    ...(look.datastreams ? [[t('upload.datastreams'), number(look.datastreams)] as const] : []),
    ...(look.observations ? [[t('upload.observations'), number(look.observations)] as const] : []),
  ];
  const faults = Object.entries(look.faults ?? {});
  return html`<section class="part" aria-label=${t('upload.found')} data-testid="found">
    <div class="row between"><h2>${t('upload.found')}</h2><span class="xs dim nowrap">${t('upload.nothingStored')}</span></div>
    <dl class="kv">${counts(look.objects, (type) => word('type', type))}${other.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      ${look.quarantined > 0 ? html`<div><dt>${mark('discuss', 'xs')} ${t('upload.aside')}</dt><dd>${number(look.quarantined)}</dd></div>` : nothing}
      ${faults.length > 0 ? html`<div><dt>${mark('discuss', 'xs')} ${t('upload.invalid')}</dt><dd>${number(faults.reduce((sum, [, n]) => sum + n, 0))}</dd></div>` : nothing}</dl>
    ${look.objects_total === 0 && other.length === 0 ? html`<p class="state">${mark('discuss')}<span>${t('upload.nothing')}</span></p>` : nothing}
    ${look.datasets.length > 0 ? html`<p class="xs dim">${listed(look.datasets.slice(0, 6).map((d) => `${d.id || d.title}${d.licence ? ` (${d.licence})` : ''}`))}${look.datasets.length > 6 ? ` +${look.datasets.length - 6}` : ''}</p>` : nothing}
    ${look.quarantined_examples.length > 0 ? html`<details><summary class="xs">${t('upload.aside.show')}</summary><ul class="xs list">${look.quarantined_examples.slice(0, 20).map((one) => html`<li><b class="mono">${one.feature}</b> <span class="mid" lang="en">${one.reason}</span></li>`)}</ul></details>` : nothing}
    ${fields(look)}
  </section>`;
}

function fields(look: Look): TemplateResult | typeof nothing {
  const types = Object.entries(look.fields).filter(([, list]) => list.length > 0);
  if (types.length === 0) return nothing;
  return html`<details data-testid="fields"><summary class="xs">${t('upload.fields')}</summary><div class="wide" tabindex="0" role="region" aria-label=${t('upload.fields')}>${types.map(([type, list]) => html`<table class="ft"><caption>${word('type', type)}</caption><thead><tr><th scope="col">${t('upload.field')}</th><th scope="col" class="n">${t('upload.filled')}</th><th scope="col">${t('upload.samples')}</th></tr></thead>
    <tbody>${list.slice(0, 40).map((f) => html`<tr><th scope="row">${word('attribute', f.name)}${f.unit && f.unit !== '1' ? html` <span class="dim">${f.unit}</span>` : nothing}</th><td class="n">${number(f.count)}${f.modelled ? html`<span class="xs dim"> ${t('upload.modelled', { n: number(f.modelled) })}</span>` : nothing}</td><td class="xs">${f.samples.map(String).join(lang() === 'zh' ? '，' : ', ')}</td></tr>`)}</tbody></table>`)}</div></details>`;
}

/** The job that took it in has ended well. */
export function donePart(ctx: Ctx, job: Job): TemplateResult {
  const { undo } = ctx.s;
  const version = job.summary['baseline_version'];
  const aside = Number(job.summary['quarantined'] ?? 0);
  const back = undo?.state === 'succeeded';
  const box = lookOf(ctx.s.look)?.bbox;
  const view = box ? `?view=${((box[0] + box[2]) / 2).toFixed(5)},${((box[1] + box[3]) / 2).toFixed(5)},15.5,50,18` : '';
  return html`<section class="part" aria-label=${t('upload.done')} data-testid="done">
    <div class="state note pass">${mark('pass')}<div><p class="strong">${t(back ? 'upload.takenBack' : 'upload.done')}</p>${typeof version === 'number' && !back ? html`<p class="xs mid">${t('upload.baseline', { n: version })}</p>` : nothing}</div></div>
    ${aside > 0 && !back ? html`<p class="xs">${mark('discuss', 'xs')} ${tn('upload.asideDone', aside, number(aside))}</p>` : nothing}
    ${undo && !ended(undo) ? jobPart(ctx, undo, t('upload.undoing'), 'undo') : undo && undo.state !== 'succeeded' ? jobFailure(undo, true) : nothing}
    <div class="row wrap">
      ${back ? nothing : html`<a class="btn pri" data-testid="show-city" href="/explore${view}">${t('upload.show')}</a>`}
      <a class="btn" data-testid="quality" href="/jobs/${job.id}/quality">${t('upload.quality')}</a>
      ${back || (undo && !ended(undo)) ? nothing : html`<button type="button" class="btn" data-testid="undo" ?disabled=${ctx.s.busy} @click=${() => void ctx.do.takeBack()}>${t('upload.undo')}</button>`}
      <button type="button" class="btn" data-testid="another" @click=${() => ctx.do.again()}>${t('upload.another')}</button>
    </div>
  </section>`;
}
