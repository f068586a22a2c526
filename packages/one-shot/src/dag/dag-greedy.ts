import type { Decoder, LatticeModel, TokenSource } from '@foretoken/core';
import { checkOptions } from '@foretoken/core/kit';
import { candidateOf, DAG_OPTIONS, type DagOptions, dagDecoder } from './dag-decoder.js';
import type { DagGraph } from './dag-graph.js';
import { type DagPath, greedyPath, lookaheadPath } from './dag-walk.js';

/**
 * Greedy decoding of a DAG lattice: from each vertex along the most probable edge, then the most probable token at each
 * vertex of the path (Huang et al., 2022, "Directed Acyclic Transformer", section 3).
 *
 * A hypothesis' `score` is the natural-log probability of path and tokens. Throws `INVALID_ARGUMENT`, while decoding also for
 * a lattice that breaks its contract.
 */
export function dagGreedy<Source = TokenSource>(options: DagOptions = {}): Decoder<LatticeModel<Source>> {
  return walker('dag-greedy', checkOptions('dagGreedy', options, DAG_OPTIONS), greedyPath);
}

/**
 * Lookahead decoding of a DAG lattice: at each vertex the most probable pair of edge and next token (Huang et al., 2022,
 * "Directed Acyclic Transformer", section 3). As fast as greedy decoding, and usually better.
 *
 * A hypothesis' `score` is the natural-log probability of path and tokens. Throws as `dagGreedy`.
 */
export function dagLookahead<Source = TokenSource>(options: DagOptions = {}): Decoder<LatticeModel<Source>> {
  return walker('dag-lookahead', checkOptions('dagLookahead', options, DAG_OPTIONS), lookaheadPath);
}

function walker<Source>(
  name: string,
  options: DagOptions,
  walk: (graph: DagGraph) => DagPath,
): Decoder<LatticeModel<Source>> {
  return dagDecoder({
    name,
    options,
    prepare: () =>
      // biome-ignore lint/correctness/useYield: one walk is one step.
      function* ({ graph }) {
        return [candidateOf(walk(graph))];
      },
  });
}
