import type { Layer, WebMercatorViewport } from '@deck.gl/core';
import { PathStyleExtension } from '@deck.gl/extensions';
import { IconLayer, LineLayer, PathLayer, ScatterplotLayer, SolidPolygonLayer, TextLayer } from '@deck.gl/layers';
import type { Draft, LonLat } from '../../scheme/types';
import type { Rgba } from '../types';
import { toCss, withAlpha, type Tokens } from '../tokens';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';
import { Relief } from '../relief';
import { nearness } from './label-layers';
import { STEADY } from './steady-size';

type Spot = [number, number, number];
/** Where something is drawn that is so high above its ground. */
type Stand = (p: LonLat, up_m: number) => Spot;
interface Line {
  readonly path: Spot[];
  readonly colour: Rgba;
  readonly width_px: number;
}

const OVER = { depthCompare: 'always', depthWriteEnabled: false } as const;
const THROUGH = { depthCompare: 'less-equal', depthWriteEnabled: false, cullMode: 'back' } as const;
const DASHED = [new PathStyleExtension({ dash: true })];
const HANDLE_PX = 46;
const ARROW_PX = 64;
/** Storey lines are left out where they would lie closer than this on the screen. */
const STOREY_LINE_PX = 3;

/** An arrow head with a rim, drawn once a theme. */
function arrowHead(tokens: Tokens): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = ARROW_PX;
  const g = canvas.getContext('2d');
  if (!g) return canvas;
  g.beginPath();
  g.moveTo(ARROW_PX / 2, 8);
  g.lineTo(ARROW_PX - 8, ARROW_PX - 10);
  g.lineTo(8, ARROW_PX - 10);
  g.closePath();
  g.lineJoin = 'round';
  g.lineWidth = 9;
  g.strokeStyle = toCss(tokens.get('color-surface'));
  g.stroke();
  g.fillStyle = toCss(tokens.get('color-accent'));
  g.fill();
  return canvas;
}

const middleOf = (ring: readonly LonLat[]): LonLat => [ring.reduce((s, p) => s + p[0], 0) / ring.length, ring.reduce((s, p) => s + p[1], 0) / ring.length];
const withoutLast = (ring: readonly LonLat[]): readonly LonLat[] => {
  const [first, last] = [ring[0], ring.at(-1)];
  return ring.length > 1 && first && last && first[0] === last[0] && first[1] === last[1] ? ring.slice(0, -1) : ring;
};

/** What is being drawn, measured or pulled: small lists, made anew at every step of the pointer. */
export class DraftScene {
  draft: Draft | null = null;
  relief = Relief.FLAT;
  private arrow: { tokens: Tokens; canvas: HTMLCanvasElement } | null = null;

  layers(tokens: Tokens, viewport: WebMercatorViewport | null, metresPerPixel: number): Layer[] {
    const d = this.draft;
    if (!d) return [];
    const ring = withoutLast(d.ring);
    const colour = tokens.get(d.valid ? 'bldg-selected' : 'status-fail');
    const edge = tokens.get(d.valid ? 'bldg-selected-edge' : 'status-fail');
    const out: Layer[] = [];
    const area = d.closed && ring.length > 2;
    const tall = area && d.height_m > 0;
    const { relief } = this;
    const stands_m = d.ground_m !== null ? relief.drawn(d.ground_m) : tall ? relief.at(middleOf(ring)) : null;
    const at: Stand = (p, up_m) => [p[0], p[1], (stands_m ?? relief.at(p)) + up_m];
    if (area) {
      out.push(
        new SolidPolygonLayer<Draft>({
          id: 'draft-body',
          data: [d],
          getPolygon: () => ring.map((p) => at(p, 0)) as never,
          extruded: tall,
          getElevation: () => d.height_m,
          material: false,
          extensions: CITY_EXTENSIONS,
          parameters: tall ? THROUGH : OVER,
          ...({ cityKind: tall ? Kind.ghost : Kind.flat, cityTint: withAlpha(colour, tall ? 0.66 : 0.22) } as object),
        }),
      );
    }
    out.push(...this.lines(d, ring, colour, edge, at, metresPerPixel));
    if (d.guides.length) out.push(guideLayer(d, at, tokens));
    if (!tall && ring.length) out.push(dotLayer(ring.map((p) => at(p, 0)), tokens.get('color-surface'), colour));
    if (d.handle && ring.length) out.push(...this.handle(at(middleOf(ring), d.height_m), tokens, metresPerPixel));
    if (d.dimensions.length) out.push(dimensionLayer(d, at, tokens, viewport));
    return out;
  }

