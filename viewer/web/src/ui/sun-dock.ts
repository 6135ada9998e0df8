import { html, nothing, svg, type TemplateResult } from 'lit';
import { t } from '../i18n/index';
import { dayOfYear, minuteClock, number } from '../i18n/format';
import { valueOf, type City } from '../state/model';
import type { SunTime } from '../state/url';
import { instantOf, knownZone, wallOf } from '../state/zone';
import type { Ctx } from './context';
import { icon } from './icons';

const W = 320;
const H = 48;
const HORIZON = 34;
const STEP_MIN = 5;

export interface SunDay {
  readonly sunrise: number | null;
  readonly noon: number;
  readonly sunset: number | null;
  /** Minutes at the ends of the slider. */
  readonly from: number;
  readonly to: number;
  readonly altitude: (minutes: number) => number;
  readonly polar: 'day' | 'night' | null;
}

let kept: { readonly key: string; readonly day: SunDay } | null = null;

/** The day's course of the sun at the city, in minutes on its clock. Kept until date or city change. */
export function sunDay(ctx: Ctx, city: City, date: string): SunDay {
  const key = `${city.slug} ${date}`;
  if (kept?.key === key) return kept.day;
  const zone = knownZone(city.time_zone);
  const { lon, lat } = city.origin;
  const times = ctx.do.sun.times(instantOf(date, 720, zone), lon, lat);
  const minutes = (at: Date | null): number | null => (at ? wallOf(at, zone).minutes : null);
  const altitude = (m: number): number => ctx.do.sun.direction(instantOf(date, m, zone), lon, lat).altitude_deg;
  const sunrise = minutes(times.sunrise);
  const sunset = minutes(times.sunset);
  const bounded = sunrise !== null && sunset !== null && sunset > sunrise;
  const noon = wallOf(times.noon, zone).minutes;
  const day: SunDay = {
    sunrise, sunset, noon, altitude,
    from: bounded ? Math.max(0, Math.floor((sunrise - 40) / STEP_MIN) * STEP_MIN) : 0,
    to: bounded ? Math.min(1435, Math.ceil((sunset + 40) / STEP_MIN) * STEP_MIN) : 1435,
    polar: bounded ? null : altitude(noon) > 0 ? 'day' : 'night',
  };
  kept = { key, day };
  return day;
}

export const today = (ctx: Ctx): string => wallOf(new Date(ctx.s.now_ms), ctx.zone).date;

const AFTERNOON_MIN = 15 * 60;

/** Where the knob waits without a choice: in the afternoon, or halfway to sunset where the sun is down by then. */
export function waiting(day: SunDay): number {
  const { sunrise, sunset, noon, polar } = day;
  if (polar || sunrise === null || sunset === null || (sunrise < AFTERNOON_MIN && AFTERNOON_MIN < sunset)) return AFTERNOON_MIN;
  return Math.round((noon + sunset) / 2 / STEP_MIN) * STEP_MIN;
}

function curve(day: SunDay, minutes: number, chosen: boolean): TemplateResult {
  const share = (m: number): number => (m - day.from) / Math.max(1, day.to - day.from);
  const top = Math.max(8, day.altitude(day.noon));
  const y = (deg: number): number => Math.min(HORIZON + 3, HORIZON - (deg / top) * (HORIZON - 7));
  const path = (from: number, to: number): string => {
    const n = 48;
    return Array.from({ length: n + 1 }, (_, i) => from + ((to - from) * i) / n).map((m, i) => `${i ? 'L' : 'M'}${(share(m) * W).toFixed(1)} ${y(day.altitude(m)).toFixed(1)}`).join('');
  };
  const name = (at: number | null, side: string): unknown => (at === null ? nothing : svg`<text x="${(share(at) * 100).toFixed(1)}%" y="47" class="axis ${side}">${minuteClock(at)}</text>`);
  const risen = Math.max(day.from, day.sunrise ?? day.from);
  const up = day.altitude(minutes) > -0.8;
  // At night the knob stands at the end of the slider.
  const at = Math.min(Math.max(minutes, day.from), day.to);
  // The curve is stretched to the box; what must stay round or readable is placed by shares.
  return html`<svg class="arc" viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" aria-hidden="true">
    <path d="M0 ${HORIZON}H${W}" class="horizon"/><path d=${path(day.from, day.to)} class="course"/>
    ${minutes > risen ? svg`<path d=${path(risen, Math.min(minutes, day.sunset ?? minutes))} class="past"/>` : nothing}
  </svg><svg class="arc ${chosen ? '' : 'unset'}" aria-hidden="true">
    ${name(day.sunrise, 'mid')}${name(day.noon, 'mid')}${name(day.sunset, 'mid')}
    <circle cx="${(share(at) * 100).toFixed(2)}%" cy=${y(day.altitude(at))} r="7" class="knob ${up ? '' : 'down'}"/>
  </svg>`;
}

