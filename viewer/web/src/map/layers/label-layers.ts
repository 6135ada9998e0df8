import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { TextLayer } from '@deck.gl/layers';
import type { Rgba } from '../types';
import type { Tokens } from '../tokens';
import { linesOf, pointOf, type Feature, type Position } from '../features';
import type { Relief } from '../relief';
import { uprightAngle, type LabelCandidate, type LabelStyle } from '../labels';

interface StyleRule {
  rank: number;
  size_px: number;
  token: string;
  minZoom: number;
}

const STYLES: Record<LabelStyle, StyleRule> = {
  district: { rank: 0, size_px: 15, token: 'map-label', minZoom: 11 },
  water: { rank: 2, size_px: 15, token: 'map-label-water', minZoom: 12 },
  place: { rank: 4, size_px: 13, token: 'map-label', minZoom: 14 },
  green: { rank: 5, size_px: 12.5, token: 'map-label-green', minZoom: 14.5 },
  street: { rank: 10, size_px: 12, token: 'map-label', minZoom: 14.8 },
  building: { rank: 30, size_px: 11.5, token: 'map-label', minZoom: 16.2 },
};

const ROAD_RANK: Record<string, number> = {
  motorway: 0,
  trunk: 0,
  primary: 1,
  secondary: 2,
  tertiary: 3,
  unclassified: 5,
  residential: 5,
  pedestrian: 5,
  living_street: 6,
};
/** Ways on foot carry names too, of arcades and courts: they wait for a closer look. */
const FOOT_RANK = 9;
const FOOT_MIN_ZOOM = 17;

/** A label's place in the world, before the camera is known. */
export interface LabelSource {
  id: string;
  text: string;
  style: LabelStyle;
  rank: number;
  /** One point, or the line that the text follows. */
  line: Position[];
  minZoom: number;
  /** Above the ground: the name of a building stands on its roof. */
  height_m: number;
}

/** A building that an encyclopaedia knows is looked for by name. */
const LANDMARK_MIN_ZOOM = 15.4;
const UNKNOWN_RANK = 5;


const STYLE_OF_TYPE: Readonly<Record<string, LabelStyle>> = {
  Building: 'building',
  PlantCover: 'green',
  WaterBody: 'water',
  Waterway: 'water',
  TransportSquare: 'place',
  LandUse: 'place',
};

function styleOf(f: Feature, layerId: string): LabelStyle {
  const p = f.properties;
  const known = STYLE_OF_TYPE[String(p['type'] ?? '')];
  if (known) return known;
  const words = [p['label'], p['kind'], p['type'], p['class'], p['function']].map((v) => String(v ?? '').toLowerCase()).join(' ');
  if (p['highway'] !== undefined || layerId.startsWith('street')) return 'street';
  if (/water|sea|bay|harbour|river|lake|canal/.test(words)) return 'water';
  if (/district|quarter|suburb|neighbourhood/.test(words)) return 'district';
  if (/green|park|garden|forest|wood|cemetery|grass/.test(words)) return 'green';
  if (/building/.test(words)) return 'building';
  return 'place';
}

/** Names in the chosen language; the other language stays in the card. */
function nameOf(p: Record<string, unknown>, language: string): string {
  for (const key of [`name_${language}`, `name:${language}`, 'name']) {
    const v = p[key];
    if (typeof v === 'string' && v.trim() !== '') return v.trim();
  }
  return '';
}

export function labelSources(features: Feature[], layerId: string, language: string): LabelSource[] {
  const out: LabelSource[] = [];
  for (const f of features) {
    const text = nameOf(f.properties, language);
    if (text === '') continue;
    const style = styleOf(f, layerId);
    const road = ROAD_RANK[String(f.properties['highway'] ?? '').replace(/_link$/, '')] ?? FOOT_RANK;
    const rank = STYLES[style].rank + (style === 'street' ? road : 0);
    const landmark = style === 'building' && (f.properties['wikidata'] ?? f.properties['wikipedia']) !== undefined;
    const base = {
      text,
      style,
      rank: style === 'building' && !landmark ? rank + UNKNOWN_RANK : rank,
      minZoom: landmark ? LANDMARK_MIN_ZOOM : road === FOOT_RANK && style === 'street' ? FOOT_MIN_ZOOM : STYLES[style].minZoom,
      height_m: style === 'building' ? Number(f.properties['height_m'] ?? 0) || 0 : 0,
    };
    const lines = linesOf(f);
    const point = lines.length ? null : pointOf(f);
    if (point) out.push({ id: f.id, ...base, line: [point] });
    lines.forEach((line, i) => out.push({ id: `${f.id}#${i}`, ...base, line }));
  }
  return joinLines(out);
}

