import { project } from '@deck.gl/core';

/**
 * The look of the city as two shader modules. All shading happens in the colour filter hook, in metres
 * east-north-up from the city origin, so that any layer type can wear it and picking stays untouched.
 * One field per line and in the order of `uniformTypes`: luma.gl checks the block by line.
 */
const BLOCK = /* glsl */ `
layout(std140) uniform cityUniforms {
  mat4 light;
  vec4 delta;
  vec4 eye;
  vec4 sun;
  vec4 sunColour;
  vec4 skyColour;
  vec4 bounceColour;
  vec4 haze;
  vec4 ground;
  vec4 fog;
  vec4 depth;
  vec4 bounds;
  vec4 cut;
} city;
layout(std140) uniform cityLayerUniforms {
  vec4 kind;
  vec4 tint;
} cityLayer;
`;

/** What a layer is to the light. */
export const Kind = {
  /** Lies on the ground, receives shadows, melts into the world's edge. */
  ground: 0,
  building: 1,
  tree: 2,
  /** Crease edge: unlit, fades with distance. */
  edge: 3,
  /** Unlit, hazed. */
  flat: 5,
  /** The plane under everything. */
  plane: 6,
  /** What is gone, or not there yet: see-through, lit by its form alone. */
  ghost: 7,
  /** Edge of a ghost: a crease edge with gaps, in world metres. */
  dashed: 8,
  /** Lies on the ground in stripes. */
  hatched: 9,
  /** The failing part of a building: over the walls that it lies in. */
  slice: 10,
  /** The rim on the ground round a building: goes where the building goes. */
  contact: 11,
} as const;

const VS = `${BLOCK}
out vec3 city_p;
out vec3 city_n;
out float city_h;
`;

const FS = `${BLOCK}
in vec3 city_p;
in vec3 city_n;
in float city_h;
uniform highp sampler2DShadow city_map;

float city_sample(vec3 q) {
  float px = city.depth.z;
  if (city.depth.y < 0.5) return texture(city_map, q);
  float s = 0.0;
  for (int i = -2; i <= 2; i++) for (int j = -2; j <= 2; j++) s += texture(city_map, vec3(q.xy + vec2(i, j) * px, q.z));
  return s / 25.0;
}
float city_lit(vec3 p) {
  vec3 q = (city.light * vec4(p, 1.0)).xyz * 0.5 + 0.5;
  if (any(lessThan(q, vec3(0.0))) || any(greaterThan(q, vec3(1.0)))) return 1.0;
  q.z -= city.fog.w;
  float edge = smoothstep(0.5, 0.42, max(abs(q.x - 0.5), abs(q.y - 0.5)));
  return mix(1.0, city_sample(q), edge);
}
vec3 city_fog(vec3 c) {
  return mix(c, city.haze.rgb, smoothstep(city.fog.x, city.fog.y, distance(city_p, city.eye.xyz)));
}
// Metres outside (positive) or inside (negative) the surveyed rectangle.
float city_outside() {
  vec2 d = max(city.bounds.xy - city_p.xy, city_p.xy - city.bounds.zw);
  return length(max(d, vec2(0.0))) + min(max(d.x, d.y), 0.0);
}
vec3 city_surface(vec3 c, float shaded) {
  return c * mix(vec3(1.0) - city.sun.w * vec3(1.0, 0.92, 0.8), vec3(1.0), shaded);
}
vec3 city_shade(vec3 c) {
  float k = cityLayer.kind.x;
  vec3 n = normalize(city_n);
  float facing = max(dot(n, city.sun.xyz), 0.0);
  float lit = city_lit(city_p + n * 0.6) * smoothstep(0.0, 0.12, facing);
  vec3 ambient = mix(city.bounceColour.rgb, city.skyColour.rgb, n.z * 0.5 + 0.5);
  float ao = mix(city.fog.z, 1.0, smoothstep(0.0, 16.0, city_h));
  // Roofs, like the ground, darken no further when the sun goes down: the shadows tell the hour.
  facing = mix(facing, max(facing, 0.62), smoothstep(0.5, 0.9, n.z));
  if (k == 2.0) {
    ao = 1.0;
    ambient = mix(ambient, city.skyColour.rgb, 0.45);
    facing = 0.35 + facing * 0.35;
    lit = mix(0.55, 1.0, city_lit(city_p));
  }
  vec3 r = c * (ambient * ao + city.sunColour.rgb * facing * lit);
  if (k == 1.0) {
    float wall = 1.0 - smoothstep(0.2, 0.5, abs(n.z));
    float f = city_h / 3.2;
    float w = fwidth(f);
    float line = 1.0 - smoothstep(0.0, 1.2, abs(fract(f - 0.5) - 0.5) / max(w, 1e-4));
    r *= 1.0 - cityLayer.kind.y * wall * line * 0.085 * (1.0 - smoothstep(0.25, 0.7, w));
  }
  return r;
}
// The section: what stands in front of the line is left out, and casts no shadow; the ground is not.
bool city_is_cut() {
  float k = cityLayer.kind.x;
  bool stands = k == 1.0 || k == 2.0 || k == 3.0 || k == 7.0 || k == 8.0 || k >= 10.0;
  return stands && city.cut.w > 0.5 && dot(city.cut.xy, city_p.xy) + city.cut.z > 0.0;
}
vec4 city_colour(vec4 colour) {
  // Layers that light their colours before they come here say them themselves.
  if (cityLayer.tint.a > 0.0) colour = cityLayer.tint;
  float k = cityLayer.kind.x;
  if (k == 8.0 && fract((city_p.x + 0.9 * city_p.y + 1.3 * city_p.z) / 5.0) > 0.58) discard;
  if (k == 9.0) {
    float st = dot(city_p.xy, vec2(0.70711)) / cityLayer.kind.z;
    float w = fwidth(st);
    float gap = smoothstep(0.22 - w, 0.22 + w, abs(fract(st) - 0.5));
    colour.a *= mix(1.0, cityLayer.kind.w, mix(gap, 0.56, smoothstep(0.3, 0.8, w)));
  }
  float d = distance(city_p, city.eye.xyz);
  if (k == 0.0) {
    float out_m = city_outside();
    vec3 quiet = mix(colour.rgb, city.ground.rgb, city.ground.a);
    quiet = mix(quiet, city.ground.rgb, smoothstep(-90.0, 0.0, out_m));
    return vec4(city_fog(city_surface(quiet, city_lit(city_p))), colour.a);
  }
  if (k == 6.0) {
    // Beyond the data the ground goes into the haze within a few blocks: no hard end of the world.
    vec3 plane = city_surface(colour.rgb, city_lit(city_p));
    return vec4(city_fog(mix(plane, city.haze.rgb, smoothstep(0.0, city.bounds.z - city.bounds.x, city_outside()))), colour.a);
  }
  if (k == 3.0 || k == 8.0) return vec4(colour.rgb, colour.a * (1.0 - smoothstep(city.fog.x * 0.8, city.fog.y * 0.75, d)));
  if (k == 7.0 || k == 10.0) {
    // Polygon layers know no normal where the light asks for it: the surface itself tells how steep it is.
    vec3 n = cross(dFdx(city_p), dFdy(city_p));
    float level = abs(n.z) / max(length(n), 1e-6);
    float facing = abs(dot(n, city.sun.xyz)) / max(length(n), 1e-6);
    return vec4(city_fog(colour.rgb * mix(0.74 + 0.16 * facing, 1.0, level)), colour.a);
  }
  if (k == 5.0 || k == 9.0 || k == 11.0) return vec4(city_fog(colour.rgb), colour.a);
  if (colour.a < 0.75) {
    // No data: 45 degree hatch in world metres, marked by the low alpha in the colour texture. Its period doubles
    // with the distance of the camera, so that the lines stay apart on the screen.
    float period = 4.0 * exp2(floor(log2(max(city.fog.x / 500.0, 1.0)) + 0.5));
    float st = (city_p.x + city_p.y + city_p.z) * 0.70711 / period;
    float w = fwidth(st);
    float stripe = smoothstep(0.25 - w, 0.25 + w, abs(fract(st) - 0.5));
    colour = vec4(colour.rgb * mix(0.84, 1.0, mix(stripe, 0.5, smoothstep(0.3, 0.8, w))), 1.0);
  }
  return vec4(city_fog(city_shade(colour.rgb)), colour.a);
}
`;

