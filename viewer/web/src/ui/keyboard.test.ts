import { describe, expect, it } from 'vitest';
import { commandOf, type Key } from './keyboard';

const key = (name: string, more: Partial<Key> = {}): Key => ({ key: name, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, inText: false, onMap: false, onPage: true, ...more });

describe('keys', () => {
  it.each([['/', 'search'], ['m', 'table'], ['M', 'table'], ['[', 'left'], [']', 'right'], ['Escape', 'back']] as const)('%s asks for %s', (name, kind) => {
    expect(commandOf(key(name))?.kind).toBe(kind);
  });

  it('leave a text field alone, except Escape', () => {
    for (const name of ['/', 'm', '[', '+', 'q', 'ArrowLeft', 'Tab']) expect(commandOf(key(name, { inText: true, onPage: false }))).toBeNull();
    expect(commandOf(key('Escape', { inText: true }))).toEqual({ kind: 'back' });
  });

  it('leave the shortcuts of the browser alone', () => {
    expect(commandOf(key('m', { ctrlKey: true }))).toBeNull();
    expect(commandOf(key('-', { metaKey: true }))).toBeNull();
  });

  it('pan and walk only where no control has the focus', () => {
    expect(commandOf(key('ArrowUp'))).toEqual({ kind: 'pan', right: 0, up: 1 });
    expect(commandOf(key('ArrowUp', { onPage: false }))).toBeNull();
    expect(commandOf(key('Tab'))).toBeNull();
    expect(commandOf(key('Tab', { onMap: true, shiftKey: true }))).toEqual({ kind: 'walk', by: -1 });
    expect(commandOf(key('Enter', { onMap: true, onPage: false }))).toEqual({ kind: 'take' });
  });
});
