import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { type LoadedModel, loadModel, type TextInLanguages, type TextOutput } from '@foretoken/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';

/** Written by apps/distill/make_ctranslate2_goldens.py; its `--all` writes more than is committed. */
const GOLDENS = process.env.CTRANSLATE2_GOLDENS ?? fileURLToPath(new URL('goldens/ctranslate2/', import.meta.url));
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';

/** Rows of token ids, a character each. */
type Rows = readonly string[];

interface Run {
  readonly greedy: Rows;
  readonly beam: Rows;
  /** Of the best and of the fourth hypothesis. */
  readonly scores: readonly (readonly number[])[];
}

interface Golden {
  readonly sources: Rows;
  /** What outputs are to begin with behind the start token. */
  readonly prefix: readonly number[];
  /** What a text is read with. */
  readonly languages: Omit<TextInLanguages, 'text'> | null;
  readonly texts: readonly { readonly text: string; readonly source: readonly number[] }[];
  readonly runs: Readonly<Record<string, Run>>;
}

const { newTokens, models } = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8')) as {
  readonly newTokens: number;
  readonly models: Readonly<Record<string, Golden>>;
};
const MODELS = Object.entries(models).flatMap(([kind, golden]) =>
  Object.entries(golden.runs).map(([storage, run]) => [`${kind}-${storage}`, storage, golden, run] as const),
);

type Model = LoadedModel<string | TextInLanguages, TextOutput, TokenSource>;

async function imported(folder: string): Promise<Model> {
  const target = join(await temporaryFolder(), 'model');
  await importModel(join(GOLDENS, folder), target, { weights: 'float32' });
  return loadModel<string | TextInLanguages, TextOutput, TokenSource>(target, { threads: 1 });
}

const unpacked = (row: string): Int32Array => Int32Array.from(row, (digit) => DIGITS.indexOf(digit));

describe.each(MODELS)('%s of CTranslate2', (folder, storage, { sources, prefix, texts, languages }, run) => {
  let model: Model;
  let part: AutoregressiveModel<TokenSource>;
  beforeAll(async () => {
    model = await imported(folder);
    part = model.part('autoregressive');
  });
  afterAll(() => model.dispose());

  const request = {
    sources: sources.map(unpacked),
    outputPrefixes: sources.map(() => Int32Array.from(prefix)),
    maxNewTokens: newTokens,
  };
  const said = ({ tokenIds }: { readonly tokenIds: Int32Array }): string =>
    Array.from(tokenIds.subarray(prefix.length), (id) => DIGITS[id]).join('');

  it('is inspected as what it is', async () => {
    const { format, elementTypes } = await inspectWeights(join(GOLDENS, folder));
    expect(format).toBe('ctranslate2');
    expect(elementTypes).toContain(storage.split('_')[0]);
  });

  it('is decoded greedily to the same tokens', async () => {
    expect(sources.length).toBeGreaterThanOrEqual(50);
    const { results } = await collect(greedy().decode(part, request));
    expect(results.map(({ best }) => said(best))).toEqual(run.greedy);
  });

  it('is searched by beams of four to the same tokens, with the same scores', async () => {
    const strategy = beamSearch({ beamSize: 4, hypotheses: 4, stopWhen: 'full', lengthPenalty: 1 });
    // Behind a prefix, beams of CTranslate2 do not end at once.
    const minNewTokens = prefix.length === 0 ? 0 : 1;
    const { results } = await collect(strategy.decode(part, { ...request, minNewTokens }));
    expect(results.map(({ best }) => said(best))).toEqual(run.beam);
    const scores = results.map(({ hypotheses }) => [0, 3].map((rank) => hypotheses[rank].score ?? Number.NaN));
    const differences = scores.flatMap((row, at) => row.map((score, rank) => Math.abs(score - run.scores[at][rank])));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });

  it('reads texts as the original does', async () => {
    for (const { text, source } of texts) {
      const input = languages === null ? text : { text, ...languages };
      const { source: read, outputPrefix = [] } = await model.processor.read(input);
      expect([...read], text).toEqual(source);
      expect([...outputPrefix]).toEqual(prefix);
    }
  });
});
