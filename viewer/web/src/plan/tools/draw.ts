import { html } from 'lit';
import { t } from '../../i18n/index';
import type { LonLat } from '../../scheme/types';
import type { Bench, Tool } from '../bench';
import { choiceField, numberField } from '../fields';
import { useOptions } from '../inspector';
import { Sketching } from './sketching';

const ring = (places: readonly LonLat[]): number[][] => places.map((p) => [p[0], p[1]]);

/** A building by its outline: storeys and use stand beforehand, closing makes it. */
export function drawTool(bench: Bench): Tool {
  const form = { storeys: 5, storey_m: 3.2, use: 'residential' };
  const sketching = new Sketching(bench, {
    closed: true,
    body: () => ({ height_m: form.storeys * form.storey_m, storey_m: Array.from({ length: form.storeys - 1 }, (_, i) => (i + 1) * form.storey_m) }),
    done: (places) => void send(places),
  });
  const send = async (places: readonly LonLat[]): Promise<void> => {
    const answer = await bench.plan.edit({ kind: 'building.add', params: { footprint: [ring(places)], count: form.storeys, storey_height_m: form.storey_m, use: form.use } });
    const made = answer?.edit.targets[0];
    if (made) bench.plan.city.select({ kind: 'object', id: made });
  };
  const set = (patch: Partial<typeof form>): void => {
    Object.assign(form, patch);
    sketching.redraw();
  };
  return {
    hint: 'plan.hint.draw',
    pointer: sketching.pointer,
    card: (ctx) => html`<div class="toolrow">
        ${numberField({ label: t('plan.ins.storeys'), value: form.storeys, min: 1, max: 200, digits: 0, testid: 'draw-storeys', set: (v) => set({ storeys: Math.round(v) }) })}
        ${numberField({ label: t('plan.ins.storeyHeight'), value: form.storey_m, unit: 'm', min: 2, max: 30, set: (v) => set({ storey_m: v }) })}
        ${choiceField({ label: t('plan.ins.use'), value: form.use, options: useOptions(), testid: 'draw-use', set: (use) => set({ use }) })}
      </div>${sketching.fields(ctx)}`,
    key: (key) => sketching.key(key),
    start: () => undefined,
    stop: () => sketching.clear(),
  };
}

/** A park by its outline. */
export function parkTool(bench: Bench): Tool {
  const sketching = new Sketching(bench, {
    closed: true,
    body: () => ({ height_m: 0, storey_m: [] }),
    done: (places) => void bench.plan.edit({ kind: 'park.add', params: { footprint: [ring(places)] } }),
  });
  return { hint: 'plan.hint.park', pointer: sketching.pointer, card: (ctx) => sketching.fields(ctx), key: (key) => sketching.key(key), start: () => undefined, stop: () => sketching.clear() };
}
