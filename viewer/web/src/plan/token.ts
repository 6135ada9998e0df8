/** The planner's token and name. The token lives as long as the tab: it is taken from the address, which then forgets it. */
const TOKEN_KEY = 'cim.plan.token';
const AUTHOR_KEY = 'cim.plan.author';
const TOKEN = /^[A-Za-z0-9_-]{20,256}$/;

export interface Keeper {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A store of the browser, or nothing where it refuses. */
export function guarded(open: () => Keeper): Keeper {
  const attempt = <T>(work: (keeper: Keeper) => T, otherwise: T): T => {
    try {
      return work(open());
    } catch {
      return otherwise;
    }
  };
  return {
    getItem: (key) => attempt((keeper) => keeper.getItem(key), null),
    setItem: (key, value) => attempt((keeper) => keeper.setItem(key, value), undefined),
    removeItem: (key) => attempt((keeper) => keeper.removeItem(key), undefined),
  };
}

export const isToken = (text: string): boolean => TOKEN.test(text);

/** The token of an address' hash, and the hash without it. */
export function tokenInHash(hash: string): { readonly token: string | null; readonly rest: string } {
  const members = new URLSearchParams(hash.replace(/^#/, ''));
  const token = members.get('token');
  members.delete('token');
  const rest = members.toString();
  return { token: token !== null && isToken(token) ? token : null, rest: rest ? `#${rest}` : '' };
}

export interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

/** The token of this tab. One in the address replaces it, and leaves the address by `replace`. */
export function takeToken(address: Address, keeper: Keeper, replace: (url: string) => void): string | null {
  const found = tokenInHash(address.hash);
  if (/(^#|&)token=/.test(address.hash)) replace(`${address.pathname}${address.search}${found.rest}`);
  if (found.token) keeper.setItem(TOKEN_KEY, found.token);
  return found.token ?? keeper.getItem(TOKEN_KEY);
}

export const keepToken = (token: string, keeper: Keeper): void => keeper.setItem(TOKEN_KEY, token);
export const forgetToken = (keeper: Keeper): void => keeper.removeItem(TOKEN_KEY);
export const authorOf = (keeper: Keeper): string => keeper.getItem(AUTHOR_KEY) ?? '';
export const keepAuthor = (name: string, keeper: Keeper): void => keeper.setItem(AUTHOR_KEY, name);
