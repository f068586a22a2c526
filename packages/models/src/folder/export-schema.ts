import * as v from 'valibot';
import type { GraphTensor, SymbolTokenizerNames } from './manifest.js';
import { fileName, integer } from './manifest-schema.js';

/** What the scores of a graph that is not ours are. */
export const SCORE_VALUES = ['logits', 'logProbs', 'probabilities'] as const;
/** What the scores of a graph that is not ours are: `logits`, `logProbs` or `probabilities`. */
export type ScoreValues = (typeof SCORE_VALUES)[number];

/** Lists of symbols as a tokenizer. */
export const symbolTokenizer: v.GenericSchema<SymbolTokenizerNames> = v.strictObject({ symbols: fileName });

/** An input or output of a graph that is not ours, as the graph declares it. */
export const graphTensor: v.GenericSchema<GraphTensor> = v.strictObject({
  name: v.pipe(v.string(), v.nonEmpty('a name'), v.maxLength(1000)),
  type: v.picklist(['float32', 'float16', 'float64', 'int32', 'int64', 'bool']),
  dims: v.pipe(v.array(v.nullable(integer(1, 2 ** 31 - 1))), v.maxLength(8)),
});
