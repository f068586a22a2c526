import type { DagLattice, DecodeRequest, Decoder, LatticeModel, OptionalField, Requirements } from '@foretoken/core';
import {
  assertDecode,
  assertInteger,
  emitted,
  flag,
  integer,
  type OptionTable,
  rowCuts,
  Yielder,
} from '@foretoken/core/kit';
import { OutputEnds } from '../output-ends.js';
import { type Candidate, rowEvents } from '../row-events.js';
import { partsOf } from '../source-parts.js';
import { type DagGraph, readDag } from './dag-graph.js';
import type { DagPath } from './dag-walk.js';

/** What all DAG strategies share. */
export interface DagOptions {
  /**
   * Token that vertex 0 says to begin every path, as the padding of a Directed Acyclic Transformer does: it is left out of
   * the output, but counts in scores and lengths. Default: the model's own `startTokenId`; where it has none, vertex 0 says the
   * first output token.
   */
  readonly startTokenId?: number | undefined;
  /** Report each row's lattice, and the vertices of the path where the output is one path's (default false). */
  readonly lattices?: boolean | undefined;
}

export const DAG_OPTIONS: OptionTable<DagOptions> = { startTokenId: integer(0), lattices: flag };

/** A lattice that was read, which row of the request it is of, and where its outputs are cut. */
export interface DagRow {
  readonly graph: DagGraph;
  readonly row: number;
  readonly ends: OutputEnds;
}

/** Finds the candidates of one row, best first, at least one; a generator that yields between steps of bounded work. */
export type DagSearch = (row: DagRow) => Generator<void, readonly Candidate[]>;

export interface DagStrategy<Source> {
  readonly name: string;
  readonly options: DagOptions;
  /** What it can use of a request. */
  readonly accepts?: readonly OptionalField[] | undefined;
  /** Candidates needed at each vertex (default 1). */
  readonly candidates?: number | undefined;
  /** The search itself leaves start tokens out and cuts outputs (default: its candidates say whole paths). */
  readonly cuts?: boolean | undefined;
  /** Checks the rest of the request and makes the search of one decode; `startTokenId` is what begins each path. */
  readonly prepare: (
    model: LatticeModel<Source>,
    request: DecodeRequest<Source>,
    startTokenId: number | undefined,
  ) => DagSearch;
}

/** Source positions that are read at once: a lattice has the square of its vertices in scores. */
const MAX_POSITIONS = 2048;

/** A decoder that reads one lattice a row, after one forward for as many rows as fit in memory. */
export function dagDecoder<Source>(strategy: DagStrategy<Source>): Decoder<LatticeModel<Source>> {
  const { name, accepts, candidates = 1, cuts = false, options, prepare } = strategy;
  const { lattices: reported = false } = options;
  const requires: Requirements = { model: 'lattice', kinds: ['dag'], candidates };
  return {
    name,
    requires,
    accepts,
    async *decode(model: LatticeModel<Source>, given: DecodeRequest<Source>) {
      const began = performance.now();
      const request = assertDecode({ name, requires, accepts }, model, given);
      const { startTokenId = model.startTokenId } = options;
      // That of the model is checked with it.
      if (options.startTokenId !== undefined)
        assertInteger('startTokenId', options.startTokenId, 0, model.vocabulary.size - 1);
      const search = prepare(model, request, startTokenId);
      const { endTokenId, size } = model.vocabulary;
      const { sources, signal } = request;
      const yielder = new Yielder(signal);
      const counts = { forwards: 0 };
      const searchRow = function* (lattice: DagLattice, row: number): ReturnType<DagSearch> {
        const ends = new OutputEnds(rowCuts(request, row), endTokenId);
        const said = yield* search({ graph: yield* readDag(lattice, size, row), row, ends });
        const found =
          cuts || startTokenId === undefined ? said : said.map((candidate) => withoutStart(candidate, startTokenId));
        return reported ? found.map((candidate) => ({ ...candidate, lattice })) : found.map(withoutPath);
      };
      const rows = async function* (): AsyncGenerator<readonly Candidate[]> {
        for (const { first, part } of partsOf(sources, MAX_POSITIONS)) {
          const lattices = emitted(
            'dag',
            await model.emit(part, { k: Math.min(candidates, size), signal }),
            part.length,
          );
          counts.forwards++;
          signal?.throwIfAborted();
          for (const [index, lattice] of lattices.entries()) {
            yield await yielder.run(searchRow(lattice, first + index));
          }
        }
      };
      yield* rowEvents(rows(), request, { endTokenId, began, counts });
    },
  };
}

/** A path whose `score` is its joint log-probability, unless it was ranked by something else. */
export function candidateOf({ vertices, tokenIds, logProbs, logProb }: DagPath, score?: number): Candidate {
  const frames = Int32Array.from(vertices);
  const alignment = { firstFrames: frames, lastFrames: frames, logProbs: Float32Array.from(logProbs) };
  const said = { tokenIds, logProbs, alignment };
  return score === undefined ? { ...said, score: logProb } : { ...said, score, logProb };
}

function withoutStart(candidate: Candidate, startTokenId: number): Candidate {
  if (candidate.tokenIds[0] !== startTokenId) return candidate;
  const { tokenIds, logProbs, alignment, ...rest } = candidate;
  return {
    ...rest,
    tokenIds: tokenIds.slice(1),
    logProbs: logProbs?.slice(1),
    alignment: alignment && {
      firstFrames: alignment.firstFrames.subarray(1),
      lastFrames: alignment.lastFrames.subarray(1),
      logProbs: alignment.logProbs.subarray(1),
    },
  };
}

function withoutPath({ alignment: _vertices, ...candidate }: Candidate): Candidate {
  return candidate;
}
