/** Tools of one click: demolish, plant a tree. */
import { html } from 'lit';
import { t } from '../../i18n/index';
import type { LonLat, PointerTool, ToolPoint } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { targetName } from '../edit-words';
import { numberField } from '../fields';
import { takeAway } from './select';

const CLICK_PX = 5;

/** A click is a press that stays; anything else moves the map. */
export function clicks(cursor: string, act: (point: ToolPoint) => void, hover: (point: ToolPoint) => void = () => undefined): PointerTool {
  let pressed: ToolPoint | null = null;
  return {
    cursor,
    down(p) {
      pressed = p;
      return false;
    },
    move(p) {
      hover(p);
      return false;
    },
    up(p) {
      const start = pressed;
      pressed = null;
      if (!start || Math.hypot(p.x - start.x, p.y - start.y) > CLICK_PX) return false;
      act(p);
      return true;
    },
    cancel() {
      pressed = null;
    },
  };
}

export function demolishTool(bench: Bench): Tool {
  const at = (): string | null => (bench.plan.city.state.selection?.kind === 'object' ? bench.plan.city.state.selection.id : null);
  return {
    hint: 'plan.hint.demolish',
    pointer: clicks('not-allowed', (p) => { if (p.pick?.kind === 'object') void takeAway(bench, p.pick.id); }, (p) => bench.plan.city.map?.hover(p.pick?.kind === 'object' ? p.pick.id : null)),
    card(ctx) {
      const id = at();
      return id ? html`<div class="toolrow"><button type="button" class="btn danger" data-testid="demolish-selected" @click=${() => void takeAway(bench, id)}>${t('plan.demolish.do', { name: targetName(ctx, id) })}</button></div>` : html``;
    },
    key(key) {
      const id = at();
      if ((key !== 'Enter' && key !== 'Delete') || !id) return false;
      void takeAway(bench, id);
      return true;
    },
    start: () => undefined,
    stop: () => undefined,
  };
}

export function treeTool(bench: Bench): Tool {
  const size = { height_m: 8, crown_m: 5 };
  const plant = (at: LonLat): void => void bench.plan.edit({ kind: 'tree.add', params: { place: [at[0], at[1]], height_m: size.height_m, crown_diameter_m: size.crown_m } });
  const middle = (): void => {
    const view = bench.plan.city.map?.getView();
    if (view) plant([view.longitude, view.latitude]);
  };
  const set = (patch: Partial<typeof size>): void => {
    Object.assign(size, patch);
    bench.changed();
  };
  return {
    hint: 'plan.hint.tree',
    pointer: clicks('copy', (p) => plant(p.lngLat)),
    card: () => html`<div class="toolrow">
      ${numberField({ label: t('plan.tree.height'), value: size.height_m, unit: 'm', min: 1, max: 60, set: (height_m) => set({ height_m }) })}
      ${numberField({ label: t('plan.tree.crown'), value: size.crown_m, unit: 'm', min: 0.5, max: 40, set: (crown_m) => set({ crown_m }) })}
      <button type="button" class="btn" data-testid="tree-middle" @click=${middle}>${t('plan.here.middle')}</button></div>`,
    key: () => false,
    start: () => undefined,
    stop: () => undefined,
  };
}
