import type { FilterContext, GetPickingInfoParams, Layer, PickingInfo, UpdateParameters, Viewport } from '@deck.gl/core';
import { Tile3DLayer, type Tile3DLayerProps } from '@deck.gl/geo-layers';
import { LineLayer } from '@deck.gl/layers';
import type { Rgba } from '../types';
import { Kind } from '../shading/shader';
import type { CityExtensionProps } from '../shading/extension';
import { FeatureMeshLayer, SkirtLayer } from './mesh-layers';
import { hidingOf, rowsOf, type Hiding } from './hiding';
import { readTileContent, rowOf, weightOf, type Gltf, type TileContent } from './tile-content';

/** How the features of a tileset are coloured now. A new object means: colour again. */
export interface TilePaint {
  colourOf: (content: TileContent, row: number) => Rgba;
  /** RGBA bytes by the number of a surface: what roofs and walls of a plain building wear, by whether the city tells. */
  tones: { readonly told: Uint8Array; readonly untold: Uint8Array } | null;
  edge: Rgba;
  contact: Rgba;
  selectedId: string | null;
  selectedEdge: Rgba;
  /** Objects that are not drawn. */
  hidden: ReadonlySet<string>;
  /** How long the change to these colours takes. */
  fade_ms: number;
}

export interface CityTileProps extends CityExtensionProps {
  role: 'buildings' | 'ground';
  paint: TilePaint;
}

export interface Tile {
  id: string;
  contentUrl?: string;
  selected: boolean;
  contentReady?: boolean;
  tileDrawn?: boolean;
  viewportIds: string[];
  content?: RawContent | null;
}

interface RawContent {
  gltf?: Gltf;
  city?: TileContent | null;
  gpuMemoryUsageInBytes?: number;
  cartographicOrigin: number[];
  modelMatrix: number[];
}

interface Tileset {
  gpuMemoryUsageInBytes: number;
  tiles: unknown[];
  /** What the tree was last walked for. */
  lastUpdatedVieports: Viewport[] | Viewport | null;
  /** A walk that is due. */
  updatePromise: Promise<number> | null;
  isLoaded(): boolean;
  destroy(): void;
}

/** The state of the layer: the tileset, and the one before it while that is still shown. */
interface Held {
  activeViewports: Record<string, Viewport>;
  lastUpdatedViewports: Record<string, Viewport> | null;
  /** One of its tiles said what its surfaces are. */
  told?: boolean;
  tileset3d?: Tileset | null;
  held?: Tileset;
}

interface Painted {
  content: TileContent;
  paint: TilePaint | null;
  colours: Uint8Array;
  outlineOf: string | null;
  outline: Float32Array;
  hiding: Hiding;
  shown: boolean;
}

export interface FeaturePickingInfo extends PickingInfo {
  feature?: { id: string; properties: Record<string, unknown> };
  sourceTile?: Tile;
}

/** Tiles that are read, by address: two maps on a page, side by side, hold the same arrays. */
const read = new Map<string, WeakRef<TileContent>>();

function shared(key: string, make: () => TileContent | null): TileContent | null {
  const known = read.get(key)?.deref();
  if (known) return known;
  const made = make();
  if (made) read.set(key, new WeakRef(made));
  return made;
}

/**
 * Reads a tile when it arrives and lets its file go. The cache of the tileset counts what is left, so that what it may
 * hold is what the page holds.
 */
export const readerOf = (role: CityTileProps['role']) => async (tile: Tile): Promise<void> => {
  const raw = tile.content;
  if (!raw?.gltf) return;
  const { gltf } = raw;
  raw.city = shared(`${role} ${tile.contentUrl ?? tile.id}`, () => readTileContent(gltf, role));
  raw.gpuMemoryUsageInBytes = raw.city ? weightOf(raw.city) : 0;
  delete raw.gltf;
  return Promise.resolve();
};

const GROUND_PARAMETERS = { depthCompare: 'less-equal', depthWriteEnabled: true } as const;
const OVERLAY_PARAMETERS = { depthCompare: 'always', depthWriteEnabled: false } as const;
const UNLIT = { unlit: true };

/**
 * A tileset whose features can be picked and recoloured one by one. Overrides the public `renderLayers` only, but reads
 * the state of the tileset: deck.gl is pinned, and a browser test watches this.
 */
export class CityTileLayer extends Tile3DLayer<unknown, CityTileProps> {
  static override layerName = 'CityTileLayer';
  static override defaultProps = { role: 'buildings', paint: { type: 'object', value: null, compare: false } } as never;

  constructor(props: Partial<Tile3DLayerProps> & CityTileProps & { id: string }) {
    super(props as never);
  }

