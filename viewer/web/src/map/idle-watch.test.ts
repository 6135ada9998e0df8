import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleWatch } from './idle-watch';

describe('IdleWatch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says once that all is still', () => {
    const said = vi.fn();
    const watch = new IdleWatch(() => true, said);
    watch.stir();
    expect(watch.isIdle).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(watch.isIdle).toBe(true);
    watch.watch();
    vi.advanceTimersByTime(1000);
    expect(said).toHaveBeenCalledTimes(1);
  });

  it('notices what comes to rest without another frame', () => {
    let loaded = false;
    const watch = new IdleWatch(() => loaded, () => undefined);
    watch.stir();
    vi.advanceTimersByTime(1000);
    expect(watch.isIdle).toBe(false);
    loaded = true;
    vi.advanceTimersByTime(1000);
    expect(watch.isIdle).toBe(true);
  });

  it('is not still while frames follow each other', () => {
    const watch = new IdleWatch(() => true, () => undefined);
    watch.stir();
    for (let frame = 0; frame < 20; frame++) {
      vi.advanceTimersByTime(100);
      watch.watch();
    }
    expect(watch.isIdle).toBe(false);
  });

  it('ends', () => {
    const asked = vi.fn(() => false);
    const watch = new IdleWatch(asked, () => undefined);
    watch.stir();
    watch.stop();
    watch.stir();
    vi.advanceTimersByTime(1000);
    expect(asked).not.toHaveBeenCalled();
  });
});
