import { expect, it } from 'vitest';
import { creditsOf } from './credits';

it('thanks everybody once, and nobody less than the source asks for', () => {
  expect(creditsOf(['City of Boston', '© OpenStreetMap contributors', '© OpenStreetMap contributors, Overture Maps Foundation', 'City of Boston'])).toEqual([
    'City of Boston',
    '© OpenStreetMap contributors, Overture Maps Foundation',
  ]);
  expect(creditsOf(['© OpenStreetMap contributors', 'Generated from © OpenStreetMap contributors'])).toEqual(['© OpenStreetMap contributors']);
  expect(creditsOf(['Generated from © A'])).toEqual(['Generated from © A']);
});
