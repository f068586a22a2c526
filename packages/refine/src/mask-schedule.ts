import { ForetokenError } from '@foretoken/core';

/**
 * Share of a canvas that is masked when a share `progress` in `[0, 1]` of the iterations is over: `linear` is
 * `1 - progress` (Ghazvininejad et al., 2019, section 3.1), `cosine` is `cos(progress * pi / 2)` (Chang et al., 2022,
 * "MaskGIT", section 3.3); or a function of your own, with values in `[0, 1]`.
 */
export type MaskSchedule = 'linear' | 'cosine' | ((progress: number) => number);

/** How many of `length` positions are masked after `done` of `total` iterations: the share of the schedule, rounded down. */
export function maskedCount(schedule: MaskSchedule, length: number, done: number, total: number): number {
  // (total - done) / total and not 1 - done / total: the latter rounds below whole numbers.
  if (schedule === 'linear') return Math.floor((length * (total - done)) / total);
  if (schedule === 'cosine') return done === total ? 0 : Math.floor(length * Math.cos((done / total) * (Math.PI / 2)));
  return Math.floor(length * schedule(done / total));
}

/** Throws `INVALID_ARGUMENT` unless the schedule is known, or its values over `total` iterations lie in `[0, 1]`. */
export function assertSchedule(schedule: MaskSchedule, total: number): void {
  if (schedule === 'linear' || schedule === 'cosine') return;
  if (typeof schedule !== 'function') {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `schedule must be linear, cosine or a function of the progress, but was ${String(schedule)}.`,
      { option: 'schedule', received: schedule },
    );
  }
  for (let done = 1; done < total; done++) {
    const share = schedule(done / total);
    if (!(share >= 0 && share <= 1)) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `schedule must give shares from 0 to 1, but gave ${String(share)} at progress ${done / total}.`,
        { option: 'schedule', received: share, progress: done / total },
      );
    }
  }
}
