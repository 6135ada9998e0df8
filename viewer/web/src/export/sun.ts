import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { dayOfYear, minuteClock, number } from '../i18n/format';
import { sunPosition } from '../map/sun';
import type { SunDirection } from '../map/types';
import type { City } from '../state/model';
import { instantOf, knownZone } from '../state/zone';

/** A day and minutes on the city's clock. */
export interface SunChoice {
  readonly date: string;
  readonly minutes: number;
}

const STEP_MIN = 10;
const DAY_MIN = 1440;

export function directionOf(city: City, at: SunChoice): SunDirection {
  const { lon, lat } = city.origin;
  const { azimuth_deg, altitude_deg } = sunPosition(instantOf(at.date, at.minutes, knownZone(city.time_zone)), lon, lat);
  return { azimuth_deg, altitude_deg };
}

/** Slider over the day, date, and back to the light that the drawings have. */
export function sunPanel(city: City, shown: SunChoice, chosen: boolean, set: (sun: SunChoice | null) => void): TemplateResult {
  const { altitude_deg } = directionOf(city, shown);
  const state = altitude_deg > -0.8 ? t('sun.altitude', { deg: number(altitude_deg) }) : t('sun.below');
  const spoken = t('sun.valueText', { time: minuteClock(shown.minutes), deg: number(altitude_deg) });
  return html`<div class="sun-row"><span class="strong">${minuteClock(shown.minutes)}</span><span class="grow xs dim trunc">${dayOfYear(shown.date)}${chosen ? ` · ${state}` : nothing}</span><button type="button" class="btn sm quiet" data-testid="sun-default" ?disabled=${!chosen} @click=${() => set(null)}>${t('sun.default')}</button></div>
    <input type="range" class="day" data-testid="sun-slider" min="0" max=${DAY_MIN - STEP_MIN} step=${STEP_MIN} .value=${String(shown.minutes)} aria-label=${t('sun.time')} aria-valuetext=${spoken} @input=${(e: Event) => set({ date: shown.date, minutes: Number((e.target as HTMLInputElement).value) })}>
    <input type="date" class="field" data-testid="sun-date" aria-label=${t('sun.date')} .value=${shown.date} @change=${(e: Event) => { const { value } = e.target as HTMLInputElement; if (/^\d{4}-\d{2}-\d{2}$/.test(value)) set({ date: value, minutes: shown.minutes }); }}>`;
}
