import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { type LoadedModel, loadModel } from '@foretoken/models';
import type { AudioSource, SpeechInput, SpeechOutput } from '@foretoken/models/speech';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';
import { withConfig, withJson } from './ctranslate2-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/whisper/', import.meta.url));

/** Written by apps/distill/make_whisper_goldens.py. */
interface Row {
  readonly features: string;
  readonly language: string | null;
  readonly heard: string;
  readonly task: 'transcribe' | 'translate';
  readonly path: readonly number[];
  readonly greedy: readonly number[];
  /** By CTranslate2. */
  readonly peerGreedy: readonly number[];
  readonly logits: string;
}

const expected = JSON.parse(await readFile(join(GOLDENS, 'expected.json'), 'utf8')) as {
  readonly frames: number;
  readonly newTokens: number;
  readonly suppressed: readonly number[];
  readonly first: readonly number[];
  readonly rows: readonly Row[];
};
const { frames, newTokens, rows } = expected;
const MELS = 8;
const SUPPRESSED = -60_000;

function floats(packed: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(packed, 'base64'));
  return new Float32Array(bytes.buffer);
}

const sourceOf = ({ features, language, task }: Row): AudioSource => ({
  values: floats(features),
  dims: [MELS, frames],
  language: language ?? undefined,
  task,
});
const endless = (row: Row): number[] => row.greedy.filter((id) => id !== endTokenId);
let endTokenId: number;

type Whisper = LoadedModel<SpeechInput, SpeechOutput, AudioSource>;

async function imported(folder: string, weights: 'float32' | 'float16' | 'int8' = 'float32'): Promise<Whisper> {
  const target = join(await temporaryFolder(), 'model');
  await importModel(resolve(GOLDENS, folder), target, { weights });
  return loadModel<SpeechInput, SpeechOutput, AudioSource>(target, { threads: 1 });
}

