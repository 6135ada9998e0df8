/** The upload page: files in, a look at them on the map, into the city, and back out. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, setLang, t } from '../i18n/index';
import { keep } from '../pages/boot';
import { isToken } from '../plan/token';
import { logo, mark } from '../ui/icons';
import type { MapFactory, MapPort } from '../ui/map-port';
import { languageSwitch, themeButton, type BarActions } from '../ui/top-bar';
import type { ViewSpec } from '../state/model';
import type { UploadDesk } from './desk';
import { droppedOf } from './files';
import { donePart, dropZone, failure, foundPart, jobFailure, jobPart, sendingPart, waitingPart, type Ctx } from './parts';
import { settingsPart } from './settings';
import { sketchOverlay, viewOf } from './sketch';
import { ended, lookOf, type Look } from './types';

export class CimUpload extends LitElement {
  static override properties = { turn: { state: true }, over: { state: true } };
  declare turn: number;
  /** Something is being dragged over the page. */
  declare over: boolean;
  desk!: UploadDesk;
  createMap!: MapFactory;
  readSpec: () => Promise<ViewSpec> = () => Promise.reject(new Error('no view'));
  keepToken: (token: string) => void = () => undefined;
  private map: MapPort | null = null;
  private drawn: Look | null = null;
  private depth = 0;

  constructor() {
    super();
    this.turn = 0;
    this.over = false;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.desk.store.subscribe((now, before) => {
      this.turn++;
      if (now.look !== before.look || now.upload !== before.upload) this.sketch();
    });
    // Wherever a file is dropped, it is meant for this page: the browser would leave it for the file.
    addEventListener('dragenter', this.dragged);
    addEventListener('dragover', this.dragged);
    addEventListener('dragleave', this.dragged);
    addEventListener('drop', this.dropped);
    void this.desk.start();
  }

  override disconnectedCallback(): void {
    removeEventListener('dragenter', this.dragged);
    removeEventListener('dragover', this.dragged);
    removeEventListener('dragleave', this.dragged);
    removeEventListener('drop', this.dropped);
    this.desk.stop();
    this.map?.finalize();
    super.disconnectedCallback();
  }

  private readonly dragged = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    if (event.type === 'dragenter') this.depth++;
    if (event.type === 'dragleave') this.depth--;
    this.over = this.depth > 0 && this.free;
  };

  private readonly dropped = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.depth = 0;
    this.over = false;
    if (this.free) void droppedOf(event.dataTransfer).then((chosen) => this.desk.bring(chosen));
  };

  private get free(): boolean {
    const { token, sending, upload } = this.desk.state;
    return token !== null && !sending && !upload;
  }

  protected override firstUpdated(): void {
    const stage = this.querySelector<HTMLElement>('.upmap');
    if (!stage) return;
    try {
      const quiet = (): void => undefined;
      this.map = this.createMap(stage, { onPick: quiet, onHover: quiet, onViewChange: quiet, onIdle: quiet, onLayerState: quiet }, { theme: this.desk.state.theme, language: this.desk.state.lang });
      this.map.setLabel(t('upload.map'));
    } catch {
      // Without WebGL the page works as before; only the picture is missing.
      stage.classList.add('none');
      return;
    }
    const show = (): void => this.sketch();
    this.readSpec().then((spec) => {
      this.map?.setSpec(spec);
      for (const layer of ['sensors', 'traffic', 'water-network', 'power-network', 'labels']) this.map?.setLayerVisible(layer, false);
    }).then(show, show);
  }

  /** What the look found, on the map; nothing while there is nothing. */
  private sketch(): void {
    const look = this.desk.state.upload ? lookOf(this.desk.state.look) : null;
    if (look === this.drawn || !this.map) return;
    this.drawn = look;
    this.map.setOverlay?.(look ? sketchOverlay(look.sketch.features) : null);
    const stage = this.querySelector<HTMLElement>('.upmap');
    if (!look?.bbox || !stage) return;
    const { at, zoom } = viewOf(look.bbox, stage.clientWidth, stage.clientHeight);
    this.map.setView({ pitch: 0, bearing: 0 });
    this.map.centreOn(at, zoom, true);
  }

  private bar(): TemplateResult {
    const { s } = this.ctx;
    const actions: BarActions = {
      setLanguage: (value) => {
        setLang(value);
        document.documentElement.lang = value === 'zh' ? 'zh-CN' : 'en';
        document.title = t('upload.title');
        keep({ lang: value });
        this.map?.setLanguage(value);
        this.desk.store.set({ lang: value });
      },
      setTheme: (value) => {
        document.documentElement.dataset['theme'] = value;
        keep({ theme: value });
        this.map?.setTheme(value);
        this.desk.store.set({ theme: value });
      },
      share: () => undefined,
    };
    return html`<header class="bar"><div class="brand">${logo()}<span class="trunc">${s.city?.title[lang()] ?? t('upload.title')}</span></div>
      <nav class="tabs" aria-label=${t('bar.pages')}><a href="/explore">${t('bar.explore')}</a><a href="/plan">${t('bar.plan')}</a><a href="/table">${t('bar.table')}</a><a href="/upload" aria-current="page">${t('upload.tab')}</a></nav>
      <span class="grow"></span><div class="row tools">${languageSwitch(actions)}${themeButton(s.theme, actions)}</div></header>`;
  }

  private get ctx(): Ctx {
    return { s: this.desk.state, do: this.desk };
  }

  /** The token is asked for once; `cim serve` prints an address that carries it. */
  private token(): TemplateResult {
    const take = (event: SubmitEvent): void => {
      event.preventDefault();
      const value = String(new FormData(event.target as HTMLFormElement).get('token') ?? '').trim();
      if (!isToken(value)) return;
      this.keepToken(value);
      this.desk.setToken(value);
    };
    return html`<form class="part" data-testid="token" @submit=${take}><h2>${t('upload.token')}</h2><p class="mid">${t('upload.token.say')}</p>
      ${this.desk.state.tokenRefused ? html`<p class="state note fail" role="alert">${mark('fail')}<span>${t('upload.token.refused')}</span></p>` : nothing}
      <div class="row"><label class="grow"><span class="sr">${t('upload.token')}</span><input class="field" type="password" name="token" autocomplete="off" data-testid="token-field"></label><button type="submit" class="btn pri">${t('upload.token.take')}</button></div></form>`;
  }

  private steps(): TemplateResult {
    const { ctx } = this;
    const { s } = ctx;
    if (s.job?.state === 'succeeded') return donePart(ctx, s.job);
    if (s.job && !ended(s.job)) return jobPart(ctx, s.job, t('upload.taking'), 'ingest');
    const look = lookOf(s.look);
    const looking = s.look !== null && !ended(s.look);
    return html`<section class="part head" aria-label=${t('upload.chosen')}><div class="row between"><h2 class="trunc" data-testid="upload-name">${s.upload?.name}</h2><button type="button" class="btn sm" data-testid="remove" @click=${() => { if (s.upload) void ctx.do.drop(s.upload.id); }}>${t('upload.remove')}</button></div>
        ${s.plan?.skipped.length ? html`<p class="xs dim">${t('upload.skipped', { n: s.plan.skipped.length })}</p>` : nothing}</section>
      ${s.job ? jobFailure(s.job, true) : nothing}
      ${looking && s.look ? jobPart(ctx, s.look, t('upload.looking'), 'look') : s.look && s.look.state !== 'succeeded' ? jobFailure(s.look, true) : nothing}
      ${look && !looking ? foundPart(look) : nothing}
      ${settingsPart(ctx)}
      <div class="go row wrap">
        <button type="button" class="btn ${s.changed || !look ? 'pri' : ''}" data-testid="look-again" ?disabled=${s.busy || looking} @click=${() => void ctx.do.look()}>${t('upload.look')}</button>
        <button type="button" class="btn ${s.changed || !look ? '' : 'pri'}" data-testid="ingest" ?disabled=${s.busy || looking || !look || s.changed} @click=${() => void ctx.do.ingest()}>${t('upload.ingest')}</button>
        ${s.changed ? html`<span class="xs mid">${t('upload.lookFirst')}</span>` : nothing}
      </div>`;
  }

  protected override render(): TemplateResult {
    const { ctx } = this;
    const { s } = ctx;
    const body = s.token === null ? this.token() : s.upload || s.job ? this.steps() : html`${s.sending ? sendingPart(ctx) : dropZone(ctx, this.over)}${waitingPart(ctx)}`;
    return html`<a class="skip" href="#upload-steps">${t('upload.skipTo')}</a>${this.bar()}
      <div class="uppage"><main class="upsteps" id="upload-steps" tabindex="-1"><h1>${t('upload.title')}</h1><p class="mid lead">${t('upload.lead')}</p>${failure(s)}${body}
        <p class="sr" role="status">${s.job?.state === 'succeeded' ? t('upload.done') : lookOf(s.look) ? t('upload.found') : ''}</p></main>
      <section class="upmap" aria-label=${t('upload.map')}></section></div>`;
  }
}

customElements.define('cim-upload', CimUpload);
