/** Colours of a tile on their way from what they were to what they shall be. */
export class ColourFade {
  private from: Uint8Array = new Uint8Array(0);
  private to: Uint8Array = new Uint8Array(0);
  private begun_ms = 0;
  private span_ms = 0;
  private due = false;

  /** From the colours shown now to `colours`; at once where there are none yet, or for no time. */
  show(colours: Uint8Array, now_ms: number, span_ms: number): void {
    const shown = this.at(now_ms);
    const fades = span_ms > 0 && shown.length === colours.length;
    this.from = fades ? shown : colours;
    this.to = colours;
    this.begun_ms = now_ms;
    this.span_ms = fades ? span_ms : 0;
    this.due = true;
  }

  /** More steps are to be drawn. */
  get active(): boolean {
    return this.due;
  }

  /** The colours to draw now, or null while nothing has changed since the last step. */
  step(now_ms: number): Uint8Array | null {
    if (!this.due) return null;
    this.due = now_ms < this.begun_ms + this.span_ms;
    return this.at(now_ms);
  }

  private at(now_ms: number): Uint8Array {
    const t = this.span_ms > 0 ? Math.min(1, (now_ms - this.begun_ms) / this.span_ms) : 1;
    if (t >= 1) return this.to;
    const eased = 1 - (1 - t) ** 3;
    return this.to.map((v, i) => {
      // What appears or goes does so at once: half a building is none.
      const there = (this.from[i | 3] ?? 0) > 0 && (this.to[i | 3] ?? 0) > 0;
      return there ? Math.round((this.from[i] ?? v) + (v - (this.from[i] ?? v)) * eased) : v;
    });
  }
}
