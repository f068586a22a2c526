import { type CanvasModel, type Decoder, ForetokenError, type TokenSource } from '@foretoken/core';
import {
  bestCanvasTokens,
  checkOptions,
  flag,
  integer,
  LENGTH_OPTIONS,
  type LengthOptions,
  type OptionTable,
} from '@foretoken/core/kit';
import { canvasDecoder, type Refinement } from './canvas-decoder.js';
import { assertSchedule, countOf, type MaskSchedule, schedule as readSchedule } from './mask-schedule.js';
import { BEST, type Best } from './proposals.js';
import { lowest, type RefinedCanvas } from './refined-canvas.js';

/** Options of `maskPredict`. */
export interface MaskPredictOptions extends LengthOptions {
  /** Forwards of a canvas, the first fill counted (default 4). */
  readonly iterations?: number | undefined;
  /** How much of the canvas is masked after each iteration (default `linear`). */
  readonly schedule?: MaskSchedule | undefined;
  /** Positions masked where the schedule rounds to none: 0 (default) ends the row there, 1 goes on with one. */
  readonly minMasked?: 0 | 1 | undefined;
  /** Stop as soon as an iteration changes no token (default false). */
  readonly adaptiveStop?: boolean | undefined;
}

const OPTIONS: OptionTable<MaskPredictOptions> = {
  ...LENGTH_OPTIONS,
  iterations: integer(1),
  schedule: readSchedule,
  minMasked: (name, value) => integer(0, 1)(name, value) as 0 | 1,
  adaptiveStop: flag,
};

/**
 * Mask-predict: fill the canvas at once, then mask and fill anew its least confident positions, fewer each time
 * (Ghazvininejad et al., 2019, section 3).
 *
 * A hypothesis' `score` is the mean natural-log probability of its canvas, and what `lengthWeight` makes of its length, by
 * which lengths are ranked. Throws `INVALID_ARGUMENT`; decoding throws `LENGTH_LIMIT`, `INVALID_SCORES` for scores that are not
 * numbers, and `UNSATISFIABLE_CONSTRAINT` where at a position of the output no token but the mask is possible.
 */
export function maskPredict<Source = TokenSource>(options: MaskPredictOptions = {}): Decoder<CanvasModel<Source>> {
  options = checkOptions('maskPredict', options, OPTIONS);
  const { iterations = 4, schedule = 'linear', minMasked = 0, adaptiveStop = false } = options;
  assertSchedule(schedule, iterations);
  if (minMasked === 1 && iterations === 1) throw oneIteration('minMasked', minMasked);
  if (adaptiveStop && iterations === 1) throw oneIteration('adaptiveStop', adaptiveStop);
  return canvasDecoder({
    ...options,
    name: 'mask-predict',
    output: BEST,
    scored: true,
    *refine(canvas: RefinedCanvas): Refinement<Best> {
      let masked = canvas.free;
      for (let iteration = 1; iteration <= iterations && masked.length > 0; iteration++) {
        const [prediction] = yield [canvas.without(masked)];
        const changed = canvas.decide(masked, bestCanvasTokens(prediction, canvas.length, canvas.maskTokenId));
        if (adaptiveStop && !changed) return;
        const count = countOf(schedule, canvas.free.length, iteration, iterations);
        masked = lowest(canvas.free, canvas.logProbs, Math.max(count, minMasked));
      }
    },
  });
}

function oneIteration(option: string, received: unknown): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    `${option} ${String(received)} has no effect with a single iteration. Leave it out or ask for more iterations.`,
    { option, received, iterations: 1 },
  );
}
