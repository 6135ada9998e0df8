import { nothing } from 'lit';
import type { Bench, Tool } from '../bench';

/** Clicks go to the map, which selects. Delete takes the selected thing away. */
export function selectTool(bench: Bench): Tool {
  return {
    hint: 'plan.hint.select',
    pointer: null,
    card: () => nothing,
    key(key) {
      if (key !== 'Delete') return false;
      const { selection } = bench.plan.city.state;
      if (selection?.kind !== 'object' || bench.plan.locked) return false;
      void takeAway(bench, selection.id);
      return true;
    },
    start: () => undefined,
    stop: () => undefined,
  };
}

/** Demolish a building, or remove whatever else it is. */
export async function takeAway(bench: Bench, id: string): Promise<boolean> {
  const type = bench.plan.objectOf(id)?.type ?? 'Building';
  const answer = await bench.plan.edit({ kind: type === 'Building' ? 'building.demolish' : 'object.remove', target: id, params: {} });
  if (answer) bench.plan.city.select(null);
  return answer !== null;
}
