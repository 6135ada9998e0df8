import type { Datastream, LayerPhase } from './types';
import type { LayerSpec } from './spec';
import type { LiveStore } from './live';
import { loadFeatures, pointOf, SourceError, type Feature, type Place } from './features';
import { treesOf, type Tree } from './layers/tree-layer';
import { linksOf, nodesOf, type Link, type Node } from './layers/network-layers';
import type { Sensor } from './layers/sensor-layers';
import { labelSources, type LabelSource } from './layers/label-layers';
import { Relief } from './relief';

export interface Loaded {
  phase: LayerPhase;
  features: Feature[];
  trees?: Tree[];
  links?: Link[];
  nodes?: Node[];
  labels?: LabelSource[];
  /** Made once per list of datastreams: what is drawn by keeps its identity. */
  sensors?: { of: number; list: Sensor[] };
}

/** What the layers draw by: fetched once a layer is shown, kept until the next spec. */
export class LayerSources {
  specs: LayerSpec[] = [];
  language = 'en';
  /** The ground that everything else stands on; it is here before anything is. */
  relief = Relief.FLAT;
  private readonly visible = new Map<string, boolean>();
  private readonly loaded = new Map<string, Loaded>();
  private abort = new AbortController();
  private ground: Promise<void> = Promise.resolve();

  constructor(
    private readonly live: LiveStore,
    private readonly changed: () => void,
    private readonly report: (layerId: string, phase: LayerPhase, detail: string) => void,
  ) {}

  setSpecs(specs: LayerSpec[]): void {
    this.stop();
    this.abort = new AbortController();
    this.specs = specs;
    this.loaded.clear();
    this.ground = this.fetchGround(this.abort.signal);
    for (const s of specs) if (!this.visible.has(s.id)) this.visible.set(s.id, s.visible);
    this.ensure();
  }

  stop(): void {
    this.abort.abort();
  }

  get(id: string): Loaded | undefined {
    return this.loaded.get(id);
  }

  setVisible(id: string, visible: boolean): void {
    this.visible.set(id, visible);
    this.ensure();
    this.changed();
  }

  isVisible(id: string): boolean {
    return this.visible.get(id) ?? true;
  }

  /** True while anything that is shown is on its way. */
  get waiting(): boolean {
    return this.specs.some((s) => this.isVisible(s.id) && this.loaded.get(s.id)?.phase === 'loading');
  }

  /** Asks again for a layer that failed. */
  retry(id: string): void {
    this.loaded.delete(id);
    this.ensure();
  }

  relabel(): void {
    for (const s of this.specs) {
      const l = this.loaded.get(s.id);
      if (s.role === 'labels' && l) l.labels = labelSources(l.features, s.id, this.language);
    }
    this.changed();
  }

  setPhase(id: string, phase: LayerPhase, detail = ''): void {
    const l = this.loaded.get(id);
    if (l && l.phase !== phase) l.phase = phase;
    this.report(id, phase, detail);
    this.changed();
  }

  private ensure(): void {
    for (const s of this.specs) {
      if (this.loaded.has(s.id) || !this.isVisible(s.id)) continue;
      this.loaded.set(s.id, { phase: 'loading', features: [] });
      this.report(s.id, 'loading', '');
      const { signal } = this.abort;
      this.fetchLayer(s, signal).catch((error: unknown) => {
        if (signal.aborted) return;
        this.setPhase(s.id, 'failed', error instanceof SourceError ? error.detail : 'network');
      });
    }
  }

  private async fetchGround(signal: AbortSignal): Promise<void> {
    const source = this.specs.find((s) => s.hints.heights !== undefined)?.hints.heights;
    const response = source === undefined ? null : await fetch(source, { signal }).catch(() => null);
    // What cannot be read now does not move the city.
    if (signal.aborted || (source !== undefined && !response?.ok)) return;
    const relief = Relief.of(response ? await response.json().catch(() => null) : null);
    if (!signal.aborted && !relief.equals(this.relief)) this.relief = relief;
  }

  /** The tiles are others: so may be the ground, and what could not be read then may be there now. */
  async renew(): Promise<void> {
    const { signal } = this.abort;
    const before = this.relief;
    await (this.ground = this.fetchGround(signal));
    if (signal.aborted) return;
    for (const s of this.specs) {
      const isTiled = s.role === 'ground' || s.role === 'buildings';
      if (isTiled ? this.loaded.get(s.id)?.phase === 'failed' : this.relief !== before) this.loaded.delete(s.id);
    }
    this.ensure();
  }

  private async fetchLayer(s: LayerSpec, signal: AbortSignal): Promise<void> {
    await this.ground;
    if (s.role === 'ground' || s.role === 'buildings') {
      // The tileset is asked for here first: deck.gl swallows a tileset that is missing.
      // A layer without an address would be asked for as `null`.
      if (typeof s.data !== 'string' || !s.data) throw new SourceError('no_address');
      const response = await fetch(s.data, { signal });
      if (!response.ok) throw new SourceError(`http_${response.status}`);
      const l = this.loaded.get(s.id);
      if (l) l.phase = 'ready';
      this.changed();
      return;
    }
    const features = await loadFeatures(s.data, signal);
    // One page of each is enough: names of a large city are more than there is room for.
    for (const source of s.hints.sources ?? []) features.push(...(await loadFeatures(source, signal, 1)));
    const nodes = s.hints.nodes ? await loadFeatures(s.hints.nodes, signal) : [];
    if (signal.aborted) return;
    const { relief } = this;
    const l: Loaded = { phase: 'loading', features };
    if (s.role === 'trees') l.trees = treesOf(features).map((tree) => ({ ...tree, position: relief.on(tree.position) }));
    if (s.role === 'network') {
      l.links = linksOf(features).map((link) => ({ ...link, path: relief.along(link.path) }));
      l.nodes = nodesOf(nodes).map((node) => ({ ...node, position: relief.on(node.position) }));
    }
    if (s.role === 'labels') l.labels = labelSources(features, s.id, this.language);
    this.loaded.set(s.id, l);
    this.setPhase(s.id, features.length ? 'ready' : 'empty', String(features.length));
  }

  sensorsOf(id: string): Sensor[] {
    const l = this.loaded.get(id);
    if (!l) return [];
    if (l.sensors?.of !== this.live.streamsVersion) l.sensors = { of: this.live.streamsVersion, list: this.readSensors(l) };
    return l.sensors.list;
  }

  private readSensors(l: Loaded): Sensor[] {
    const out: Sensor[] = [];
    for (const f of l.features) {
      const position = pointOf(f);
      const p = f.properties;
      const known = [f.id, p['datastream_id'], p['id']].map((k) => this.live.stream(String(k ?? ''))).find(Boolean);
      const stream = known ?? ({ ...p, id: String(p['datastream_id'] ?? p['id'] ?? f.id) } as unknown as Datastream);
      if (position) out.push({ id: stream.id, position: this.relief.on(position), stream });
    }
    return out;
  }

  /** Place of a sensor, node, tree or the middle of a link; null when no layer holds it. */
  positionOf(id: string): Place | null {
    for (const s of this.specs) {
      const l = this.loaded.get(s.id);
      const found =
        (s.role === 'sensors' ? this.sensorsOf(s.id).find((d) => d.id === id)?.position : undefined) ??
        l?.nodes?.find((d) => d.feature.id === id)?.position ??
        l?.trees?.find((d) => d.id === id)?.position;
      if (found) return found;
      const path = l?.links?.find((d) => d.feature.id === id)?.path;
      if (path) return path[Math.floor(path.length / 2)] ?? null;
    }
    return null;
  }
}
