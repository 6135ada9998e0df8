/** What stands beside the scheme in hand: another one in the left map, differences, hours of sun. */
import { codeOf } from '../state/api';
import type { CimCompare } from '../scheme/compare-view';
import { BASE, type SchemeOverlay } from '../scheme/types';
import { colourKey } from './log';
import type { Plan } from './plan';
import type { PlanState } from './plan-state';

export class Beside {
  private other: { readonly key: string; readonly overlay: SchemeOverlay | null } = { key: BASE, overlay: null };
  private readonly off: () => void;

  constructor(private readonly plan: Plan, private readonly view: () => CimCompare | null) {
    this.off = plan.store.subscribe((now, before) => this.follow(now, before));
  }

  stop(): void {
    this.off();
  }

  private follow(now: PlanState, before: PlanState): void {
    if (now.compare !== before.compare || (now.compare && (now.objects !== before.objects || now.schemes !== before.schemes))) void this.put();
    if (now.difference !== before.difference) this.mark();
    if (now.sunSurvey !== before.sunSurvey || (now.sunSurvey && now.objects !== before.objects)) void this.survey();
  }

  /** The other scheme, in the left map. */
  private async put(): Promise<void> {
    const { compare } = this.plan.state;
    const overlay = compare ? await this.overlayOf(compare.with) : null;
    if (this.plan.state.compare?.with !== compare?.with) return;
    this.view()?.pair?.setSides(overlay, this.plan.overlay());
    this.mark();
  }

  private async overlayOf(id: string): Promise<SchemeOverlay | null> {
    const { tree } = this.plan;
    const branch = tree.find((b) => b.scheme.id === id);
    if (!branch) return null;
    const key = `${id}@${branch.scheme.head}`;
    if (this.other.key === key) return this.other.overlay;
    try {
      const objects = await this.plan.api.objects(id);
      this.other = { key, overlay: { scheme: id, letter: branch.label, colour_index: 'abcd'.indexOf(colourKey(branch, tree)), objects: objects.items, hidden: new Set(objects.hidden), phase: null } };
    } catch (error) {
      this.plan.failedWith(codeOf(error));
      return null;
    }
    return this.other.overlay;
  }

  private mark(): void {
    const { difference, compare } = this.plan.state;
    this.plan.city.map?.setDifference?.(difference && compare !== null, compare && compare.with !== BASE ? this.other.overlay : null);
  }

  /** Façades in the colours of their hours of sun. */
  private async survey(): Promise<void> {
    const { sunSurvey, current } = this.plan.state;
    const map = this.plan.city.map;
    if (!sunSurvey || !current) {
      map?.setSunSurvey?.(null);
      return;
    }
    try {
      const light = await this.plan.api.light(current);
      if (this.plan.state.sunSurvey && this.plan.state.current === current) map?.setSunSurvey?.(new Map(Object.entries(light.facades)));
    } catch (error) {
      this.plan.store.set({ sunSurvey: false });
      this.plan.failedWith(codeOf(error));
    }
  }
}
