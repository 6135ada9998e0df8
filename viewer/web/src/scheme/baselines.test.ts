import { describe, expect, it } from 'vitest';
import { baselinesText, mixedBaselines } from './baselines';

describe('baselines of what is compared', () => {
  it('are told where they differ, and only then', () => {
    expect(mixedBaselines([{ letter: 'A', baseline_version: 3 }, { letter: 'B', baseline_version: 3 }])).toBeNull();
    const mixed = mixedBaselines([{ letter: 'A', baseline_version: 4 }, { letter: 'B', baseline_version: 3 }]);
    expect(mixed && baselinesText(mixed, ', ')).toBe('A 4, B 3');
  });
  it('what is not known differs from nothing', () => {
    expect(mixedBaselines([{ letter: 'A', baseline_version: null }, { letter: 'B', baseline_version: 3 }])).toBeNull();
  });
});
