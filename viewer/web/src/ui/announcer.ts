import { html, LitElement, type TemplateResult } from 'lit';

export const EVERY_MS = 10_000;

/** At most one message in ten seconds; what comes between waits, and only the latest is kept. Pure. */
export class Quiet {
  private waiting: string | null = null;
  private last_ms = Number.NEGATIVE_INFINITY;

  constructor(private readonly every_ms = EVERY_MS) {}

  /** The message to say now, if any. `text` null only asks whether something waits. */
  take(text: string | null, now_ms: number): string | null {
    if (text !== null) this.waiting = text;
    if (this.waiting === null || now_ms - this.last_ms < this.every_ms) return null;
    const said = this.waiting;
    this.waiting = null;
    this.last_ms = now_ms;
    return said;
  }
}

/** The polite live region of the page. */
export class CimAnnouncer extends LitElement {
  static override properties = { message: { attribute: false }, said: { state: true } };

  declare message: string | null;
  declare said: string;
  private readonly quiet = new Quiet();
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor() {
    super();
    this.message = null;
    this.said = '';
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => this.say(null), 1_000);
  }

  override disconnectedCallback(): void {
    if (this.timer) clearInterval(this.timer);
    super.disconnectedCallback();
  }

  private say(text: string | null): void {
    const said = this.quiet.take(text, Date.now());
    if (said !== null) this.said = said;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('message') && this.message) this.say(this.message);
  }

  protected override render(): TemplateResult {
    return html`<div class="sr" role="status" aria-live="polite">${this.said}</div>`;
  }
}

customElements.define('cim-announcer', CimAnnouncer);
