/** What an edit is in words: a title, and what changed of it. */
import { number } from '../i18n/format';
import { t, tn, word } from '../i18n/index';
import { thingName } from '../scheme/thing-name';
import type { Conflict, Json } from '../scheme/types';
import type { PlanCtx } from './context';
import { changeOf, storeysIn, sumHeights, type Row } from './log';

const LAND_USE = /^\d{2}/;

/** What a target is called. */
export const targetName = (ctx: Pick<PlanCtx, 'do'>, id: string): string => thingName(id, ctx.do.objectOf(id));

export function rowTitle(ctx: Pick<PlanCtx, 'do'>, row: Row): string {
  const { last } = row;
  const target = last.targets.at(-1);
  const name = target ? targetName(ctx, target) : '';
  const many = last.targets.length > 1 ? last.targets.length : 0;
  const words = word('edit', last.kind);
  return words.includes('{') ? words.replace('{name}', name).replace('{n}', String(many || 1)) : words;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function landUse(code: string): string {
  return LAND_USE.test(code) ? `${code} ${word('landUse', code.slice(0, 2))}` : word('landUse', code);
}

/** A value in a word or two; nothing where it takes more. */
function brief(field: string, value: Json): string {
  if (field === 'storeys' && Array.isArray(value)) return metres(sumHeights(storeysIn(value)));
  if (typeof value === 'number') return field.endsWith('_m') ? metres(value) : field === 'solar_share' ? `${number(value * 100)}%` : number(value, Number.isInteger(value) ? 0 : 2);
  if (typeof value !== 'string') return '';
  return field === 'land_use' ? landUse(value) : field === 'oneway' ? word('oneway', value) : field === 'name' ? value : '';
}

const metres = (value: number): string => `${number(value, Number.isInteger(value) ? 0 : 1)} m`;

/** What there is to choose between, where a newer baseline contradicts an edit. */
export function conflictNote(conflict: Conflict): string {
  const [theirs, ours] = [brief(conflict.field, conflict.theirs), brief(conflict.field, conflict.ours)];
  if (conflict.field === 'exists') return t(conflict.theirs === false ? 'plan.edit.choose.gone' : 'plan.edit.conflict');
  return theirs && ours && theirs !== ours ? t('plan.edit.choose', { theirs, ours }) : t('plan.edit.conflict');
}

/** Before and after, as short as they can be told. */
export function rowDetail(row: Row): string {
  if (row.last.kind === 'merge' || row.last.kind === 'rebase') return '';
  const storeys = changeOf(row, 'storeys');
  if (storeys && storeys.old !== null) {
    const [before, after] = [storeysIn(storeys.old), storeysIn(storeys.new)];
    if (before.length !== after.length) return t('plan.edit.storeys', { from: before.length, to: after.length });
    if (sumHeights(before) !== sumHeights(after)) return t('plan.edit.height', { from: number(sumHeights(before), 1), to: number(sumHeights(after), 1) });
    const changed = after.findIndex((s, i) => s[1] !== before[i]?.[1]);
    if (changed >= 0) return `${word('floorUse', before[changed]?.[1] ?? 'other')} → ${word('floorUse', after[changed]?.[1] ?? 'other')}`;
    return '';
  }
  if (storeys) return tn('plan.edit.of', storeysIn(storeys.new).length, String(storeysIn(storeys.new).length));
  const use = changeOf(row, 'land_use');
  if (use && use.old !== null) return `${landUse(text(use.old)).slice(0, 12)} → ${landUse(text(use.new)).slice(0, 12)}`;
  const lanes = changeOf(row, 'lanes');
  if (lanes && lanes.old !== null) return `${String(lanes.old)} → ${String(lanes.new)}`;
  const oneway = changeOf(row, 'oneway');
  if (oneway && oneway.old !== null) return word('oneway', text(oneway.new));
  const bore = changeOf(row, 'diameter_m');
  if (bore && bore.old !== null && row.last.kind === 'network.size') return `${number(Number(bore.old) * 1000)} → ${number(Number(bore.new) * 1000)} mm`;
  const solar = changeOf(row, 'solar_share');
  if (solar && solar.old !== null) return `${number(Number(solar.old) * 100)} → ${number(Number(solar.new) * 100)}%`;
  const { distance_m: moved, trees, parts, element } = row.last.title.params;
  if (typeof element === 'string') return word('networkElement', element);
  if (typeof moved === 'number') return `${number(moved, 1)} m`;
  if (typeof trees === 'number') return String(trees);
  if (typeof parts === 'number') return String(parts);
  return '';
}