describe.each(['transformers', 'ctranslate2'])('Whisper of %s', (folder) => {
  let model: Whisper;
  let part: AutoregressiveModel<AudioSource>;
  beforeAll(async () => {
    model = await imported(folder);
    part = model.part('autoregressive');
    endTokenId = part.vocabulary.endTokenId as number;
  });
  afterAll(() => model.dispose());

  it('computes the logits of transformers, and never what is suppressed', async () => {
    for (const row of rows) {
      await using forest = await part.open([{ ...sourceOf(row), language: row.heard }]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, row.path, 'all');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      const { size } = part.vocabulary;
      const golden = floats(row.logits);
      const sampled = Math.ceil(size / 29);
      const outputs = row.path.length - 3;
      for (let place = 0; place < outputs; place++) {
        const own = logits.subarray((place + 3) * size, (place + 4) * size);
        const never = place === 0 ? [...expected.suppressed, ...expected.first] : expected.suppressed;
        for (const id of never) expect(own[id]).toBeLessThan(SUPPRESSED / 2);
        for (let at = 0; at < sampled; at++) {
          if (never.includes(29 * at)) continue;
          expect(Math.abs(own[29 * at] - golden[place * sampled + at])).toBeLessThan(1e-4);
        }
      }
    }
  });

  it('is decoded greedily as by transformers and CTranslate2, and with drafts alike, alone and in batches', async () => {
    const request = { sources: rows.map(sourceOf), maxNewTokens: newTokens };
    const goldens = rows.map(endless);
    expect(rows.map(({ peerGreedy }) => peerGreedy)).toEqual(goldens);
    const drafter = ngramDrafter<AudioSource>({ vocabulary: part.vocabulary, lookIn: 'output' });
    for (const strategy of [greedy<AudioSource>(), speculative<AudioSource>({ drafter })]) {
      const found = await collectTokens(strategy.decode(part, request));
      expect(found).toEqual(goldens);
      for (const [index, source] of request.sources.entries()) {
        expect(await collectTokens(strategy.decode(part, { ...request, sources: [source] }))).toEqual([goldens[index]]);
      }
    }
  });

  it('is searched by beams, whose log-probabilities are the sums of their tokens', async () => {
    const strategy = beamSearch<AudioSource>({ beamSize: 4, hypotheses: 2 });
    const { size } = part.vocabulary;
    for (const row of rows) {
      const source = { ...sourceOf(row), language: row.heard };
      const { results } = await collect(strategy.decode(part, { sources: [source], maxNewTokens: newTokens }));
      for (const { tokenIds, logProb = 0 } of results[0].hypotheses) {
        await using forest = await part.open([source]);
        const { prefix } = forest.start(0);
        const nodes = new NodeBatch();
        nodes.addChain(0, ROOT, [...prefix, ...tokenIds], 'all');
        const { logProbs } = await forest.extend(nodes, { kind: 'logProbs' });
        const sum = tokenIds.reduce((all, id, at) => all + logProbs[(prefix.length - 1 + at) * size + id], 0);
        expect(Math.abs(sum - logProb)).toBeLessThan(1e-3);
      }
    }
  });

  it('finds the language that is spoken, where none is named', async () => {
    const unnamed = rows.filter(({ language }) => language === null);
    expect(new Set(rows.map(({ heard }) => heard)).size).toBeGreaterThan(1);
    await using forest = await part.open(unnamed.map(sourceOf));
    for (const [row, { path }] of unnamed.entries()) {
      expect([...forest.start(row).prefix]).toEqual(path.slice(0, 4));
    }
  });

  it('refuses features that are no numbers, by row and position, and sources that cannot be read', async () => {
    const source = sourceOf(rows[0]);
    const values = source.values.slice();
    values[frames + 3] = Number.NaN;
    await expect(part.open([source, { ...source, values }])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Source 1 holds NaN at [1, 3]'),
    });
    const odd = {
      get values(): Float32Array {
        throw new Error('not now');
      },
      dims: [MELS, frames],
    };
    await expect(part.open([odd])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('lets rows join and leave', async () => {
    const sources = rows.map(sourceOf);
    await using forest = await part.open(sources.slice(0, 2), { joining: true });
    await forest.join?.(sources.slice(2, 4));
    forest.finish(0);
    const nodes = new NodeBatch();
    for (const row of [1, 2, 3]) nodes.addChain(row, ROOT, rows[row].path.slice(0, 4), 'last');
    const { tokenIds } = await forest.extend(nodes, { kind: 'argmax' });
    expect([...tokenIds]).toEqual([1, 2, 3].map((row) => rows[row].greedy[0]));
  });
});

async function collectTokens(events: ReturnType<ReturnType<typeof greedy>['decode']>): Promise<number[][]> {
  const { results } = await collect(events);
  return results.map(({ best }) => [...best.tokenIds]);
}

describe('a language whose token is never output', () => {
  // As in transformers and in OpenAI's program, which choose it among the languages' logits before any rule.
  const languages = [303, 304, 305];
  const suppressed = [...expected.suppressed, ...languages];
  it.each([
    [
      'transformers',
      () =>
        withJson(join(GOLDENS, 'transformers'), 'generation_config.json', (config: object) => ({
          ...config,
          suppress_tokens: suppressed,
          begin_suppress_tokens: [...expected.first, ...languages],
        })),
    ],
    ['CTranslate2', () => withConfig(join(GOLDENS, 'ctranslate2'), { suppress_ids: suppressed })],
  ])('is found all the same: %s', async (_, changed) => {
    await using model = await imported(await changed());
    const part = model.part('autoregressive');
    const unnamed = rows.map((row) => ({ ...sourceOf(row), language: undefined }));
    await using forest = await part.open(unnamed);
    const found = rows.map((_, row) => forest.start(row).prefix[1]);
    expect(found).toEqual(rows.map(({ heard }) => ({ en: 302, de: 303, fr: 304, yue: 305 })[heard]));
    expect(new Set(found).size).toBeGreaterThan(1);
    const outputs = await collectTokens(
      greedy<AudioSource>().decode(part, { sources: unnamed, maxNewTokens: newTokens }),
    );
    expect(outputs.flat().filter((id) => languages.includes(id))).toEqual([]);
  });
});

describe('languages that generation_config.json lists', () => {
  it('are all that the model knows', async () => {
    const folder = await withJson(join(GOLDENS, 'transformers'), 'generation_config.json', (config: object) => ({
      ...config,
      lang_to_id: { '<|en|>': 302, '<|yue|>': 305 },
    }));
    const { manifest } = await inspectWeights(folder);
    expect(manifest).toMatchObject({ speech: { languages: { en: 302, yue: 305 } } });
    await using model = await imported(folder);
    await using forest = await model.part('autoregressive').open([{ ...sourceOf(rows[0]), language: undefined }]);
    expect([302, 305]).toContain(forest.start(0).prefix[1]);
  });
});

describe('quantised CTranslate2 models', () => {
  it.each(['ctranslate2-int8', 'ctranslate2-int16'])('%s: weights come near those of the original', async (folder) => {
    const { elementTypes, format } = await inspectWeights(join(GOLDENS, folder));
    expect(format).toBe('ctranslate2');
    expect(elementTypes).toContain(folder.split('-')[1]);
    await using model = await imported(folder);
    await using original = await imported('transformers');
    const scores = async ({ part }: Whisper): Promise<Float32Array> => {
      await using forest = await part('autoregressive').open([sourceOf(rows[0])]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, rows[0].path, 'all');
      return (await forest.extend(nodes, { kind: 'logProbs' })).logProbs;
    };
    const [own, golden] = [await scores(model), await scores(original)];
    const differences = own.map((value, at) => (golden[at] < SUPPRESSED / 2 ? 0 : Math.abs(value - golden[at])));
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
    expect(mean).toBeLessThan(folder.endsWith('8') ? 0.2 : 0.005);
    expect(mean).toBeGreaterThan(0);
  });
});

describe('Whisper in 8 bits', () => {
  it('drafts change nothing', async () => {
    await using model = await imported('transformers', 'int8');
    const part = model.part('autoregressive');
    const drafter = ngramDrafter<AudioSource>({ vocabulary: part.vocabulary, lookIn: 'output' });
    const request = { sources: rows.map(sourceOf), maxNewTokens: newTokens };
    const plain = await collectTokens(greedy<AudioSource>().decode(part, request));
    expect(await collectTokens(speculative<AudioSource>({ drafter }).decode(part, request))).toEqual(plain);
  });
});