  private readonly painted = new WeakMap<object, Painted>();

  private get cache(): WeakMap<object, Painted> {
    // Layers are rebuilt at every render, their state is not.
    const state = this.state as unknown as { painted?: WeakMap<object, Painted> };
    state.painted ??= this.painted;
    return state.painted;
  }

  /** Tiles that are loaded and drawn in this view, with their decoded content. */
  *selectedTiles(): Generator<{ tile: Tile; content: TileContent }> {
    for (const tile of this.tiles()) {
      const p = tile.selected ? this.readOnce(tile) : null;
      if (p) yield { tile, content: p.content };
    }
  }

  /** Bytes of tile content in the page, by the count of the cache, and of how many tiles. */
  get held(): { readonly bytes: number; readonly tiles: number } {
    const state = this.state as unknown as Held | undefined;
    const tilesets = [state?.tileset3d, state?.held].filter((one, i, all) => one && all.indexOf(one) === i) as Tileset[];
    const tiles = tilesets.flatMap((one) => one.tiles as Tile[]).filter((tile) => tile.content?.city);
    return { bytes: tilesets.reduce((sum, one) => sum + one.gpuMemoryUsageInBytes, 0), tiles: tiles.length };
  }

  /**
   * Whether all that the camera sees now is there. A tileset says of itself only that it has loaded what it was last
   * asked for: that may be another view, for a walk through the tree waits for a frame.
   */
  get isSettled(): boolean {
    const tileset = (this.state as unknown as Held | undefined)?.tileset3d;
    if (!tileset || !this.isLoaded || tileset.updatePromise) return false;
    const walked = [tileset.lastUpdatedVieports ?? []].flat();
    const seen = this.context.deck?.getViewports() ?? [];
    return seen.every((view) => walked.some((one) => one.id === view.id && one.equals(view)));
  }

  private tiles(): Tile[] {
    const state = this.state as unknown as Held | undefined;
    const now = state?.tileset3d;
    if (state?.held && now !== state.held) {
      // The city as it was stays until what is seen of the newer one is there: nothing blinks.
      if (!now?.isLoaded()) return state.held.tiles as Tile[];
      const old = state.held;
      delete state.held;
      // After this frame: the layers drawn from it are let go first.
      setTimeout(() => old.destroy(), 0);
    }
    return (now?.tiles ?? []) as Tile[];
  }

  override updateState(params: UpdateParameters<this>): void {
    const state = this.state as unknown as Held;
    if (params.props.data !== params.oldProps.data && state.tileset3d) state.held ??= state.tileset3d;
    super.updateState(params);
    // deck.gl forgets the views that it has seen to, until they are drawn again. A tileset that comes in between, which
    // on a slow machine is long, would be walked for none of them: nothing would be drawn until the camera moves.
    if (!Object.keys(state.activeViewports).length) state.activeViewports = { ...state.lastUpdatedViewports };
  }

  private get told(): boolean {
    return (this.state as unknown as Held).told === true;
  }

  private paintedOf(tile: Tile): Painted | null {
    const p = this.readOnce(tile);
    if (p && p.paint !== this.props.paint) this.repaint(p);
    return p;
  }

  private readOnce(tile: Tile): Painted | null {
    const raw = tile.content;
    if (!raw?.city) return null;
    let p = this.cache.get(raw);
    if (!p) {
      p = {
        content: raw.city,
        paint: null,
        colours: new Uint8Array(0),
        outlineOf: null,
        outline: new Float32Array(0),
        hiding: hidingOf(raw.city, new Set()),
        shown: false,
      };
      this.cache.set(raw, p);
    }
    return p;
  }

  private repaint(p: Painted): void {
    const { paint } = this.props;
    p.paint = paint;
    const key = rowsOf(p.content, paint.hidden).join();
    if (key !== p.hiding.key) p.hiding = hidingOf(p.content, paint.hidden);
    const colours = new Uint8Array(p.content.rows * 4);
    for (let row = 0; row < p.content.rows; row++) {
      if (!p.hiding.rows.has(row)) colours.set(paint.colourOf(p.content, row), row * 4);
    }
    // An unchanged tile keeps its texture.
    if (colours.length !== p.colours.length || colours.some((v, i) => v !== p.colours[i])) p.colours = colours;
    const selected = paint.selectedId !== null && !paint.hidden.has(paint.selectedId) ? paint.selectedId : null;
    if (p.outlineOf !== selected) {
      p.outlineOf = selected;
      p.outline = outlineOf(p.content, selected);
    }
  }

