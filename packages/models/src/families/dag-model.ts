import {
  assertInteger,
  type DagLattice,
  type EmitOptions,
  type LatticeModel,
  type LatticeSupport,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import type { MarianEncoder } from './marian-encoder.js';

export interface DagModelOptions {
  readonly runtime: OnnxRuntime;
  readonly session: () => Promise<GraphSession>;
  readonly encoder: MarianEncoder;
  readonly vocabulary: Vocabulary;
  readonly width: number;
  readonly upsample: number;
  readonly startTokenId: number;
  readonly maxCandidates: number;
}

/** A Directed Acyclic Transformer on the states of a Marian encoder (Huang et al., 2022). */
export class DagModel implements LatticeModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly supports: LatticeSupport;
  readonly encoder: MarianEncoder;
  /** What vertex 0 says; the last vertex says the end token. */
  readonly startTokenId: number;
  readonly #options: DagModelOptions;

  constructor(options: DagModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.encoder = options.encoder;
    this.startTokenId = options.startTokenId;
    this.supports = { kind: 'dag', maxCandidates: options.maxCandidates };
  }

  async emit(sources: readonly TokenSource[], options: EmitOptions = {}): Promise<DagLattice[]> {
    const { runtime, encoder, upsample, width, maxCandidates } = this.#options;
    if (options.k !== undefined) assertInteger('k', options.k, 1, Number.MAX_SAFE_INTEGER);
    const k = Math.min(options.k ?? 1, maxCandidates);
    const encoding = await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    const session = await this.#options.session();
    options.signal?.throwIfAborted();
    const most = encoding.sourceLength * upsample;
    const outputs = await session.run(frameFeeds(runtime, encoding, width, upsample, k));
    const tokenIds = outputs.best_token_ids?.data as Int32Array;
    const logProbs = outputs.best_log_probs?.data as Float32Array;
    const transitions = outputs.transitions?.data as Float32Array;
    // The session's outputs are fresh copies, so each row may be a view of them.
    return Array.from(encoding.lengths, (length, row) => {
      const begin = row * most * k;
      const vertices = length * upsample;
      return {
        kind: 'dag',
        vertices,
        k,
        tokenIds: tokenIds.subarray(begin, begin + vertices * k),
        logProbs: logProbs.subarray(begin, begin + vertices * k),
        transitions: corner(transitions.subarray(row * most * most, (row + 1) * most * most), most, vertices),
      };
    });
  }
}

/** The first `size` rows and columns of a square matrix of `stride`; itself where that is all of it. */
function corner(matrix: Float32Array, stride: number, size: number): Float32Array {
  if (size === stride) return matrix;
  const part = new Float32Array(size * size);
  for (let row = 0; row < size; row++) part.set(matrix.subarray(row * stride, row * stride + size), row * size);
  return part;
}
