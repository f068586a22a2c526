import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_marian_bin_goldens.py`: what Marian gives for the same weights. */
interface Golden {
  readonly text: string;
  readonly source: readonly number[];
  readonly said: string;
  readonly logProbs: readonly number[];
  readonly beam: readonly { readonly said: string; readonly score: number }[];
}

const GOLDENS = 'packages/models/test/goldens/marian-bin';
const BEAM = { beamSize: 4, hypotheses: 4, stopWhen: 'improvement-impossible', lengthPenalty: 1 } as const;

/** A small model of random weights, imported from a file of Marian; the difference is that of log-probabilities. */
export const marianBin = (kind: string): ModelRow => ({
  model: `marian-ssru-${kind}`,
  format: 'marian',
  oracle: 'pymarian 1.12.42',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure() {
    const [workspace] = fileURLToPath(import.meta.url).split(/[\\/]apps[\\/]bench[\\/]/);
    const weights = join(workspace, GOLDENS, kind);
    const { rows } = JSON.parse(await readFile(join(weights, 'expected.json'), 'utf8')) as { rows: readonly Golden[] };
    const folder = await mkdtemp(join(tmpdir(), 'foretoken-models-'));
    try {
      await importModel(weights, join(folder, 'model'), { weights: 'float32' });
      return await compare(join(folder, 'model'), rows);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** Greedy outputs, n-best lists and drafts that are equal, and the largest difference of a token's log-probability. */
async function compare(folder: string, rows: readonly Golden[]): Promise<ModelFigures> {
  await using model = await loadModel(folder, { probe: false });
  const target = model.part('autoregressive');
  const { vocabulary } = target;
  const text = (tokenIds: Int32Array): string | undefined => model.tokenizer?.decode(tokenIds);
  let [equal, worst] = [0, 0];
  for (const { source, said, logProbs, beam } of rows) {
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
    await using forest = await target.open(sources);
    const nodes = new NodeBatch();
    const ended = [...best.tokenIds, vocabulary.endTokenId ?? 0].slice(0, logProbs.length);
    nodes.addChain(0, ROOT, Int32Array.from([...forest.start(0).prefix, ...ended.slice(0, -1)]), 'all');
    const scores = (await forest.extend(nodes, { kind: 'logProbs' })).logProbs;
    for (const [at, expected] of logProbs.entries()) {
      worst = Math.max(worst, Math.abs(scores[at * vocabulary.size + ended[at]] - expected));
    }
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length },
  };
}
