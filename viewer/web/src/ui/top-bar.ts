import { html, nothing, type TemplateResult } from 'lit';
import { lang, t, type Lang } from '../i18n/index';
import type { Bilingual } from '../state/model';
import type { Theme } from '../state/url';
import { icon, logo } from './icons';

export interface BarActions {
  readonly setLanguage: (lang: Lang) => void;
  readonly setTheme: (theme: Theme) => void;
  readonly share: () => void;
}

export interface Bar {
  readonly page: 'explore' | 'table';
  readonly cityTitle: Bilingual | undefined;
  readonly theme: Theme;
  readonly exploreHref: string;
  readonly tableHref: string;
  readonly onTable?: (event: Event) => void;
  readonly search: unknown;
  readonly badge: unknown;
  readonly actions: BarActions;
}

export function languageSwitch(actions: BarActions): TemplateResult {
  const option = (value: Lang, text: string, tag: string): TemplateResult =>
    html`<button type="button" lang=${tag} aria-pressed=${lang() === value} data-testid="lang-${value}" @click=${() => actions.setLanguage(value)}>${text}</button>`;
  return html`<div class="seg" role="group" aria-label=${t('bar.language')}>${option('zh', '中', 'zh-CN')}${option('en', 'EN', 'en')}</div>`;
}

export function themeButton(theme: Theme, actions: BarActions, extra = ''): TemplateResult {
  const next: Theme = theme === 'dark' ? 'light' : 'dark';
  const label = t(next === 'dark' ? 'bar.theme.dark' : 'bar.theme.light');
  return html`<button type="button" class="btn quiet ico ${extra}" data-testid="theme" aria-label=${label} title=${label} @click=${() => actions.setTheme(next)}>${icon(next === 'dark' ? 'moon' : 'sun')}</button>`;
}

export function topBar(bar: Bar): TemplateResult {
  const tab = (page: Bar['page'], href: string, text: string, click?: (event: Event) => void): TemplateResult =>
    html`<a href=${href} aria-current=${bar.page === page ? 'page' : nothing} data-testid="${page}-link" @click=${click ?? nothing}>${text}</a>`;
  return html`<header class="bar">
    <div class="brand">${logo()}<span class="trunc">${bar.cityTitle ? bar.cityTitle[lang()] : html`<span class="sk line" aria-label=${t('app.loading')}></span>`}</span></div>
    <nav class="tabs" aria-label=${t('bar.pages')}>${tab('explore', bar.exploreHref, t('bar.explore'))}<a href="/plan" data-testid="plan-link">${t('bar.plan')}</a>${tab('table', bar.tableHref, t('bar.table'), bar.onTable)}</nav>
    <span class="grow"></span>
    ${bar.badge}
    ${bar.search}
    <div class="row tools">
      ${languageSwitch(bar.actions)}
      ${themeButton(bar.theme, bar.actions)}
      <button type="button" class="btn share" data-testid="share" aria-label=${t('bar.share')} @click=${bar.actions.share}>${icon('share')}<span>${t('bar.share')}</span></button>
    </div>
  </header>`;
}
