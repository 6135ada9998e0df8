import { LayerExtension, type Layer } from '@deck.gl/core';
import { cityLayerModule, cityModule, Kind } from './shader';

export interface CityExtensionProps {
  /** What the layer is to the light, see `Kind`. */
  cityKind?: number;
  /** Strength of the storey lines, 0 to 1. */
  cityFloors?: number;
  /** Stripes of a hatched layer: how far apart in metres, and the strength between them. */
  cityStripe?: readonly [number, number];
  /** One colour for the whole layer, bytes; see-through black leaves the layer its own. */
  cityTint?: readonly number[];
  /** False keeps a building or tree layer out of the shadow map. */
  cityCast?: boolean;
}

/** Gives any layer the city's light, shadow and haze; see `shader.ts`. */
export class CityExtension extends LayerExtension {
  static override extensionName = 'CityExtension';
  static override defaultProps = { cityKind: Kind.ground, cityFloors: 1, cityStripe: [6, 0.25], cityTint: [0, 0, 0, 0], cityCast: true } as never;

  override getShaders(): unknown {
    // The layer's block comes first: the city's functions read it.
    return { modules: [cityLayerModule, cityModule] };
  }

  override draw(this: Layer<CityExtensionProps>): void {
    const { cityKind = Kind.ground, cityFloors = 1, cityStripe = [6, 0.25], cityTint = [0, 0, 0, 0] } = this.props;
    this.setShaderModuleProps({ cityLayer: { kind: [cityKind, cityFloors, ...cityStripe], tint: cityTint.map((v) => v / 255) } });
  }
}

export const CITY_EXTENSIONS = [new CityExtension()];
