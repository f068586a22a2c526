import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { inRepository, withImported } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_encoder_decoder_goldens.py`: what transformers gives for the same weights. */
interface Golden {
  readonly suppressed: readonly number[];
  readonly rows: readonly {
    readonly source: readonly number[];
    readonly beginning: readonly number[];
    readonly prefix: readonly number[];
    readonly logits: readonly (readonly number[])[];
    readonly greedy: readonly number[];
    readonly beam: readonly (readonly number[])[];
  }[];
}

const GOLDENS = 'packages/models/test/goldens/encoder-decoder';
const NEW_TOKENS = 20;
const BEAM = { beamSize: 4, hypotheses: 4, stopWhen: 'improvement-unlikely', lengthPenalty: 1 } as const;

/** A small model of random weights, imported from safetensors. */
export const encoderDecoder = (kind: string): ModelRow => ({
  model: `${kind}-weights`,
  format: 'safetensors',
  oracle: 'transformers 4.57.6',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure() {
    const weights = inRepository(GOLDENS, kind);
    const golden = JSON.parse(await readFile(join(weights, 'expected.json'), 'utf8')) as Golden;
    return withImported(weights, (model) => compare(model, golden));
  },
});

/** Greedy outputs, n-best lists and drafts that are equal, and the largest difference of a logit. */
async function compare(model: LoadedModel, { rows, suppressed }: Golden): Promise<ModelFigures> {
  const target = model.part('autoregressive');
  const { vocabulary } = target;
  const sources = rows.map(({ source }) => Int32Array.from(source));
  await using begun = await target.open(sources);
  const own = begun.start(0).prefix.length;
  const outputPrefixes = rows.map(({ beginning }) => Int32Array.from(beginning.slice(own)));
  const request = { sources, outputPrefixes, maxNewTokens: NEW_TOKENS };
  const written = (row: number, tokens: Int32Array): string => tokens.subarray(outputPrefixes[row].length).join();
  const plain = (await collect(greedy().decode(target, request))).results;
  const best = (await collect(beamSearch(BEAM).decode(target, request))).results;
  const drafted = (await collect(speculative({ drafter: ngramDrafter({ vocabulary }) }).decode(target, request)))
    .results;
  const equal = rows.filter(
    ({ greedy: tokens, beam }, row) =>
      written(row, plain[row].best.tokenIds) === tokens.join() &&
      best[row].hypotheses.map(({ tokenIds }) => written(row, tokenIds)).join(' ') === beam.map(String).join(' ') &&
      written(row, drafted[row].best.tokenIds) === tokens.join(),
  ).length;
  let worst = 0;
  for (const [row, { prefix, logits }] of rows.entries()) {
    await using forest = await target.open([sources[row]]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, Int32Array.from(prefix), 'all');
    const all = (await forest.extend(nodes, { kind: 'logits' })).logits;
    const last = all.subarray(all.length - logits.length * vocabulary.size);
    for (const [index, value] of logits.flat().entries()) {
      if (!suppressed.includes(index % vocabulary.size)) worst = Math.max(worst, Math.abs(last[index] - value));
    }
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length },
  };
}
