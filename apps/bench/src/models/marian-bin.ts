import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { withImported } from './imported-model.js';
import { type MarianGolden, marianFolder, marianGoldens, worstDifference } from './marian-goldens.js';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_marian_bin_goldens.py`: what Marian gives for the same weights. */
interface Golden extends MarianGolden {
  readonly text: string;
  readonly beam: readonly { readonly said: string; readonly score: number }[];
}

const BEAM = { beamSize: 4, hypotheses: 4, stopWhen: 'improvement-impossible', lengthPenalty: 1 } as const;

/** A small model of random weights, imported from a file of Marian; the difference is that of log-probabilities. */
export const marianBin = (kind: string): ModelRow => ({
  model: `marian-ssru-${kind}`,
  format: 'marian',
  oracle: 'pymarian 1.12.42',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure() {
    const weights = marianFolder('marian-bin', kind);
    const rows = await marianGoldens<Golden>(weights);
    return withImported(weights, (model) => compare(model, rows));
  },
});

/** Greedy outputs, n-best lists and drafts that are equal, and the largest difference of a token's log-probability. */
async function compare(model: LoadedModel, rows: readonly Golden[]): Promise<ModelFigures> {
  const target = model.part('autoregressive');
  const { vocabulary } = target;
  const text = (tokenIds: Int32Array): string | undefined => model.tokenizer?.decode(tokenIds);
  let [equal, worst] = [0, 0];
  for (const golden of rows) {
    const { source, said, beam } = golden;
    const sources = [Int32Array.from(source)];
    const request = { sources, maxNewTokens: 3 * source.length };
    const [{ best }] = (await collect(greedy().decode(target, request))).results;
    const [{ hypotheses }] = (await collect(beamSearch(BEAM).decode(target, request))).results;
    const drafter = ngramDrafter({ vocabulary });
    const [drafted] = (await collect(speculative({ drafter }).decode(target, request))).results;
    const same =
      text(best.tokenIds) === said.trimEnd() &&
      hypotheses.map(({ tokenIds }) => text(tokenIds)).join('\n') ===
        beam.map((one) => one.said.trimEnd()).join('\n') &&
      drafted.best.tokenIds.join() === best.tokenIds.join();
    if (same) equal++;
    worst = Math.max(worst, await worstDifference(target, golden, best.tokenIds));
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length },
  };
}
