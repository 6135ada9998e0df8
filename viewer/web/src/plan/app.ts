import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { lang, langTag, setLang, t } from '../i18n/index';
import { number } from '../i18n/format';
import { valueOf } from '../state/model';
import type { ExploreState } from '../state/explore-state';
import { contextOf } from '../ui/context';
import { controls, furniture } from '../ui/furniture';
import { mapFailed } from '../ui/map-failed';
import { commandOf } from '../ui/keyboard';
import type { MapFactory, MapPort } from '../ui/map-port';
import { sunDock } from '../ui/sun-dock';
import '../ui/announcer';
import { CimCompare } from '../scheme/compare-view';
import { Beside } from './beside';
import { planBar } from './bar';
import type { Bench } from './bench';
import { comparePane } from './compare';
import type { PlanCtx } from './context';
import { dialogs } from './dialogs';
import { nameOf } from './schemes-panel';
import { findings } from './findings';
import { inspector } from './inspector';
import { JoiningDesk } from './joining';
import { numbers } from './numbers';
import type { Plan } from './plan';
import { schemeOf, TOOLS, type PlanState } from './plan-state';
import { schemesPanel } from './schemes-panel';
import { TOOL_KEYS, toolStrip } from './strip';
import { timeline } from './timeline';

const NOTICE_MS = 5_000;

/** The Plan page. Set `plan`, `bench` and `createMap` before it is connected. */
export class CimPlan extends LitElement {
  declare plan: Plan;
  declare bench: Bench;
  declare createMap: MapFactory;

  private desk!: JoiningDesk;
  private beside!: Beside;
  private padded = '';
  private listed = '';
  private offs: (() => void)[] = [];
  private noticeTimer: ReturnType<typeof setTimeout> | null = null;

  /** For browser tests: what the page knows of the city, of the schemes, and the map it draws. */
  get state(): ExploreState {
    return this.plan.city.state;
  }

  get planned(): PlanState {
    return this.plan.state;
  }

  get map(): MapPort | null {
    return this.plan.city.map;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.desk = new JoiningDesk(this.plan);
    this.beside = new Beside(this.plan, () => this.view);
    setLang(this.state.lang);
    this.offs = [
      this.plan.city.store.subscribe((now, before) => {
        this.cityChanged(now, before);
        this.requestUpdate();
      }),
      this.plan.store.subscribe(() => this.requestUpdate()),
    ];
    document.addEventListener('keydown', this.key, true);
    addEventListener('resize', this.resized);
    this.dress();
  }

  override disconnectedCallback(): void {
    for (const off of this.offs) off();
    this.beside.stop();
    document.removeEventListener('keydown', this.key, true);
    removeEventListener('resize', this.resized);
    this.plan.stop();
    super.disconnectedCallback();
  }

  private get view(): CimCompare | null {
    return this.querySelector<CimCompare>('cim-compare');
  }

  protected override firstUpdated(): void {
    void this.begin();
  }

  private async begin(): Promise<void> {
    const { view } = this;
    await view?.updateComplete;
    if (view) this.plan.city.start(view.stage, view.wrap(this.createMap));
    this.plan.start();
    this.bench.attach();
  }

  private readonly resized = (): void => {
    this.plan.city.store.set({ phone: innerWidth < 900 });
    this.requestUpdate();
  };

  private dress(): void {
    const { theme, lang: language, city } = this.state;
    document.documentElement.dataset['theme'] = theme;
    document.documentElement.lang = langTag(language);
    const title = valueOf(city)?.title[language];
    document.title = title ? `${title} · ${t('bar.plan')}` : t('app.title');
  }

  private cityChanged(now: ExploreState, before: ExploreState): void {
    if (now.theme !== before.theme || now.lang !== before.lang || now.city !== before.city) this.dress();
    if (now.view !== before.view && this.bench.id !== 'select') this.bench.ground.wake();
    if (now.notice !== before.notice && now.notice) {
      if (this.noticeTimer) clearTimeout(this.noticeTimer);
      this.noticeTimer = setTimeout(() => this.plan.city.store.set({ notice: null }), NOTICE_MS);
    }
  }

  /** Name and summary of the canvas. */
  private label(): void {
    const city = valueOf(this.state.city);
    const scheme = schemeOf(this.planned);
    const failing = (valueOf(this.planned.findings) ?? []).filter((f) => f.verdict === 'fail').length;
    const counts = scheme?.counts ?? { added: 0, changed: 0, demolished: 0 };
    this.map?.setLabel(`${t('map.label', { city: city?.title[lang()] ?? '' })}. ${t('plan.map.summary', { buildings: number(city?.counts['Building'] ?? 0), ...counts, failing })} ${t('map.keys')}`);
  }

  protected override updated(): void {
    const { phone } = this.state;
    const chosen = `${this.planned.current} ${this.plan.tree.length}`;
    // The scheme in hand is seen in the list, however many there are.
    if (chosen !== this.listed) this.querySelector('.leaf.on')?.scrollIntoView({ block: 'nearest' });
    this.listed = chosen;
    const padding = phone ? { left: 0, right: 0, top: 0, bottom: 0 } : { left: 300, right: this.planned.current ? 364 : 0, top: 60, bottom: 84 };
    const key = JSON.stringify([padding, this.planned.findings, lang()]);
    if (key === this.padded) return;
    this.padded = key;
    this.map?.setPadding(padding);
    this.view?.setFree(phone ? { left: 0, right: 0, top: 0, bottom: 0 } : { ...padding, top: 60 });
    this.label();
  }

