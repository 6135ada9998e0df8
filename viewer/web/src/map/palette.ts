import type { ColourBy, Datastream, Rgba } from './types';
import { SURFACES } from './surfaces';
import { mixColour, toCss, withAlpha, type Tokens } from './tokens';

/** Data colours and their legend. Pure: the same call colours the city and draws the legend. */

export interface LegendItem {
  /** Stable code; the page words it (`legend.use.residential`). */
  code: string;
  colour: string;
  from?: number;
  to?: number;
  hatch?: boolean;
}

export interface Legend {
  attribute: string;
  kind: 'steps' | 'categories' | 'ramp';
  unit: string | null;
  items: LegendItem[];
  range?: [number, number];
}

export const HEIGHT_STEPS_M = [0, 6, 12, 18, 24, 36, 60] as const;
/** Hours of direct sun; dark for none. */
export const SUN_STEPS_H = [0, 0.5, 1, 2, 3, 4, 6] as const;
export const YEAR_STEPS = [0, 1880, 1910, 1940, 1960, 1980, 2000] as const;

export type UseClass = 'residential' | 'public' | 'commercial' | 'industry' | 'transport' | 'utility' | 'other';

const USE_TOKEN: Record<UseClass, string> = {
  residential: 'use-07-residential',
  public: 'use-08-public',
  commercial: 'use-09-commercial',
  industry: 'use-10-industry',
  transport: 'use-12-transport',
  utility: 'use-13-utility',
  other: 'bldg-default',
};

const USE_WORDS: [UseClass, RegExp][] = [
  ['residential', /resid|apartment|dwelling|(?<!ware)house|dormitor|terrace|detached|hotel_apart|1000|100\d/],
  [
    'public',
    /public|civic|church|chapel|cathedral|relig|school|kindergarten|univers|college|hospital|cultur|government|museum|theat|library|townhall|sport|fire|police|monument/,
  ],
  ['commercial', /commerc|office|retail|shop|hotel|restaurant|business|bank|supermarket|market|kiosk/],
  ['industry', /industr|warehouse|factory|manufact|storage|hangar/],
  ['transport', /transport|station|garage|parking|terminal|ferry|harbour|carport/],
  ['utility', /util|service|transformer|substation|power|water_|bunker|roof|shed/],
];

/** The land use class of a building function as sources write it; null when nothing is known. */
export function useClass(value: unknown): UseClass | null {
  const s = String(value ?? '').toLowerCase();
  if (s === '' || s === 'yes' || s === 'unknown' || s === 'null') return null;
  return USE_WORDS.find(([, re]) => re.test(s))?.[0] ?? 'other';
}

/** Colour at t in 0..1 along evenly spaced stops. */
export function ramp(stops: Rgba[], t: number): Rgba {
  const last = stops.length - 1;
  const x = Math.max(0, Math.min(1, Number.isFinite(t) ? t : 0)) * last;
  const i = Math.min(last - 1, Math.floor(x));
  return mixColour(stops[i] ?? [0, 0, 0, 255], stops[i + 1] ?? [0, 0, 0, 255], x - i);
}

/** Index of the step that holds the value; below the first step counts as the first. */
export function stepIndex(steps: readonly number[], value: number): number {
  let i = steps.length - 1;
  while (i > 0 && value < (steps[i] ?? 0)) i--;
  return i;
}

/** Below this alpha the shader draws the no-data hatch. */
const HATCH_ALPHA = 0.5;

export function noData(tokens: Tokens): Rgba {
  return withAlpha(tokens.get('bldg-nodata'), HATCH_ALPHA);
}

/** Sun is light: the ramp runs from dark for none to bright for much, in both themes. */
export function sunColour(hours: number, tokens: Tokens): Rgba {
  return sunRamp(tokens)[stepIndex(SUN_STEPS_H, hours)] ?? noData(tokens);
}

function sunRamp(tokens: Tokens): Rgba[] {
  const seq = tokens.sequential;
  const light = (c: Rgba | undefined): number => (c ? c[0] * 0.3 + c[1] * 0.59 + c[2] * 0.11 : 0);
  return light(seq[0]) > light(seq[6]) ? [...seq].reverse() : seq;
}

const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

/** Colour of a building by its recorded attributes; live values are coloured by `liveColour`. */
export function attributeColour(
  attribute: 'height_m' | 'year' | 'use',
  value: unknown,
  tokens: Tokens,
): Rgba {
  if (attribute === 'use') {
    const use = useClass(value);
    return use ? tokens.get(USE_TOKEN[use]) : noData(tokens);
  }
  if (!isNumber(value) || value === -9999 || value === 65535) return noData(tokens);
  const steps = attribute === 'height_m' ? HEIGHT_STEPS_M : YEAR_STEPS;
  return tokens.sequential[stepIndex(steps, value)] ?? noData(tokens);
}

/** Position of a value in the usual range, 0 to 1; null when there is no range to judge by. */
export function share(value: number, range: readonly [number, number] | null | undefined): number | null {
  if (!range || !(range[1] > range[0])) return null;
  return Math.max(0, Math.min(1, (value - range[0]) / (range[1] - range[0])));
}

export function liveColour(value: number, range: readonly [number, number] | null | undefined, tokens: Tokens): Rgba {
  return ramp(tokens.sequential, share(value, range) ?? 0.5);
}

/** The widest usual range over the datastreams of one observed property. */
export function commonRange(list: Iterable<Datastream>, property: string | undefined): [number, number] | null {
  let lo = Infinity;
  let hi = -Infinity;
  for (const d of list) {
    if (!d.range || (property !== undefined && d.observed_property !== property)) continue;
    lo = Math.min(lo, d.range[0]);
    hi = Math.max(hi, d.range[1]);
  }
  return hi > lo ? [lo, hi] : null;
}

