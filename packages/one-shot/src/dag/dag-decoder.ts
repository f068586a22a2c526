import {
  assertDecode,
  assertInteger,
  type DagLattice,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  integer,
  type LatticeModel,
  type OptionTable,
  type Requirements,
  refuseOutputPrefixes,
} from '@foretoken/core';
import { type Candidate, rowEvents } from '../row-events.js';
import { type DagGraph, readDag } from './dag-graph.js';
import type { DagPath } from './dag-walk.js';

/** What all DAG strategies share. */
export interface DagOptions {
  /**
   * Token that vertex 0 says to begin every path, as the padding of a Directed Acyclic Transformer does: it is left out of
   * the output, but counts in scores and lengths. Default: vertex 0 says the first output token.
   */
  readonly startTokenId?: number;
}

export const DAG_OPTIONS: OptionTable<DagOptions> = { startTokenId: integer(0) };

/** Finds the candidates of one row, best first, start token included; at least one. */
export type DagSearch = (graph: DagGraph, row: number) => readonly Candidate[];

export interface DagStrategy<Source> {
  readonly name: string;
  readonly options: DagOptions;
  /** Candidates needed at each vertex (default 1). */
  readonly candidates?: number;
  /** Outputs that are equal once cut are one hypothesis. */
  readonly distinct?: boolean;
  /** Checks the rest of the request and makes the search of one decode. */
  readonly prepare: (model: LatticeModel<Source>, request: DecodeRequest<Source>) => DagSearch;
}

/** A decoder that reads one lattice a row, after one forward for all rows. */
export function dagDecoder<Source>(strategy: DagStrategy<Source>): Decoder<LatticeModel<Source>> {
  const { name, candidates = 1, distinct = false, options, prepare } = strategy;
  const { startTokenId } = options;
  const requires: Requirements = { model: 'lattice', kinds: ['dag'], candidates };
  return {
    name,
    requires,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name, requires }, model, given);
      refuseOutputPrefixes(name, request);
      if (startTokenId !== undefined) assertInteger('startTokenId', startTokenId, 0, model.vocabulary.size - 1);
      const search = prepare(model, request);
      const { sources, signal } = request;
      const lattices = await model.emit(sources, { k: candidates, ...(signal === undefined ? {} : { signal }) });
      if (lattices.length !== sources.length) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `The model emitted ${lattices.length} lattices for ${sources.length} sources; one each is required.`,
          { received: lattices.length, required: sources.length },
        );
      }
      const rows = function* (): Generator<readonly Candidate[]> {
        for (const [row, lattice] of lattices.entries()) {
          signal?.throwIfAborted();
          const found = search(readDag(lattice as DagLattice, model.vocabulary.size, row), row);
          yield startTokenId === undefined ? found : found.map((candidate) => withoutStart(candidate, startTokenId));
        }
      };
      const { endTokenId } = model.vocabulary;
      const limit = request.maxNewTokens ?? Number.POSITIVE_INFINITY;
      yield* rowEvents(rows(), request, { endTokenId, limit, began, forwards: 1, distinct });
    },
  };
}

/** A path whose `score` is its joint log-probability, unless it was ranked by something else. */
export function candidateOf({ tokenIds, logProbs, logProb }: DagPath, score?: number): Candidate {
  return score === undefined ? { tokenIds, logProbs, score: logProb } : { tokenIds, logProbs, score, logProb };
}

function withoutStart(candidate: Candidate, startTokenId: number): Candidate {
  if (candidate.tokenIds[0] !== startTokenId) return candidate;
  const { tokenIds, logProbs, ...rest } = candidate;
  return { ...rest, tokenIds: tokenIds.slice(1), ...(logProbs === undefined ? {} : { logProbs: logProbs.slice(1) }) };
}
