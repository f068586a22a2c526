import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { nat } from '@foretoken/one-shot';
import { speculative } from '@foretoken/speculative';
import { oneShotDrafter } from './one-shot-drafter.ts';
import { type Pair, train } from './position-wise.ts';
import { positionWiseModel } from './position-wise-model.ts';
import { rnnModel } from './rnn-model.ts';
import { toText, toTokens, WRITERS } from './task.ts';

const sources = ['1 2 3', '3 1', '2 2 1', '1'].map(toTokens);

// One hundred copies of each source, shared out among the three writers.
const data: Pair[] = sources.flatMap((source) =>
  WRITERS.flatMap(({ share, writes }) =>
    Array.from({ length: Math.round(100 * share) }, (): Pair => [source, source.map(writes)]),
  ),
);
const trainedOnData = positionWiseModel(train(data));

// Token by token.
const one = await collect(greedy().decode(rnnModel, { sources }));
const outputs = one.results.map(({ best }) => best.tokenIds);

// All at once: from the data, and from what the other model says (knowledge distillation).
const mixed = await collect(nat().decode(trainedOnData, { sources }));
const distilled = positionWiseModel(train(sources.map((source, row): Pair => [source, outputs[row]])));
const clean = await collect(nat().decode(distilled, { sources }));

// The whole outputs that are most probable, and the guesses of both networks, checked.
const searched = await collect(beamSearch({ beamSize: 4 }).decode(rnnModel, { sources }));
const checkedMixed = await collect(
  speculative({ drafter: oneShotDrafter(trainedOnData) }).decode(rnnModel, { sources }),
);
const checkedClean = await collect(speculative({ drafter: oneShotDrafter(distilled) }).decode(rnnModel, { sources }));

export const decoded = { greedy: one, mixed, clean, searched, checkedMixed, checkedClean };
for (const [name, { results, statistics }] of Object.entries(decoded)) {
  console.log(name.padEnd(13), toText(results[0].best.tokenIds).padEnd(15), `${statistics.forwards} forwards`);
}
