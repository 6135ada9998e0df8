import type { LayerContext, UpdateParameters } from '@deck.gl/core';
import { SimpleMeshLayer, type SimpleMeshLayerProps } from '@deck.gl/mesh-layers';
import type { Texture } from '@luma.gl/core';
import type { CityExtensionProps } from '../shading/extension';
import { ColourFade } from './fade';

type Inject = Record<string, string>;
interface Shaders {
  modules: unknown[];
  inject?: Inject;
}
interface AttributeLike {
  value: unknown;
}

/** Adds code to a shader hook without dropping what extensions injected there. */
function inject(shaders: Shaders, code: Inject): Inject {
  const out: Inject = { ...shaders.inject };
  for (const [hook, text] of Object.entries(code)) out[hook] = (out[hook] ?? '') + text;
  return out;
}

const COLOUR_TEXTURE_WIDTH = 256;
/** The first texels hold the tones of walls, roofs and their kin; those of the features follow. */
const TONES = 8;

/** An alpha a little below one marks what stands in front where two features fill one space: see `inFront`. */
const TEXEL = `
vec4 cimTexelAt(int at) {
  return texelFetch(featureColours, ivec2(at % ${COLOUR_TEXTURE_WIDTH}, at / ${COLOUR_TEXTURE_WIDTH}), 0);
}
vec4 cimTexel() {
  return cimTexelAt(int(cimFeature + 0.5) + ${TONES});
}
`;

const featureModule = {
  name: 'feature',
  vs: 'uniform sampler2D featureColours;\n',
  uniformTypes: {},
  getUniforms: (p?: { texture?: Texture }): Record<string, unknown> =>
    p?.texture ? { featureColours: p.texture } : {},
};

export interface FeatureMeshProps extends CityExtensionProps {
  /** Row of the property table, per vertex. */
  featureIds: Float32Array | null;
  heights: Float32Array | null;
  /** How far each vertex steps back in depth, in parts of it; see `orderOf`. */
  orders: Float32Array | null;
  /** RGBA bytes, per row. */
  featureColours: Uint8Array | null;
  /** RGBA bytes, per number of a surface: what a roof or a wall wears where its feature wears no colour of its own. */
  tones: Uint8Array | null;
  /** How long a change of colours takes. */
  fade_ms: number;
  /** Draws into the band before the far plane, ordered by `heights` as paint rank: the ground. */
  ranked: boolean;
  onDrawn: (() => void) | null;
  /** Names the rows that are not drawn: the light has to look again when it changes. */
  hiddenKey: string;
}

type MeshProps = Partial<FeatureMeshProps & SimpleMeshLayerProps> & { id: string; tile?: unknown };

/**
 * One tile's mesh: every feature has its own picking colour and its own colour from a small texture, so that
 * selecting or recolouring uploads a few bytes and never touches the geometry.
 */
export class FeatureMeshLayer extends SimpleMeshLayer<number, FeatureMeshProps> {
  static override layerName = 'FeatureMeshLayer';
  static override defaultProps = {
    featureIds: null,
    heights: null,
    orders: null,
    fade_ms: 0,
    featureColours: null,
    tones: null,
    ranked: false,
    onDrawn: null,
    hiddenKey: '',
  } as never;

  constructor(...props: MeshProps[]) {
    super(...(props as never[]));
  }

  override getShaders(): never {
    const s = super.getShaders() as unknown as Shaders;
    // The ground never hides anything: it lies in a thin band before the far plane, sorted by paint rank there,
    // so neighbouring tiles may overlap and be drawn in any order.
    const band: Inject = this.props.ranked
      ? { 'vs:DECKGL_FILTER_GL_POSITION': 'if (city.depth.x < 0.5) position.z = position.w * (0.9995 - cimHeight * 0.00002);' }
      : { 'vs:DECKGL_FILTER_GL_POSITION': 'if (city.depth.x < 0.5) position.z += position.w * (cimOrder - (cimTexel().a < 0.998 ? 0.0001 : 0.0));' };
    return {
      ...s,
      modules: [...s.modules, featureModule],
      inject: inject(s, {
        'vs:#decl': 'in float cimFeature;\nin float cimHeight;\nin float cimOrder;\n' + TEXEL,
        'vs:#main-end': 'picking_setPickingColor(picking_getPickingColorFromIndex(cimFeature));\ncity_h = cimHeight;\n' +
          // A row without colour is not there: for no pass, not even for the light.
          'if (cimTexel().a < 0.01) gl_Position = vec4(0.0, 0.0, 2.0, 1.0);\n' +
          // Only a plain building shows what its surfaces are; one that says something is of one colour.
          'int cimSurface = int(colors.r * 255.0 + 0.5);\n' +
          `if (cimSurface < ${TONES} && cimTexel().a > 0.998) { vec4 tone = cimTexelAt(cimSurface); vColor.rgb = mix(vColor.rgb, tone.rgb, tone.a); }\n`,
        'vs:DECKGL_FILTER_COLOR': `
  vec4 cimColour = cimTexel();
  color = vec4(cimColour.rgb, (cimColour.a > 0.99 ? 1.0 : cimColour.a) * layer.opacity);
`,
        ...band,
      }),
    } as never;
  }

