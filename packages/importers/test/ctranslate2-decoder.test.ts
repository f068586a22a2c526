import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';

/** Written by apps/distill/make_ctranslate2_decoder_goldens.py; its `--all` writes more than is committed. */
const GOLDENS =
  process.env.CTRANSLATE2_DECODER_GOLDENS ?? fileURLToPath(new URL('goldens/ctranslate2-decoders/', import.meta.url));
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';

/** What CTranslate2 computes in fp32; rows of token ids are texts of a character each. */
interface Run {
  readonly greedy: readonly string[];
  readonly beam: readonly (readonly string[])[];
  readonly scores: readonly (readonly number[])[];
  /** Log probabilities of all tokens behind the first prompts. */
  readonly next: readonly (readonly number[])[];
  /** Log probability of each prompt of more than one token, behind its first. */
  readonly prompts: readonly number[];
}

const { newTokens, models } = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8')) as {
  readonly newTokens: number;
  readonly models: Readonly<
    Record<string, { readonly prompts: readonly string[]; readonly runs: Readonly<Record<string, Run>> }>
  >;
};
const MODELS = Object.entries(models).flatMap(([kind, { prompts, runs }]) =>
  Object.entries(runs).map(([storage, run]) => [`${kind}-${storage}`, storage, prompts, run] as const),
);

const unpacked = (row: string): Int32Array => Int32Array.from(row, (digit) => DIGITS.indexOf(digit));
const said = ({ tokenIds }: { readonly tokenIds: Int32Array }): string =>
  Array.from(tokenIds, (id) => DIGITS[id]).join('');

describe.each(MODELS)('%s of CTranslate2', (folder, storage, prompts, run) => {
  let model: LoadedModel;
  let part: AutoregressiveModel<TokenSource>;
  const sources = prompts.map(unpacked);
  beforeAll(async () => {
    const target = join(await temporaryFolder(), 'model');
    await importModel(join(GOLDENS, folder), target, { weights: 'float32' });
    model = await loadModel(target, { threads: 1, probe: false });
    part = model.part('autoregressive');
  });
  afterAll(() => model.dispose());

  it('is inspected as what it is', async () => {
    const { format, elementTypes, manifest } = await inspectWeights(join(GOLDENS, folder));
    expect(format).toBe('ctranslate2');
    expect(elementTypes).toContain(storage.split('_')[0]);
    expect(manifest.family).toBe('causal-lm');
  });

  it('gives all tokens the same scores, behind prompts and within them', async () => {
    const probabilities = async (source: Int32Array): Promise<readonly Float32Array[]> => {
      await using forest = await part.open([source]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, source, 'all');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      const width = logits.length / source.length;
      return Array.from(source, (_, at) => logProbabilities(logits.subarray(at * width, (at + 1) * width)));
    };
    const rows = await Promise.all(sources.map(probabilities));
    for (const [index, expected] of run.next.entries()) {
      const last = rows[index].at(-1) ?? new Float32Array();
      expect(Math.max(...expected.map((value, token) => Math.abs(value - last[token])))).toBeLessThan(1e-4);
    }
    const costs = sources.flatMap((source, index) =>
      source.length === 1 ? [] : [source.slice(1).reduce((sum, token, at) => sum + rows[index][at][token], 0)],
    );
    expect(costs).toHaveLength(run.prompts.length);
    expect(Math.max(...costs.map((cost, at) => Math.abs(cost - run.prompts[at])))).toBeLessThan(1e-4);
  });

  it('is decoded greedily to the same tokens', async () => {
    expect(sources.length).toBeGreaterThanOrEqual(20);
    const { results } = await collect(greedy().decode(part, { sources, maxNewTokens: newTokens }));
    expect(results.map(({ best }) => said(best))).toEqual(run.greedy);
  });

  it('is searched by beams of four to the same lists', async () => {
    const strategy = beamSearch({ beamSize: 4, hypotheses: 4, stopWhen: 'full', lengthPenalty: 1 });
    const { results } = await collect(strategy.decode(part, { sources, maxNewTokens: newTokens }));
    expect(results.map(({ hypotheses }) => hypotheses.map(said))).toEqual(run.beam);
    const differences = results.flatMap(({ hypotheses }, row) =>
      hypotheses.map(({ score = Number.NaN }, rank) => Math.abs(score - run.scores[row][rank])),
    );
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });

  it('reads a text as its tokenizer.json says', async () => {
    const { source } = await model.processor.read('abc');
    expect([...source]).toEqual([39, 3, 4, 5]);
  });
});

function logProbabilities(logits: Float32Array): Float32Array {
  const max = Math.max(...logits);
  const sum = Math.log(logits.reduce((total, value) => total + Math.exp(value - max), 0)) + max;
  return logits.map((value) => value - sum);
}