export function legendFor(
  colourBy: ColourBy,
  tokens: Tokens,
  range: [number, number] | null = null,
  unit: string | null = null,
): Legend | null {
  if (!colourBy) return null;
  const missing: LegendItem = { code: 'no_data', colour: toCss(tokens.get('bldg-nodata')), hatch: true };
  const seq = tokens.sequential;
  const { attribute } = colourBy;
  if (attribute === 'use') {
    const items = (Object.keys(USE_TOKEN) as UseClass[]).map((code) => ({ code, colour: toCss(tokens.get(USE_TOKEN[code])) }));
    return { attribute, kind: 'categories', unit: null, items: [...items, missing] };
  }
  if (attribute === 'live') {
    const items: LegendItem[] = seq.map((c, i) => ({ code: `step_${i + 1}`, colour: toCss(c) }));
    items.push({ code: 'out_of_limits', colour: toCss(tokens.get('alarm-1')) }, missing);
    const own = colourBy.range ?? range;
    return { attribute, kind: 'ramp', unit, items, ...(own ? { range: own } : {}) };
  }
  const sun = attribute === 'sun_hours';
  const steps: readonly number[] = sun ? SUN_STEPS_H : attribute === 'height_m' ? HEIGHT_STEPS_M : YEAR_STEPS;
  const colours = sun ? sunRamp(tokens) : seq;
  const items: LegendItem[] = steps.map((from, i) => {
    const to = steps[i + 1];
    return { code: `step_${i + 1}`, colour: toCss(colours[i] ?? [0, 0, 0, 255]), from, ...(to === undefined ? {} : { to }) };
  });
  const stepUnit = sun ? 'h' : attribute === 'height_m' ? 'm' : null;
  return { attribute, kind: 'steps', unit: stepUnit, items: sun ? items : [...items, missing] };
}

const LAND_USE_TOKEN = [
  'use-01-cropland', 'use-02-orchard', 'use-03-forest', 'use-04-grass', 'use-05-wetland', 'use-06-agrifacility',
  'use-07-residential', 'use-08-public', 'use-09-commercial', 'use-10-industry', 'use-11-storage', 'use-12-transport',
  'use-13-utility', 'use-14-green', 'use-15-special', 'use-16-reserve', 'use-17-water',
];
/** Words that sources use for land, by what they mean in the national classification. */
const LAND_USE_WORDS: [RegExp, number][] = [
  [/farm|crop|arable|allotment/, 1],
  [/orchard|vineyard/, 2],
  [/forest|wood/, 3],
  [/meadow|grass|scrub/, 4],
  [/wetland|marsh/, 5],
  [/resid|housing|mixed/, 7],
  [/public|school|educat|health|civic|institut|religio|cultur|sport/, 8],
  [/commerc|retail|office|business/, 9],
  [/industr|quarry|manufact/, 10],
  [/storage|warehouse|logist/, 11],
  [/transport|street|road|rail|parking|port/, 12],
  [/util|infrastruct/, 13],
  [/green|park|garden|recreation|plaza|square|open/, 14],
  [/special|military/, 15],
  [/reserve|vacant|brownfield|construction/, 16],
  [/water|river|lake/, 17],
];

/** The first two digits of the national classification; null for a use that it does not know. */
export function landUseCode(use: string | null): string | null {
  const text = String(use ?? '').toLowerCase();
  const digits = /^(\d\d)/.exec(text)?.[1];
  const known = digits && Number(digits) >= 1 && Number(digits) <= LAND_USE_TOKEN.length ? Number(digits) : undefined;
  const code = known ?? LAND_USE_WORDS.find(([re]) => re.test(text))?.[1];
  return code === undefined ? null : String(code).padStart(2, '0');
}

export const landUseToken = (use: string | null): string => LAND_USE_TOKEN[Number(landUseCode(use) ?? 0) - 1] ?? 'bldg-nodata';

const GROUND_TOKEN: Record<string, string> = {
  land: 'map-block',
  sea: 'map-water',
  water: 'map-water',
  green: 'map-green',
  forest: 'map-green-strong',
  pitch: 'map-green-strong',
  plaza: 'map-plaza',
  parking: 'map-ground',
  road_casing: 'map-road-casing',
  road_motorway: 'map-road-motorway',
  road_arterial: 'map-road-arterial',
  road_street: 'map-road-street',
  road_path: 'map-road-path',
  rail: 'map-rail',
};

export function groundColour(kind: unknown, tokens: Tokens): Rgba {
  // A track is as wide as its bed here: at full strength the yards would outweigh the city.
  if (kind === 'rail') return mixColour(tokens.get('map-rail'), tokens.get('map-block'), 0.6);
  return tokens.get(GROUND_TOKEN[String(kind)] ?? 'map-block');
}

/**
 * RGBA bytes by the number of a surface; where the alpha is 0 it wears what its building wears. In a city that tells
 * roofs from walls, the tops of its blocks are roofs, too: nothing changes its colour when one comes nearer.
 */
export function surfaceTones(tokens: Tokens, told: boolean): Uint8Array {
  const none: Rgba = [0, 0, 0, 0];
  const toneOf = (surface: (typeof SURFACES)[number]): Rgba => {
    if (surface === 'none' || surface === 'ground') return none;
    if (surface === 'top') return told ? tokens.get('bldg-roof') : none;
    return tokens.get(`bldg-${surface}`);
  };
  return Uint8Array.from(SURFACES.flatMap(toneOf));
}
