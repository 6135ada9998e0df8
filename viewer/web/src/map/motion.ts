import type { Quality } from './types';
import type { Tokens } from './tokens';
import { parseDuration, reducedMotion } from './camera';

/** How long changes on the map take, milliseconds; all zero where the reader wants no motion or frames are dear. */
export interface Motion {
  /** A hover or a selection. */
  fast_ms: number;
  /** A live value, another attribute. */
  slow_ms: number;
  /** Rings of new alarms widen. */
  rings: boolean;
}

export const STILL: Motion = { fast_ms: 0, slow_ms: 0, rings: false };

/** By the design tokens, which say 0 under `prefers-reduced-motion` as well. */
export function motionOf(tokens: Tokens, quality: Quality): Motion {
  if (quality === 'fast' || reducedMotion()) return STILL;
  return {
    fast_ms: parseDuration(tokens.text('motion-fast'), 120),
    slow_ms: parseDuration(tokens.text('motion-slow'), 400),
    rings: true,
  };
}