  override initializeState(): void {
    super.initializeState();
    const scalar = (name: 'featureIds' | 'heights' | 'orders'): object => ({
      type: 'float32',
      size: 1,
      noAlloc: true,
      update: (attribute: AttributeLike) => {
        attribute.value = this.props[name];
      },
    });
    // Given in the geometry these would be ignored; the names must differ from every prop.
    this.getAttributeManager()?.add({ cimFeature: scalar('featureIds'), cimHeight: scalar('heights'), cimOrder: scalar('orders') } as never);
  }

  override updateState(params: UpdateParameters<this>): void {
    super.updateState(params);
    const { props, oldProps } = params;
    if (props.featureColours && (props.featureColours !== oldProps.featureColours || props.tones !== oldProps.tones)) {
      this.colours.fade ??= new ColourFade();
      this.colours.fade.show(props.featureColours, performance.now(), props.fade_ms);
    }
  }

  private get colours(): { texture?: Texture; fade?: ColourFade } {
    return this.state as unknown as { texture?: Texture; fade?: ColourFade };
  }

  private uploadColours(bytes: Uint8Array): Texture {
    const height = Math.ceil((TONES + bytes.length / 4) / COLOUR_TEXTURE_WIDTH);
    const data = new Uint8Array(COLOUR_TEXTURE_WIDTH * height * 4);
    if (this.props.tones) data.set(this.props.tones);
    data.set(bytes, TONES * 4);
    let { texture } = this.colours;
    if (texture?.height === height) texture.writeData(data);
    else {
      texture?.destroy();
      texture = this.context.device.createTexture({
        data,
        width: COLOUR_TEXTURE_WIDTH,
        height,
        format: 'rgba8unorm',
        sampler: { minFilter: 'nearest', magFilter: 'nearest' },
      });
    }
    this.colours.texture = texture;
    return texture;
  }

  override draw(options: never): void {
    const { fade } = this.colours;
    const bytes = fade?.step(performance.now());
    if (fade?.active) this.setNeedsRedraw();
    const texture = bytes ? this.uploadColours(bytes) : this.colours.texture;
    if (!texture) return;
    this.state.model?.shaderInputs.setProps({ feature: { texture } });
    super.draw(options);
    this.props.onDrawn?.();
  }

  override finalizeState(context: LayerContext): void {
    super.finalizeState(context);
    this.colours.texture?.destroy();
  }
}

type SkirtProps = CityExtensionProps & { alphas: Float32Array | null };

/** The dark rim on the ground around every building: what ambient occlusion would give. */
export class SkirtLayer extends SimpleMeshLayer<number, SkirtProps> {
  static override layerName = 'SkirtLayer';
  static override defaultProps = { alphas: null } as never;

  constructor(...props: (Partial<SkirtProps & SimpleMeshLayerProps> & { id: string; tile?: unknown })[]) {
    super(...(props as never[]));
  }

  override getShaders(): never {
    const s = super.getShaders() as unknown as Shaders;
    return {
      ...s,
      inject: inject(s, {
        'vs:#decl': 'in float cimAlpha;\nout float vCimAlpha;\n',
        'vs:#main-end': 'vCimAlpha = cimAlpha;\n',
        'fs:#decl': 'in float vCimAlpha;\n',
        'fs:#main-end': 'fragColor.a *= vCimAlpha * vCimAlpha;\n',
      }),
    } as never;
  }

  override initializeState(): void {
    super.initializeState();
    const alpha = {
      type: 'float32',
      size: 1,
      noAlloc: true,
      update: (attribute: AttributeLike) => {
        attribute.value = this.props.alphas;
      },
    };
    this.getAttributeManager()?.add({ cimAlpha: alpha } as never);
  }

  override updateState(params: UpdateParameters<this>): void {
    super.updateState(params);
    if (params.props.alphas !== params.oldProps.alphas) this.getAttributeManager()?.invalidate('cimAlpha');
  }
}
