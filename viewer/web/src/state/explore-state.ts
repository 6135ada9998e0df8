import type { Lang } from '../i18n/index';
import { initial, type LiveState } from '../live/machine';
import type { LayerPhase } from '../map/types';
import type { History } from './api';
import { idle, loading, type City, type CityObject, type Datastream, type Loadable, type ViewSpec } from './model';
import type { ColourAttribute, Link, Selection, SunTime, Theme, View } from './url';

export type SheetStop = 'peek' | 'half' | 'full';
export type SheetTab = 'schemes' | 'numbers' | 'details' | 'layers' | 'sun';
export const TOPICS = ['observations', 'tiles'] as const;

export interface LayerRow {
  readonly id: string;
  readonly title: string;
  readonly legend: string;
  readonly generated: boolean;
  readonly visible: boolean;
  readonly minZoom: number;
  readonly phase: LayerPhase;
  readonly detail: string;
}

/** Why there is no map: it never started, or the browser took its graphics away. */
export type MapFailure = 'start' | 'lost';

export interface ExploreState {
  readonly lang: Lang;
  readonly theme: Theme;
  readonly themeChosen: boolean;
  /** The clock of this page, once a second; ages are told by it. */
  readonly now_ms: number;
  readonly city: Loadable<City>;
  readonly spec: Loadable<ViewSpec>;
  readonly layers: readonly LayerRow[];
  readonly layerChoices: Readonly<Record<string, boolean>>;
  readonly colourBy: ColourAttribute | null;
  readonly selection: Selection | null;
  readonly object: Loadable<CityObject>;
  /** What the map knows of a picked network element. */
  readonly picked: Readonly<Record<string, unknown>> | null;
  readonly openFacts: ReadonlySet<string>;
  readonly allFacts: boolean;
  readonly streams: Loadable<readonly Datastream[]>;
  readonly histories: Readonly<Record<string, Loadable<History>>>;
  readonly hours: number;
  readonly live: LiveState;
  readonly sun: SunTime | null;
  readonly playing: boolean;
  readonly sunMenu: boolean;
  readonly leftOpen: boolean;
  readonly rightOpen: boolean;
  readonly sheet: SheetStop;
  readonly tab: SheetTab;
  readonly view: View | null;
  /** Said to everybody for a moment. */
  readonly notice: string | null;
  /** Said to a screen reader only: the page shows it elsewhere. */
  readonly spoken: string | null;
  readonly mapFailed: MapFailure | null;
  readonly phone: boolean;
}

export function initialState(link: Link, defaults: { lang: Lang; theme: Theme; now_ms: number; phone: boolean; narrow: boolean }): ExploreState {
  return {
    lang: link.lang ?? defaults.lang,
    theme: link.theme ?? defaults.theme,
    themeChosen: link.theme !== undefined,
    now_ms: defaults.now_ms,
    city: loading,
    spec: loading,
    layers: [],
    layerChoices: link.layers,
    colourBy: link.colourBy,
    selection: link.selection,
    object: idle,
    picked: null,
    openFacts: new Set(),
    allFacts: false,
    streams: loading,
    histories: {},
    hours: 6,
    live: initial(TOPICS),
    sun: link.sun,
    playing: false,
    sunMenu: false,
    leftOpen: !defaults.narrow,
    rightOpen: true,
    sheet: link.selection ? 'half' : 'peek',
    tab: 'details',
    view: link.view ?? null,
    notice: null,
    spoken: null,
    mapFailed: null,
    phone: defaults.phone,
  };
}

/** Layer rows of a specification, with the choices of the link and what is already known of their state. */
export function layerRows(spec: ViewSpec, choices: Readonly<Record<string, boolean>>, before: readonly LayerRow[]): LayerRow[] {
  return spec.layers
    .filter((layer) => layer.cim !== undefined)
    .map((layer) => {
      const known = before.find((row) => row.id === layer.id);
      return {
        id: layer.id,
        title: layer.cim?.title ?? `layer.${layer.id}`,
        legend: layer.cim?.legend ?? layer.id,
        generated: layer.cim?.generated ?? false,
        visible: choices[layer.id] ?? layer.cim?.visible ?? true,
        minZoom: layer.cim?.min_zoom ?? 0,
        phase: known?.phase ?? 'loading',
        detail: known?.detail ?? '',
      };
    });
}

/** The state as a link carries it. Language and theme only where somebody chose them. */
export function linkOf(state: ExploreState, chosen: { lang: boolean }): Link {
  return {
    ...(state.view ? { view: state.view } : {}),
    layers: state.layerChoices,
    colourBy: state.colourBy,
    selection: state.selection,
    sun: state.sun,
    ...(chosen.lang ? { lang: state.lang } : {}),
    ...(state.themeChosen ? { theme: state.theme } : {}),
  };
}

const STALE_MIN_MS = 15_000;

/** A sensor is silent after three periods, and never before 15 s, without a new value. */
export function isStale(received_ms: number, now_ms: number, period_s: number): boolean {
  return now_ms - received_ms > Math.max(STALE_MIN_MS, period_s * 3_000);
}

/** The datastream that a selection stands for. */
export function streamOf(selection: Selection | null, streams: readonly Datastream[]): Datastream | undefined {
  if (selection?.kind === 'datastream') return streams.find((s) => s.id === selection.id);
  if (selection?.kind === 'element') return streams.find((s) => s.network_id === selection.network && s.element_id === selection.id);
  return undefined;
}