function slider(ctx: Ctx, day: SunDay, shown: SunTime): TemplateResult {
  const altitude = number(day.altitude(shown.minutes));
  const set = (minutes: number): void => ctx.do.setSun({ date: shown.date, minutes });
  return html`<div class="course-box">
    ${curve(day, shown.minutes, ctx.s.sun !== null)}
    <input type="range" data-testid="sun-slider" min=${day.from} max=${day.to} step=${STEP_MIN} .value=${String(shown.minutes)} aria-label=${t('sun.time')} aria-valuetext=${t('sun.valueText', { time: minuteClock(shown.minutes), deg: altitude })} @input=${(e: Event) => set(Number((e.target as HTMLInputElement).value))}>
  </div>`;
}

/** Date field and the named times, as buttons: nothing here needs a drag. */
export function sunFields(ctx: Ctx, day: SunDay, shown: SunTime): TemplateResult {
  const at = (minutes: number): void => ctx.do.setSun({ date: shown.date, minutes: Math.max(0, Math.min(1435, Math.round(minutes / STEP_MIN) * STEP_MIN)) });
  const jump = (key: 'sun.sunrise' | 'sun.noon' | 'sun.sunset', minutes: number | null): TemplateResult => html`<button type="button" class="btn sm" ?disabled=${minutes === null} @click=${() => at(minutes ?? 0)}>${t(key)}${minutes === null ? nothing : html` <span class="dim">${minuteClock(minutes)}</span>`}</button>`;
  return html`<div class="sunf">
    <label class="fld"><span class="xs mid">${t('sun.date')}</span><input type="date" class="field" data-testid="sun-date" .value=${shown.date} @change=${(e: Event) => { const { value } = e.target as HTMLInputElement; if (/^\d{4}-\d{2}-\d{2}$/.test(value)) ctx.do.setSun({ date: value, minutes: shown.minutes }); }}></label>
    <label class="fld"><span class="xs mid">${t('sun.time')}</span><input type="time" class="field" step="300" .value=${minuteClock(shown.minutes)} @change=${(e: Event) => { const [h, m] = (e.target as HTMLInputElement).value.split(':').map(Number); if (h !== undefined && m !== undefined) at(h * 60 + m); }}></label>
    <div class="row wrap">${jump('sun.sunrise', day.sunrise)}${jump('sun.noon', day.noon)}${jump('sun.sunset', day.sunset)}</div>
    <div class="row wrap"><button type="button" class="btn sm ico" aria-label=${t('sun.earlier')} @click=${() => at(shown.minutes - 15)}>${icon('left')}</button><button type="button" class="btn sm ico" aria-label=${t('sun.later')} @click=${() => at(shown.minutes + 15)}>${icon('right')}</button><span class="grow"></span><button type="button" class="btn sm quiet" data-testid="sun-default" ?disabled=${ctx.s.sun === null} @click=${() => ctx.do.setSun(null)}>${t('sun.default')}</button></div>
    ${day.polar ? html`<p class="xs mid">${t(day.polar === 'day' ? 'sun.polarDay' : 'sun.polarNight')}</p>` : nothing}
  </div>`;
}

export function sunDock(ctx: Ctx, phone = false): TemplateResult | typeof nothing {
  const city = valueOf(ctx.s.city);
  if (!city) return phone ? html`<div class="sk para"></div>` : nothing;
  const date = ctx.s.sun?.date ?? today(ctx);
  const day = sunDay(ctx, city, date);
  const shown = ctx.s.sun ?? { date, minutes: waiting(day) };
  const altitude = day.altitude(shown.minutes);
  const state = ctx.s.sun === null ? t('sun.default') : altitude > -0.8 ? t('sun.altitude', { deg: number(altitude) }) : t('sun.below');
  const play = html`<button type="button" class="btn soft ico round" data-testid="sun-play" aria-pressed=${ctx.s.playing} aria-label=${t(ctx.s.playing ? 'sun.pause' : 'sun.play')} title=${t(ctx.s.playing ? 'sun.pause' : 'sun.play')} @click=${() => ctx.do.day.play(!ctx.s.playing, day.from, day.to)}>${icon(ctx.s.playing ? 'pause' : 'play')}</button>`;
  const time = html`<div class="when ${ctx.s.sun ? '' : 'dim'}">${minuteClock(shown.minutes)}</div>`;
  if (phone) {
    return html`<div class="sunp"><div class="row">${play}<div class="grow"><div class="strong">${dayOfYear(shown.date)}</div><div class="xs dim">${state}</div></div>${time}</div>${slider(ctx, day, shown)}${sunFields(ctx, day, shown)}</div>`;
  }
  return html`<section class="dock sun" aria-label=${t('panel.sun')}>
    ${ctx.s.sunMenu ? html`<div class="menu sunm" id="sun-menu">${sunFields(ctx, day, shown)}</div>` : nothing}
    ${play}
    <button type="button" class="plain date" data-testid="sun-menu" aria-expanded=${ctx.s.sunMenu} aria-controls=${ctx.s.sunMenu ? 'sun-menu' : nothing} title=${t('sun.options')} @click=${() => ctx.do.store.set({ sunMenu: !ctx.s.sunMenu })}>
      <span class="row tight strong">${dayOfYear(shown.date)}${icon(ctx.s.sunMenu ? 'down' : 'up', 's')}</span><span class="xs dim trunc">${state}</span>
    </button>
    ${slider(ctx, day, shown)}
    ${time}
  </section>`;
}
