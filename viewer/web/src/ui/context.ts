import type { Explore } from '../state/explore';
import type { ExploreState } from '../state/explore-state';
import { valueOf } from '../state/model';
import { knownZone } from '../state/zone';

/** What every part of the page is drawn from. */
export interface Ctx {
  readonly s: ExploreState;
  readonly do: Explore;
  /** The time zone of the city. */
  readonly zone: string;
}

export const contextOf = (explore: Explore): Ctx => {
  const s = explore.state;
  return { s, do: explore, zone: knownZone(valueOf(s.city)?.time_zone ?? 'UTC') };
};
