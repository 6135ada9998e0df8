import { html, nothing, render, type TemplateResult } from 'lit';
import { lang, langTag, setLang, t, title, type Lang } from '../i18n/index';
import { dayAndClock } from '../i18n/format';
import { CityMap } from '../map/city-map';
import type { ColourBy, PickInfo, Theme } from '../map/types';
import { keep } from '../pages/boot';
import type { LayerSpec } from '../state/model';
import { knownZone, wallOf } from '../state/zone';
import { creditsOf } from '../ui/credits';
import { icon, logo } from '../ui/icons';
import { legendOf } from '../ui/legend';
import { swatch } from '../ui/swatches';
import { languageSwitch, themeButton } from '../ui/top-bar';
import { card } from './card';
import type { ExportDocument } from './document';
import { directionOf, sunPanel, type SunChoice } from './sun';
import { say } from './words';

const COLOURS = ['height_m', 'year', 'use'] as const;
type Colour = (typeof COLOURS)[number];

const PANEL_LEFT_PX = 312;
const PANEL_RIGHT_PX = 376;
const NARROW_PX = 760;
const PHONE_SHEET_SHARE = 0.45;
const AFTERNOON_MIN = 15 * 60;

/** One view of a city, drawn from what the page itself carries. */
export class ExportPage extends HTMLElement {
  map: CityMap | null = null;
  picked: PickInfo | null = null;
  /** Layers whose data is drawn; for tests. */
  readonly ready = new Set<string>();
  private readonly off = new Set<string>();
  private colour: Colour | null = null;
  private sun: SunChoice | null = null;
  private open = innerWidth >= NARROW_PX;
  private failed = '';
  private readonly stage = document.createElement('main');
  private readonly panels = document.createElement('div');

  constructor(
    private readonly content: ExportDocument,
    private theme: Theme,
  ) {
    super();
  }

  connectedCallback(): void {
    this.stage.className = 'map';
    this.panels.className = 'export';
    this.append(this.stage, this.panels);
    for (const layer of this.content.spec.layers) if (layer.cim?.visible === false) this.off.add(layer.id);
    this.speak();
    try {
      this.start();
    } catch {
      this.failed = say('failed');
    }
    // Panels are placed by what the window allows.
    addEventListener('resize', () => this.draw());
    this.draw();
  }

  private start(): void {
    const map = new CityMap(this.stage, {
      theme: this.theme,
      language: lang(),
      label: this.mapLabel,
      onPick: (info) => this.pick(info),
      onHover: (info) => map.hover(info?.kind === 'object' ? info.id : null),
      onLayerState: (id, phase) => {
        if (phase === 'ready' || phase === 'empty') this.ready.add(id);
        if (phase === 'failed' && id === 'map') this.failed = say('failed');
        if (this.failed) this.draw();
      },
    });
    this.map = map;
    map.setSpec(this.content.spec);
    map.setDatastreams(this.content.datastreams);
  }

  private get mapLabel(): string {
    return t('map.label', { city: this.content.city.title[lang()] });
  }

  private get zone(): string {
    return knownZone(this.content.city.time_zone);
  }

  private get narrow(): boolean {
    return innerWidth < NARROW_PX;
  }

  private speak(): void {
    document.documentElement.lang = langTag(lang());
    document.title = this.content.city.title[lang()];
  }

  private pick(info: PickInfo | null): void {
    this.picked = info;
    this.map?.select(info?.id ?? null);
    if (info && this.narrow) this.open = false;
    this.draw();
  }

  setLanguage(next: Lang): void {
    setLang(next);
    keep({ lang: next });
    this.speak();
    this.map?.setLanguage(next);
    this.map?.setLabel(this.mapLabel);
    this.draw();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    keep({ theme });
    document.documentElement.dataset['theme'] = theme;
    this.map?.setTheme(theme);
    this.draw();
  }

  setLayer(id: string, visible: boolean): void {
    if (visible) this.off.delete(id);
    else this.off.add(id);
    this.map?.setLayerVisible(id, visible);
    this.draw();
  }

  setColour(colour: Colour | null): void {
    this.colour = colour;
    this.map?.setColourBy(this.colourBy);
    this.draw();
  }

  setSun(sun: SunChoice | null): void {
    this.sun = sun;
    this.map?.setSun(sun ? directionOf(this.content.city, sun) : null);
    this.draw();
  }

  private get colourBy(): ColourBy {
    return this.colour ? { attribute: this.colour } : null;
  }

  draw(): void {
    render(html`${this.bar()}${this.failed ? html`<p class="mapfail" role="alert">${this.failed}</p>` : nothing}${this.left()}${this.right()}${this.foot()}`, this.panels);
    const sheet = this.narrow && (this.open || this.picked) ? innerHeight * PHONE_SHEET_SHARE : 0;
    this.map?.setPadding({
      left: this.open && !this.narrow ? PANEL_LEFT_PX : 0,
      right: this.picked && !this.narrow ? PANEL_RIGHT_PX : 0,
      top: 12,
      bottom: 64 + sheet,
    });
  }

