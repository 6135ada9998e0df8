/** Heights read off the screen (pure). Metres east, north, up of any place near by. */
type Xy = readonly [number, number];

const STEEP = 1e-6;

/**
 * Height above the ray's foot at which a vertical line comes nearest to a ray through the screen. `low` and `high` are
 * where the ray is at heights 0 and `span_m`. Looking straight down there is no such height: 0.
 */
export function heightOnVertical(low: Xy, high: Xy, span_m: number, anchor: Xy): number {
  const [dx, dy] = [high[0] - low[0], high[1] - low[1]];
  const square = dx * dx + dy * dy;
  if (square < STEEP * span_m * span_m) return 0;
  return (((anchor[0] - low[0]) * dx + (anchor[1] - low[1]) * dy) / square) * span_m;
}
