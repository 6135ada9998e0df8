/** Between the clock on the city's wall and UTC, by the browser's own time zone tables. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** Kept per zone: making one takes longer than all that is done with it, and a course of the sun asks a hundred times. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
    formats.set(zone, format);
  }
  return format;
}

/** Minutes that the zone is ahead of UTC at an instant. */
export function offsetMinutes(at: Date, zone: string): number {
  const p = Object.fromEntries(formatOf(zone).formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const wall = Date.UTC(p['year'] ?? 0, (p['month'] ?? 1) - 1, p['day'] ?? 1, p['hour'] ?? 0, p['minute'] ?? 0, p['second'] ?? 0);
  return Math.round((wall - Math.floor(at.getTime() / 1000) * 1000) / 60_000);
}

/** The instant at which the city's clock shows a date and time. */
export function instantOf(isoDate: string, minutes: number, zone: string): Date {
  const wall = Date.parse(`${isoDate}T00:00:00Z`) + minutes * 60_000;
  const guess = wall - offsetMinutes(new Date(wall), zone) * 60_000;
  return new Date(wall - offsetMinutes(new Date(guess), zone) * 60_000);
}

/** What the city's clock shows at an instant: ISO date and minutes since midnight. */
export function wallOf(at: Date, zone: string): { readonly date: string; readonly minutes: number } {
  const wall = new Date(at.getTime() + offsetMinutes(at, zone) * 60_000);
  return { date: wall.toISOString().slice(0, 10), minutes: wall.getUTCHours() * 60 + wall.getUTCMinutes() };
}

/** A zone name that this browser knows, else UTC. */
export function knownZone(zone: string): string {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone });
    return zone;
  } catch {
    return 'UTC';
  }
}
