/** Which labels are shown: by rank, never overlapping, at most forty, never under 11 px. Pure. */

export const MAX_LABELS = 40;
export const MIN_LABEL_PX = 11;

export type LabelStyle = 'district' | 'place' | 'street' | 'water' | 'green' | 'building';

export interface LabelCandidate {
  id: string;
  text: string;
  style: LabelStyle;
  /** Lower is more important. */
  rank: number;
  size_px: number;
  height_m: number;
  lngLat: [number, number];
  /** Middle of the label on the screen. */
  x: number;
  y: number;
  /** Counter-clockwise from the screen's x axis. */
  angle_deg: number;
  /** Screen length the label may take along its line; Infinity for points. */
  room_px: number;
}

export interface Frame {
  width: number;
  height: number;
  /** Space taken by panels, CSS pixels. */
  padding: { left: number; right: number; top: number; bottom: number };
}

interface Box {
  x: number;
  y: number;
  halfWidth: number;
  halfHeight: number;
  cos: number;
  sin: number;
}

const WIDE = /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]/;

/** Width of a text in pixels, near enough to keep labels apart. */
export function textWidth(text: string, size_px: number): number {
  let em = 0;
  for (const ch of text) em += WIDE.test(ch) ? 1 : /[\u2009\u200a ]/.test(ch) ? 0.27 : /[A-Z0-9]/.test(ch) ? 0.64 : 0.54;
  return em * size_px;
}

/** Angle in -90..90, so that no label stands on its head. */
export function uprightAngle(deg: number): number {
  let a = deg % 360;
  if (a > 180) a -= 360;
  if (a < -180) a += 360;
  if (a > 90) a -= 180;
  if (a <= -90) a += 180;
  return a;
}

function boxOf(c: LabelCandidate): Box {
  const t = (c.angle_deg * Math.PI) / 180;
  return {
    x: c.x,
    y: c.y,
    halfWidth: textWidth(c.text, c.size_px) / 2 + 5,
    halfHeight: c.size_px * 0.62 + 3,
    cos: Math.cos(t),
    sin: -Math.sin(t),
  };
}

/** Separating axes of two turned rectangles. */
function overlap(a: Box, b: Box): boolean {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  for (const q of [a, b]) {
    for (const [ux, uy] of [[q.cos, q.sin], [-q.sin, q.cos]] as const) {
      const reach = (r: Box): number =>
        r.halfWidth * Math.abs(r.cos * ux + r.sin * uy) + r.halfHeight * Math.abs(-r.sin * ux + r.cos * uy);
      if (Math.abs(dx * ux + dy * uy) > reach(a) + reach(b)) return false;
    }
  }
  return true;
}

function inside(b: Box, f: Frame): boolean {
  const w = b.halfWidth * Math.abs(b.cos) + b.halfHeight * Math.abs(b.sin);
  const h = b.halfWidth * Math.abs(b.sin) + b.halfHeight * Math.abs(b.cos);
  const { left, right, top, bottom } = f.padding;
  return b.x - w >= left && b.x + w <= f.width - right && b.y - h >= top && b.y + h <= f.height - bottom;
}

/** The same name is not written twice within this distance. */
const REPEAT_PX = 420;

/**
 * Chooses labels. `shown` holds the ids of the labels on the screen now: they win ties, so that labels do not
 * flicker while the camera moves.
 */
export function chooseLabels(
  candidates: LabelCandidate[],
  frame: Frame,
  shown: ReadonlySet<string> = new Set(),
): LabelCandidate[] {
  const order = candidates
    .filter((c) => c.text !== '' && c.size_px >= MIN_LABEL_PX)
    .map((c) => ({ c, key: c.rank - (shown.has(c.id) ? 0.5 : 0) }))
    .sort((a, b) => a.key - b.key || b.c.room_px - a.c.room_px || (a.c.id < b.c.id ? -1 : 1));
  const chosen: LabelCandidate[] = [];
  const boxes: Box[] = [];
  for (const { c } of order) {
    if (chosen.length >= MAX_LABELS) break;
    if (textWidth(c.text, c.size_px) > c.room_px) continue;
    const box = boxOf(c);
    if (!inside(box, frame) || boxes.some((b) => overlap(b, box))) continue;
    if (chosen.some((o) => o.text === c.text && Math.hypot(o.x - c.x, o.y - c.y) < REPEAT_PX)) continue;
    chosen.push(c);
    boxes.push(box);
  }
  return chosen;
}
