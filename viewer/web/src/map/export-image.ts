import { toCss, type Tokens } from './tokens';

const SCALE_STEPS_M = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] as const;
const SCALE_MAX_PX = 120;

/** The longest round distance that fits the scale bar. */
export function scaleBar(metresPerPixel: number): { metres: number; px: number } {
  const metres = SCALE_STEPS_M.filter((m) => m / metresPerPixel <= SCALE_MAX_PX).at(-1) ?? SCALE_STEPS_M[0];
  return { metres, px: metres / metresPerPixel };
}

/** The canvas over the haze colour with scale and caption: an export never loses its attribution. */
export function composeImage(
  source: HTMLCanvasElement,
  tokens: Tokens,
  caption: string[],
  metresPerPixel: number,
): Promise<Blob> {
  const out = document.createElement('canvas');
  out.width = source.width;
  out.height = source.height;
  const g = out.getContext('2d');
  if (!g) return Promise.reject(new Error('no_2d_context'));
  g.fillStyle = toCss(tokens.get('map-sky'));
  g.fillRect(0, 0, out.width, out.height);
  g.drawImage(source, 0, 0);
  const k = source.width / Math.max(1, source.clientWidth);
  const size = 11 * k;
  g.font = `500 ${size}px ${tokens.text('font-ui') || 'sans-serif'}`;
  g.lineJoin = 'round';
  g.lineWidth = 3 * k;
  g.strokeStyle = toCss(tokens.get('map-label-halo'));
  g.fillStyle = toCss(tokens.get('map-label'));
  const bar = scaleBar(metresPerPixel);
  const lines = [`${bar.metres} m`, ...caption];
  lines.forEach((line, i) => {
    const y = out.height - (lines.length - i - 1) * size * 1.4 - 10 * k;
    const x = 12 * k + (i === 0 ? bar.px * k + 8 * k : 0);
    if (i === 0) {
      g.fillRect(12 * k, y - size * 0.4, bar.px * k, 2 * k);
    }
    g.strokeText(line, x, y);
    g.fillText(line, x, y);
  });
  return new Promise((resolve, reject) => {
    out.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('image_not_encoded'))), 'image/png');
  });
}
