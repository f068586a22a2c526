import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importModel } from '@foretoken/importers';
import { type FillMaskOutput, loadModel } from '@foretoken/models';
import { nat } from '@foretoken/one-shot';
import { maskedDiffusion } from '@foretoken/refine';
import { inOwnFolder, inRepository } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_fill_mask_goldens.py`: what transformers gives for the same weights. */
interface Golden {
  readonly maskTokenId: number;
  readonly rows: readonly {
    readonly text: string;
    readonly source: readonly number[];
    readonly logits: readonly (readonly number[])[];
    readonly atOnce: readonly number[];
    readonly filled: string;
    readonly oneByOne: readonly number[];
  }[];
}

const GOLDENS = 'packages/models/test/goldens/fill-mask';

/** A small masked language model of random weights, imported from safetensors. */
export const fillMask = (kind: string): ModelRow => ({
  model: `${kind}-weights`,
  format: 'safetensors',
  oracle: 'transformers 4.57.6',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure() {
    const weights = inRepository(GOLDENS, kind);
    const golden = JSON.parse(await readFile(join(weights, 'expected.json'), 'utf8')) as Golden;
    return inOwnFolder(async (parent) => {
      const folder = join(parent, 'model');
      await importModel(weights, folder, { weights: 'float32' });
      return compare(folder, golden);
    });
  },
});

/** Texts whose tokens and fills are equal, all at once and one by one, and the largest difference of a logit. */
async function compare(folder: string, { rows, maskTokenId }: Golden): Promise<ModelFigures> {
  await using model = await loadModel<string, FillMaskOutput>(folder, { probe: false });
  const texts = rows.map(({ text }) => text);
  const atOnce = await model.decode(texts, nat());
  const oneByOne = await model.decode(texts, maskedDiffusion());
  const equal = rows.filter(
    (row, index) =>
      atOnce[index].source.join() === row.source.join() &&
      atOnce[index].tokenIds.join() === row.atOnce.join() &&
      atOnce[index].text === row.filled &&
      oneByOne[index].tokenIds.join() === row.oneByOne.join(),
  ).length;
  await using session = await model.part('canvas').open(rows.map(({ source }) => Int32Array.from(source)));
  const canvases = rows.map((each, row) => ({ row, tokenIds: new Int32Array(each.atOnce.length).fill(maskTokenId) }));
  const scored = await session.fill(canvases, { kind: 'logits' });
  let worst = 0;
  for (const [row, { logits }] of scored.entries()) {
    for (const [at, value] of rows[row].logits.flat().entries()) worst = Math.max(worst, Math.abs(logits[at] - value));
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length },
  };
}