/** Streets come in pieces: pieces of one name that meet end to end carry one label. */
function joinLines(sources: LabelSource[]): LabelSource[] {
  const points = sources.filter((s) => s.line.length < 2);
  const byName = new Map<string, LabelSource[]>();
  for (const s of sources) {
    if (s.line.length < 2) continue;
    const all = byName.get(s.text);
    if (all) all.push(s);
    else byName.set(s.text, [s]);
  }
  const same = (a: Position | undefined, b: Position | undefined): boolean => !!a && !!b && a[0] === b[0] && a[1] === b[1];
  const joined: LabelSource[] = [];
  for (const pieces of byName.values()) {
    const left = [...pieces];
    for (let current = left.shift(); current; current = left.shift()) {
      let line = current.line;
      for (let i = 0; i < left.length; i++) {
        const other = left[i]?.line ?? [];
        const back = [...other].reverse();
        let next: Position[] | null = null;
        if (same(line.at(-1), other[0])) next = [...line, ...other.slice(1)];
        else if (same(line.at(-1), other.at(-1))) next = [...line, ...back.slice(1)];
        else if (same(line[0], other.at(-1))) next = [...other, ...line.slice(1)];
        else if (same(line[0], other[0])) next = [...back, ...line.slice(1)];
        if (!next) continue;
        line = next;
        left.splice(i, 1);
        i = -1;
      }
      joined.push({ ...current, line });
    }
  }
  return [...points, ...joined];
}

/**
 * How much nearer than the middle of the view a point is. deck.gl shrinks pixel sizes with distance; dividing by this
 * keeps every label at its own size.
 */
export function nearness(viewport: WebMercatorViewport, lngLat: Position): number {
  const m = viewport.viewProjectionMatrix;
  const w = (p: number[]): number => (m[3] ?? 0) * (p[0] ?? 0) + (m[7] ?? 0) * (p[1] ?? 0) + (m[11] ?? 0) * (p[2] ?? 0) + (m[15] ?? 0);
  const here = w(viewport.projectPosition([lngLat[0], lngLat[1], 0]));
  const middle = w([viewport.center[0] ?? 0, viewport.center[1] ?? 0, 0]);
  return here > 0 ? middle / here : 1;
}

