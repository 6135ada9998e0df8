import { LayerExtension } from '@deck.gl/core';

/** A mark in the distance keeps at least this much of its size, one up close grows at most to this much. */
export const FAR_SHARE = 0.9;
export const NEAR_SHARE = 1.15;

/**
 * deck.gl shrinks pixel sizes with distance: a disc at the far end of a street would become a dot that nobody can
 * read or hit. Marks that face the reader (`billboard`) keep about their size.
 */
const steadyModule = {
  name: 'steady',
  inject: {
    'vs:DECKGL_FILTER_SIZE': /* glsl */ `
  float steady_far = gl_Position.w / project.focalDistance;
  size.xy *= steady_far * clamp(1.0 / max(steady_far, 1e-4), ${FAR_SHARE.toFixed(2)}, ${NEAR_SHARE.toFixed(2)});
`,
  },
};

class SteadySize extends LayerExtension {
  static override extensionName = 'SteadySize';

  override getShaders(): unknown {
    return { modules: [steadyModule] };
  }
}

export const STEADY = [new SteadySize()];
