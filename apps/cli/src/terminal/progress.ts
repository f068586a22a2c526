import type { Output } from '../io.js';
import { LiveRegion } from './live-region.js';

/** How often a line is drawn at most. */
const DRAWN_EVERY_MS = 100;

/** One line on a terminal that says how far a long run is. */
export class Progress {
  readonly #region: LiveRegion | undefined;
  readonly #now: () => number;
  readonly #total: number | undefined;
  readonly #began: number;
  #first: number | undefined;
  #drawn = Number.NEGATIVE_INFINITY;

  /** Draws nothing without a `stream`. `total` lines, where known. */
  constructor(stream: Output | undefined, now: () => number, total: number | undefined) {
    this.#region = stream && new LiveRegion(stream);
    this.#now = now;
    this.#total = total;
    this.#began = now();
  }

  /** `done` lines are through; those of an earlier run among them are told by `resumed`. */
  show(done: number, resumed = 0): void {
    const now = this.#now();
    if (this.#region === undefined || now - this.#drawn < DRAWN_EVERY_MS) return;
    this.#drawn = now;
    this.#first ??= now;
    this.#region.draw([progressLine(done, done - resumed, this.#total, (now - this.#began) / 1000)]);
  }

  /** Takes the line away, so that something else can be written. */
  hide(): void {
    if (this.#drawn === Number.NEGATIVE_INFINITY) return;
    this.#region?.draw([]);
    this.#drawn = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.hide();
    this.#region?.restore();
  }
}

/** Such as `1,024 of 10,000 lines, 310/s, 0:29 left`: 40 columns or fewer up to a million lines. */
export function progressLine(done: number, here: number, total: number | undefined, seconds: number): string {
  const count = (value: number): string => value.toLocaleString('en');
  const rate = seconds > 0 ? here / seconds : 0;
  const speed = rate === 0 ? '' : `, ${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`;
  if (total === undefined) return `${count(done)} lines${speed}`;
  const left = rate === 0 ? '' : `, ${clock(Math.max(0, total - done) / rate)} left`;
  return `${count(done)} of ${count(total)} lines${speed}${left}`;
}

/** Such as `0:29` or `1:02:03`, rounded up to a second. */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
