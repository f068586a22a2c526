import { type CanvasModel, type Decoder, ForetokenError, type TokenSource } from '@foretoken/core';
import {
  type Complete,
  checkOptions,
  integer,
  LENGTH_OPTIONS,
  type LengthOptions,
  number,
  type OptionTable,
  oneOf,
  RandomStream,
} from '@foretoken/core/kit';
import { type Block, blocksOf, decidedAfter } from './blocks.js';
import { canvasDecoder, type Refinement, type RowContext } from './canvas-decoder.js';
import { highest, lowest, type RefinedCanvas } from './refined-canvas.js';
import {
  boundedCount,
  outputFor,
  type Proposing,
  propose,
  type RankedProposal,
  UNMASK_ORDERS,
  type UnmaskOrder,
  type UnmaskOutput,
} from './unmask-order.js';

/** Options of `maskedDiffusion`. */
export interface MaskedDiffusionOptions extends Pick<LengthOptions, 'length'> {
  /** Forwards of a canvas, shared out among its blocks (default: one a position). */
  readonly iterations?: number | undefined;
  /** Which positions are decided first (default `confidence`). */
  readonly order?: UnmaskOrder | undefined;
  /** With the order `entropy-bounded`: natural-log entropy that one iteration may decide on top of its most uncertain position. */
  readonly entropyBound?: number | undefined;
  /** Positions that are all decided before any later one (default: the whole canvas). */
  readonly blockLength?: number | undefined;
  /** Tokens are drawn from the distribution at this temperature; 0 (default) takes the most probable. */
  readonly temperature?: number | undefined;
  /**
   * Share, in `[0, 1]`, of a block's earlier decided positions that each iteration but the last masks again, least confident
   * first, to be decided anew besides those that are due (default 0).
   */
  readonly remask?: number | undefined;
}

const OPTIONS: OptionTable<MaskedDiffusionOptions> = {
  length: LENGTH_OPTIONS.length,
  iterations: integer(1),
  order: oneOf(...UNMASK_ORDERS),
  entropyBound: number(0, Number.MAX_VALUE),
  blockLength: integer(1),
  temperature: number(0, Number.MAX_VALUE),
  remask: number(0, 1),
};

/**
 * Masked diffusion: a canvas of masks is decided position by position, several a forward (MDLM, Sahoo et al., 2024; LLaDA,
 * Nie et al., 2025); without `remask`, what is decided stays.
 *
 * Random choices depend on the request's `seed` and the row's source alone. Throws `INVALID_ARGUMENT`, also for options that
 * contradict one another; decoding throws as `maskPredict` does.
 */
export function maskedDiffusion<Source = TokenSource>(
  options: MaskedDiffusionOptions = {},
): Decoder<CanvasModel<Source>> {
  options = checkOptions('maskedDiffusion', options, OPTIONS);
  const { order = 'confidence', temperature = 0, blockLength = Number.MAX_SAFE_INTEGER, remask = 0 } = options;
  const { length, iterations = Number.MAX_SAFE_INTEGER, entropyBound = Number.NaN } = options;
  assertOptions({ ...options, order, remask, iterations });
  return canvasDecoder({
    length,
    name: 'masked-diffusion',
    output: outputFor(order, temperature),
    scored: false,
    *refine(canvas: RefinedCanvas, row: RowContext): Refinement<UnmaskOutput> {
      const stream = new RandomStream(row.seed, row.source);
      const proposing: Proposing = {
        order,
        temperature,
        stream,
        maskTokenId: canvas.maskTokenId,
        vocabularySize: row.vocabularySize,
      };
      let forward = 0;
      const free = canvas.length - canvas.given;
      for (const block of blocksOf(canvas.given, canvas.length, blockLength, Math.min(iterations, free))) {
        const positions = Array.from({ length: block.end - block.start }, (_, index) => block.start + index);
        const maxIterations = order === 'entropy-bounded' ? Number.POSITIVE_INFINITY : block.iterations;
        let masked = positions;
        for (let iteration = 1; masked.length > 0 && iteration <= maxIterations; iteration++) {
          const [prediction] = yield [canvas.tokenIds.slice()];
          const proposal = yield* propose(prediction, canvas.length, masked, forward++, proposing);
          const ranking = highest(masked, proposal.ease, masked.length);
          // Last are those where no token is possible; they stay masks.
          const possible = ranking.filter((position) => proposal.tokenIds[position] !== canvas.maskTokenId);
          if (possible.length === 0) break;
          const count =
            order === 'entropy-bounded'
              ? boundedCount(entropiesOf(possible, proposal), entropyBound)
              : dueAfter(iteration, block) - (positions.length - masked.length);
          const decided = possible.slice(0, count);
          canvas.decide(decided, proposal);
          masked = ranking.slice(decided.length);
          if (masked.length > 0) masked = [...masked, ...maskAgain(canvas, positions, ranking, remask)];
        }
        // What is still masked has no possible token, and later blocks wait for it.
        if (masked.length > 0 || row.endsWithin(canvas.tokenIds, block.end)) return;
      }
    },
  });
}

/** Positions of a block to be decided once `iteration` forwards are over. */
function dueAfter(iteration: number, { start, end, iterations }: Block): number {
  return decidedAfter(end - start, iteration, iterations);
}

function entropiesOf(ranking: readonly number[], { ease }: RankedProposal): number[] {
  return ranking.map((position) => -ease[position]);
}

/**
 * Masks again the least confident share of the positions that were decided before this forward predicted those in
 * `predicted`: what is newest has seen all there is to see.
 */
function maskAgain(
  canvas: RefinedCanvas,
  positions: readonly number[],
  predicted: readonly number[],
  share: number,
): number[] {
  const anew = new Set(predicted);
  const earlier = positions.filter((position) => !anew.has(position));
  const again = lowest(earlier, canvas.logProbs, Math.floor(share * earlier.length));
  canvas.mask(again);
  return again;
}

/** Throws `INVALID_ARGUMENT` for options that contradict one another. */
function assertOptions(
  options: Complete<Pick<MaskedDiffusionOptions, 'iterations' | 'order' | 'remask'>> & MaskedDiffusionOptions,
): void {
  const { iterations, order, entropyBound, remask } = options;
  if (order !== 'entropy-bounded') {
    if (entropyBound !== undefined) throw refuse('entropyBound', entropyBound, `has no effect on the order ${order}`);
    return;
  }
  if (entropyBound === undefined) throw refuse('entropyBound', entropyBound, `is required by the order ${order}`);
  // The bound decides how many iterations there are, and positions masked again could keep it from ever ending.
  if (iterations !== Number.MAX_SAFE_INTEGER) throw refuse('iterations', iterations, `contradicts the order ${order}`);
  if (remask > 0) throw refuse('remask', remask, `contradicts the order ${order}`);
}

function refuse(option: string, received: unknown, what: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `${option} ${what}, but was ${String(received)}.`, {
    option,
    received,
  });
}
