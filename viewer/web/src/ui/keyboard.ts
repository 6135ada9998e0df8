/** Which key asks for what; pure, so that the list can be tested. */
export type Command =
  | { readonly kind: 'search' | 'table' | 'left' | 'right' | 'back' | 'home' | 'take' }
  | { readonly kind: 'pan'; readonly right: number; readonly up: number }
  | { readonly kind: 'zoom' | 'turn'; readonly by: number }
  | { readonly kind: 'walk'; readonly by: 1 | -1 };

export interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  /** The focus is in a field that takes text. */
  readonly inText: boolean;
  /** The focus is on the map itself. */
  readonly onMap: boolean;
  /** The focus is on nothing in particular. */
  readonly onPage: boolean;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function commandOf(key: Key): Command | null {
  if (key.ctrlKey || key.metaKey || key.altKey) return null;
  if (key.key === 'Escape') return { kind: 'back' };
  if (key.inText) return null;
  switch (key.key) {
    case '/':
      return { kind: 'search' };
    case 'm':
    case 'M':
      return { kind: 'table' };
    case '[':
      return { kind: 'left' };
    case ']':
      return { kind: 'right' };
    case '+':
    case '=':
      return { kind: 'zoom', by: 1 };
    case '-':
    case '−':
      return { kind: 'zoom', by: -1 };
    case 'q':
    case 'Q':
      return { kind: 'turn', by: -15 };
    case 'e':
    case 'E':
      return { kind: 'turn', by: 15 };
  }
  // Arrows belong to lists and sliders, Tab and Enter to controls, unless the map has the focus.
  const arrow = ARROWS[key.key];
  if (arrow && (key.onMap || key.onPage)) return { kind: 'pan', right: arrow[0], up: arrow[1] };
  if (key.key === 'Tab' && key.onMap) return { kind: 'walk', by: key.shiftKey ? -1 : 1 };
  if (key.key === 'Enter' && key.onMap) return { kind: 'take' };
  if (key.key === 'Home' && key.onMap) return { kind: 'home' };
  return null;
}
