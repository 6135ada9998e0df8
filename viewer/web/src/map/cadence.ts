/**
 * How often live values may redraw the map. A frame that takes long is not asked for at every tick: the page would
 * do nothing else. The panels show every value at once all the same.
 */
const SLOW_FRAME_MS = 500;
const REST_FRAMES = 3;

/** Milliseconds from the start of one live frame to the next, by what the last frame took. */
export const liveGap = (frame_ms: number): number => (frame_ms > SLOW_FRAME_MS ? frame_ms * REST_FRAMES : 0);

/** Gathers requests for a redraw and grants them no more often than frames allow. */
export class Cadence {
  private timer = 0;
  private last = -Infinity;
  private begun = 0;
  private frame_ms = 0;
  private paused = false;
  private wanted = false;

  constructor(private readonly redraw: () => void) {}

  /** A frame is about to be drawn. */
  begin(): void {
    this.begun = performance.now();
  }

  /** The frame is handed over: what it took is known when the browser asks for the one after the next. */
  end(): void {
    const { begun } = this;
    requestAnimationFrame(() => requestAnimationFrame(() => (this.frame_ms = performance.now() - begun)));
  }

  ask(): void {
    this.wanted = true;
    if (this.timer || this.paused) return;
    const wait = Math.max(0, this.last + liveGap(this.frame_ms) - performance.now());
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.grant();
    }, wait);
  }

  /** While paused the map keeps its last colours; what was asked for meanwhile is drawn afterwards. */
  pause(on: boolean): void {
    this.paused = on;
    if (!on && this.wanted) this.ask();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.paused = true;
  }

  private grant(): void {
    if (this.paused) return;
    this.wanted = false;
    this.last = performance.now();
    this.redraw();
  }
}
