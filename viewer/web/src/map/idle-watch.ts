/** Looks, after a while without a frame, whether all is still, and again until it is: what comes last may draw nothing. */
const IDLE_MS = 160;

export class IdleWatch {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private still = false;
  private stopped = false;

  constructor(
    private readonly isStill: () => boolean,
    private readonly onIdle: () => void,
  ) {}

  get isIdle(): boolean {
    return this.still;
  }

  /** Something is about to change. */
  stir(): void {
    this.still = false;
    this.watch();
  }

  /** A frame was drawn: the wait begins anew. */
  watch(): void {
    clearTimeout(this.timer);
    if (this.still || this.stopped) return;
    this.timer = setTimeout(() => {
      this.still = this.isStill();
      if (this.still) this.onIdle();
      else this.watch();
    }, IDLE_MS);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}
