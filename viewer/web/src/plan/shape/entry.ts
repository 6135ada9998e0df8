/** Numbers that somebody types: `24`, `24,5`, `24 < 90`, `24 @ 90`. Pure. */

/** A number as it may be typed in either language: a point or a comma before the decimals, a true minus, a unit behind. */
export function parseNumber(text: string): number | null {
  const plain = text.trim().replace(/[−–]/g, '-').replace(/，/g, ',').replace(/\s*(m²|m2|m|米|°|层|storeys?)$/i, '').replace(/\s/g, '');
  if (!/^[-+]?(\d+([.,]\d*)?|[.,]\d+)$/.test(plain)) return null;
  const value = Number(plain.replace(',', '.'));
  return Number.isFinite(value) ? value : null;
}

export interface Side {
  readonly length_m: number;
  /** Clockwise from north; null: as the pointer shows. */
  readonly bearing_deg: number | null;
}

/** A length, and a bearing where one is given in the same field. */
export function parseSide(text: string): Side | null {
  const [first, second, more] = text.split(/[<@＜＠∠]/);
  if (first === undefined || more !== undefined) return null;
  const length_m = parseNumber(first);
  if (length_m === null || length_m <= 0 || length_m > 10_000) return null;
  if (second === undefined) return { length_m, bearing_deg: null };
  const angle = parseNumber(second);
  return angle === null ? null : { length_m, bearing_deg: ((angle % 360) + 360) % 360 };
}

/** Between bounds, or null for what is no number. */
export function parseWithin(text: string, min: number, max: number): number | null {
  const value = parseNumber(text);
  return value === null || value < min || value > max ? null : value;
}