/** Who knows the light: gives a layer the city's uniforms, metres from the city origin by the layer's own origin. */
export interface CityLight {
  moduleUniforms(commonOrigin: number[], depthPass: boolean): Record<string, unknown>;
}

export interface CityModuleProps {
  fx?: CityLight;
  project?: Record<string, unknown>;
  depthPass?: boolean;
}

const VEC4 = 'vec4<f32>' as const;

export const cityModule = {
  name: 'city',
  dependencies: [project],
  vs: VS,
  fs: FS,
  inject: {
    'vs:DECKGL_FILTER_GL_POSITION': /* glsl */ `
  city_p = (geometry.position.xyz + city.delta.xyz) * city.delta.w;
  city_n = geometry.normal;
  city_h = 0.0;
  if (city.depth.x > 0.5) position = city.light * vec4(city_p, 1.0);
  else if (cityLayer.kind.x == 3.0 || cityLayer.kind.x == 8.0) position.z -= 0.0002 * position.w;
  else if (cityLayer.kind.x == 10.0) position.z -= 0.0003 * position.w;
  else if (cityLayer.kind.x == 6.0) position.z = 0.9998 * position.w;
`,
    'fs:DECKGL_FILTER_COLOR': `
  if (city_is_cut()) discard;
  if (city.depth.x < 0.5) color = city_colour(color);
`,
  },
  uniformTypes: {
    light: 'mat4x4<f32>',
    delta: VEC4,
    eye: VEC4,
    sun: VEC4,
    sunColour: VEC4,
    skyColour: VEC4,
    bounceColour: VEC4,
    haze: VEC4,
    ground: VEC4,
    fog: VEC4,
    depth: VEC4,
    bounds: VEC4,
    cut: VEC4,
  },
  getUniforms: (props?: CityModuleProps): Record<string, unknown> => {
    const fx = props?.fx;
    if (!fx || !props.project) return {};
    const uniforms = project.getUniforms as (p: unknown) => { commonOrigin: number[] };
    return fx.moduleUniforms(uniforms(props.project).commonOrigin, props.depthPass === true);
  },
};

export const cityLayerModule = {
  name: 'cityLayer',
  uniformTypes: { kind: VEC4, tint: VEC4 },
  getUniforms: (props?: { kind?: number[]; tint?: number[] }): Record<string, unknown> => ({
    kind: props?.kind ?? [0, 0, 0, 0],
    tint: props?.tint ?? [0, 0, 0, 0],
  }),
};
