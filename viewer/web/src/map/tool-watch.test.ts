import { describe, expect, it } from 'vitest';
import type { PointerTool, ToolPoint } from '../scheme/types';
import { ToolWatch } from './tool-watch';

interface Spied {
  readonly tool: PointerTool;
  readonly said: string[];
}

function spied(takes: boolean): Spied {
  const said: string[] = [];
  const heard = (word: string) => (p: ToolPoint): boolean => {
    said.push(`${word} ${p.x},${p.y}`);
    return takes;
  };
  return { said, tool: { cursor: 'crosshair', down: heard('down'), move: heard('move'), up: heard('up'), cancel: () => said.push('cancel') } };
}

/** A canvas that is its own container: what is stopped there does not reach the page's own listener. */
function stage(): { watch: ToolWatch; send: (name: string, at: [number, number], more?: object) => boolean; picks: number[] } {
  const canvas = Object.assign(new EventTarget(), { getBoundingClientRect: () => ({ left: 10, top: 20 }), focus: () => undefined }) as unknown as HTMLCanvasElement;
  const picks: number[] = [];
  const watch = new ToolWatch(canvas, canvas, {
    lngLatAt: (x, y) => [x, y],
    pickAt: (x) => {
      picks.push(x);
      return null;
    },
  });
  const send = (name: string, at: [number, number], more: object = {}): boolean => {
    const e = Object.assign(new Event(name, { cancelable: true, bubbles: true }), { clientX: at[0], clientY: at[1], pointerId: 1, button: 0, buttons: 0, shiftKey: false, altKey: false, ...more });
    canvas.dispatchEvent(e);
    return e.cancelBubble;
  };
  return { watch, send, picks };
}

describe('ToolWatch', () => {
  it('leaves all to the camera while no tool is in hand', () => {
    const { send } = stage();
    expect(['pointerdown', 'pointermove', 'pointerup', 'click'].map((name) => send(name, [30, 40]))).toEqual([false, false, false, false]);
  });
  it('keeps what a tool takes, from the press to the click, in pixels of the map', () => {
    const { watch, send } = stage();
    const { tool, said } = spied(true);
    watch.set(tool);
    expect([send('pointerdown', [30, 40]), send('pointermove', [31, 40], { buttons: 1 }), send('pointerup', [31, 40]), send('click', [31, 40])]).toEqual([true, true, true, true]);
    expect(said).toEqual(['down 20,20', 'move 21,20', 'up 21,20']);
  });
  it('leaves to the camera what the tool lets go', () => {
    const { watch, send } = stage();
    const { tool, said } = spied(false);
    watch.set(tool);
    expect([send('pointerdown', [30, 40]), send('pointermove', [55, 40], { buttons: 1 }), send('pointerup', [55, 40]), send('click', [55, 40])]).toEqual([false, false, false, false]);
    expect(said).toEqual(['down 20,20']);
  });
  it('tells a tap that the camera could have had, and keeps its click', () => {
    const { watch, send } = stage();
    const { said, tool } = spied(true);
    watch.set({ ...tool, down: () => false });
    expect([send('pointerdown', [30, 40]), send('pointerup', [31, 40]), send('click', [31, 40])]).toEqual([false, false, true]);
    expect(said).toEqual(['up 21,20']);
  });
  it('gives up what was begun when a second finger comes, or another tool', () => {
    const { watch, send } = stage();
    const { tool, said } = spied(true);
    watch.set(tool);
    send('pointerdown', [30, 40]);
    expect(send('pointerdown', [90, 40], { pointerId: 2 })).toBe(false);
    send('pointerdown', [30, 40]);
    watch.set(null);
    expect(said).toEqual(['down 20,20', 'cancel', 'down 20,20', 'cancel']);
  });
  it('leaves other buttons to the camera', () => {
    const { watch, send } = stage();
    const { tool, said } = spied(true);
    watch.set(tool);
    expect(send('pointerdown', [30, 40], { button: 2 })).toBe(false);
    expect(said).toEqual([]);
  });
  it('looks for what lies there only when asked', () => {
    const { watch, send, picks } = stage();
    watch.set({ ...spied(true).tool, move: (p) => p.shift && p.pick === null });
    send('pointermove', [30, 40]);
    expect(picks).toEqual([]);
    send('pointermove', [30, 40], { shiftKey: true });
    expect(picks).toEqual([20]);
    // Still on its way: what lay there a moment ago will do. A press looks anew.
    send('pointermove', [31, 40], { shiftKey: true });
    expect(picks).toEqual([20]);
    watch.set({ ...spied(true).tool, down: (p) => p.pick === null });
    send('pointerdown', [32, 40]);
    expect(picks).toEqual([20, 22]);
  });
});
