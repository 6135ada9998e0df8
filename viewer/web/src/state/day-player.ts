import type { SunTime } from './url';

const EVERY_MS = 80;
const STEP_MIN = 5;
/** With reduced motion the day goes by in few, calm steps. */
const STILL_EVERY_MS = 1_000;
const STILL_STEP_MIN = 30;
const DAY_END_MIN = 1435;

/** What playing the day needs of the page. */
export interface DayStage {
  readonly sun: () => SunTime | null;
  readonly setSun: (sun: SunTime) => void;
  /** The day it is in the city, where none was chosen. */
  readonly today: () => string;
  readonly isPlaying: () => boolean;
  readonly setPlaying: (on: boolean) => void;
}

/** Plays the sun through a day; minutes are of the city's own clock. */
export class DayPlayer {
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly stage: DayStage) {}

  /** Play between two minutes of the day, from where the sun stands; at the end it stops. */
  play(on: boolean, from = 0, to = DAY_END_MIN): void {
    this.stage.setPlaying(on);
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    if (!on) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const date = this.stage.sun()?.date ?? this.stage.today();
    let minutes = this.stage.sun()?.minutes ?? from;
    if (minutes >= to - STEP_MIN) minutes = from;
    this.timer = setInterval(() => {
      minutes += still ? STILL_STEP_MIN : STEP_MIN;
      if (minutes >= to || !this.stage.isPlaying()) this.play(false);
      else this.stage.setSun({ date: this.stage.sun()?.date ?? date, minutes });
    }, still ? STILL_EVERY_MS : EVERY_MS);
  }
}
