import { greedy } from '@foretoken/greedy';
import type { LoadedModel, PartDecoder } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { maskPredict } from '@foretoken/refine';
import { latticeDrafter, speculative } from '@foretoken/speculative';

/** The strategies that browser and Node are compared by. */
export const STRATEGIES = ['greedy', 'speculative', 'ctc', 'mask-predict'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/** Sentences that are decoded together; one by one where that is what a strategy is for. */
const BATCH: Readonly<Record<StrategyName, number>> = { greedy: 10, speculative: 1, ctc: 10, 'mask-predict': 10 };

function decoderOf(name: StrategyName, model: LoadedModel): PartDecoder {
  if (name === 'greedy') return greedy();
  if (name === 'ctc') return ctcGreedy();
  if (name === 'mask-predict') return maskPredict({ iterations: 4 });
  return speculative({ drafter: latticeDrafter(model.speculation()) });
}

/** Token ids of every sentence. */
export async function decodeSentences(
  model: LoadedModel,
  name: StrategyName,
  sentences: readonly string[],
): Promise<number[][]> {
  const decoder = decoderOf(name, model);
  const outputs: number[][] = [];
  for (let begin = 0; begin < sentences.length; begin += BATCH[name]) {
    const results = await model.decode(sentences.slice(begin, begin + BATCH[name]), decoder);
    for (const { tokenIds } of results) outputs.push([...tokenIds]);
  }
  return outputs;
}