  private lines(d: Draft, ring: readonly LonLat[], colour: Rgba, edge: Rgba, at: Stand, metresPerPixel: number): Layer[] {
    const first = ring[0];
    if (!first || ring.length < 2) return [];
    const loop = d.closed ? [...ring, first] : [...ring];
    const level = (up_m: number): Spot[] => loop.map((p) => at(p, up_m));
    const tall = d.closed && d.height_m > 0;
    const lines: Line[] = [{ path: level(0), colour: tall ? edge : colour, width_px: tall ? 1.4 : 2.6 }];
    if (tall) {
      lines.push({ path: level(d.height_m), colour: edge, width_px: 1.8 });
      for (const p of ring) lines.push({ path: [at(p, 0), at(p, d.height_m)], colour: edge, width_px: 1.2 });
      const storey = withAlpha(edge, 0.32);
      const apart_m = d.height_m / Math.max(1, d.storey_m.length);
      if (apart_m > STOREY_LINE_PX * metresPerPixel) {
        for (const up_m of d.storey_m) if (up_m > 0.01 && up_m < d.height_m - 0.01) lines.push({ path: level(up_m), colour: storey, width_px: 1 });
      }
    }
    return [
      new PathLayer<Line>({
        id: 'draft-lines',
        data: lines,
        getPath: (l) => l.path as never,
        getColor: (l) => l.colour,
        getWidth: (l) => l.width_px,
        widthUnits: 'pixels',
        billboard: true,
        jointRounded: true,
        capRounded: true,
        extensions: CITY_EXTENSIONS,
        parameters: tall ? { depthWriteEnabled: false } : OVER,
        ...({ cityKind: Kind.edge } as object),
      }),
    ];
  }

  private handle(top: Spot, tokens: Tokens, metresPerPixel: number): Layer[] {
    if (this.arrow?.tokens !== tokens) this.arrow = { tokens, canvas: arrowHead(tokens) };
    const tip: Spot = [top[0], top[1], top[2] + HANDLE_PX * metresPerPixel];
    return [
      new LineLayer<Spot>({ id: 'draft-stem', data: [top], getSourcePosition: (p) => p, getTargetPosition: () => tip, getColor: tokens.get('color-accent'), getWidth: 3, parameters: OVER }),
      new IconLayer<Spot>({
        id: 'draft-handle',
        data: [tip],
        iconAtlas: this.arrow.canvas as never,
        iconMapping: { arrow: { x: 0, y: 0, width: ARROW_PX, height: ARROW_PX, anchorY: ARROW_PX - 10 } },
        getIcon: () => 'arrow',
        getPosition: (p) => p,
        getSize: 22,
        sizeUnits: 'pixels',
        parameters: OVER,
        extensions: STEADY,
      }),
    ];
  }
}

const guideLayer = (d: Draft, at: Stand, tokens: Tokens): Layer =>
  new PathLayer<readonly [LonLat, LonLat]>({
    id: 'draft-guides',
    data: d.guides as never,
    getPath: (g) => g.map((p) => at(p, 0)) as never,
    getColor: withAlpha(tokens.get('color-accent'), 0.8),
    getWidth: 1.4,
    widthUnits: 'pixels',
    extensions: DASHED,
    parameters: OVER,
    ...({ getDashArray: [6, 4], dashUnits: 'pixels' } as object),
  });

const dotLayer = (spots: Spot[], fill: Rgba, rim: Rgba): Layer =>
  new ScatterplotLayer<Spot>({
    id: 'draft-dots',
    data: spots,
    getPosition: (p) => p,
    getRadius: 4.5,
    radiusUnits: 'pixels',
    lineWidthUnits: 'pixels',
    stroked: true,
    billboard: true,
    getLineWidth: 2,
    getFillColor: fill,
    getLineColor: rim,
    parameters: OVER,
    extensions: STEADY,
    updateTriggers: { getLineColor: rim.join(), getFillColor: fill.join() },
  });

/** Lengths on small plates, always in front. */
function dimensionLayer(d: Draft, at: Stand, tokens: Tokens, viewport: WebMercatorViewport | null): Layer {
  const far = (p: LonLat): number => (viewport ? nearness(viewport, [p[0], p[1]]) : 1);
  return new TextLayer<Draft['dimensions'][number]>({
    id: 'draft-dimensions',
    data: d.dimensions as never,
    getText: (m) => m.text,
    getPosition: (m) => at(m.at, 0),
    getSize: (m) => 12 / far(m.at),
    getColor: tokens.get('color-text'),
    background: true,
    getBackgroundColor: withAlpha(tokens.get('color-surface'), 0.94),
    getBorderColor: tokens.get('color-border-strong'),
    getBorderWidth: 1,
    backgroundBorderRadius: 4,
    backgroundPadding: [6, 3],
    fontFamily: tokens.text('font-ui') || 'sans-serif',
    fontWeight: '600',
    fontSettings: { fontSize: 36, buffer: 4 },
    characterSet: 'auto',
    parameters: OVER,
  });
}
