import type { DagLattice, EmitOptions, LatticeModel, LatticeSupport, TokenSource, Vocabulary } from '@foretoken/core';
import { FrameGraph, type FrameGraphOptions } from './frame-graph.js';
import type { TokenEncoder } from './token-encoder.js';

export interface DagModelOptions extends FrameGraphOptions {
  readonly startTokenId: number;
}

/** A Directed Acyclic Transformer on the states of a token encoder (Huang et al., 2022). */
export class DagModel implements LatticeModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly supports: LatticeSupport;
  readonly encoder: TokenEncoder;
  /** What vertex 0 says; the last vertex says the end token. */
  readonly startTokenId: number;
  readonly #graph: FrameGraph;

  constructor(options: DagModelOptions) {
    this.#graph = new FrameGraph(options);
    this.vocabulary = options.vocabulary;
    this.encoder = options.encoder;
    this.startTokenId = options.startTokenId;
    this.supports = { kind: 'dag', maxCandidates: options.maxCandidates };
  }

  emit(sources: readonly TokenSource[], options?: EmitOptions): Promise<DagLattice[]> {
    return this.#graph.emit(sources, options, ({ outputs, index, stride, frames: vertices, k }) => {
      const tokenIds = outputs.best_token_ids?.data as Int32Array;
      const logProbs = outputs.best_log_probs?.data as Float32Array;
      const begin = index * stride * k;
      const end = begin + vertices * k;
      const transitions = outputs.transitions?.data as Float32Array;
      return {
        kind: 'dag',
        vertices,
        k,
        tokenIds: tokenIds.subarray(begin, end),
        logProbs: logProbs.subarray(begin, end),
        transitions: corner(transitions.subarray(index * stride ** 2, (index + 1) * stride ** 2), stride, vertices),
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
