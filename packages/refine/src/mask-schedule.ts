import { assertInteger, callback, number, type OptionReader, wrongValue } from '@foretoken/core/kit';

/**
 * Share of a canvas that is masked when a share `progress` in `[0, 1]` of the iterations is over: `linear` is
 * `1 - progress` (Ghazvininejad et al., 2019, section 3.1), `cosine` is `cos(progress * pi / 2)` (Chang et al., 2022,
 * "MaskGIT", section 3.3); or a function of your own, with values in `[0, 1]`.
 */
export type MaskSchedule = 'linear' | 'cosine' | ((progress: number) => number);

/** Reads a schedule; one that is a function is asked for a share from 0 to 1 whenever it is used. */
export const schedule: OptionReader<MaskSchedule> = (name, value) => {
  if (value === 'linear' || value === 'cosine') return value;
  if (typeof value === 'function') return callback<(progress: number) => number>(number(0, 1))(name, value);
  throw wrongValue(name, value, 'linear, cosine or a function of the progress');
};

/**
 * How many of `length` positions are masked after `done` of `total` iterations: the share of the schedule, rounded down. Throws
 * `INVALID_ARGUMENT`.
 */
export function maskedCount(given: MaskSchedule, length: number, done: number, total: number): number {
  assertInteger('length', length, 0, Number.MAX_SAFE_INTEGER);
  assertInteger('total', total, 1, Number.MAX_SAFE_INTEGER);
  assertInteger('done', done, 0, total);
  return countOf(schedule('schedule', given), length, done, total);
}

/** `maskedCount` of what was checked. */
export function countOf(schedule: MaskSchedule, length: number, done: number, total: number): number {
  // (total - done) / total and not 1 - done / total: the latter rounds below whole numbers.
  if (schedule === 'linear') return Math.floor((length * (total - done)) / total);
  if (schedule === 'cosine') return done === total ? 0 : Math.floor(length * Math.cos((done / total) * (Math.PI / 2)));
  return Math.floor(length * schedule(done / total));
}

/** Asks a schedule for its first shares over `total` iterations, so that one that gives no shares is refused at once. */
export function assertSchedule(schedule: MaskSchedule, total: number): void {
  if (typeof schedule !== 'function') return;
  for (let done = 1; done < Math.min(total, 256); done++) schedule(done / total);
}
