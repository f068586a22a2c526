import { type CanvasModel, type Decoder, ForetokenError, type TokenSource } from '@foretoken/core';
import {
  bestCanvasTokens,
  checkOptions,
  integer,
  LENGTH_OPTIONS,
  type LengthOptions,
  type OptionTable,
} from '@foretoken/core/kit';
import { canvasDecoder, type Refinement } from './canvas-decoder.js';
import { BEST, type Best } from './proposals.js';
import { highest, type RefinedCanvas } from './refined-canvas.js';

/** Options of `easyFirst`. */
export interface EasyFirstOptions extends LengthOptions {
  /** Most updates of a position, the first fill counted (default 10). */
  readonly iterations?: number | undefined;
  /** Positions are ranked into so many levels of ease; those of a level do not see one another (default: one position each). */
  readonly levels?: number | undefined;
}

const OPTIONS: OptionTable<EasyFirstOptions> = { ...LENGTH_OPTIONS, iterations: integer(1), levels: integer(1) };

/**
 * Parallel easy-first decoding: the first fill ranks the positions by confidence; from then on every position is predicted
 * anew, all at once, from the tokens of easier positions alone, until nothing changes (Kasai et al., 2020, "DisCo",
 * parallel easy-first inference).
 *
 * The paper's model gives each position a context of its own within one canvas; here each level of positions is a canvas of
 * its own in the same forward, asked only if a token it depends on has changed. Throws as `maskPredict` does.
 */
export function easyFirst<Source = TokenSource>(options: EasyFirstOptions = {}): Decoder<CanvasModel<Source>> {
  options = checkOptions('easyFirst', options, OPTIONS);
  const { iterations = 10, levels: count = Number.MAX_SAFE_INTEGER } = options;
  if (options.levels !== undefined && iterations === 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `levels ${count} has no effect with a single iteration. Leave it out or ask for more iterations.`,
      { option: 'levels', received: count, iterations },
    );
  }
  if (count === 1 && options.iterations !== undefined && iterations > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `iterations ${iterations} has no effect with a single level, which sees nothing easier. Leave one of them out.`,
      { option: 'iterations', received: iterations, levels: count },
    );
  }
  return canvasDecoder({
    ...options,
    name: 'easy-first',
    output: BEST,
    scored: true,
    *refine(canvas: RefinedCanvas): Refinement<Best> {
      const { free, length, maskTokenId } = canvas;
      if (free.length === 0) return;
      const [first] = yield [canvas.without(free)];
      canvas.decide(free, bestCanvasTokens(first, length, maskTokenId));
      const ranking = highest(free, canvas.logProbs, free.length);
      const levels = split(ranking, Math.min(count, free.length));
      // The easiest level that changed: all that are harder depend on it.
      let changed = 0;
      for (let iteration = 2; iteration <= iterations; iteration++) {
        const first = changed + 1;
        const due = levels.slice(first);
        if (due.length === 0) return;
        const predictions = yield contexts(canvas, levels, first);
        changed = levels.length;
        for (const [index, level] of due.entries()) {
          const proposal = bestCanvasTokens(predictions[index], length, maskTokenId);
          if (canvas.decide(level, proposal)) changed = Math.min(changed, first + index);
          yield;
        }
      }
    },
  });
}

/** What each level from `first` on sees: the canvas with masks at its own positions and all harder ones. */
function contexts(canvas: RefinedCanvas, levels: readonly (readonly number[])[], first: number): Int32Array[] {
  let seen = canvas.without(levels.slice(first).flat());
  return levels.slice(first).map((level) => {
    const context = seen;
    seen = context.slice();
    for (const position of level) seen[position] = canvas.tokenIds[position];
    return context;
  });
}

/** Cuts a ranking into `count` levels of nearly equal size, the larger ones last. */
function split(ranking: readonly number[], count: number): number[][] {
  const border = (index: number): number => Math.floor((index * ranking.length) / count);
  return Array.from({ length: count }, (_, index) => ranking.slice(border(index), border(index + 1)));
}
