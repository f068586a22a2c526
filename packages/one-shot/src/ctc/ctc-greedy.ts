import {
  assertDecode,
  type CtcLattice,
  checkOptions,
  ctcBestPath,
  type DecodeRequest,
  type Decoder,
  flag,
  type LatticeModel,
  type OptionTable,
  type Requirements,
  refuseOutputPrefixes,
  type TokenAlignment,
  type TokenSource,
} from '@foretoken/core';
import { type Candidate, rowEvents } from '../row-events.js';
import { emitCtc } from './emit-ctc.js';

const NAME = 'ctc-greedy';
const REQUIRES: Requirements = { model: 'lattice', kinds: ['ctc'], candidates: 1 };

export interface CtcGreedyOptions {
  /** Report the frames of each token (default false). */
  readonly alignments?: boolean;
}

const OPTIONS: OptionTable<CtcGreedyOptions> = { alignments: flag };

/**
 * One-shot decoding of a CTC model: the best label of every frame, collapsed, after a single forward (best path
 * decoding; Graves et al., 2006, section 3.2; for translation, Libovický and Helcl, 2018).
 *
 * A hypothesis' `score` is the natural-log probability of that alignment, over all frames. Decoding throws
 * `INVALID_ARGUMENT` for a lattice that breaks its contract.
 */
export function ctcGreedy<Source = TokenSource>(options: CtcGreedyOptions = {}): Decoder<LatticeModel<Source>> {
  const { alignments = false } = checkOptions('ctcGreedy', options, OPTIONS);
  return {
    name: NAME,
    requires: REQUIRES,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name: NAME, requires: REQUIRES }, model, given);
      refuseOutputPrefixes(NAME, request);
      const lattices = await emitCtc<Source>(model, request, 1);
      const { endTokenId } = model.vocabulary;
      const limit = request.maxNewTokens ?? Number.POSITIVE_INFINITY;
      const rows = lattices.map((lattice) => [bestPath(lattice, alignments)]);
      yield* rowEvents(rows, request, { endTokenId, limit, began, forwards: 1 });
    },
  };
}

function bestPath(lattice: CtcLattice, alignments: boolean): Candidate {
  const { tokenIds, logProbs, score } = ctcBestPath(lattice);
  const candidate = { tokenIds: Array.from(tokenIds), logProbs: Array.from(logProbs), score };
  return alignments ? { ...candidate, alignment: { ...framesOf(lattice), logProbs } } : candidate;
}

/** First and last frame of each run of the same best label. */
function framesOf({ frames, k, blankId, tokenIds }: CtcLattice): Pick<TokenAlignment, 'firstFrames' | 'lastFrames'> {
  const firstFrames: number[] = [];
  const lastFrames: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const tokenId = tokenIds[frame * k];
    if (tokenId === blankId) continue;
    if (frame > 0 && tokenIds[(frame - 1) * k] === tokenId) lastFrames[lastFrames.length - 1] = frame;
    else {
      firstFrames.push(frame);
      lastFrames.push(frame);
    }
  }
  return { firstFrames: Int32Array.from(firstFrames), lastFrames: Int32Array.from(lastFrames) };
}
