import type { AutoregressiveModel, TokenSource } from '@foretoken/core';
import { NodeBatch } from '@foretoken/core/kit';

/** What it is worth to read once what the prompts of a batch have in common. */
export interface SharedPromptFigures {
  readonly requests: number;
  /** Tokens that all prompts begin with. */
  readonly commonTokens: number;
  /** Tokens read where the common ones are read once, and where each request reads its own. */
  readonly read: number;
  readonly readByEach: number;
  /** Time to the first tokens where each reads its own, over the time where they are read once. */
  readonly speedup: number;
  /** The same of processor time. */
  readonly cpuSpeedup: number;
  /** Whether the scores after the prompts are the same to the last bit. */
  readonly bitEqual: boolean;
}

/** Reads the prompts of one batch in both ways, `times` times by turns, after a first time that does not count. */
export async function sharedPrompt(
  model: AutoregressiveModel<TokenSource>,
  common: readonly number[],
  own: readonly (readonly number[])[],
  times = 2,
): Promise<SharedPromptFigures> {
  const prompts = own.map((tokenIds) => Int32Array.from([...common, ...tokenIds]));
  const runs = { shared: { seconds: 0, cpu: 0 }, each: { seconds: 0, cpu: 0 } };
  let read = 0;
  let bitEqual = true;
  for (let time = 0; time <= times; time++) {
    const logits: Float32Array[] = [];
    for (const sharing of [true, false]) {
      const began = performance.now();
      const cpu = process.cpuUsage();
      await using forest = await model.open(prompts, { sharing });
      const nodes = new NodeBatch();
      let cachedOfAll = 0;
      for (let row = 0; row < prompts.length; row++) {
        const { prefix, cached, node } = forest.start(row);
        cachedOfAll = Math.max(cachedOfAll, cached);
        nodes.addChain(row, node, prefix.subarray(cached), 'last');
      }
      logits.push((await forest.extend(nodes, { kind: 'logits' })).logits);
      if (sharing) read = cachedOfAll + nodes.size;
      if (time === 0) continue;
      const { user, system } = process.cpuUsage(cpu);
      const run = sharing ? runs.shared : runs.each;
      run.seconds += (performance.now() - began) / 1000;
      run.cpu += user + system;
    }
    const [shared, each] = logits;
    bitEqual &&= shared.every((score, index) => score === each[index]);
  }
  return {
    requests: prompts.length,
    commonTokens: common.length,
    read,
    readByEach: prompts.reduce((sum, { length }) => sum + length, 0),
    speedup: runs.each.seconds / runs.shared.seconds,
    cpuSpeedup: runs.each.cpu / runs.shared.cpu,
    bitEqual,
  };
}
