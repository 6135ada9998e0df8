/**
 * `<cim-viewer>` for the pages of others: a scheme in 3D, in a frame of its own.
 *
 *   <script type="module" src="https://city.example.org/assets/cim-viewer.js"></script>
 *   <cim-viewer scheme="s2wmvm2gb" compare="swipe" lang="en" theme="light" view="24.94,60.17,17,52,-22"></cim-viewer>
 *
 * The server says who may frame it: CIM_EMBED_ORIGINS.
 */
import { embedAddress, EMBED_ATTRIBUTES } from './address';

// Where this script comes from is where the city is.
const HOME = import.meta.url;

export class CimViewer extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [...EMBED_ATTRIBUTES, 'title'];
  private readonly frame = document.createElement('iframe');

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(':host { display: block; min-height: 320px; aspect-ratio: 16 / 10; } :host([hidden]) { display: none; } iframe { display: block; width: 100%; height: 100%; min-height: inherit; border: 0; border-radius: inherit; }');
    root.adoptedStyleSheets = [sheet];
    this.frame.loading = 'lazy';
    this.frame.allow = 'fullscreen';
    root.append(this.frame);
  }

  connectedCallback(): void {
    this.show();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.show();
  }

  private show(): void {
    this.frame.title = this.title || (this.getAttribute('lang') === 'zh' ? '方案三维视图' : 'A scheme in 3D');
    const address = embedAddress(HOME, (name) => this.getAttribute(name));
    if (this.frame.src !== address) this.frame.src = address;
  }
}

if (!customElements.get('cim-viewer')) customElements.define('cim-viewer', CimViewer);
