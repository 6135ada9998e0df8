import type { ViewState } from './types';

export const ZOOM_MIN = 11;
export const ZOOM_MAX = 20.5;
export const PITCH_MAX = 75;
/** The longest flight, whatever the token says. */
const FLIGHT_MAX_MS = 1600;

const KEYS = ['longitude', 'latitude', 'zoom', 'pitch', 'bearing'] as const;
const clamp = (v: number, lo: number, hi: number): number => Math.max(lo, Math.min(hi, v));
const easeOut = (t: number): number => 1 - (1 - t) ** 3;

/** Keeps the view near the city: half the city's size beyond its border is the end of the way. */
export function clampView(view: ViewState, bbox: readonly number[] | null): ViewState {
  const out = {
    ...view,
    zoom: clamp(view.zoom, ZOOM_MIN, ZOOM_MAX),
    pitch: clamp(view.pitch, 0, PITCH_MAX),
    bearing: ((((view.bearing + 180) % 360) + 360) % 360) - 180,
  };
  const [w, s, e, n] = bbox ?? [];
  if (w !== undefined && s !== undefined && e !== undefined && n !== undefined) {
    out.longitude = clamp(out.longitude, w - (e - w) / 2, e + (e - w) / 2);
    out.latitude = clamp(out.latitude, s - (n - s) / 2, n + (n - s) / 2);
  }
  return out;
}

/** True where nobody could see a difference. */
export const sameView = (a: ViewState, b: ViewState): boolean => KEYS.every((k) => Math.abs(a[k] - b[k]) < 1e-9);

export function mixView(a: ViewState, b: ViewState, t: number): ViewState {
  const out = { ...a };
  for (const k of KEYS) {
    let d = b[k] - a[k];
    if (k === 'bearing') d = ((((d + 180) % 360) + 360) % 360) - 180; // the short way round
    out[k] = a[k] + d * t;
  }
  return out;
}

/** One flight at a time; whoever takes the camera ends it. */
export class Flight {
  private frame = 0;

  constructor(private readonly apply: (view: ViewState) => void) {}

  get active(): boolean {
    return this.frame !== 0;
  }

  start(from: ViewState, to: ViewState, duration_ms: number): void {
    this.stop();
    const span = Math.min(FLIGHT_MAX_MS, duration_ms);
    const begun = performance.now();
    const step = (now: number): void => {
      const t = span > 0 ? clamp((now - begun) / span, 0, 1) : 1;
      this.frame = t < 1 ? requestAnimationFrame(step) : 0;
      this.apply(t < 1 ? mixView(from, to, easeOut(t)) : to);
    };
    this.frame = requestAnimationFrame(step);
  }

  stop(): void {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}

export function reducedMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** A CSS time such as `900ms` or `0.9s`, in milliseconds. */
export function parseDuration(text: string, fallback_ms: number): number {
  const m = /^([\d.]+)(ms|s)$/.exec(text.trim());
  return m ? Number(m[1]) * (m[2] === 's' ? 1000 : 1) : fallback_ms;
}
