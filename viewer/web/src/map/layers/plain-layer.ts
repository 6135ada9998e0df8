import type { Layer } from '@deck.gl/core';
import { PathLayer, PolygonLayer } from '@deck.gl/layers';
import type { Rgba } from '../types';
import { withAlpha, type Tokens } from '../tokens';
import { linesOf, polygonsOf, type Feature, type Position } from '../features';
import type { Relief } from '../relief';
import type { LayerSpec } from '../spec';
import { CITY_EXTENSIONS } from '../shading/extension';
import { Kind } from '../shading/shader';

/** Lines or areas of a spec that have no symbol of their own: constant colours, on the ground, under the buildings. */
export function plainLayer(s: LayerSpec, features: Feature[], relief: Relief, tokens: Tokens, visible: boolean): Layer {
  const colour = (key: string, fallback: Rgba): Rgba => {
    const c = s.props[key];
    return Array.isArray(c) ? ([...c, 255].slice(0, 4) as Rgba) : fallback;
  };
  const shared = {
    id: s.id,
    visible,
    parameters: { depthCompare: 'always', depthWriteEnabled: false } as const,
    extensions: CITY_EXTENSIONS,
    ...({ cityKind: Kind.flat } as object),
  };
  const line = colour('getLineColor', tokens.get('line-boundary'));
  if (s.role === 'lines') {
    const data = features.flatMap((f) => linesOf(f).map((line) => relief.along(line)));
    return new PathLayer<Position[]>({ ...shared, data, getPath: (p) => p, widthUnits: 'pixels', getWidth: 2, getColor: line });
  }
  return new PolygonLayer<Position[][]>({
    ...shared,
    data: features.flatMap((f) => polygonsOf(f).map((rings) => rings.map((ring) => relief.along(ring)))),
    getPolygon: (p) => p as never,
    getFillColor: colour('getFillColor', withAlpha(line, 0.2)),
    getLineColor: line,
    lineWidthUnits: 'pixels',
    getLineWidth: 2,
  });
}
