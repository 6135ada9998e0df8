import { HAZE } from '../layers/refinement';
import type { Effect, EffectContext, Layer, PreRenderOptions, Viewport } from '@deck.gl/core';
import { _LayersPass as LayersPass } from '@deck.gl/core';
import { Matrix4 } from '@math.gl/core';
import type { Device, Framebuffer, Texture } from '@luma.gl/core';
import type { Quality, Rgba, SunDirection, Theme } from '../types';
import type { Tokens } from '../tokens';
import { Kind, type CityLight } from './shader';

/** Without a chosen time the sun stands in the south-west, as in the drawings. */
export const DEFAULT_SUN: SunDirection = { azimuth_deg: 238, altitude_deg: 40 };

const STRENGTH = {
  light: { sun: 0.56, sky: 0.74, bounce: 0.66, ao: 0.78, shade: 0.25 },
  dark: { sun: 0.62, sky: 0.62, bounce: 0.6, ao: 0.6, shade: 0.5 },
} as const;

/** Half depth of the light's box, metres: taller than any tower casts at the lowest sun we draw. */
const LIGHT_DEPTH_M = 2500;
/** Half widths of the shadow box, metres; the smallest that holds the view is taken. */
const SHADOW_REACH_M = [260, 520, 1040, 2080] as const;
const COMPARE_SAMPLER = {
  type: 'comparison-sampler',
  compare: 'less-equal',
  minFilter: 'linear',
  magFilter: 'linear',
  addressModeU: 'clamp-to-edge',
  addressModeV: 'clamp-to-edge',
} as const;

type CasterProps = { cityKind?: number; cityCast?: boolean; hiddenKey?: string; tile?: { id: string; selected: boolean } };

/** Draws the casters into a depth texture as the sun sees them. */
class DepthPass extends LayersPass {
  readonly depth: Texture;
  readonly target: Framebuffer;

  constructor(device: Device, private readonly fx: CityEffect, readonly size: number) {
    super(device, { id: 'city-depth' });
    this.depth = device.createTexture({ format: 'depth24plus', width: size, height: size, sampler: COMPARE_SAMPLER });
    this.target = device.createFramebuffer({ width: size, height: size, depthStencilAttachment: this.depth });
  }

  override shouldDrawLayer(layer: Layer): boolean {
    return !layer.isComposite && isCaster(layer);
  }

  protected override getLayerParameters(layer: Layer): Layer['props']['parameters'] {
    return {
      ...layer.props.parameters,
      blend: false,
      cullMode: 'none',
      depthWriteEnabled: true,
      depthCompare: 'less-equal',
      depthBias: 2,
      depthBiasSlopeScale: 1.5,
    };
  }

  protected override getShaderModuleProps(_l: Layer, _e: Effect[] | undefined, other: Record<string, unknown>): unknown {
    return { city: { fx: this.fx, project: other['project'], depthPass: true }, lighting: { enabled: false } };
  }

  release(): void {
    this.target.destroy();
    this.depth.destroy();
  }
}

/** Half-plane through two points, on the side of the eye: what lies there is left out. */
export function cutPlane(points: readonly (readonly number[])[], eye: readonly number[]): number[] {
  const [[ax = 0, ay = 0] = [], [bx = 0, by = 0] = []] = points;
  const l = Math.hypot(bx - ax, by - ay) || 1;
  const [nx, ny] = [(ay - by) / l, (bx - ax) / l];
  const side = ((eye[0] ?? 0) - ax) * nx + ((eye[1] ?? 0) - ay) * ny < 0 ? -1 : 1;
  return [nx * side, ny * side, -(ax * nx + ay * ny) * side, 1];
}

function isCaster(layer: Layer): boolean {
  const p = layer.props as unknown as CasterProps;
  return p.cityCast !== false && (p.cityKind === Kind.building || p.cityKind === Kind.tree);
}

const scaled = (c: Rgba, k: number): number[] => [(c[0] / 255) * k, (c[1] / 255) * k, (c[2] / 255) * k, 0];
const smoothstep = (a: number, b: number, x: number): number => {
  const t = Math.max(0, Math.min(1, (x - a) / (b - a)));
  return t * t * (3 - 2 * t);
};

/**
 * One sun, one sky, one warm bounce, haze, and an own soft shadow map. The map is drawn again only when the sun,
 * the casters or the snapped centre change: it depends neither on zoom within a step nor on bearing.
 */