  override renderLayers(): Layer[] {
    const below: Layer[] = [];
    const bodies: Layer[] = [];
    const state = this.state as unknown as Held;
    state.told ||= this.tiles().some((tile) => tile.content?.city?.tinted);
    const above: Layer[] = [];
    for (const tile of this.tiles()) {
      const p = this.paintedOf(tile);
      if (!p) continue;
      // A tile once shown keeps its buffers while it is in the cache: turning back is free.
      p.shown ||= tile.selected;
      if (!p.shown) continue;
      this.renderTile(tile, p, below, bodies, above);
    }
    return [...below, ...bodies, ...above];
  }

  private renderTile(tile: Tile, p: Painted, below: Layer[], bodies: Layer[], above: Layer[]): void {
    const { content } = p;
    const { paint, role } = this.props;
    const ground = role === 'ground';
    const place = {
      tile,
      coordinateSystem: 'meter-offsets' as const,
      coordinateOrigin: tile.content?.cartographicOrigin as [number, number, number],
      modelMatrix: tile.content?.modelMatrix,
      _offset: 0,
    };
    const single = { data: [0], getPosition: [0, 0, 0] as [number, number, number], material: UNLIT as never };
    bodies.push(
      new FeatureMeshLayer(this.getSubLayerProps({ id: 'body' }), {
        ...(place as object),
        ...single,
        id: `${this.id}-body-${tile.id}`,
        mesh: content.mesh as never,
        getColor: [255, 255, 255],
        featureColours: p.colours,
        tones: paint.tones?.[this.told ? 'told' : 'untold'] ?? null,
        featureIds: content.featureIds,
        heights: content.heights,
        orders: content.orders,
        fade_ms: paint.fade_ms,
        hiddenKey: p.hiding.key,
        ranked: ground,
        pickable: !ground && this.props.pickable,
        cityKind: ground ? Kind.ground : Kind.building,
        parameters: ground ? GROUND_PARAMETERS : {},
        onDrawn: () => {
          tile.tileDrawn = true;
        },
      }),
    );
    if (ground) return;
    const quiet = { ...(place as object), pickable: false };
    if (content.skirt) {
      below.push(
        new SkirtLayer(this.getSubLayerProps({ id: 'contact' }), {
          ...quiet,
          ...single,
          id: `${this.id}-contact-${tile.id}`,
          mesh: content.skirt.mesh as never,
          alphas: p.hiding.alphas,
          getColor: paint.contact,
          cityKind: Kind.contact,
          parameters: OVERLAY_PARAMETERS,
          updateTriggers: { getColor: paint.contact.join() },
        }),
      );
    }
    const lines = (id: string, positions: Float32Array, colour: Rgba, width: number): Layer =>
      new LineLayer(this.getSubLayerProps({ id }), {
        ...quiet,
        id: `${this.id}-${id}-${tile.id}`,
        data: {
          length: positions.length / 6,
          attributes: {
            getSourcePosition: { value: positions, size: 3, stride: 24, offset: 0 },
            getTargetPosition: { value: positions, size: 3, stride: 24, offset: 12 },
          },
        },
        getColor: colour,
        getWidth: width,
        cityKind: Kind.edge,
        parameters: { depthWriteEnabled: false },
        updateTriggers: { getColor: colour.join() },
      } as never);
    if (p.hiding.edges?.length) above.push(lines('edge', p.hiding.edges, paint.edge, 1));
    if (p.outline.length) above.push(lines('outline', p.outline, paint.selectedEdge, 2.2));
  }

  override filterSubLayer(context: FilterContext): boolean {
    const { tile } = context.layer.props as unknown as { tile?: Tile };
    return !!tile?.selected && tile.viewportIds.includes(context.viewport.id);
  }

  override getPickingInfo(params: GetPickingInfoParams): FeaturePickingInfo {
    const info = super.getPickingInfo(params) as FeaturePickingInfo;
    const p = info.picked && info.sourceTile?.content ? this.cache.get(info.sourceTile.content) : null;
    if (p) info.feature = { id: p.content.ids[info.index] ?? '', properties: rowOf(p.content, info.index) };
    return info;
  }

  protected override _updateAutoHighlight(): void {
    // Highlighting goes through the colour texture.
  }
}

function outlineOf(content: TileContent, id: string | null): Float32Array {
  const row = id === null ? -1 : content.ids.indexOf(id);
  if (row < 0 || !content.edges) return new Float32Array(0);
  const { positions, featureIds } = content.edges;
  const out: number[] = [];
  for (let i = 0; i < featureIds.length; i++) {
    if (featureIds[i] === row) out.push(positions[i * 3] ?? 0, positions[i * 3 + 1] ?? 0, positions[i * 3 + 2] ?? 0);
  }
  return new Float32Array(out);
}
