import type { CanvasModel, Decoder, TokenSource } from '@foretoken/core';
import { bestCanvasTokens, checkOptions, fields, integer, number, type OptionTable } from '@foretoken/core/kit';
import { canvasDecoder, type Refinement } from './canvas-decoder.js';
import { LATTICE_SEARCH, type LatticeSearch } from './lattice-search.js';
import { BEST, type Best } from './proposals.js';
import { highest, type RefinedCanvas } from './refined-canvas.js';

/** Options of `maskCtc`. */
export interface MaskCtcOptions<Source> {
  /** The model whose output is refined, and how it is searched. */
  readonly initial: LatticeSearch<Source>;
  /** Its tokens of a lower probability than this are masked, in `[0, 1]` (default 0.5). */
  readonly threshold?: number | undefined;
  /** Forwards in which the masked tokens are decided, the most confident first (default 4). */
  readonly iterations?: number | undefined;
}

const OPTIONS: OptionTable<MaskCtcOptions<never>> = {
  initial: fields(LATTICE_SEARCH, ['lattice', 'search']),
  threshold: number(0, 1),
  iterations: integer(1),
};

/**
 * Mask-CTC: the best output of a CTC model says how long the output is and most of its tokens; those it was unsure of are
 * masked and filled in by the canvas model, which sees their neighbours (Higuchi et al., 2020, "Mask CTC", section 3.2).
 *
 * The output may just as well be that of a DAG. Throws `INVALID_ARGUMENT`; decoding throws `UNSUPPORTED_CAPABILITY` for a lattice
 * that the search cannot read, `INVALID_ARGUMENT` for one of another vocabulary, `LENGTH_LIMIT` for an output longer than a
 * canvas, and otherwise throws as `maskPredict` does.
 */
export function maskCtc<Source = TokenSource>(options: MaskCtcOptions<Source>): Decoder<CanvasModel<Source>> {
  options = checkOptions<MaskCtcOptions<Source>>('maskCtc', options, OPTIONS, ['initial']);
  const { initial, threshold = 0.5, iterations = 4 } = options;
  return canvasDecoder({
    name: 'mask-ctc',
    initial,
    output: BEST,
    scored: true,
    *refine(canvas: RefinedCanvas): Refinement<Best> {
      const { length, logProbs, tokenIds, maskTokenId } = canvas;
      // As a float32, which the output's are: else what equals the threshold would be below it or not by rounding.
      const min = Math.fround(Math.log(threshold));
      const sure = (position: number): boolean => logProbs[position] >= min;
      let masked = canvas.free.filter((position) => !sure(position) || tokenIds[position] === maskTokenId);
      canvas.mask(masked);
      for (let left = iterations; left > 0 && masked.length > 0; left--) {
        const [prediction] = yield [canvas.without(masked)];
        const proposal = bestCanvasTokens(prediction, length, maskTokenId);
        const ranking = highest(masked, proposal.logProbs, masked.length);
        const count = Math.ceil(masked.length / left);
        canvas.decide(ranking.slice(0, count), proposal);
        masked = ranking.slice(count);
      }
    },
  });
}
