import type { CtcLattice, LatticeModel, TokenSource } from '@foretoken/core';
import {
  anything,
  assertInteger,
  assertTokenSources,
  callback,
  checkOptions,
  emitOptions,
  integer,
  listOf,
  type OptionTable,
} from '@foretoken/core/kit';
import { numbersOf } from './readable.js';
import { logSoftmax, ranked, vocabularyOf } from './scripted-scores.js';

/** What a scripted CTC model is made of. */
export interface ScriptedLatticeOptions {
  readonly vocabularySize: number;
  /** Default 0; -1 where no token ends outputs. */
  readonly endTokenId?: number | undefined;
  /** Id that stands for the blank. */
  readonly blankId: number;
  /** Unnormalised scores of every label, the blank among them, for each frame: `[frames][vocab]`. */
  readonly frames: (source: TokenSource) => readonly ArrayLike<number>[];
  /** Most candidates of a frame; default as many as tokens. */
  readonly maxCandidates?: number | undefined;
}

const OPTIONS: OptionTable<ScriptedLatticeOptions> = {
  vocabularySize: integer(1),
  endTokenId: integer(-1),
  blankId: integer(-1),
  frames: callback<ScriptedLatticeOptions['frames']>(anything),
  maxCandidates: integer(0),
};

/** A CTC model that is a function of the source. */
export function scriptedLatticeModel(options: ScriptedLatticeOptions): LatticeModel<TokenSource> {
  options = checkOptions('scriptedLatticeModel', options, OPTIONS, ['vocabularySize', 'blankId', 'frames']);
  const { vocabularySize, endTokenId = 0, blankId, frames, maxCandidates = vocabularySize } = options;
  return {
    vocabulary: vocabularyOf(vocabularySize, endTokenId),
    supports: { kind: 'ctc', maxCandidates },
    async emit(sources, options) {
      const { k = 1 } = emitOptions(options);
      assertTokenSources(sources);
      return sources.map((source) => ctcLattice(frames(source), blankId, Math.min(k, maxCandidates)));
    },
  };
}

const readFrames = listOf(numbersOf);

/** The lattice of given frame scores, with the k best labels of each frame. */
export function ctcLattice(frames: readonly ArrayLike<number>[], blankId: number, k: number): CtcLattice {
  frames = readFrames('frames', frames);
  assertInteger('blankId', blankId, -1, Number.MAX_SAFE_INTEGER);
  assertInteger('k', k, 0, Number.MAX_SAFE_INTEGER);
  const logProbs = frames.map((scores) => logSoftmax(scores));
  const best = logProbs.map((row) => ranked(row).slice(0, k));
  return {
    kind: 'ctc',
    frames: frames.length,
    k,
    blankId,
    tokenIds: Int32Array.from(best.flat()),
    logProbs: Float32Array.from(best.flatMap((ids, frame) => ids.map((id) => logProbs[frame][id]))),
    blankLogProbs: Float32Array.from(logProbs, (row) => row[blankId]),
  };
}
