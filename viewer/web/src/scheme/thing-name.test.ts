import { describe, expect, it } from 'vitest';
import { thingName } from './thing-name';

const thing = (type: string, name: string | null = null): { name: string | null; type: string } => ({ name, type });

describe('what a thing is called', () => {
  it('is its name, else what it is and its number', () => {
    expect(thingName('helsinki:way/12', thing('Road', 'Kaivokatu'))).toBe('Kaivokatu');
    expect(thingName('helsinki:way/12', thing('Road'))).toBe('Street 12');
    expect(thingName('helsinki:way/12', thing('Building'))).toBe('Building 12');
  });

  it('leaves alone what already says what it is, and what nobody knows', () => {
    expect(thingName('delft:NL.IMBAG.1', thing('Building'))).toBe('NL.IMBAG.1');
    expect(thingName('sabcdefgh:b/1', thing('Building'))).toBe('Building 1');
    expect(thingName('helsinki:way/13', null)).toBe('13');
  });
});
