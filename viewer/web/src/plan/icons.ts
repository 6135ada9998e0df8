import { html, svg, type TemplateResult } from 'lit';

/** The pictures of the tools: one stroke weight, one 16-unit grid, as those of the other pages. */
const ICONS = {
  select: svg`<path d="m3.500 2.500 9 4.200-4 1.200-1.400 4Z"/>`,
  draw: svg`<path d="m3 5 6-2.500 4.500 4-2.500 6.500H4.500Z"/>`,
  massing: svg`<path d="M2.500 13.500V8h4v5.500M6.500 13.500V2.500h4v11M10.500 13.500V6h3v7.500Z"/>`,
  model: svg`<path d="m8 2 5.500 3v6L8 14l-5.500-3V5ZM2.500 5 8 8l5.500-3M8 8v6"/>`,
  push: svg`<path d="M3 13h10M8 10.500V2.500M5 5.200 8 2.300l3 2.900"/>`,
  move: svg`<path d="M8 2v12M2 8h12M6 4l2-2 2 2M6 12l2 2 2-2M4 6 2 8l2 2M12 6l2 2-2 2"/>`,
  demolish: svg`<path d="M3 13.500V7l4-3.500V6l4-2v9.500" stroke-dasharray="2.200 1.700"/><path d="m10 9 4 4.500M14 9l-4 4.500"/>`,
  paint: svg`<path d="M9.500 2.500 13.500 6.500 7.500 12.500H3.500V8.500Z"/><path d="M3.500 12.500 7 9"/>`,
  split: svg`<rect x="2.500" y="3" width="11" height="10" rx="1"/><path d="M9.500 3 6.500 13" stroke-dasharray="2 1.600"/>`,
  park: svg`<path d="M3 13c0-6 3.500-9.500 10.200-10C13.500 9.500 10 12.500 5.200 12M3 13c1-3 3-5 5.500-6"/>`,
  tree: svg`<circle cx="8" cy="6" r="4"/><path d="M8 14V6.500M8 9l2-1.700"/>`,
  street: svg`<path d="M4.500 2.500 2.500 13.500M11.500 2.500l2 11M8 3v2M8 7.200v2M8 11.400v2"/>`,
  network: svg`<path d="M2.500 12.500h5V4h6M7.500 8.500h6"/><circle cx="3" cy="12.500" r="1.300"/><circle cx="13" cy="4" r="1.300"/><circle cx="13" cy="8.500" r="1.300"/>`,
  measure: svg`<path d="m2 10.500 8.500-8.500 3.500 3.500L5.500 14 2 10.500ZM5 7.500l1.500 1.500M7.500 5l1.500 1.500"/>`,
  section: svg`<path d="M2 13.500h12M4 13.500V8h3v5.500M9 13.500V5h3v8.500" /><path d="M1.500 3.500h13" stroke-dasharray="2.500 1.600"/>`,
  undo: svg`<path d="M5.500 3 2.500 6l3 3M2.500 6h6.800a4 4 0 0 1 0 8H6"/>`,
  redo: svg`<path d="m10.500 3 3 3-3 3M13.500 6H6.700a4 4 0 0 0 0 8H10"/>`,
  branch: svg`<circle cx="4.500" cy="3.800" r="1.600"/><circle cx="4.500" cy="12.200" r="1.600"/><circle cx="11.500" cy="5.800" r="1.600"/><path d="M4.500 5.400v5.200M11.500 7.400c0 2.400-2.500 2.600-5 3.200"/>`,
  dots: svg`<path d="M3.500 8h.01M8 8h.01M12.500 8h.01" stroke-width="2.200"/>`,
  bookmark: svg`<path d="M4 2.500h8v11L8 10.500 4 13.500Z"/>`,
  print: svg`<path d="M4.500 6V2.500h7V6M4.500 11.500h-2V6h11v5.500h-2M4.500 9.500h7v4h-7Z"/>`,
  people: svg`<circle cx="6" cy="5.500" r="2.500"/><path d="M1.800 13.500c.3-3 2-4.500 4.200-4.500s3.900 1.500 4.200 4.500M10.500 3.300a2.300 2.300 0 0 1 0 4.400M12 9.500c1.300.6 2 2 2.200 4"/>`,
} as const;

export type PlanIcon = keyof typeof ICONS;

export const planIcon = (name: PlanIcon, size = ''): TemplateResult =>
  html`<svg class="ic ${size}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;
