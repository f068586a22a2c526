import { collect, type DecodeEvent, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { corpusBleu, corpusChrf } from '@foretoken/metrics';
import { ctcGreedy } from '@foretoken/one-shot';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import { type BenchModel, draftingOptions } from './bench-model.js';
import { rounded } from './statistics.js';
import type { TestSet } from './test-sets.js';

const BATCH = 16;

/** sacreBLEU-equal BLEU (13a, cased) and chrF2 of every strategy on every test set. */
export async function qualityBench(
  bench: BenchModel,
  testSets: readonly TestSet[],
  progress?: (text: string) => void,
): Promise<Record<string, unknown>> {
  const { loaded, autoregressive, lattice } = bench;
  const oneShot = ctcGreedy();
  const plain = greedy();
  const drafted = speculative({ drafter: latticeDrafter(draftingOptions(bench)) });
  const strategies: Record<string, (sources: readonly TokenSource[]) => AsyncIterable<DecodeEvent>> = {
    greedy: (sources) => plain.decode(autoregressive, { sources }),
    ctc: (sources) => oneShot.decode(lattice, { sources }),
    speculative: (sources) => drafted.decode(autoregressive, { sources }),
  };
  const report: Record<string, unknown> = {};
  for (const { name, sources, references } of testSets) {
    const encoded = sources.map((text) => loaded.tokenizer.encode(text));
    const scores: Record<string, { bleu: number; chrf: number }> = {};
    for (const [strategy, decode] of Object.entries(strategies)) {
      const hypotheses: string[] = [];
      for (let begin = 0; begin < encoded.length; begin += BATCH) {
        const { results } = await collect(decode(encoded.slice(begin, begin + BATCH)));
        for (const { hypotheses: best } of results) {
          hypotheses.push(loaded.tokenizer.decode(best[0]?.tokenIds ?? new Int32Array()));
        }
      }
      scores[strategy] = {
        bleu: rounded(corpusBleu(hypotheses, [references]).score, 2),
        chrf: rounded(corpusChrf(hypotheses, [references]), 2),
      };
      progress?.(`${name} ${strategy}: BLEU ${scores[strategy].bleu}`);
    }
    report[name] = scores;
  }
  return report;
}
