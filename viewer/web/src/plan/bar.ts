import { html, type TemplateResult } from 'lit';
import { lang, t } from '../i18n/index';
import { clock } from '../i18n/format';
import { valueOf } from '../state/model';
import { icon, logo, mark } from '../ui/icons';
import { languageSwitch, themeButton, type BarActions } from '../ui/top-bar';
import type { PlanCtx } from './context';
import { nameOf } from './schemes-panel';

/** What is known of the edits: on their way, safe, or not to be sent now. */
function saved(ctx: PlanCtx): TemplateResult {
  const { s } = ctx;
  const at = s.saved_ms ?? (ctx.scheme && s.log.state === 'ready' ? Date.parse(ctx.scheme.updated_at) : null);
  let body: TemplateResult;
  if (s.offline) body = html`${mark('discuss', 'xs')}${t('plan.saved.offline')}`;
  else if (s.sending > 0) body = html`<span class="spin" aria-hidden="true"></span>${t('plan.saved.sending')}`;
  else if (s.token === null) body = html`<button type="button" class="link xs" data-testid="token-open" @click=${() => ctx.do.store.set({ dialog: { kind: 'token', refused: false } })}>${t('plan.token.enter')}</button>`;
  else if (at !== null) body = html`${icon('check', 's')}${t('plan.saved', { time: clock(new Date(at), ctx.city.zone) })}`;
  else body = html``;
  return html`<span class="saved xs dim" role="status" data-testid="saved">${body}</span>`;
}

export function planBar(ctx: PlanCtx): TemplateResult {
  const city = ctx.city.do;
  const actions: BarActions = {
    setLanguage: (value) => city.setLanguage(value),
    setTheme: (value) => city.setTheme(value),
    share: () => void city.share(),
  };
  const title = valueOf(ctx.city.s.city)?.title[lang()];
  const openTable = (e: Event): void => {
    e.preventDefault();
    city.openTable();
  };
  return html`<header class="bar">
    <div class="brand">${logo()}<span class="crumb trunc">${title ? html`<span class="mid cityname">${title}</span><span class="dim sep">/</span><span data-testid="crumb">${ctx.scheme ? nameOf(ctx.scheme) : t('plan.existing')}</span>` : html`<span class="sk line"></span>`}</span></div>
    <nav class="tabs" aria-label=${t('bar.pages')}><a href=${city.link('/explore')} data-testid="explore-link">${t('bar.explore')}</a><a href="/plan" aria-current="page" data-testid="plan-link">${t('bar.plan')}</a><a href=${city.link('/table')} data-testid="table-link" @click=${openTable}>${t('bar.table')}</a><a href="/upload" data-testid="upload-link">${t('upload.tab')}</a></nav>
    <span class="grow"></span>
    ${saved(ctx)}
    <div class="row tools">
      ${languageSwitch(actions)}
      ${themeButton(ctx.city.s.theme, actions)}
      <button type="button" class="btn share" data-testid="share" aria-label=${t('bar.share')} @click=${actions.share}>${icon('share')}<span>${t('bar.share')}</span></button>
    </div>
  </header>`;
}
