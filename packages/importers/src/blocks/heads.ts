import { ELEMENT_TYPE, type ElementType } from '@foretoken/models/internal';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';

/** What a head makes of next-token logits `[rows, vocabulary]`. */
export type ScoreHead = 'argmax' | 'topK' | 'logProbs' | 'logits';

/** Scores as fp32, and the int32 token ids they belong to where these are chosen: `[rows, 1]`, `[rows, k]` or all. */
export interface HeadValues {
  readonly scores: Value;
  readonly tokenIds?: Value | undefined;
}

/** Names of what a head returns; a top-k operator adds a number to that of the scores. */
export interface HeadNames {
  readonly scores?: string | undefined;
  readonly tokenIds?: string | undefined;
}

/** The best token, the `k()` best by log-probability, all log-probabilities, or the logits as they are. */
export function scoreHead(
  graph: GraphBuilder,
  head: ScoreHead,
  logits: Value,
  k: () => Value,
  names: HeadNames = {},
): HeadValues {
  const best = (of: Value, count: Value): HeadValues => {
    const found = graph.ops('TopK', [of, count], 2, { axis: 1 }, { name: names.scores });
    return {
      scores: found[0],
      tokenIds: graph.op('Cast', [found[1]], { to: ELEMENT_TYPE.int32 }, { name: names.tokenIds }),
    };
  };
  if (head === 'logits') return { scores: logits };
  // The lowest id among equals, as ArgMax, in two thirds of its time. The score tells whether there is anything to choose at all:
  // it may be NaN or infinite.
  if (head === 'argmax') return best(logits, graph.constant('int64', [1], [1]));
  const logProbs = graph.op(
    'LogSoftmax',
    [logits],
    { axis: 1 },
    {
      name: head === 'logProbs' ? names.scores : undefined,
    },
  );
  return head === 'logProbs' ? { scores: logProbs } : best(logProbs, k());
}

const TYPES: readonly ElementType[] = ['float32', 'int32'];

/**
 * What one of several heads makes of logits, chosen when the graph runs: scores, and the token ids they belong to. `isHead` gives the
 * condition of a head, the last needs none; `noTokenIds` makes int32 `[.., 1]` where a head chooses no tokens.
 */
export function chosenHead(
  graph: GraphBuilder,
  [head, ...others]: readonly [ScoreHead, ...ScoreHead[]],
  logits: Value,
  k: Value,
  isHead: (head: ScoreHead) => Value,
  noTokenIds: () => Value,
  names?: readonly string[],
): readonly Value[] {
  const own = (): readonly Value[] => {
    // What a branch gives must be made in it.
    const scored = head === 'logits' ? graph.op('Identity', [logits]) : logits;
    const { scores, tokenIds } = scoreHead(graph, head, scored, () => k);
    return [scores, tokenIds ?? noTokenIds()];
  };
  const [next, ...rest] = others;
  if (next === undefined) return own();
  const other = () => chosenHead(graph, [next, ...rest], logits, k, isHead, noTokenIds);
  return graph.choose(isHead(head), TYPES, own, other, names);
}
