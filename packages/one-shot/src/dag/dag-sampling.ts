import type { Decoder, LatticeModel, TokenSource } from '@foretoken/core';
import { checkOptions, integer, number, type OptionTable, RandomStream } from '@foretoken/core/kit';
import type { Candidate } from '../row-events.js';
import { candidateOf, DAG_OPTIONS, type DagOptions, dagDecoder } from './dag-decoder.js';
import { sampledPath } from './dag-walk.js';

/** Options of `dagSampling`. */
export interface DagSamplingOptions extends DagOptions {
  /** Edges and tokens are drawn in proportion to their probability to the power 1 / temperature; above 0 (default 1). */
  readonly temperature?: number | undefined;
  /** Most probable tokens of each vertex that are drawn among (default 5). */
  readonly candidates?: number | undefined;
  /** Hypotheses a row, drawn independently, then ranked by score (default 1). */
  readonly hypotheses?: number | undefined;
}

const OPTIONS: OptionTable<DagSamplingOptions> = {
  ...DAG_OPTIONS,
  temperature: number(0, Number.POSITIVE_INFINITY, true),
  candidates: integer(1),
  hypotheses: integer(1, 4096),
};

/**
 * Sampling from a DAG lattice: each edge of a path is drawn at random, and a token at each of its vertices (ancestral
 * sampling of the model of Huang et al., 2022, section 3).
 *
 * The request's `seed` and a row's source fix all choices, whatever batch the row is in. A hypothesis' `score` is the
 * natural-log probability of path and tokens under the model, before temperature and candidates. Throws `INVALID_ARGUMENT`;
 * decoding `UNSUPPORTED_CAPABILITY` where the model offers fewer candidates.
 */
export function dagSampling<Source = TokenSource>(options: DagSamplingOptions = {}): Decoder<LatticeModel<Source>> {
  options = checkOptions('dagSampling', options, OPTIONS);
  const { temperature = 1, candidates = 5, hypotheses = 1 } = options;
  return dagDecoder({
    name: 'dag-sampling',
    options,
    candidates,
    prepare: (_model, { sources, seed = 0 }) => {
      const streams = sources.map((source) => new RandomStream(seed, source));
      return function* ({ graph, row }) {
        const found: Candidate[] = [];
        for (let sample = 0; sample < hypotheses; sample++) {
          found.push(candidateOf(sampledPath(graph, temperature, streams[row], sample)));
          yield;
        }
        return found.sort(({ score: a = 0 }, { score: b = 0 }) => b - a);
      };
    },
  });
}
