import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { rebuildExport } from '@foretoken/importers';
import { type GraphImprover, loadModel } from '@foretoken/models';
import { inRepository } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';
import { inOwnCache } from './own-cache.js';

/** Made by `apps/distill/make_export_fixtures.py` and `make_genai_fixture.py`, with what transformers gives for the models that were exported. */
interface ExportRow {
  readonly source: readonly number[];
  readonly fed: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
}

const EXPORTS = 'packages/models/test/goldens/exports';
const NEW_TOKENS = 20;
/** Scores of tokens that are never output are below. */
const NEVER = -10_000;

/** A small export of random weights, in a layout of Optimum, transformers.js or onnxruntime-genai. */
export const onnxExport = (kind: string): ModelRow => row(kind, `${kind}-export`, false);

/** The same by graphs built anew of its weights, in a cache of their own. */
export const improvedExport = (kind: string): ModelRow => row(kind, `${kind}-export-improved`, rebuildExport);

function row(kind: string, model: string, improveGraph: false | GraphImprover): ModelRow {
  return {
    model,
    format: 'onnx',
    oracle: 'transformers 4.57.6',
    packages: [],
    required: { equal: 1, worstLogitDifference: 1e-4 },
    measure: () => inOwnCache(() => figuresOf(kind, improveGraph)),
  };
}

async function figuresOf(kind: string, improveGraph: false | GraphImprover): Promise<ModelFigures> {
  const folder = inRepository(EXPORTS, kind);
  const rows = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as readonly ExportRow[];
  await using model = await loadModel(folder, { probe: false, improveGraph });
  const improved = model.description.facts.find(([name]) => name === 'improved graphs')?.[1];
  if (improveGraph !== false && improved?.startsWith('built') !== true) throw new Error(`${kind}: ${improved}`);
  const target = model.part('autoregressive');
  const sources = rows.map(({ source }) => Int32Array.from(source));
  const { results } = await collect(greedy().decode(target, { sources, maxNewTokens: NEW_TOKENS }));
  const equal = rows.filter(({ greedy: tokens }, row) => tokens.join() === results[row].best.tokenIds.join()).length;
  let worst = 0;
  for (const [at, { fed, logits }] of rows.entries()) {
    await using forest = await target.open([target.encoder === undefined ? Int32Array.from(fed) : sources[at]]);
    const tokenId = Int32Array.from(fed);
    const nodes = { row: new Int32Array(fed.length), parent: tokenId.map((_, index) => -1 - index), tokenId };
    const given = (await forest.extend(nodes, { kind: 'logits' })).logits;
    for (const [index, value] of logits.flat().entries()) {
      // What is never output has no score here.
      if (given[index] > NEVER) worst = Math.max(worst, Math.abs(given[index] - value));
    }
  }
  return {
    family: model.manifest.family,
    equal: equal / rows.length,
    worstLogitDifference: worst,
    details: { cases: rows.length },
  };
}
