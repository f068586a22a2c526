import type {
  CtcLattice,
  DecodeRequest,
  Decoder,
  LatticeModel,
  Requirements,
  TokenAlignment,
  TokenSource,
} from '@foretoken/core';
import {
  assertDecode,
  checkOptions,
  ctcBestLabel,
  ctcBestPath,
  flag,
  type OptionTable,
  refuseOutputPrefixes,
  Yielder,
} from '@foretoken/core/kit';
import { type Candidate, rowEvents } from '../row-events.js';
import { emitCtc } from './emit-ctc.js';

const NAME = 'ctc-greedy';
const REQUIRES: Requirements = { model: 'lattice', kinds: ['ctc'], candidates: 1 };

export interface CtcGreedyOptions {
  /** Report the frames of each token (default false). */
  readonly alignments?: boolean | undefined;
}

const OPTIONS: OptionTable<CtcGreedyOptions> = { alignments: flag };

/**
 * One-shot decoding of a CTC model: the best label of every frame, collapsed, after a single forward (best path
 * decoding; Graves et al., 2006, section 3.2; for translation, Libovický and Helcl, 2018).
 *
 * A hypothesis' `score` is the natural-log probability of that one alignment, over all frames, also where the output is cut.
 * Decoding throws `INVALID_ARGUMENT` for a lattice that breaks its contract, `INVALID_SCORES` for one with NaN or +Infinity,
 * and `UNSATISFIABLE_CONSTRAINT` where a frame leaves nothing possible.
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
      const yielder = new Yielder(request.signal);
      const lattices = await emitCtc<Source>(model, request, { k: 1, yielder });
      const { endTokenId } = model.vocabulary;
      const limit = request.maxNewTokens ?? Number.POSITIVE_INFINITY;
      const rows = async function* (): AsyncGenerator<Candidate[]> {
        for (const lattice of lattices) {
          if (yielder.due()) await yielder.yield();
          yield [bestPath(lattice, alignments)];
        }
      };
      yield* rowEvents(rows(), request, { endTokenId, limit, began, counts: { forwards: 1 } });
    },
  };
}

function bestPath(lattice: CtcLattice, alignments: boolean): Candidate {
  const { tokenIds, logProbs, score } = ctcBestPath(lattice);
  const candidate = { tokenIds: Array.from(tokenIds), logProbs: Array.from(logProbs), score };
  return alignments ? { ...candidate, alignment: { ...framesOf(lattice), logProbs } } : candidate;
}

/** First and last frame of each run of the same best label. */
function framesOf(lattice: CtcLattice): Pick<TokenAlignment, 'firstFrames' | 'lastFrames'> {
  const firstFrames: number[] = [];
  const lastFrames: number[] = [];
  let previous = lattice.blankId;
  for (let frame = 0; frame < lattice.frames; frame++) {
    const { tokenId } = ctcBestLabel(lattice, frame);
    if (tokenId !== lattice.blankId) {
      if (tokenId === previous) lastFrames[lastFrames.length - 1] = frame;
      else {
        firstFrames.push(frame);
        lastFrames.push(frame);
      }
    }
    previous = tokenId;
  }
  return { firstFrames: Int32Array.from(firstFrames), lastFrames: Int32Array.from(lastFrames) };
}
