import { html, type TemplateResult } from 'lit';

/** The letters that have a colour of their own; further schemes go round from B again. */
export const COLOURED = ['A', 'B', 'C', 'D'] as const;
export type ColouredLetter = (typeof COLOURED)[number];

/** The colour of a scheme: by its index in the palette, 0 being the city as it is. */
export const colourOf = (colourIndex: number): Lowercase<ColouredLetter> => (colourIndex <= 0 ? 'a' : (['b', 'c', 'd'] as const)[(colourIndex - 1) % 3] ?? 'b');

const indexOf = (letter: string): number => Math.max(0, letter.toUpperCase().charCodeAt(0) - 65);

/** A scheme's letter on its colour: its identity in every list, chart and label. */
export const key = (letter: string, colourIndex: number = indexOf(letter)): TemplateResult => html`<span class="key ${colourOf(colourIndex)}" aria-hidden="true">${letter}</span>`;
