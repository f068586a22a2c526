import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';

/** Seconds that the longest decode is shown in, at speed 1. */
const SHOWN_SECONDS = 6;

/** The one clock that all lanes are shown by: decoding takes milliseconds, so it runs slower than it happened. */
export class Clock {
  /** The moment that is shown, in milliseconds of the decode. */
  readonly atMs: Signal<number>;
  readonly playing: Signal<boolean> = signal(false);
  readonly speed: Signal<number> = signal(1);
  /** How many times slower than it happened. */
  readonly slower: ReadonlySignal<number>;
  readonly durationMs: number;
  /** Moments to step between. */
  readonly #moments: readonly number[];
  #frame = 0;
  #last: number | undefined;

  constructor(moments: readonly number[], durationMs: number) {
    this.#moments = [0, ...moments, durationMs];
    this.durationMs = durationMs;
    this.atMs = signal(durationMs);
    this.slower = computed(() => (SHOWN_SECONDS * 1000) / Math.max(durationMs, 1e-3) / this.speed.value);
  }

  play(): void {
    if (this.playing.value) return;
    if (this.atMs.value >= this.durationMs) this.atMs.value = 0;
    this.playing.value = true;
    this.#last = undefined;
    this.#frame = requestAnimationFrame(this.#tick);
  }

  pause(): void {
    cancelAnimationFrame(this.#frame);
    this.playing.value = false;
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else this.play();
  }

  /** To the next moment at which something happened, or the one before. */
  step(direction: 1 | -1): void {
    this.pause();
    const now = this.atMs.value;
    const next =
      direction > 0
        ? this.#moments.find((moment) => moment > now + 1e-9)
        : this.#moments.findLast((moment) => moment < now - 1e-9);
    if (next !== undefined) this.atMs.value = next;
  }

  seek(atMs: number): void {
    this.pause();
    this.atMs.value = Math.min(this.durationMs, Math.max(0, atMs));
  }

  readonly #tick = (time: number): void => {
    const passed = this.#last === undefined ? 0 : time - this.#last;
    this.#last = time;
    const next = this.atMs.value + passed / this.slower.value;
    if (next < this.durationMs) {
      this.atMs.value = next;
      this.#frame = requestAnimationFrame(this.#tick);
    } else {
      this.atMs.value = this.durationMs;
      this.playing.value = false;
    }
  };
}

/** Whether the reader asked for less motion. */
export function prefersStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