  private readonly key = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (this.planned.dialog) return;
    const inText = target.matches('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]');
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !inText) {
      event.preventDefault();
      void (event.shiftKey ? this.plan.redo() : this.plan.undo());
      return;
    }
    const onControl = target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement || target.matches('summary');
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && (!inText || event.key === 'Escape') && !(onControl && (event.key === 'Enter' || event.key === ' ')) && this.bench.key(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const tool = plain && !inText ? TOOLS.find((id) => TOOL_KEYS[id].toLowerCase() === event.key.toLowerCase()) : undefined;
    if (tool && (!this.plan.locked || ['select', 'measure', 'section'].includes(tool))) {
      event.preventDefault();
      this.bench.choose(tool);
      return;
    }
    const command = commandOf({ key: event.key, shiftKey: event.shiftKey, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey, inText, onMap: target instanceof HTMLCanvasElement, onPage: target === document.body });
    if (command && this.carryOut(command)) event.preventDefault();
  };

  private carryOut(command: NonNullable<ReturnType<typeof commandOf>>): boolean {
    const city = this.plan.city;
    switch (command.kind) {
      case 'table':
        city.openTable();
        return true;
      case 'back':
        return this.back();
      case 'home':
        city.home();
        return true;
      case 'take':
        city.takeWalked();
        return true;
      case 'pan':
        city.camera.pan(command.right, command.up);
        return true;
      case 'zoom':
        city.camera.move({ zoom: command.by * 0.7 });
        return true;
      case 'turn':
        city.camera.move({ bearing: command.by });
        return true;
      case 'walk':
        return city.walker.go(command.by);
      default:
        return false;
    }
  }

  /** Escape: the innermost thing first. */
  private back(): boolean {
    const { plan } = this;
    if (plan.city.walker.end()) return true;
    if (plan.state.more) plan.store.set({ more: null });
    else if (this.state.sunMenu) plan.city.store.set({ sunMenu: false });
    else if (plan.state.compare) plan.store.set({ compare: null });
    else if (this.state.selection) plan.city.select(null);
    else if (plan.state.at !== null) plan.lookAt(null);
    else return false;
    return true;
  }

  private get mapMode(): 'one' | 'swipe' | 'split' {
    const { compare } = this.planned;
    return compare === null || compare.mode === 'table' ? 'one' : compare.mode;
  }

  private sideNames(ctx: PlanCtx): CimCompare['names'] {
    const { compare } = ctx.s;
    if (!compare || !ctx.branch) return [null, null];
    const other = ctx.tree.find((b) => b.scheme.id === compare.with);
    const both = (text: string): { en: string; zh: string } => ({ en: text, zh: text });
    const letter = (label: string): string => label.split('.')[0] ?? label;
    return [other ? { letter: letter(other.label), name: both(nameOf(other.scheme)) } : { letter: 'A', name: both(t('plan.existing')) }, { letter: letter(ctx.branch.label), name: both(nameOf(ctx.branch.scheme)) }];
  }

  private context(): PlanCtx {
    const s = this.planned;
    const { tree } = this.plan;
    return { s, do: this.plan, bench: this.bench, city: contextOf(this.plan.city), tree, scheme: schemeOf(s), branch: tree.find((b) => b.scheme.id === s.current) ?? null };
  }

  protected override render(): TemplateResult {
    const ctx = this.context();
    const { phone } = this.state;
    const right = ctx.scheme !== null || this.state.selection !== null;
    return html`<a class="skip" href="#map">${t('app.skip')}</a>
      <div class="page plan ${phone ? 'phone-plan' : 'desk'} with-left ${right ? 'with-right' : ''} ${ctx.s.compare ? 'comparing' : ''}">
        ${planBar(ctx)}
        <main class="map" id="map" tabindex="-1"><cim-compare .mode=${this.mapMode} .position=${ctx.s.divider} .names=${this.sideNames(ctx)} .langNow=${this.state.lang} @position=${(e: CustomEvent<number>) => this.plan.store.set({ divider: e.detail })} @refused=${() => { this.plan.store.set({ compare: null }); this.plan.city.say(t('compare.refused')); }}></cim-compare></main>
        ${mapFailed(this.state.mapFailed, this.plan.city.link('/table'))}
        ${ctx.s.compare ? comparePane(ctx) : nothing}
        <div class="columns">
          ${schemesPanel(ctx)}
          ${ctx.s.compare ? nothing : toolStrip(ctx)}
          ${right ? html`<div class="rightcol">${ctx.scheme ? html`<aside class="panel r numbersbox" data-testid="numbers" aria-label=${t('plan.rightPanel')} tabindex="-1"><div class="scroll">${findings(ctx)}${numbers(ctx)}</div></aside>` : nothing}${inspector(ctx)}</div>` : nothing}
        </div>
        ${controls(ctx.city)}
        ${ctx.s.compare ? nothing : timeline(ctx)}
        ${ctx.s.sunDock && !ctx.s.compare ? sunDock(ctx.city) : nothing}
        ${furniture(ctx.city)}
        ${this.state.notice ? html`<div class="toast">${this.state.notice}</div>` : nothing}
      </div>
      ${dialogs(ctx, this.desk)}
      <cim-announcer .message=${this.state.spoken}></cim-announcer>`;
  }
}

customElements.define('cim-plan', CimPlan);
