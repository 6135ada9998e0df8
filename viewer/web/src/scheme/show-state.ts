/** What the public page knows of schemes, and how a link carries it. Pure. */
import { loading, valueOf, type Bilingual, type Loadable } from '../state/model';
import type { SchemeLink } from '../state/url';
import type { CompareMode } from './panes';
import type { TourState } from './tour';
import { BASE, type Light, type Reading, type Scheme, type SchemeObject, type SchemeObjects, type SchemeOverlay } from './types';

export type { SchemeLink };

export interface ShowState {
  readonly schemes: Loadable<readonly Scheme[]>;
  readonly mode: CompareMode;
  /** Ids: what lies left of the divider, and what lies right of it or is shown alone. */
  readonly left: string;
  readonly right: string;
  /** Share of the free width at which the divider stands. */
  readonly position: number;
  /** Only what stands by the end of this year; null: all of it. */
  readonly phase: number | null;
  readonly objects: Readonly<Record<string, Loadable<SchemeObjects>>>;
  readonly impact: Readonly<Record<string, Loadable<{ readonly sequence: number; readonly items: readonly Reading[] }>>>;
  readonly light: Readonly<Record<string, Loadable<Light>>>;
  /** Parts of the schemes that are drawn. */
  readonly drawn: Readonly<Record<'added' | 'changed' | 'demolished', boolean>>;
  readonly allNumbers: boolean;
  readonly openReading: string | null;
  /** The card of the city is shown instead of the changes. */
  readonly about: boolean;
  readonly tour: TourState | null;
}

export const initialShow = (link: SchemeLink | undefined, phone: boolean): ShowState => ({
  schemes: loading,
  mode: link?.mode ?? (phone ? 'one' : 'swipe'),
  left: link?.left ?? BASE,
  right: link?.right ?? '',
  position: link?.position ?? 0.5,
  phase: link?.phase ?? null,
  objects: {},
  impact: {},
  light: {},
  drawn: { added: true, changed: true, demolished: true },
  allNumbers: false,
  openReading: null,
  about: false,
  tour: link?.stop === undefined ? null : { stop: link.stop, auto: false },
});

/** Whether an object is one that a scheme makes: the city itself knows nothing of it. */
export const isSchemeObject = (id: string): boolean => /^s[a-z2-7]{8}:/.test(id);

/** Published schemes by their letter: what the page offers. */
export const offered = (schemes: readonly Scheme[]): Scheme[] => schemes.filter((scheme) => scheme.state === 'published').sort((a, b) => a.letter.length - b.letter.length || a.letter.localeCompare(b.letter));

/** The sides as they can be: a scheme that is not there gives way to the first, and nothing is compared with itself. */
export function settled(state: ShowState, list: readonly Scheme[]): Pick<ShowState, 'left' | 'right' | 'mode'> {
  const known = (id: string): boolean => id === BASE || list.some((scheme) => scheme.id === id);
  const first = list[0]?.id;
  if (first === undefined) return { left: BASE, right: BASE, mode: 'one' };
  const right = known(state.right) && state.right !== '' ? state.right : first;
  let left = known(state.left) ? state.left : BASE;
  if (left === right) left = right === BASE ? first : BASE;
  return { left, right, mode: state.mode };
}

/** What a card does: the scheme comes to the right; if it stands left already, the two change places. */
export const chosen = (state: ShowState, id: string): Pick<ShowState, 'left' | 'right'> =>
  id === state.left && state.mode !== 'one' ? { left: state.right, right: state.left } : { left: state.left === id ? (id === BASE ? state.right : BASE) : state.left, right: id };

export const againstOf = (id: string, left: string, list: readonly Scheme[]): Pick<ShowState, 'left' | 'right'> => {
  if (left !== id) return { left, right: id };
  return { left, right: list.find((scheme) => scheme.id !== left)?.id ?? BASE };
};

export const schemeOf = (state: ShowState, id: string): Scheme | undefined => valueOf(state.schemes)?.find((scheme) => scheme.id === id);

/** The scheme that the panels speak of, and what it is compared with. */
export function spokenOf(state: ShowState): { readonly scheme: Scheme; readonly against: string } | null {
  const right = schemeOf(state, state.right);
  const left = state.mode === 'one' ? undefined : schemeOf(state, state.left);
  if (right) return { scheme: right, against: state.mode !== 'one' && left ? left.id : BASE };
  return left ? { scheme: left, against: BASE } : null;
}

export const objectsKey = (id: string, phase: number | null): string => (phase === null ? id : `${id}@${phase}`);
export const impactKey = (id: string, against: string): string => `${id}|${against}`;

/** What is drawn of a scheme, without the parts that are switched off; null for the city as it is. */
export function overlayOf(state: ShowState, id: string): SchemeOverlay | null {
  const scheme = schemeOf(state, id);
  const known = valueOf(state.objects[objectsKey(id, state.phase)] ?? loading);
  if (!scheme || !known) return null;
  return {
    scheme: id,
    letter: scheme.letter,
    colour_index: scheme.colour_index,
    objects: known.items.filter((object) => state.drawn[object.change]),
    hidden: new Set(known.hidden),
    phase: state.phase,
  };
}

export const objectOf = (state: ShowState, id: string, object: string): SchemeObject | undefined =>
  valueOf(state.objects[objectsKey(id, state.phase)] ?? loading)?.items.find((one) => one.id === object);

export const BASE_NAME: Bilingual = { en: 'Existing', zh: '现状' };

export const letterOf = (state: ShowState, id: string): string => (id === BASE ? 'A' : schemeOf(state, id)?.letter ?? '?');

/** The years at which a scheme can be looked at. */
export function yearsOf(state: ShowState): number[] {
  const years = [state.left, state.right].flatMap((id) => schemeOf(state, id)?.phases ?? []);
  return [...new Set(years)].sort((a, b) => a - b);
}

/** The state as a link carries it; nothing where there is nothing to tell. */
export function schemeLink(state: ShowState): SchemeLink | undefined {
  const list = valueOf(state.schemes);
  // Before the schemes are known, a link stays what it was.
  if (list ? list.length === 0 : state.right === '') return undefined;
  return {
    left: state.left,
    right: state.right,
    mode: state.mode,
    ...(state.mode === 'swipe' && Math.round(state.position * 100) !== 50 ? { position: Math.round(state.position * 100) / 100 } : {}),
    ...(state.phase === null ? {} : { phase: state.phase }),
    ...(state.tour ? { stop: state.tour.stop } : {}),
  };
}
