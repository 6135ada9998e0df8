/** A value that tells when it has changed. */
export class Store<T extends object> {
  private readonly listeners = new Set<(now: T, before: T) => void>();

  constructor(private current: T) {}

  get(): T {
    return this.current;
  }

  /** Replace some fields; listeners hear of it only if one of them differs. */
  set(patch: Partial<T>): void {
    const before = this.current;
    const differs = (Object.keys(patch) as (keyof T)[]).some((key) => !Object.is(before[key], patch[key]));
    if (!differs) return;
    this.current = { ...before, ...patch };
    for (const listener of [...this.listeners]) listener(this.current, before);
  }

  subscribe(listener: (now: T, before: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
