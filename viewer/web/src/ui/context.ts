import type { SchemeShow } from '../scheme/show';
import type { ShowState } from '../scheme/show-state';
import type { Explore } from '../state/explore';
import type { ExploreState } from '../state/explore-state';
import { valueOf } from '../state/model';
import { knownZone } from '../state/zone';

/** What every part of a page over the city is drawn from. */
export interface Ctx {
  readonly s: ExploreState;
  readonly do: Explore;
  /** The time zone of the city. */
  readonly zone: string;
}

/** The same, and what the public sees of schemes. */
export interface PublicCtx extends Ctx {
  readonly c: ShowState;
  readonly show: SchemeShow;
}

export const contextOf = (explore: Explore): Ctx => {
  const s = explore.state;
  return { s, do: explore, zone: knownZone(valueOf(s.city)?.time_zone ?? 'UTC') };
};

export const publicContext = (explore: Explore, show: SchemeShow): PublicCtx => ({ ...contextOf(explore), c: show.state, show });
