import { idle } from '../state/model';
import { Explore } from '../state/explore';

const MADE_BY_SCHEME = /^s[a-z0-9]{8}:/;

/** Whether an id is of something that a scheme makes, which the city as it is has not. */
export const isMade = (id: string): boolean => MADE_BY_SCHEME.test(id);

/** The city under the schemes: map, layers, sun, search and selection as on Explore. */
export class PlanCity extends Explore {
  /** The plan's part of a link, put in front of the city's. */
  planLink: (cityQuery: string) => string = (query) => query;

  override async readObject(id: string): Promise<void> {
    if (isMade(id)) this.store.set({ object: idle });
    else await super.readObject(id);
  }

  override link(page: string): string {
    const link = super.link(page);
    if (page !== '/plan') return link;
    const mark = link.indexOf('?');
    const query = this.planLink(mark < 0 ? '' : link.slice(mark + 1));
    return query ? `${page}?${query}` : page;
  }
}
