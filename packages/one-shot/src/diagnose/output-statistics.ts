import { ForetokenError } from '@foretoken/core';
import { listOf, tokenList } from '@foretoken/core/kit';

/** How often outputs repeat themselves; shares of 0 to 1, 0 where there is nothing to count. */
export interface RepetitionStatistics {
  /** Share of all tokens that equal the token before them (Ghazvininejad et al., 2019, "Mask-Predict", section 5.1). */
  readonly repeatedTokens: number;
  /** Share of outputs in which some pair of neighbouring tokens occurs twice, overlapping or not. */
  readonly repeatedBigrams: number;
}

/** How the lengths of outputs differ from those of their references, in tokens. */
export interface LengthStatistics {
  /** Mean of output length minus reference length: negative where outputs are too short. */
  readonly meanDifference: number;
  /** Mean distance from the reference's length, in tokens. */
  readonly meanAbsoluteDifference: number;
  /** Tokens of all outputs over tokens of all references; `NaN` where both have none, `Infinity` where only these have none. */
  readonly ratio: number;
}

/** Counts repetitions in outputs, token ids `[length]` each. */
export function repetitionStatistics(outputs: readonly ArrayLike<number>[]): RepetitionStatistics {
  listOf(tokenList)('outputs', outputs);
  let tokens = 0;
  let repeated = 0;
  let withRepeatedBigram = 0;
  for (const output of outputs) {
    const bigrams = new Set<string>();
    for (let position = 1; position < output.length; position++) {
      if (output[position] === output[position - 1]) repeated++;
      bigrams.add(`${output[position - 1]} ${output[position]}`);
    }
    tokens += output.length;
    if (bigrams.size < output.length - 1) withRepeatedBigram++;
  }
  return {
    repeatedTokens: tokens === 0 ? 0 : repeated / tokens,
    repeatedBigrams: outputs.length === 0 ? 0 : withRepeatedBigram / outputs.length,
  };
}

/** Compares lengths; one reference an output, at least one. Throws `INVALID_ARGUMENT`. */
export function lengthStatistics(
  outputs: readonly ArrayLike<number>[],
  references: readonly ArrayLike<number>[],
): LengthStatistics {
  listOf(tokenList)('outputs', outputs);
  listOf(tokenList)('references', references);
  if (outputs.length === 0 || references.length !== outputs.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `There are ${references.length} references for ${outputs.length} outputs; one each is required, of at least one output.`,
      { option: 'references', received: references.length, required: outputs.length },
    );
  }
  const differences = outputs.map(({ length }, index) => length - references[index].length);
  const total = (lengths: readonly number[]): number => lengths.reduce((sum, length) => sum + length, 0);
  return {
    meanDifference: total(differences) / outputs.length,
    meanAbsoluteDifference: total(differences.map(Math.abs)) / outputs.length,
    ratio: total(outputs.map(({ length }) => length)) / total(references.map(({ length }) => length)),
  };
}
