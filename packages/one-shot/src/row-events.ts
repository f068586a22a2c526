import type { DecodeEvent, DecodeRequest, Hypothesis, Lattice, RowResult, TokenAlignment } from '@foretoken/core';
import { decodeEnd, givenTokens, RowOutput, rowCuts, rowResult } from '@foretoken/core/kit';

/** An output that was found at once, before end token, limit and stops cut it. */
export interface Candidate {
  readonly tokenIds: readonly number[];
  /** Natural-log probability of each token, where known; as long as `tokenIds`. */
  readonly logProbs?: readonly number[] | undefined;
  /** What candidates are ranked by, where there is such a thing; of the whole candidate, also where the output is cut. */
  readonly score?: number | undefined;
  /** Natural-log probability of the whole candidate, where `score` is something else. */
  readonly logProb?: number | undefined;
  /** What is told of its own tokens, where asked for. */
  readonly told?: Pick<Hypothesis, 'tokenLogProbs' | 'alternatives'> | undefined;
  /** Frames of each token of the whole candidate, where asked for. */
  readonly alignment?: TokenAlignment | undefined;
  /** What the candidates of the row were read from, with the first of them; where asked for. */
  readonly lattice?: Lattice | undefined;
}

export interface RowEventsOptions {
  readonly endTokenId: number | undefined;
  /** When `decode` was called, in milliseconds. */
  readonly began: number;
  /** Read once all rows are there. */
  readonly counts: ForwardCounts;
}

export interface ForwardCounts {
  readonly forwards: number;
  /** Forwards of a model whose outputs another one chooses among, where there is one. */
  readonly otherForwards?: number | undefined;
}

/** The events of a one-shot decode, from each row's candidates, best first; at least one a row. */
export async function* rowEvents(
  rows: Iterable<readonly Candidate[]> | AsyncIterable<readonly Candidate[]>,
  request: DecodeRequest<unknown>,
  { endTokenId, began, counts }: RowEventsOptions,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const results: RowResult[] = [];
  for await (const candidates of rows) {
    const row = results.length;
    const cuts = rowCuts(request, row);
    const max = givenTokens(request, row) + (cuts.maxNewTokens ?? Number.POSITIVE_INFINITY);
    const hypotheses = candidates.map((candidate) => hypothesisOf(candidate, new RowOutput(endTokenId, max, cuts)));
    const { tokenIds, alignment } = hypotheses[0];
    const [{ lattice, logProbs: known }] = candidates;
    const logProbs = known && Float32Array.from(known.slice(0, tokenIds.length));
    const atMs = performance.now() - began;
    yield { type: 'canvas-revise', row, tokenIds, logProbs, alignment, lattice, atMs };
    if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs };
    results.push(rowResult(row, hypotheses));
  }
  const { forwards, otherForwards } = counts;
  yield decodeEnd(results, began, { forwards, otherForwards });
}

function hypothesisOf({ tokenIds, score, logProb, told, alignment }: Candidate, output: RowOutput): Hypothesis {
  for (const tokenId of tokenIds) if (!output.push(tokenId)) break;
  const finishReason = output.finishReason ?? 'complete';
  return {
    tokenIds: output.tokenIds(),
    score,
    logProb,
    ...told,
    alignment: alignment === undefined ? undefined : firstTokens(alignment, output.length),
    finishReason,
  };
}

function firstTokens({ firstFrames, lastFrames, logProbs }: TokenAlignment, count: number): TokenAlignment {
  return {
    firstFrames: firstFrames.slice(0, count),
    lastFrames: lastFrames.slice(0, count),
    logProbs: logProbs.slice(0, count),
  };
}
