/** Schemes that are compared may stand on different numbers of the baseline: then some of what differs is the city's. */
export interface OnBaseline {
  readonly letter: string;
  /** Null where it is not known. */
  readonly baseline_version: number | null;
}

/** Letters with their baselines, where not all are on the same one; null where they are. Pure. */
export function mixedBaselines(sides: readonly OnBaseline[]): readonly { readonly letter: string; readonly n: number }[] | null {
  const known = sides.flatMap(({ letter, baseline_version: n }) => (n === null ? [] : [{ letter, n }]));
  return new Set(known.map((one) => one.n)).size > 1 ? known : null;
}

/** In words: `A 12, B 11`. */
export const baselinesText = (mixed: readonly { readonly letter: string; readonly n: number }[], separator: string): string => mixed.map(({ letter, n }) => `${letter} ${n}`).join(separator);
