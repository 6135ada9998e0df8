import type { Tokens } from '../tokens';
import { toCss } from '../tokens';

/** Marks that carry a state by shape: drawn once per theme into a small picture. */
export const MARK_PX = 64;

export const MARK_MAPPING = {
  alarm: { x: 0, y: 0, width: MARK_PX, height: MARK_PX, mask: false },
  stale: { x: MARK_PX, y: 0, width: MARK_PX, height: MARK_PX, mask: false },
} as const;

export type MarkName = keyof typeof MARK_MAPPING;

function octagon(g: CanvasRenderingContext2D, cx: number, cy: number, r: number): void {
  g.beginPath();
  for (let i = 0; i < 8; i++) {
    const t = ((i + 0.5) / 8) * 2 * Math.PI;
    g.lineTo(cx + r * Math.cos(t), cy + r * Math.sin(t));
  }
  g.closePath();
}

export function drawMarks(tokens: Tokens): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = MARK_PX * 2;
  canvas.height = MARK_PX;
  const g = canvas.getContext('2d');
  if (!g) return canvas;
  const c = MARK_PX / 2;
  octagon(g, c, c, 28);
  g.fillStyle = toCss(tokens.get('color-surface'));
  g.fill();
  octagon(g, c, c, 23);
  g.fillStyle = toCss(tokens.get('alarm-1'));
  g.fill();
  g.fillStyle = toCss(tokens.get('alarm-1-on'));
  g.fillRect(c - 3, c - 13, 6, 16);
  g.fillRect(c - 3, c + 8, 6, 6);

  g.beginPath();
  g.arc(MARK_PX + c, c, 21, 0, 2 * Math.PI);
  g.lineWidth = 11;
  g.strokeStyle = toCss(tokens.get('color-surface'));
  g.stroke();
  g.lineWidth = 6;
  g.setLineDash([11, 5.5]);
  g.strokeStyle = toCss(tokens.get('status-stale'));
  g.stroke();
  return canvas;
}