export class CityEffect implements Effect, CityLight {
  readonly id = 'city-effect';
  readonly props = {};
  readonly useInPicking = true;
  readonly order = 0;
  /** Times the shadow map was drawn; for tests and the status line. */
  shadowRenders = 0;

  private device: Device | null = null;
  private pass: DepthPass | null = null;
  private dummy: Texture | null = null;
  private uniforms: Record<string, number[] | Matrix4> = {};
  private anchor: number[] = [0, 0, 0];
  private metresPerUnit = 1;
  private drawnKey = '';
  /** Shader programs may still be linking in the first frame: the map is drawn again until they surely are not. */
  private settle = 0;

  constructor(
    private origin: [number, number],
    private tokens: Tokens,
    private theme: Theme,
    private quality: Quality,
  ) {}

  sun: SunDirection = DEFAULT_SUN;
  /** Surveyed rectangle, metres east-north from the origin: west, south, east, north. */
  bounds: [number, number, number, number] = [-1e5, -1e5, 1e5, 1e5];
  /** The section: what stands between it and the eye is left out; null draws all. */
  cut: readonly [readonly [number, number], readonly [number, number]] | null = null;
  /** 0 to 1: how far the ground steps back while buildings carry a data colour. */
  quiet = 0;

  setOrigin(origin: [number, number]): void {
    this.origin = origin;
    this.drawnKey = '';
  }

  setTheme(tokens: Tokens, theme: Theme): void {
    this.tokens = tokens;
    this.theme = theme;
  }

  setQuality(quality: Quality): void {
    if (quality === this.quality) return;
    this.quality = quality;
    this.pass?.release();
    this.pass = null;
    this.drawnKey = '';
  }

  /** The shadow map is drawn again with the next frame. */
  get settling(): boolean {
    return this.settle > 0;
  }

  get mapSize(): number {
    return this.quality === 'fast' ? 1024 : 4096;
  }

  setup({ device }: EffectContext): void {
    this.device = device;
    this.dummy = device.createTexture({ format: 'depth24plus', width: 1, height: 1, sampler: COMPARE_SAMPLER });
  }

  setProps(): void {}

  preRender(options: PreRenderOptions): void {
    const viewport = options.viewports[0];
    if (!this.device || !viewport || options.isPicking || options.pass.startsWith('picking')) return;
    this.pass ??= new DepthPass(this.device, this, this.mapSize);
    const box = this.update(viewport);
    const casters = options.layers
      .filter((l) => !l.isComposite && isCaster(l) && l.props.visible)
      .map((l) => {
        const { tile, hiddenKey = '' } = l.props as unknown as CasterProps;
        return tile && !tile.selected ? '' : `${l.id}${l.getNumInstances()}${hiddenKey}`;
      })
      .join();
    const key = `${box}|${this.sun.azimuth_deg},${this.sun.altitude_deg}|${casters}`;
    if (key !== this.drawnKey) {
      this.drawnKey = key;
      this.settle = 2;
    } else if (this.settle > 0) {
      this.settle--;
    } else {
      return;
    }
    this.drawDepth(options, viewport);
    if (this.settle > 0) options.layers[0]?.setNeedsRedraw();
  }

  private drawDepth(options: PreRenderOptions, viewport: Viewport): void {
    const { device, pass } = this;
    if (!device || !pass) return;
    // deck.gl sizes the GL viewport by the deck viewport, not by the target: lie about the size, or the map fills a corner.
    const css = pass.size / device.getDefaultCanvasContext().cssToDeviceRatio();
    const square = Object.create(viewport, {
      x: { value: 0 },
      y: { value: 0 },
      width: { value: css },
      height: { value: css },
    }) as Viewport;
    pass.render({
      ...options,
      effects: undefined,
      viewports: [square],
      views: undefined,
      onViewportActive: undefined,
      target: pass.target,
      pass: 'shadow',
      clearColor: false as unknown as number[],
      clearCanvas: true,
    });
    this.shadowRenders++;
  }

