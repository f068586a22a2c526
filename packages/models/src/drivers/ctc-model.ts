import type { CtcLattice, EmitOptions, LatticeModel, LatticeSupport, TokenSource, Vocabulary } from '@foretoken/core';
import { FrameGraph, type FrameGraphOptions } from './frame-graph.js';
import type { TokenEncoder } from './token-encoder.js';

export interface CtcModelOptions extends FrameGraphOptions {
  readonly blankId: number;
}

/** A CTC student on the states of a token encoder, or with an encoder of its own, which it then does not share. */
export class CtcModel implements LatticeModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly supports: LatticeSupport;
  readonly encoder?: TokenEncoder;
  readonly #graph: FrameGraph;
  readonly #blankId: number;

  constructor(options: CtcModelOptions) {
    this.#graph = new FrameGraph(options);
    this.#blankId = options.blankId;
    this.vocabulary = options.vocabulary;
    if (!options.readsTokens) this.encoder = options.encoder;
    this.supports = { kind: 'ctc', maxCandidates: options.maxCandidates };
  }

  emit(sources: readonly TokenSource[], options?: EmitOptions): Promise<CtcLattice[]> {
    return this.#graph.emit(sources, options, ({ outputs, index, stride, frames, k }) => {
      const tokenIds = outputs.best_token_ids?.data as Int32Array;
      const logProbs = outputs.best_log_probs?.data as Float32Array;
      const blankLogProbs = outputs.blank_log_probs?.data as Float32Array;
      const begin = index * stride;
      const end = begin + frames;
      return {
        kind: 'ctc',
        frames,
        k,
        blankId: this.#blankId,
        tokenIds: tokenIds.subarray(begin * k, end * k),
        logProbs: logProbs.subarray(begin * k, end * k),
        blankLogProbs: blankLogProbs.subarray(begin, end),
      };
    });
  }
}