  private bar(): TemplateResult {
    const actions = { setLanguage: (l: Lang) => this.setLanguage(l), setTheme: (theme: Theme) => this.setTheme(theme), share: () => undefined };
    const label = t(this.open ? 'panel.hideLeft' : 'panel.showLeft');
    return html`<header class="bar">
      <button type="button" class="btn quiet ico" data-testid="panel" aria-label=${label} title=${label} aria-expanded=${this.open} @click=${() => this.toggle()}>${icon('layers')}</button>
      <div class="brand">${logo()}<h1 class="trunc">${this.content.city.title[lang()]}</h1></div>
      <span class="grow"></span>
      <div class="row tools">${languageSwitch(actions)}${themeButton(this.theme, actions)}</div>
    </header>`;
  }

  private toggle(): void {
    this.open = !this.open;
    if (this.open && this.narrow) this.pick(null);
    else this.draw();
  }

  private left(): TemplateResult | typeof nothing {
    if (!this.open) return nothing;
    const shown = this.sun ?? { date: wallOf(new Date(this.content.exported_at), this.zone).date, minutes: AFTERNOON_MIN };
    return html`<aside class="panel l" data-testid="layers" aria-label=${say('panel')}><div class="scroll" tabindex="-1">
      <div class="ph"><h2 class="grow">${t('panel.layers')}</h2></div>
      <div class="sec">${this.content.spec.layers.map((layer) => this.layer(layer))}</div>
      <div class="ph div"><h2 class="grow">${t('panel.colourBy')}</h2></div>
      <div class="sec">${this.colours()}</div>
      <div class="ph div"><h2 class="grow">${t('panel.sun')}</h2></div>
      <div class="sec sun">${sunPanel(this.content.city, shown, this.sun !== null, (sun) => this.setSun(sun))}</div>
    </div></aside>`;
  }

  private layer(layer: LayerSpec): TemplateResult {
    return html`<div class="lay"><label>
        <input type="checkbox" data-testid="layer-${layer.id}" .checked=${!this.off.has(layer.id)} @change=${(e: Event) => this.setLayer(layer.id, (e.target as HTMLInputElement).checked)}>
        ${swatch(layer.cim?.legend ?? layer.id)}<span class="grow trunc">${title(layer.cim?.title ?? layer.id)}</span>
      </label>${layer.cim?.generated ? html`<span class="tag stale">${t('layer.generated')}</span>` : nothing}</div>`;
  }

  private colours(): TemplateResult {
    const option = (value: Colour | null): TemplateResult => html`<label class="pick"><input type="radio" name="colour" data-testid="colour-${value ?? 'none'}" .checked=${this.colour === value} @change=${() => this.setColour(value)}><span>${t(value === null ? 'colour.none' : `colour.${value}`)}</span></label>`;
    const legend = this.colour ? this.map?.legendFor(this.colourBy) : null;
    return html`<fieldset class="picks"><legend class="sr">${t('panel.colourBy')}</legend>${option(null)}${COLOURS.map(option)}</fieldset>
      ${this.colour && legend ? legendOf(this.colour, legend, '') : nothing}`;
  }

  private right(): TemplateResult | typeof nothing {
    if (!this.picked) return nothing;
    const close = html`<button type="button" class="btn quiet sm ico" data-testid="info-close" aria-label=${t('panel.close')} @click=${() => this.pick(null)}>${icon('x')}</button>`;
    return html`<aside class="panel r" data-testid="card" aria-label=${t('panel.details')} aria-live="polite">${card(this.picked, this.content.city, this.content.datastreams, close)}</aside>`;
  }

  /** Attribution, what is generated, and when this was exported: always there. */
  private foot(): TemplateResult {
    const { attributions, datasets, generated, baseline_version } = this.content.city;
    // A source that asks for no attribution is named all the same.
    const unasked = datasets.filter((d) => !d.attribution).map((d) => d.title);
    const sources = creditsOf(attributions);
    const words = (text: string): string => (lang() === 'zh' ? text.replace(/OpenStreetMap contributors/, 'OpenStreetMap 贡献者') : text);
    const when = say('exported', { when: dayAndClock(new Date(this.content.exported_at), this.zone) });
    const parts = [...sources.map(words), ...unasked, ...(generated ? [t('map.generatedCity')] : []), `${when}${lang() === 'zh' ? '，' : ', '}${say('baseline', { n: baseline_version })}`, say('still')];
    return html`<footer class="credits" data-testid="attribution">${parts.map((text) => html`<span>${text}</span>`)}</footer>`;
  }
}
