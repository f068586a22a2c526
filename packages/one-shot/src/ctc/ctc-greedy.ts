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
  integer,
  type OptionTable,
  Yielder,
} from '@foretoken/core/kit';
import { type Candidate, rowEvents } from '../row-events.js';
import { emitCtc } from './emit-ctc.js';

const NAME = 'ctc-greedy';

/** Options of `ctcGreedy`. */
export interface CtcGreedyOptions {
  /** Report the frames of each token (default false). */
  readonly alignments?: boolean | undefined;
  /** Report each row's lattice (default false). */
  readonly lattices?: boolean | undefined;
  /** Labels of each frame that are read (default 1). The output needs no more; a lattice that is reported shows them. */
  readonly candidates?: number | undefined;
}

const OPTIONS: OptionTable<CtcGreedyOptions> = { alignments: flag, lattices: flag, candidates: integer(1) };

/**
 * One-shot decoding of a CTC model: the best label of every frame, collapsed, after a single forward (best path
 * decoding; Graves et al., 2006, section 3.2; for translation, Libovický and Helcl, 2018).
 *
 * A hypothesis' `score` is the natural-log probability of that one alignment, over all frames, also where the output is cut.
 * Decoding throws `INVALID_ARGUMENT` for a lattice that breaks its contract, `INVALID_SCORES` for one with NaN or +Infinity,
 * and `UNSATISFIABLE_CONSTRAINT` where a frame leaves nothing possible.
 */
export function ctcGreedy<Source = TokenSource>(options: CtcGreedyOptions = {}): Decoder<LatticeModel<Source>> {
  const {
    alignments = false,
    lattices: reported = false,
    candidates = 1,
  } = checkOptions('ctcGreedy', options, OPTIONS);
  const requires: Requirements = { model: 'lattice', kinds: ['ctc'], candidates };
  return {
    name: NAME,
    requires,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name: NAME, requires }, model, given);
      const yielder = new Yielder(request.signal);
      const lattices = await emitCtc<Source>(model, request, { k: candidates, yielder });
      const { endTokenId } = model.vocabulary;
      const rows = async function* (): AsyncGenerator<Candidate[]> {
        for (const lattice of lattices) {
          if (yielder.due()) await yielder.yield();
          const best = bestPath(lattice, alignments);
          yield [reported ? { ...best, lattice } : best];
        }
      };
      yield* rowEvents(rows(), request, { endTokenId, began, counts: { forwards: 1 } });
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
