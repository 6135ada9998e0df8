import { Deck, MapView, type Layer } from '@deck.gl/core';
import type { Quality, ViewState } from './types';
import type { CityEffect } from './shading/effect';
import { reducedMotion } from './camera';

const PICK_MARGIN_PX = 4;
const INERTIA_MS = 260;

/** Drawn pixels per CSS pixel: sharp where the machine can, a quarter of the work where it was asked to be fast. */
export const pixelRatio = (quality: Quality): number => (quality === 'full' ? Math.min(2, devicePixelRatio) : 0.5);

export interface DeckListener {
  /** The reader moved the camera. */
  moved(view: ViewState): void;
  refresh(): void;
  beforeRender(): void;
  afterRender(): void;
  failed(message: string): void;
  /** The cursor while nothing is dragged. */
  cursor(): string;
}

/** A canvas that fills its container and takes the keyboard. */
export function createCanvas(container: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.className = 'city-map-canvas';
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  Object.assign(canvas.style, { position: 'absolute', inset: '0', width: '100%', height: '100%' });
  if (getComputedStyle(container).position === 'static') container.style.position = 'relative';
  container.append(canvas);
  return canvas;
}

export function createDeck(
  canvas: HTMLCanvasElement,
  effect: CityEffect,
  view: ViewState,
  quality: Quality,
  listener: DeckListener,
): Deck<MapView> {
  const deck = new Deck<MapView>({
    canvas,
    // 30 degrees of view, as the drawings: the default is wider and makes towers lean.
    views: new MapView({ altitude: 1.866, nearZMultiplier: 0.05, farZMultiplier: 1.6, repeat: false }),
    viewState: view as never,
    controller: { dragRotate: true, inertia: reducedMotion() ? 0 : INERTIA_MS, keyboard: false, touchRotate: true },
    effects: [effect],
    layers: [],
    pickingRadius: PICK_MARGIN_PX,
    useDevicePixels: pixelRatio(quality),
    getCursor: ({ isDragging }) => (isDragging ? 'grabbing' : listener.cursor()),
    onViewStateChange: ({ viewState, interactionState: now }) => {
      // deck.gl also reports its own first state here, which would undo the view set before it was ready.
      if (!now.isDragging && !now.isPanning && !now.isRotating && !now.isZooming && !now.inTransition) return;
      listener.moved(viewState as unknown as ViewState);
    },
    onResize: () => listener.refresh(),
    onLoad: () => listener.refresh(),
    onBeforeRender: () => listener.beforeRender(),
    onAfterRender: () => listener.afterRender(),
    onError: (error) => listener.failed(error.message),
  });
  // deck.gl draws a picking frame at every press and move of the pointer; `PointerWatch` knows when one is due.
  Object.assign(deck, { _getInternalPickingMode: () => null });
  return deck;
}

/**
 * Gives deck.gl its layers at once. By itself it takes them with its own next frame: what is drawn before then, for a
 * change of light or for a picture, would still show the layers before.
 */
export function showLayers(deck: Deck<MapView>, layers: Layer[]): void {
  deck.setProps({ layers });
  (deck as unknown as { layerManager: { updateLayers(): void } | null }).layerManager?.updateLayers();
}

/** Whether layers are still to be brought up to date or drawn. */
export function isDue(deck: Deck<MapView>): boolean {
  const { layerManager } = deck as unknown as { layerManager: { needsUpdate(): string | false } | null };
  return deck.needsRedraw({ clearRedrawFlags: false }) !== false || (layerManager?.needsUpdate() ?? 'not begun') !== false;
}