/** Where the labels fall on the screen now. */
export function placeLabels(sources: LabelSource[], viewport: WebMercatorViewport, zoom: number, relief: Relief): LabelCandidate[] {
  const out: LabelCandidate[] = [];
  for (const s of sources) {
    const rule = STYLES[s.style];
    const middle = s.line[s.line.length >> 1];
    if (zoom < s.minZoom || !middle) continue;
    const height_m = relief.at(middle) + s.height_m;
    const base = {
      id: s.id,
      text: s.style === 'water' && /^[\p{Script=Latin}\s.'-]+$/u.test(s.text) ? [...s.text].join('\u200a') : s.text,
      style: s.style,
      rank: s.rank,
      size_px: rule.size_px,
      height_m,
    };
    if (s.line.length < 2) {
      const [x = 0, y = 0] = viewport.project([middle[0], middle[1], height_m]);
      out.push({ ...base, lngLat: middle, x, y, angle_deg: 0, room_px: Infinity });
      continue;
    }
    const along = placeOnLine(s.line, height_m, viewport);
    if (along) out.push({ ...base, ...along });
  }
  return out;
}

type Placed = Pick<LabelCandidate, 'lngLat' | 'x' | 'y' | 'angle_deg' | 'room_px'>;

/** Turns up to this much still read as one straight piece. */
const STRAIGHT_COS = Math.cos((14 * Math.PI) / 180);

/** The middle of the longest nearly straight piece that is on the screen. */
function placeOnLine(line: Position[], height_m: number, viewport: WebMercatorViewport): Placed | null {
  const pts = line.map((p) => viewport.project([p[0], p[1], height_m]));
  const { width, height } = viewport;
  const visible = (p: number[] | undefined): boolean =>
    !!p && (p[0] ?? -1) > -80 && (p[0] ?? -1) < width + 80 && (p[1] ?? -1) > -80 && (p[1] ?? -1) < height + 80;
  let best: { from: number; to: number; length: number } | null = null;
  for (let i = 0; i + 1 < pts.length; i++) {
    let length = 0;
    const d0 = direction(pts[i], pts[i + 1]);
    for (let j = i + 1; j < pts.length; j++) {
      if (!visible(pts[j - 1]) || !visible(pts[j])) break;
      const d = direction(pts[j - 1], pts[j]);
      if (d[0] * d0[0] + d[1] * d0[1] < STRAIGHT_COS) break;
      length += d[2];
      if (!best || length > best.length) best = { from: i, to: j, length };
    }
  }
  if (!best) return null;
  let rest = best.length / 2;
  for (let j = best.from; j < best.to; j++) {
    const [a, b] = [pts[j], pts[j + 1]];
    const d = direction(a, b);
    if (rest > d[2] && j + 1 < best.to) {
      rest -= d[2];
      continue;
    }
    const t = d[2] > 0 ? Math.min(1, rest / d[2]) : 0;
    const x = (a?.[0] ?? 0) + d[0] * d[2] * t;
    const y = (a?.[1] ?? 0) + d[1] * d[2] * t;
    const whole = direction(pts[best.from], pts[best.to]);
    const at = viewport.unproject([x, y], { targetZ: height_m });
    return {
      lngLat: [at[0] ?? 0, at[1] ?? 0],
      x,
      y,
      angle_deg: uprightAngle((Math.atan2(-whole[1], whole[0]) * 180) / Math.PI),
      room_px: best.length * 1.05,
    };
  }
  return null;
}

function direction(a: number[] | undefined, b: number[] | undefined): [number, number, number] {
  const dx = (b?.[0] ?? 0) - (a?.[0] ?? 0);
  const dy = (b?.[1] ?? 0) - (a?.[1] ?? 0);
  const l = Math.hypot(dx, dy);
  return l > 0 ? [dx / l, dy / l, l] : [0, 0, 0];
}

const ABOVE = { depthCompare: 'always', depthWriteEnabled: false } as const;
const SDF = { sdf: true, fontSize: 56, buffer: 9, radius: 16, cutoff: 0.22, smoothing: 0.14 } as const;

export function labelLayers(
  id: string,
  labels: LabelCandidate[],
  tokens: Tokens,
  viewport: WebMercatorViewport | null,
): Layer[] {
  const halo = tokens.get('map-label-halo');
  const family = tokens.text('font-ui') || 'sans-serif';
  const far = (l: LabelCandidate): number => (viewport ? nearness(viewport, l.lngLat) : 1);
  const offset = (l: LabelCandidate): [number, number] => [(l.shift_px?.[0] ?? 0) / far(l), (l.shift_px?.[1] ?? 0) / far(l)];
  const colour = (l: LabelCandidate): Rgba => tokens.get(STYLES[l.style].token);
  const layer = (name: string, data: LabelCandidate[], weight: string): Layer =>
    new TextLayer<LabelCandidate>({
      id: `${id}-${name}`,
      data,
      getText: (l) => l.text,
      getPosition: (l) => [l.lngLat[0], l.lngLat[1], l.height_m],
      getSize: (l) => l.size_px / far(l),
      getAngle: (l) => l.angle_deg,
      getPixelOffset: (l) => offset(l),
      getColor: colour,
      characterSet: 'auto',
      fontFamily: family,
      fontWeight: weight,
      fontSettings: SDF,
      outlineWidth: 3,
      outlineColor: halo,
      parameters: ABOVE,
      updateTriggers: { getColor: halo.join() },
    });
  return [
    layer('italic', labels.filter((l) => l.style === 'water'), 'italic 500'),
    layer('strong', labels.filter((l) => l.style === 'district'), '600'),
    layer('plain', labels.filter((l) => l.style !== 'water' && l.style !== 'district'), '500'),
  ].filter((l) => (l.props.data as LabelCandidate[]).length > 0);
}
