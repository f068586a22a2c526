import {
  assertInteger,
  type CtcLattice,
  type EmitOptions,
  type LatticeModel,
  type LatticeSupport,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import type { MarianEncoder } from './marian-encoder.js';
import type { Shortlist } from './shortlist.js';

export interface CtcModelOptions {
  readonly runtime: OnnxRuntime;
  readonly session: GraphSession;
  readonly encoder: MarianEncoder;
  readonly vocabulary: Vocabulary;
  readonly width: number;
  readonly upsample: number;
  readonly blankId: number;
  readonly maxCandidates: number;
  /** For a graph that scores only likely tokens. */
  readonly shortlist?: Shortlist;
}

/** A CTC student on the states of a Marian encoder. */
export class CtcModel implements LatticeModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly supports: LatticeSupport;
  readonly encoder: MarianEncoder;
  readonly #options: CtcModelOptions;

  constructor(options: CtcModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.encoder = options.encoder;
    this.supports = { kind: 'ctc', maxCandidates: options.maxCandidates };
  }

  async emit(sources: readonly TokenSource[], options: EmitOptions = {}): Promise<CtcLattice[]> {
    const { runtime, session, encoder, upsample, width, blankId, maxCandidates, shortlist } = this.#options;
    if (options.k !== undefined) assertInteger('k', options.k, 1, Number.MAX_SAFE_INTEGER);
    const k = Math.min(options.k ?? 1, maxCandidates);
    const encoding = await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    options.signal?.throwIfAborted();
    const frames = encoding.sourceLength * upsample;
    const feeds = frameFeeds(runtime, encoding, width, upsample, k);
    if (shortlist !== undefined) {
      const listed = shortlist.of(sources, blankId);
      feeds.shortlist = new runtime.Tensor('int32', listed, [listed.length]);
    }
    const outputs = await session.run(feeds);
    const tokenIds = outputs.best_token_ids?.data as Int32Array;
    const logProbs = outputs.best_log_probs?.data as Float32Array;
    const blankLogProbs = outputs.blank_log_probs?.data as Float32Array;
    // The session's outputs are fresh copies, so each row may be a view of them.
    return Array.from(encoding.lengths, (length, row) => {
      const begin = row * frames;
      const used = length * upsample;
      return {
        kind: 'ctc',
        frames: used,
        k,
        blankId,
        tokenIds: tokenIds.subarray(begin * k, (begin + used) * k),
        logProbs: logProbs.subarray(begin * k, (begin + used) * k),
        blankLogProbs: blankLogProbs.subarray(begin, begin + used),
      };
    });
  }
}
