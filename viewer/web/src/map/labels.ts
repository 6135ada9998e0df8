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
  /** How high the map draws the place that it names. */
  height_m: number;
  lngLat: [number, number];
  /** Middle of the label on the screen. */
  x: number;
  y: number;
  /** Counter-clockwise from the screen's x axis. */
  angle_deg: number;
  /** Moved from its place on the screen, to keep clear of a mark. */
  shift_px?: [number, number];
  /** Screen length the label may take along its line; Infinity for points. */
  room_px: number;
}

export interface Frame {
  width: number;
  height: number;
  /** Space taken by panels, CSS pixels. */
  padding: { left: number; right: number; top: number; bottom: number };
}

/** Something on the screen that no label may cover: a disc. */
export interface Obstacle {
  x: number;
  y: number;
  radius: number;
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

function covers(b: Box, o: Obstacle): boolean {
  const dx = o.x - b.x;
  const dy = o.y - b.y;
  const along = Math.max(0, Math.abs(dx * b.cos + dy * b.sin) - b.halfWidth);
  const across = Math.max(0, Math.abs(dy * b.cos - dx * b.sin) - b.halfHeight);
  return Math.hypot(along, across) < o.radius;
}

/** A name at a point may move this far up or down to keep clear of a mark. */
const STEP_ASIDE_PX = [16, -16, 24, -24] as const;

/** Where a label may stand: its place, then places beside it; along its line, or above and below its point. */
function places(c: LabelCandidate): [number, number][] {
  if (c.room_px === Infinity) return [[0, 0], ...STEP_ASIDE_PX.map((dy): [number, number] => [0, dy])];
  const slack = (c.room_px - textWidth(c.text, c.size_px)) / 2;
  const t = (c.angle_deg * Math.PI) / 180;
  return [0, 0.5, -0.5, 0.95, -0.95].map((k) => [slack * k * Math.cos(t), -slack * k * Math.sin(t)]);
}

/** The same name is not written twice within this distance. */
const REPEAT_PX = 420;

/**
 * Chooses labels: of what is in sight. `shown` holds the ids of the labels on the screen now: they win ties, so that labels do not
 * flicker while the camera moves.
 */
export function chooseLabels(
  candidates: LabelCandidate[],
  frame: Frame,
  shown: ReadonlySet<string> = new Set(),
  obstacles: readonly Obstacle[] = [],
  isHidden: (label: LabelCandidate) => boolean = () => false,
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
    if (chosen.some((o) => o.text === c.text && Math.hypot(o.x - c.x, o.y - c.y) < REPEAT_PX)) continue;
    const own = boxOf(c);
    // A name steps aside for a mark, never to squeeze in between other names.
    if (boxes.some((b) => overlap(b, own)) || isHidden(c)) continue;
    for (const shift of places(c)) {
      const box = { ...own, x: own.x + shift[0], y: own.y + shift[1] };
      if (!inside(box, frame) || obstacles.some((o) => covers(box, o)) || boxes.some((b) => overlap(b, box))) continue;
      chosen.push(shift[0] === 0 && shift[1] === 0 ? c : { ...c, shift_px: shift });
      boxes.push(box);
      break;
    }
  }
  return chosen;
}
