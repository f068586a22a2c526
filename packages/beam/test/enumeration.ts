import { logSoftmax, type randomLogits } from '@foretoken/testkit';

export interface Output {
  readonly output: readonly number[];
  /** The end token's included, where it ended by one. */
  readonly logProb: number;
  /** The end token counted. */
  readonly length: number;
}

/** Every output of a model up to a length, straight from its scores: ended, or cut at the limit. */
export function everyOutput(
  score: ReturnType<typeof randomLogits>,
  source: Int32Array,
  vocabularySize: number,
  endTokenId: number,
  limit: number,
): Output[] {
  const found: Output[] = [];
  const visit = (output: readonly number[], logProb: number): void => {
    const logProbs = logSoftmax(score(source, output));
    for (let tokenId = 0; tokenId < vocabularySize; tokenId++) {
      const next = logProb + logProbs[tokenId];
      const grown = [...output, tokenId];
      if (tokenId === endTokenId) found.push({ output, logProb: next, length: grown.length });
      else if (grown.length === limit) found.push({ output: grown, logProb: next, length: limit });
      else visit(grown, next);
    }
  };
  visit([], 0);
  return found;
}
