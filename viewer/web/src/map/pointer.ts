/**
 * What a pointer does on the map beside moving the camera: taps and hovers.
 *
 * The browser's own `click` says when something was tapped. A gesture recogniser with a timer does not: where
 * frames take seconds, its time is over before the finger is seen to lift.
 */

const MOVED_MOUSE_PX = 5;
const MOVED_TOUCH_PX = 14;
/** A pointer that rests this long hovers. */
const REST_MS = 60;
/** Looking what lies under the pointer takes at most one part of this many of the time. */
const HOVER_SHARE = 6;

export interface PointerListener {
  tap(x: number, y: number): void;
  /** The pointer rests here; null when it has left. */
  hover(at: readonly [number, number] | null): void;
  /** The camera moves: what lies under the pointer is about to change. */
  moving(): boolean;
}

interface Down {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly limit_px: number;
  moved: boolean;
}

/** True where a pointer that went from one point to another still tapped. */
export function isTap(from: readonly [number, number], to: readonly [number, number], limit_px: number): boolean {
  return Math.hypot(to[0] - from[0], to[1] - from[1]) <= limit_px;
}

/** How long a hover waits, by what the last one cost. */
export const hoverWait = (cost_ms: number): number => Math.max(REST_MS, cost_ms * HOVER_SHARE);

export class PointerWatch {
  private down: Down | null = null;
  private pressed = 0;
  private timer = 0;
  private at: [number, number] | null = null;
  private cost_ms = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly listener: PointerListener,
  ) {
    canvas.addEventListener('pointerdown', this.pressedDown);
    canvas.addEventListener('pointermove', this.movedBy);
    canvas.addEventListener('pointerup', this.lifted);
    canvas.addEventListener('pointercancel', this.lifted);
    canvas.addEventListener('pointerleave', this.left);
    canvas.addEventListener('click', this.clicked);
  }

  stop(): void {
    clearTimeout(this.timer);
    const { canvas } = this;
    canvas.removeEventListener('pointerdown', this.pressedDown);
    canvas.removeEventListener('pointermove', this.movedBy);
    canvas.removeEventListener('pointerup', this.lifted);
    canvas.removeEventListener('pointercancel', this.lifted);
    canvas.removeEventListener('pointerleave', this.left);
    canvas.removeEventListener('click', this.clicked);
  }

  private readonly pressedDown = (e: PointerEvent): void => {
    this.pressed++;
    const second = this.pressed > 1;
    const limit_px = e.pointerType === 'mouse' ? MOVED_MOUSE_PX : MOVED_TOUCH_PX;
    this.down = { id: e.pointerId, x: e.clientX, y: e.clientY, limit_px, moved: second || e.button !== 0 };
  };

  private readonly movedBy = (e: PointerEvent): void => {
    const { down } = this;
    if (down && down.id === e.pointerId && !isTap([down.x, down.y], [e.clientX, e.clientY], down.limit_px)) down.moved = true;
    if (e.pointerType !== 'mouse' || e.buttons !== 0) return;
    this.at = [e.offsetX, e.offsetY];
    this.timer ||= window.setTimeout(this.look, hoverWait(this.cost_ms));
  };

  private readonly lifted = (): void => {
    this.pressed = Math.max(0, this.pressed - 1);
  };

  private readonly left = (): void => {
    clearTimeout(this.timer);
    this.timer = 0;
    this.at = null;
    this.listener.hover(null);
  };

  private readonly look = (): void => {
    this.timer = 0;
    if (!this.at) return;
    if (this.listener.moving() || this.pressed > 0) {
      this.timer = window.setTimeout(this.look, hoverWait(this.cost_ms));
      return;
    }
    const begun = performance.now();
    this.listener.hover(this.at);
    this.cost_ms = performance.now() - begun;
  };

  private readonly clicked = (e: MouseEvent): void => {
    const { down } = this;
    this.down = null;
    if (down && (down.moved || !isTap([down.x, down.y], [e.clientX, e.clientY], down.limit_px))) return;
    this.listener.tap(e.offsetX, e.offsetY);
  };
}
