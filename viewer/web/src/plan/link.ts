/** What a link to the plan page holds beside the city's: scheme, edit, base of comparison, year; and the named views. Pure. */
import { BASE } from '../scheme/types';
import type { Keeper } from './token';

const VIEWS_KEY = 'cim.plan.views';
const VIEWS_MAX = 50;
const ID = /^[a-z0-9]{1,40}$/;

export interface PlanLink {
  readonly scheme: string | null;
  readonly at: number | null;
  readonly against: string;
  readonly phase: number | null;
}

const whole = (text: string | null, max: number): number | null => (text !== null && /^\d{1,9}$/.test(text) && Number(text) <= max ? Number(text) : null);
const idOf = (text: string | null): string | null => (text !== null && ID.test(text) ? text : null);

export function readPlanLink(search: string): PlanLink {
  const query = new URLSearchParams(search);
  return { scheme: idOf(query.get('scheme')), at: whole(query.get('edit'), 1e9), against: idOf(query.get('against')) ?? BASE, phase: whole(query.get('year'), 9_999) };
}

/** The members that are not as a page without them would be, after those of the city's link. */
export function writePlanLink(link: PlanLink, city: string): string {
  const query = new URLSearchParams();
  if (link.scheme) query.set('scheme', link.scheme);
  if (link.at !== null) query.set('edit', String(link.at));
  if (link.against !== BASE) query.set('against', link.against);
  if (link.phase !== null) query.set('year', String(link.phase));
  return [query.toString(), city].filter(Boolean).join('&');
}

export interface SavedView {
  readonly name: string;
  /** The query of the page. */
  readonly query: string;
}

export function readViews(keeper: Keeper): SavedView[] {
  try {
    const found: unknown = JSON.parse(keeper.getItem(VIEWS_KEY) ?? '[]');
    return Array.isArray(found) ? found.filter((v): v is SavedView => typeof v?.name === 'string' && typeof v?.query === 'string').slice(0, VIEWS_MAX) : [];
  } catch {
    return [];
  }
}

/** A view of the same name is replaced. */
export function withView(views: readonly SavedView[], view: SavedView): SavedView[] {
  return [view, ...views.filter((v) => v.name !== view.name)].slice(0, VIEWS_MAX);
}

export const writeViews = (views: readonly SavedView[], keeper: Keeper): void => keeper.setItem(VIEWS_KEY, JSON.stringify(views));
