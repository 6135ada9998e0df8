import type { SchemeObject, SchemeOverlay } from '../scheme/types';
import type { ColourBy, Rgba } from './types';
import { mixColour, withAlpha, type Tokens } from './tokens';
import { attributeColour, landUseToken, sunColour } from './palette';
import { isPark, massToken, sameObject } from './overlay';
import type { Run } from './massing-mesh';

const GHOST_ALPHA = 0.16;
/** Just below one: drawn in front of what fills the same space, see `inFront` in paint.ts. */
const FRONT = 254 / 255;

/** How a scheme's objects are coloured: selection wins over difference, over the survey, over data, over the scheme. */
export interface OverlayPaint {
  readonly overlay: SchemeOverlay;
  readonly tokens: Tokens;
  readonly colourBy: ColourBy;
  readonly selectedId: string | null;
  readonly hoverId: string | null;
  readonly sunHours: ReadonlyMap<string, number> | null;
  /** Objects of the overlay that this one is compared with. */
  readonly other: ReadonlyMap<string, SchemeObject> | null;
}

export const massColour = (p: Pick<OverlayPaint, 'overlay' | 'tokens'>): Rgba => p.tokens.get(massToken(p.overlay.letter, p.overlay.colour_index));

function changeColour(p: OverlayPaint, o: SchemeObject): Rgba {
  if (o.change === 'demolished') return p.tokens.get('bldg-demolished');
  return o.change === 'changed' ? p.tokens.get('bldg-changed') : massColour(p);
}

/** Higher than in the other scheme: orange; lower: blue; the same: as the city. */
function differenceColour(p: OverlayPaint, o: SchemeObject): Rgba {
  const before = p.other?.get(o.id);
  if (!before) return massColour(p);
  if (sameObject(o, before)) return p.tokens.get('bldg-default');
  const more = (o.height_m ?? 0) - (before.height_m ?? 0);
  return p.tokens.get(more > 0.05 ? 'div-6' : more < -0.05 ? 'div-2' : 'bldg-changed');
}

export function buildingColour(p: OverlayPaint, o: SchemeObject, run: Run): Rgba {
  const { tokens, colourBy } = p;
  const front = (c: Rgba): Rgba => (c[3] === 255 ? withAlpha(c, FRONT) : c);
  if (o.id === p.selectedId) return front(tokens.get('bldg-selected'));
  if (o.id === p.hoverId) return front(mixColour(changeColour(p, o), tokens.get('bldg-selected'), 0.35));
  if (p.other) return front(differenceColour(p, o));
  if (p.sunHours?.has(o.id)) return front(sunColour(p.sunHours.get(o.id) ?? 0, tokens));
  if (colourBy?.attribute === 'height_m') return front(attributeColour('height_m', o.height_m, tokens));
  if (colourBy?.attribute === 'use') return front(attributeColour('use', run.use, tokens));
  return front(changeColour(p, o));
}

/** Solar panels keep their own dark blue whatever the building is coloured by; selection shows through it. */
export function panelColour(p: OverlayPaint, o: SchemeObject): Rgba {
  const own = p.tokens.get('map-solar');
  return withAlpha(o.id === p.selectedId || o.id === p.hoverId ? mixColour(own, p.tokens.get('bldg-selected'), 0.35) : own, FRONT);
}

export const ghostColour = (p: OverlayPaint, o: SchemeObject): Rgba =>
  o.id === p.selectedId ? withAlpha(p.tokens.get('bldg-selected'), 0.3) : withAlpha(p.tokens.get('bldg-demolished'), o.id === p.hoverId ? 0.28 : GHOST_ALPHA);

/** Changed by the scheme; while two are compared, only what the other one does not do too. */
export function isChanged(p: OverlayPaint, o: SchemeObject): boolean {
  const other = p.other?.get(o.id);
  return o.change === 'changed' && !(other && sameObject(o, other));
}

/** Edges carry the change too: a changed building's are strong, so that it is told without its colour. */
export function edgeColour(p: OverlayPaint, o: SchemeObject): Rgba {
  if (o.id === p.selectedId) return p.tokens.get('bldg-selected-edge');
  if (isChanged(p, o)) return withAlpha(mixColour(p.tokens.get('bldg-changed'), [40, 26, 0, 255], 0.55), 0.95);
  if (o.change === 'changed') return withAlpha(p.tokens.get('bldg-edge'), 0.4);
  return withAlpha(mixColour(massColour(p), [0, 0, 0, 255], 0.55), 0.55);
}

export function areaColour(p: OverlayPaint, o: SchemeObject): Rgba {
  if (o.change === 'demolished') return withAlpha(p.tokens.get('bldg-demolished'), GHOST_ALPHA);
  if (isPark(o)) return p.tokens.get('map-green-strong');
  return withAlpha(p.tokens.get(landUseToken(o.land_use)), 0.72);
}

export const outlineColour = (p: OverlayPaint, o: SchemeObject): Rgba =>
  o.id === p.selectedId ? p.tokens.get('bldg-selected') : o.id === p.hoverId ? mixColour(changeColour(p, o), p.tokens.get('bldg-selected'), 0.5) : changeColour(p, o);
