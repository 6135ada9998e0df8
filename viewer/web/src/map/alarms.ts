/**
 * The ring of an alarm: it widens three times when the alarm comes up, and then stays still. Pure: the clock is given.
 */
export const RING_TURNS = 3;
export const RING_TURN_MS = 1100;
/** Radii of the ring at rest, and how far it widens, CSS pixels. */
export const RING_REST_PX = 17;
export const RING_START_PX = 9;
export const RING_END_PX = 30;

export interface Ring {
  radius_px: number;
  /** 0 to 1. */
  alpha: number;
}

const REST: Ring = { radius_px: RING_REST_PX, alpha: 0.9 };

/** What the moving ring looks like so long after the alarm came up; null once it has come to rest. */
export function ringAt(age_ms: number): Ring | null {
  if (age_ms < 0 || age_ms >= RING_TURNS * RING_TURN_MS) return null;
  const t = (age_ms % RING_TURN_MS) / RING_TURN_MS;
  const eased = 1 - (1 - t) ** 2;
  return { radius_px: RING_START_PX + (RING_END_PX - RING_START_PX) * eased, alpha: 1 - t };
}

/** Remembers when each alarm came up. */
export class AlarmRings {
  private readonly since = new Map<string, number>();

  /** The ids that are in alarm now; one that ends and comes back is new. */
  update(ids: Iterable<string>, now_ms: number): void {
    const now = new Set(ids);
    for (const id of this.since.keys()) if (!now.has(id)) this.since.delete(id);
    for (const id of now) if (!this.since.has(id)) this.since.set(id, now_ms);
  }

  /** True while any ring moves. */
  moving(now_ms: number): boolean {
    for (const at of this.since.values()) if (ringAt(now_ms - at)) return true;
    return false;
  }

  /** The ring of an alarm now: moving, or at rest. */
  ring(id: string, now_ms: number): Ring {
    const at = this.since.get(id);
    return (at === undefined ? null : ringAt(now_ms - at)) ?? REST;
  }
}
