/** Files that leave the page: CSV for a spreadsheet, GeoJSON for a map. Pure, but for `save`. */
import type { Feature } from '../state/model';

export type Cell = string | number | boolean | null | undefined;

/** A cell that a spreadsheet would run as a formula is made text by an apostrophe (OWASP, CSV injection). */
function guarded(text: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
}

/** RFC 4180: quoted where needed, CRLF, with the byte order mark that spreadsheets take for UTF-8. */
export function csv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell): string => {
    if (value === null || value === undefined) return '';
    const text = typeof value === 'number' ? (Number.isFinite(value) ? String(value) : '') : guarded(String(value));
    return /[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `\uFEFF${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

export function geojson(features: readonly Feature[], attributions: readonly string[]): string {
  return JSON.stringify({ type: 'FeatureCollection', attribution: attributions.join('; '), features });
}

export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
