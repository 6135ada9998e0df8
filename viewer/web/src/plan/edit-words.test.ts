import { describe, expect, it } from 'vitest';
import type { SchemeObject } from '../scheme/types';
import type { PlanCtx } from './context';
import { targetName } from './edit-words';

const known = (id: string, part: Partial<SchemeObject>): Pick<PlanCtx, 'do'> =>
  ({ do: { objectOf: (asked: string) => (asked === id ? { id, name: null, type: 'Road', ...part } : null) } }) as unknown as Pick<PlanCtx, 'do'>;

describe('what an edited thing is called', () => {
  it('is its name, else what it is and its number', () => {
    expect(targetName(known('helsinki:way/12', { name: 'Kaivokatu' }), 'helsinki:way/12')).toBe('Kaivokatu');
    expect(targetName(known('helsinki:way/12', {}), 'helsinki:way/12')).toBe('Street 12');
    expect(targetName(known('helsinki:way/12', { type: 'Building' }), 'helsinki:way/12')).toBe('Building 12');
  });

  it('leaves alone what already says what it is, and what nobody knows', () => {
    expect(targetName(known('delft:NL.IMBAG.1', { type: 'Building' }), 'delft:NL.IMBAG.1')).toBe('NL.IMBAG.1');
    expect(targetName(known('sabcdefgh:b/1', { type: 'Building' }), 'sabcdefgh:b/1')).toBe('Building 1');
    expect(targetName(known('helsinki:way/12', {}), 'helsinki:way/13')).toBe('13');
  });
});
