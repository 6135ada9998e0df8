/** The tool in hand, what it needs to know of the ground, and what it draws. */
import type { TemplateResult, nothing } from 'lit';
import type { MessageKey } from '../i18n/index';
import type { Draft, PointerTool } from '../scheme/types';
import type { PlanCtx } from './context';
import type { Ground } from './ground';
import type { Plan } from './plan';
import type { ToolId } from './plan-state';

export interface Tool {
  /** What to do with it, in a line. */
  readonly hint: MessageKey;
  /** Hears of the pointer while the tool is in hand. */
  readonly pointer: PointerTool | null;
  /** Its number fields and choices. */
  card(ctx: PlanCtx): TemplateResult | typeof nothing;
  /** Enter, Backspace, Escape and the like; true where it was meant for the tool. */
  key(key: string): boolean;
  start(): void;
  stop(): void;
}

export type ToolMaker = (bench: Bench) => Tool;

export class Bench {
  private readonly tools = new Map<ToolId, Tool>();

  constructor(readonly plan: Plan, readonly ground: Ground, private readonly makers: Readonly<Record<ToolId, ToolMaker>>) {}

  get id(): ToolId {
    return this.plan.state.tool;
  }

  get tool(): Tool {
    let tool = this.tools.get(this.id);
    if (!tool) {
      tool = this.makers[this.id](this);
      this.tools.set(this.id, tool);
    }
    return tool;
  }

  choose(id: ToolId): void {
    if (id === this.id) return;
    this.tool.stop();
    this.draft(null);
    this.plan.store.set({ tool: id, refused: null });
    this.tool.start();
    this.plan.city.map?.setTool?.(this.tool.pointer);
    this.ground.wake();
  }

  /** The map is there: what is in hand hears of it. */
  attach(): void {
    this.plan.city.map?.setTool?.(this.tool.pointer);
  }

  draft(draft: Draft | null): void {
    this.plan.city.map?.setDraft?.(draft);
  }

  /** Something in the tool is other than it was. */
  changed(): void {
    this.plan.store.set({ turn: this.plan.state.turn + 1 });
  }

  /** Metres on the ground of some pixels, at the middle of the map. */
  metres(pixels: number): number {
    const view = this.plan.city.map?.getView();
    if (!view) return 1;
    return (pixels * 40_075_016.686 * Math.cos((view.latitude * Math.PI) / 180)) / (512 * 2 ** view.zoom);
  }

  key(key: string): boolean {
    if (this.tool.key(key)) return true;
    if (key === 'Escape' && this.id !== 'select') {
      this.choose('select');
      return true;
    }
    return false;
  }
}
