import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { lang, t } from '../i18n/index';
import { number } from '../i18n/format';
import { valueOf } from '../state/model';
import type { View } from '../state/url';
import type { Ctx } from './context';
import { creditsOf } from './credits';
import { cssom } from './cssom';
import { icon } from './icons';

const EARTH_M = 40_075_016.686;
const TILE_PX = 512;
const MAX_PX = 110;

/** A round length and its width on the screen, at the middle of the map. */
export function scaleOf(view: Pick<View, 'zoom' | 'latitude'>): { readonly text: string; readonly px: number } {
  const metresPerPx = (EARTH_M * Math.cos((view.latitude * Math.PI) / 180)) / (TILE_PX * 2 ** view.zoom);
  const power = 10 ** Math.floor(Math.log10(metresPerPx * MAX_PX));
  const length = ([5, 2, 1].find((m) => m * power <= metresPerPx * MAX_PX) ?? 1) * power;
  return { text: length >= 1000 ? `${number(length / 1000)} km` : `${number(length)} m`, px: Math.round(length / metresPerPx) };
}

export function controls(ctx: Ctx): TemplateResult {
  const act = ctx.do;
  const button = (label: string, content: unknown, click: () => void, testid: string): TemplateResult => html`<button type="button" aria-label=${label} title=${label} data-testid=${testid} @click=${click}>${content}</button>`;
  const bearing = ctx.s.view?.bearing ?? 0;
  const compass = html`<svg class="compass" viewBox="0 0 18 18" aria-hidden="true"><g transform="rotate(${-bearing} 9 9)"><path d="M9 1.500 12 9H6Z" fill="var(--status-fail)"/><path d="M9 16.500 6 9h6Z" fill="var(--color-border-strong)"/></g></svg>`;
  return html`<div class="ctl" role="group" aria-label=${t('map.controls')}>
    ${button(t('map.zoomIn'), icon('plus'), () => act.camera.move({ zoom: 0.7 }), 'zoom-in')}
    ${button(t('map.zoomOut'), icon('minus'), () => act.camera.move({ zoom: -0.7 }), 'zoom-out')}
    ${button(t('map.north'), compass, () => act.camera.northUp(), 'north')}
    ${button(t('map.home'), icon('home'), () => act.home(), 'home')}
  </div>`;
}

let watch: ResizeObserver | null = null;

/** Panels end above what must stay readable: they are told how tall it is. */
function keepFree(element: Element | undefined): void {
  watch?.disconnect();
  if (!element || typeof ResizeObserver === 'undefined') return;
  watch = new ResizeObserver(() => document.documentElement.style.setProperty('--size-furniture', `${Math.ceil((element as HTMLElement).offsetHeight)}px`));
  watch.observe(element);
}

/** Scale, attribution and what is generated: always there, and never under a panel. */
export function furniture(ctx: Ctx): TemplateResult {
  const city = valueOf(ctx.s.city);
  const scale = ctx.s.view ? scaleOf(ctx.s.view) : null;
  const words = (text: string): string => (lang() === 'zh' ? text.replace(/OpenStreetMap contributors/, 'OpenStreetMap 贡献者') : text);
  return html`<footer class="furn" data-testid="attribution" ${ref(keepFree)}>
    ${scale ? html`<div class="row tight"><span class="scale" ${cssom({ width: `${scale.px}px` })} role="img" aria-label=${t('map.scale')}></span>${scale.text}</div>` : nothing}
    <p class="said">${creditsOf(city?.attributions ?? []).map((text) => html`<span>${words(text)}</span>`)}${city?.generated ? html`<span>${t('map.generatedCity')}</span>` : nothing}</p>
  </footer>`;
}
