import type { LonLat, PointerTool, ToolPoint } from '../scheme/types';
import type { PickInfo } from './types';
import { hoverWait, isTap } from './pointer';

export interface ToolGround {
  lngLatAt(x: number, y: number): LonLat | null;
  pickAt(x: number, y: number): PickInfo | null;
}

const TAP_PX = 6;

/**
 * Lets a tool in hand hear of the pointer before the camera does. Listens at the container while events go down, so
 * that what the tool takes never reaches the canvas. A press that the tool leaves to the camera is told to it once more
 * when it is lifted in the same place: so a tool may place points by taps while drags move the camera.
 */
export class ToolWatch {
  tool: PointerTool | null = null;
  /** The pointer that the tool has taken hold of. */
  private held: number | null = null;
  /** Where a press began that was left to the camera. */
  private left: { id: number; at: [number, number] } | null = null;
  private clickTaken = false;
  /** What lay under the pointer when a tool last asked. */
  private seen: { pick: PickInfo | null; until_ms: number } = { pick: null, until_ms: 0 };

  constructor(
    private readonly container: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly ground: ToolGround,
  ) {
    for (const [name, listener] of this.listeners) container.addEventListener(name, listener as EventListener, { capture: true });
  }

  private get listeners(): [string, (e: PointerEvent) => void][] {
    return [
      ['pointerdown', this.down],
      ['pointermove', this.move],
      ['pointerup', this.up],
      ['pointercancel', this.cancelled],
      ['click', this.clicked],
      ['dblclick', this.clicked],
      ['wheel', this.wheeled],
    ];
  }

  /** Nothing is held any more; the tool that was in hand hears that what it began is over. */
  set(tool: PointerTool | null): void {
    if (tool === this.tool) return;
    if (this.held !== null) this.tool?.cancel();
    this.held = this.left = null;
    this.tool = tool;
  }

  stop(): void {
    this.set(null);
    for (const [name, listener] of this.listeners) this.container.removeEventListener(name, listener as EventListener, { capture: true });
  }

  private look(x: number, y: number): PickInfo | null {
    const begun = performance.now();
    const pick = this.ground.pickAt(x, y);
    const now = performance.now();
    this.seen = { pick, until_ms: now + hoverWait(now - begun) };
    return pick;
  }

  private pointOf(e: PointerEvent): ToolPoint | null {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [e.clientX - box.left, e.clientY - box.top];
    const lngLat = this.ground.lngLatAt(x, y);
    if (!lngLat) return null;
    const look = (): PickInfo | null => this.look(x, y);
    let pick: PickInfo | null | undefined;
    // A pointer on its way is told what lay there a moment ago: every look draws a frame.
    if (e.type === 'pointermove' && performance.now() < this.seen.until_ms) pick = this.seen.pick;
    return {
      lngLat,
      x,
      y,
      shift: e.shiftKey,
      alt: e.altKey,
      // Looking what lies there draws a frame: only for a tool that asks.
      get pick() {
        if (pick === undefined) pick = look();
        return pick;
      },
    };
  }

  private readonly down = (e: PointerEvent): void => {
    this.clickTaken = false;
    this.left = null;
    if (!this.tool || e.target !== this.canvas) return;
    if (this.held !== null) {
      // A second finger: what was begun is given up, the fingers move the camera from here on.
      this.tool.cancel();
      this.held = null;
      return;
    }
    if (e.button !== 0) return;
    const point = this.pointOf(e);
    if (!point) return;
    if (!this.tool.down(point)) {
      this.left = { id: e.pointerId, at: [e.clientX, e.clientY] };
      return;
    }
    this.held = e.pointerId;
    this.clickTaken = true;
    this.canvas.setPointerCapture?.(e.pointerId);
    this.canvas.focus({ preventScroll: true });
    take(e);
  };

  private readonly move = (e: PointerEvent): void => {
    const { tool, held } = this;
    if (!tool || (held === null ? e.target !== this.canvas || e.buttons !== 0 : e.pointerId !== held)) return;
    const point = this.pointOf(e);
    const taken = point ? tool.move(point) : false;
    if (taken || held !== null) e.stopPropagation();
  };

  private readonly up = (e: PointerEvent): void => {
    const { left } = this;
    this.left = null;
    if (this.held === null && left?.id === e.pointerId && isTap(left.at, [e.clientX, e.clientY], TAP_PX)) {
      const tapped = this.pointOf(e);
      this.clickTaken = tapped !== null && this.tool?.up(tapped) === true;
      return;
    }
    if (e.pointerId !== this.held) return;
    this.held = null;
    const point = this.pointOf(e);
    if (point) this.tool?.up(point);
    else this.tool?.cancel();
    e.stopPropagation();
  };

  private readonly cancelled = (e: PointerEvent): void => {
    if (e.pointerId !== this.held) return;
    this.held = null;
    this.tool?.cancel();
    e.stopPropagation();
  };

  private readonly clicked = (e: Event): void => {
    if (this.clickTaken && e.target === this.canvas) e.stopPropagation();
  };

  /** The camera keeps its height while something is held. */
  private readonly wheeled = (e: Event): void => {
    if (this.held !== null) take(e);
  };
}

function take(e: Event): void {
  e.stopPropagation();
  e.preventDefault();
}
