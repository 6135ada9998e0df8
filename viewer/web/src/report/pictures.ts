/** Pictures of the city and of each scheme from one place, drawn one after the other by one map. */
import type { CityMap } from '../map/city-map';
import { fit, type Box } from '../scheme/area';
import { viewOf } from '../scheme/tour';
import type { SchemeOverlay } from '../scheme/types';
import type { OfScheme, Report } from './read';

const WAIT_MS = 25_000;
const STEP_MS = 200;
const CALM_STEPS = 3;

const overlay = ({ scheme, objects }: OfScheme): SchemeOverlay => ({ scheme: scheme.id, letter: scheme.letter, colour_index: scheme.colour_index, objects: objects.items, hidden: new Set(objects.hidden), phase: null });

/** Drawn and at rest for a moment; at the latest after a while by the clock, with what there is. */
async function calm(map: CityMap): Promise<void> {
  const end = performance.now() + WAIT_MS;
  for (let steps = 0; performance.now() < end && steps < CALM_STEPS;) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    steps = map.isIdle ? steps + 1 : 0;
  }
}

/** Where the schemes are: as the first tour begins, else all of what they touch. */
function look(map: CityMap, report: Report, width: number, height: number): void {
  const stop = report.schemes.map(({ scheme }) => scheme.tour[0]).find((one) => one !== undefined);
  const view = stop && viewOf(stop.view);
  const boxes = report.schemes.flatMap(({ scheme }) => (scheme.bbox ? [scheme.bbox] : []));
  if (view) map.setView({ ...view, zoom: view.zoom - 0.35 }, false);
  else if (boxes.length > 0) {
    const all = boxes.reduce<Box>((sum, box) => [Math.min(sum[0], box[0]), Math.min(sum[1], box[1]), Math.max(sum[2], box[2]), Math.max(sum[3], box[3])], boxes[0] as Box);
    const { centre, zoom } = fit(all, width, height);
    map.setView({ longitude: centre[0], latitude: centre[1], zoom, pitch: 52, bearing: -20 }, false);
  }
}

/** Addresses of the pictures by scheme id (`base` first), told one by one as they are made. */
export async function pictures(map: CityMap, report: Report, size: readonly [number, number], caption: readonly string[], made: (id: string, address: string) => void): Promise<void> {
  map.setSpec(report.spec);
  for (const id of ['sensors', 'water-network', 'power-network', 'traffic']) map.setLayerVisible(id, false);
  look(map, report, ...size);
  for (const one of [null, ...report.schemes]) {
    map.setOverlay?.(one && overlay(one));
    await calm(map);
    const picture = await map.toImage([...caption]);
    made(one?.scheme.id ?? 'base', URL.createObjectURL(picture));
  }
}
