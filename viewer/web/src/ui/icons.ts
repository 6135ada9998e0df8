import { html, svg, type TemplateResult } from 'lit';

/** One stroke weight, one 16-unit grid; a picture never carries the meaning alone. */
const ICONS = {
  search: svg`<circle cx="7" cy="7" r="4.5"/><path d="m13.5 13.5-3.2-3.2"/>`,
  down: svg`<path d="m4 6 4 4 4-4"/>`,
  right: svg`<path d="m6 4 4 4-4 4"/>`,
  plus: svg`<path d="M8 3v10M3 8h10"/>`,
  minus: svg`<path d="M3 8h10"/>`,
  x: svg`<path d="m4 4 8 8M12 4l-8 8"/>`,
  table: svg`<rect x="2.5" y="3" width="11" height="10" rx="1.5"/><path d="M2.5 6.5h11M6.5 6.5V13"/>`,
  share: svg`<path d="M8 9.5V2.5M5 5l3-2.8L11 5M3 9v3.5a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V9"/>`,
  moon: svg`<path d="M13 9.2A5.4 5.4 0 0 1 6.8 3a5.4 5.4 0 1 0 6.2 6.2Z"/>`,
  sun: svg`<circle cx="8" cy="8" r="2.8"/><path d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.8.8M11.8 11.8l.8.8M12.6 3.4l-.8.8M4.2 11.8l-.8.8"/>`,
  layers: svg`<path d="m8 2 6 3-6 3-6-3 6-3ZM2 8l6 3 6-3M2 11l6 3 6-3"/>`,
  play: svg`<path d="M5 3.200v9.600l8-4.800Z" fill="currentColor"/>`,
  pause: svg`<path d="M5 3v10M11 3v10"/>`,
  info: svg`<circle cx="8" cy="8" r="6"/><path d="M8 7.300v3.700M8 5v.1"/>`,
  check: svg`<path d="m3 8.500 3.200 3.200L13 4.800"/>`,
  copy: svg`<rect x="5.500" y="5.500" width="8" height="8" rx="1.500"/><path d="M10.500 5.500v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2"/>`,
  zoom: svg`<path d="M6 2.500H2.500V6M10 2.500h3.500V6M6 13.500H2.500V10M10 13.500h3.500V10"/>`,
  home: svg`<path d="M2.500 7.500 8 2.800l5.500 4.700M4 6.500v6.700h8V6.500"/>`,
  drop: svg`<path d="M8 2.200c2.500 3 4 5 4 7a4 4 0 0 1-8 0c0-2 1.500-4 4-7Z"/>`,
  bolt: svg`<path d="M9 1.800 3.500 9H8l-1 5.200L12.500 7H8Z"/>`,
  car: svg`<path d="M2.500 11.500v-3l1.300-3.700a1.500 1.500 0 0 1 1.400-1h5.600a1.500 1.500 0 0 1 1.400 1l1.300 3.700v3ZM2.800 8.300h10.400M4.500 11.500V13M11.500 11.500V13"/>`,
  clock: svg`<circle cx="8" cy="8" r="6"/><path d="M8 4.800V8l2.200 1.500"/>`,
  filter: svg`<path d="M2.500 4h11M4.500 8h7M6.500 12h3"/>`,
  sort: svg`<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>`,
  pin: svg`<path d="M8 14s4.500-4.200 4.500-7.500a4.500 4.500 0 0 0-9 0C3.500 9.800 8 14 8 14Z"/><circle cx="8" cy="6.500" r="1.500"/>`,
  chart: svg`<path d="M2.500 2.500v11h11M5 10l2.500-3 2.200 2L13 4.500"/>`,
  dl: svg`<path d="M8 2.500v7M5 7l3 3 3-3M3 13h10"/>`,
  ext: svg`<path d="M9 3h4v4M13 3 7.500 8.500M11.500 9.500V13h-8.500V4.500H6.500"/>`,
  file: svg`<path d="M4 2.500h5l3 3v8H4ZM9 2.500v3h3"/>`,
  left: svg`<path d="m10 4-4 4 4 4"/>`,
  up: svg`<path d="m4 10 4-4 4 4"/>`,
  warn: svg`<path d="M8 2.5 14.5 13.500H1.500ZM8 6.500v3.200M8 11.600v.1"/>`,
  swipe: svg`<path d="m5 5-3 3 3 3M11 5l3 3-3 3"/>`,
  single: svg`<rect x="3" y="3" width="10" height="10" rx="1.500"/>`,
  side: svg`<rect x="2.500" y="3" width="11" height="10" rx="1.500"/><path d="M8 3v10"/>`,
  route: svg`<circle cx="4" cy="12.500" r="1.600"/><circle cx="12" cy="3.500" r="1.600"/><path d="M5.600 12.500h4.700a2.200 2.200 0 0 0 0-4.500H5.700a2.200 2.200 0 0 1 0-4.500h4.700"/>`,
  city: svg`<path d="M2.500 13.500V6l4-2.500v10M6.500 13.500V2.500h4v11M10.500 13.500V7l3 1.500v5M1.500 13.500h13"/>`,
} as const;

export type IconName = keyof typeof ICONS;

export const icon = (name: IconName, size = ''): TemplateResult =>
  html`<svg class="ic ${size}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;

/** Shape first, colour second: pass ● discuss ◆ fail ▲ info ■ stale ○. */
const MARKS = {
  pass: svg`<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="m4.800 8.300 2.200 2.200 4.200-4.600" stroke="var(--color-surface)" stroke-width="1.700" fill="none" stroke-linecap="round" stroke-linejoin="round"/>`,
  discuss: svg`<path d="M8 .8 15.200 8 8 15.200.8 8Z" fill="currentColor"/><path d="M5.500 8h5" stroke="var(--color-surface)" stroke-width="1.900" stroke-linecap="round"/>`,
  fail: svg`<path d="M8 1.200 15.300 14.300H.7Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/><path d="M8 5.800v4M8 12.100v.1" stroke="var(--color-surface)" stroke-width="1.800" stroke-linecap="round"/>`,
  stale: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.600" stroke-dasharray="2.600 2.100"/>`,
  info: svg`<rect x="1.500" y="1.500" width="13" height="13" rx="3" fill="currentColor"/><path d="M8 7.300v3.700M8 4.900v.1" stroke="var(--color-surface)" stroke-width="1.800" stroke-linecap="round"/>`,
} as const;

export type Mark = keyof typeof MARKS;

export const mark = (kind: Mark, size = ''): TemplateResult =>
  html`<svg class="st ${kind} ${size}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${MARKS[kind]}</svg>`;

export const logo = (): TemplateResult => html`<svg class="logo" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path d="M12 2.500 20.500 7v10L12 21.500 3.500 17V7Z" fill="var(--color-accent)"/><path d="M12 11.500V21.500L3.500 17V7Z" fill="#fff" opacity=".28"/><path d="M12 11.500 20.500 7v10L12 21.500Z" fill="#000" opacity=".16"/><path d="M7 13.200v3.200M9.500 14.600v3.200" stroke="#fff" stroke-width="1.300"/>
</svg>`;
