import type { Rgba } from './types';

/** Reads the design tokens, so that the panel and the city wear the same colours. */

const MISSING: Rgba = [255, 0, 255, 255];

/** `#rgb`, `#rrggbb`, `rgb(r g b / a)` or `rgb(r, g, b)` as bytes; null for anything else. */
export function parseColour(text: string): Rgba | null {
  const s = text.trim();
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(s);
  if (short) return [...short.slice(1).map((d) => parseInt(d + d, 16)), 255] as Rgba;
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})?$/i.exec(s);
  if (long) {
    return [long[1], long[2], long[3], long[4] ?? 'ff'].map((d) => parseInt(d ?? 'ff', 16)) as Rgba;
  }
  const fn = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)(?:[\s,/]+([\d.]+%?))?\s*\)$/i.exec(s);
  if (!fn) return null;
  const a = fn[4] ?? '1';
  const alpha = a.endsWith('%') ? parseFloat(a) / 100 : parseFloat(a);
  return [Number(fn[1]), Number(fn[2]), Number(fn[3]), Math.round(alpha * 255)];
}

export function withAlpha(c: Rgba, alpha: number): Rgba {
  return [c[0], c[1], c[2], Math.round(alpha * 255)];
}

export function mixColour(a: Rgba, b: Rgba, t: number): Rgba {
  return a.map((v, i) => Math.round(v + ((b[i] ?? 0) - v) * t)) as Rgba;
}

export function toCss(c: Rgba): string {
  return `rgb(${c[0]} ${c[1]} ${c[2]} / ${+(c[3] / 255).toFixed(3)})`;
}

/** Colours by token name without the leading dashes: `tokens.get('map-sky')`. */
export class Tokens {
  private readonly cache = new Map<string, Rgba>();

  constructor(private readonly read: (name: string) => string) {}

  /** Those that an element wears; those of the page while the element is not in it yet. */
  static of(element: Element): Tokens {
    const own = getComputedStyle(element);
    const page = getComputedStyle(document.documentElement);
    return new Tokens((name) => own.getPropertyValue(name) || page.getPropertyValue(name));
  }

  /** A colour that is not there is asked for again the next time. */
  get(name: string): Rgba {
    const known = this.cache.get(name);
    if (known) return known;
    const colour = parseColour(this.read(`--${name}`));
    if (colour) this.cache.set(name, colour);
    return colour ?? MISSING;
  }

  /** The seven steps of the sequential palette, least first. */
  get sequential(): Rgba[] {
    return [1, 2, 3, 4, 5, 6, 7].map((i) => this.get(`seq-${i}`));
  }

  text(name: string): string {
    return this.read(`--${name}`).trim();
  }
}
