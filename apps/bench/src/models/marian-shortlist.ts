import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { sameTokens } from '../same-tokens.js';
import { inOwnFolder, withImported } from './imported-model.js';
import { type MarianGolden, marianFolder, marianGoldens, worstDifference } from './marian-goldens.js';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_marian_shortlist_goldens.py`: what Marian gives for the same weights and shortlist. */
interface Golden extends MarianGolden {
  /** Whether Marian says something else without the shortlist. */
  readonly other: boolean;
}

/** A small model of random weights with a lexical shortlist; the difference is that of log-probabilities. */
export const marianShortlist = (kind: string): ModelRow => ({
  model: `marian-shortlist-${kind}`,
  format: 'marian, lexical shortlist',
  oracle: 'pymarian 1.12.42 with the shortlist',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  measure: () =>
    inOwnFolder(async (weights) => {
      const lists = marianFolder('marian-shortlist', kind);
      await cp(marianFolder('marian-bin', kind), weights, { recursive: true });
      for (const file of await readdir(lists)) await cp(join(lists, file), join(weights, file));
      const rows = await marianGoldens<Golden>(lists);
      return withImported(weights, (model) => compare(model, rows));
    }),
});

/** Greedy outputs that are equal, alone and in one batch, and the largest difference of a token's log-probability. */
async function compare(model: LoadedModel, rows: readonly Golden[]): Promise<ModelFigures> {
  const target = model.part('autoregressive');
  const sources = rows.map(({ source }) => Int32Array.from(source));
  // Marian's limit is one of each source, which is cut here.
  const maxNewTokens = 2 * Math.max(...sources.map(({ length }) => length));
  const outputs = async (asked: readonly Int32Array[]) =>
    (await collect(greedy().decode(target, { sources: asked, maxNewTokens }))).results.map(({ best }) => best.tokenIds);
  const together = await outputs(sources);
  let [equal, worst] = [0, 0];
  for (const [row, golden] of rows.entries()) {
    const [alone] = await outputs([sources[row]]);
    const tokenIds = alone.subarray(0, 2 * sources[row].length);
    const same = sameTokens(alone, together[row]) && model.tokenizer?.decode(tokenIds) === golden.said.trimEnd();
    if (same) equal++;
    worst = Math.max(worst, await worstDifference(target, golden, tokenIds));
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length, changedByTheShortlist: rows.filter(({ other }) => other).length },
  };
}
