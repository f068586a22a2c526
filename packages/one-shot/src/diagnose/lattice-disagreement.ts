import type { CtcLattice, Lattice } from '@foretoken/core';
import { argmax, CtcPrefixScorer, ctcBestPath, integer, isLattice, listOf, wrongValue } from '@foretoken/core/kit';
import { readCtc } from '../ctc/read-ctc.js';
import { type DagGraph, readDag } from '../dag/dag-graph.js';
import { greedyPath, lookaheadStep } from '../dag/dag-walk.js';
import { atOnce } from '../steps.js';
import { type Disagreement, disagreementOf } from './disagreement.js';

/**
 * Share of a lattice's local choices that knowing more would change.
 *
 * - CTC: of the best path's tokens, those that are not the most probable next token (or end) once the tokens before are
 *   decided and all alignments are summed (prefix probabilities; Graves and Jaitly, 2014, appendix).
 * - DAG: of the edges that greedy decoding follows, those that lookahead would not: the next vertex says its token with so
 *   little conviction that another pair of edge and token is more probable (Huang et al., 2022, section 3).
 *
 * `vocabularySize` counts all token ids; `firstRow` is the first lattice's row, for messages. Throws `INVALID_ARGUMENT` for a
 * lattice that breaks its contract, `INVALID_SCORES` for one with NaN or +Infinity, and `UNSATISFIABLE_CONSTRAINT` where
 * nothing is possible.
 */
export function latticeDisagreement(lattices: readonly Lattice[], vocabularySize: number, firstRow = 0): Disagreement {
  listOf(kindOfLattice)('lattices', lattices);
  integer(1)('vocabularySize', vocabularySize);
  let positions = 0;
  let changed = 0;
  for (const [index, lattice] of lattices.entries()) {
    const row = firstRow + index;
    if (lattice.kind === 'ctc') readCtc(lattice, vocabularySize, row);
    const choices =
      lattice.kind === 'ctc'
        ? ctcChoices(lattice, vocabularySize)
        : dagChoices(atOnce(readDag(lattice, vocabularySize, row)));
    positions += choices.length;
    changed += choices.filter((stands) => !stands).length;
  }
  return disagreementOf(positions, changed);
}

function kindOfLattice(name: string, value: unknown): Lattice['kind'] {
  for (const kind of ['ctc', 'dag'] as const) if (isLattice(kind, value)) return kind;
  throw wrongValue(name, value, 'a lattice of the kind ctc or dag with its arrays');
}

/** Whether each token of the best path stands. */
function ctcChoices(lattice: CtcLattice, vocabularySize: number): boolean[] {
  const scorer = new CtcPrefixScorer(lattice, vocabularySize);
  let prefix = scorer.start();
  return Array.from(ctcBestPath(lattice).tokenIds, (chosen) => {
    const { end, count, tokenIds, probabilities } = scorer.continuations(prefix);
    const best = argmax(probabilities.subarray(0, count));
    const stands = tokenIds[best] === chosen && probabilities[best] >= end;
    const before = prefix;
    prefix = scorer.extend(before, chosen);
    scorer.release(before);
    return stands;
  });
}

/** Whether each edge of the greedy path stands. */
function dagChoices(graph: DagGraph): boolean[] {
  const { vertices } = greedyPath(graph);
  return vertices.slice(1).map((to, index) => lookaheadStep(graph, vertices[index]) === to);
}
