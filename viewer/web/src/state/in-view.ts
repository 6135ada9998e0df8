/** What the map showed when the table was opened, handed from page to page within one tab. */
import type { FeatureInView } from '../map/types';
import type { Bounds } from './model';

const KEY = 'cim.in-view';
const PAD_DEG = 0.0002;

export function boundsOf(points: readonly (readonly [number, number])[]): Bounds | null {
  if (points.length === 0) return null;
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  return [Math.min(...xs) - PAD_DEG, Math.min(...ys) - PAD_DEG, Math.max(...xs) + PAD_DEG, Math.max(...ys) + PAD_DEG];
}

/** Add the box to the link of the table, and keep the exact ids for this tab. */
export function rememberInView(link: string, features: readonly FeatureInView[]): string {
  const bounds = boundsOf(features.map((f) => f.lngLat));
  if (!bounds) return link;
  const box = bounds.map((n) => n.toFixed(6)).join(',');
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ box, ids: features.map((f) => f.id) }));
  } catch {
    // A full or forbidden store: the box in the link is enough.
  }
  return `${link}${link.includes('?') ? '&' : '?'}bbox=${box}`;
}

/** The ids that were in view, if this tab opened the table with this very box. */
export function recallInView(bounds: Bounds | undefined): ReadonlySet<string> | null {
  if (!bounds) return null;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as { box?: string; ids?: unknown } | null;
    const same = kept?.box === bounds.map((n) => n.toFixed(6)).join(',');
    return same && Array.isArray(kept?.ids) ? new Set(kept.ids.filter((id): id is string => typeof id === 'string')) : null;
  } catch {
    return null;
  }
}