  /** Sets the uniforms of this frame; returns the key of the light's box. */
  private update(viewport: Viewport): string {
    const [lon, lat] = this.origin;
    this.anchor = viewport.projectPosition([lon, lat, 0]);
    const unitsPerMetre = viewport.getDistanceScales([lon, lat]).unitsPerMeter[2] ?? 1;
    this.metresPerUnit = 1 / unitsPerMetre;
    const metres = (c: ArrayLike<number>): [number, number, number] =>
      [0, 1, 2].map((i) => ((c[i] ?? 0) - (this.anchor[i] ?? 0)) / unitsPerMetre) as [number, number, number];
    const eye = metres(viewport.cameraPosition);
    const target = metres([viewport.center[0] ?? 0, viewport.center[1] ?? 0, 0]);
    const distance = Math.hypot(eye[0] - target[0], eye[1] - target[1], eye[2] - target[2]);

    const az = (this.sun.azimuth_deg * Math.PI) / 180;
    // Below two degrees shadows are longer than the box: keep the direction, fade the sun instead.
    const al = (Math.max(2, this.sun.altitude_deg) * Math.PI) / 180;
    const sun: [number, number, number] = [Math.sin(az) * Math.cos(al), Math.cos(az) * Math.cos(al), Math.sin(al)];
    const reach = SHADOW_REACH_M.find((r) => r >= distance * 0.85) ?? SHADOW_REACH_M[SHADOW_REACH_M.length - 1] ?? 2080;
    // Snapping the centre to an eighth of the reach keeps the map while panning; whole texels keep its edges still.
    const step = reach / 8;
    const centre = [Math.round(target[0] / step) * step, Math.round(target[1] / step) * step, 0];
    const view = new Matrix4().lookAt({ eye: sun, center: [0, 0, 0], up: [0, 0, 1] });
    const c = view.transform(centre) as number[];
    const texel = (2 * reach) / this.mapSize;
    const cx = Math.round((c[0] ?? 0) / texel) * texel;
    const cy = Math.round((c[1] ?? 0) / texel) * texel;
    const cz = c[2] ?? 0;
    const light = new Matrix4()
      .ortho({
        left: cx - reach,
        right: cx + reach,
        bottom: cy - reach,
        top: cy + reach,
        near: -cz - LIGHT_DEPTH_M,
        far: -cz + LIGHT_DEPTH_M,
      })
      .multiplyRight(view);

    const k = STRENGTH[this.theme];
    const day = smoothstep(-1, 8, this.sun.altitude_deg);
    const night = 0.62 + 0.38 * smoothstep(-8, 4, this.sun.altitude_deg);
    const t = this.tokens;
    // The penumbra is 1.4 texels per tap at the finest step and stays about as wide, in metres, at the others.
    const tap = this.quality === 'fast' ? 1 : 1.4;
    this.uniforms = {
      light,
      eye: [...eye, 0],
      sun: [...sun, k.shade * day],
      sunColour: scaled(t.get('light-sun'), k.sun * day),
      skyColour: scaled(t.get('light-sky'), k.sky * night),
      bounceColour: scaled(t.get('light-bounce'), k.bounce * night),
      haze: scaled(t.get('map-sky'), 1),
      ground: [...scaled(t.get('map-ground'), 1).slice(0, 3), this.quiet],
      fog: [distance * HAZE[0], distance * HAZE[1], k.ao, (0.35 + texel) / (2 * LIGHT_DEPTH_M)],
      bounds: this.bounds,
      cut: this.cut ? cutPlane(this.cut.map((p) => metres(viewport.projectPosition([p[0], p[1], 0]))), eye) : [0, 0, 0, 0],
      depth: [0, this.quality === 'fast' ? 0 : 1, tap / this.mapSize, 0],
    };
    return `${reach},${centre.join()},${this.mapSize},${(this.uniforms['cut'] as number[]).map((v) => v.toFixed(2)).join()}`;
  }

  /** Uniforms for one layer: metres from the city origin need the layer's own common origin. */
  moduleUniforms(commonOrigin: number[], depthPass: boolean): Record<string, unknown> {
    const o = (i: number): number => (commonOrigin[i] ?? 0) - (this.anchor[i] ?? 0);
    const depth = this.uniforms['depth'] as number[] | undefined;
    return {
      ...this.uniforms,
      delta: [o(0), o(1), o(2), this.metresPerUnit],
      depth: [depthPass ? 1 : 0, depth?.[1] ?? 0, depth?.[2] ?? 0, 0],
      // While the map is the target it must not be bound as a texture too.
      city_map: depthPass || !this.pass ? this.dummy : this.pass.depth,
    };
  }

  getShaderModuleProps(_layer: Layer, other: Record<string, unknown>): Record<string, unknown> {
    return { city: { fx: this, project: other['project'] } };
  }

  cleanup(): void {
    this.pass?.release();
    this.pass = null;
    this.dummy?.destroy();
    this.dummy = null;
    this.device = null;
  }
}
