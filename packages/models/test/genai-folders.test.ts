import { execFileSync } from 'node:child_process';
import { link, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/index.js';
import { expectedRows, exportCopy, exportFolder } from './export-folders.js';

const NEW_TOKENS = 20;
const OPTIONS = { probe: false, improveGraph: false } as const;
const model = await loadModel(exportFolder('genai'), OPTIONS);
const rows = await expectedRows('genai');
const sources: TokenSource[] = rows.map(({ source }) => Int32Array.from(source));
const target = model.part('autoregressive');

/** What is changed of `model` in the config. */
interface GenaiFields {
  readonly decoder: { readonly inputs: object; readonly outputs: object };
}

/** A copy of the folder with its config changed. */
async function changed(change: (model: GenaiFields) => unknown): Promise<string> {
  const folder = await exportCopy('genai');
  const file = join(folder, 'genai_config.json');
  const content = JSON.parse(await readFile(file, 'utf8'));
  const other = change(content.model);
  await writeFile(file, typeof other === 'string' ? other : JSON.stringify(content));
  return folder;
}

async function refusal(folder: string, options: object = {}): Promise<ForetokenError> {
  const error: unknown = await loadModel(folder, { ...OPTIONS, ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await rm(folder, { recursive: true });
  if (ForetokenError.isInstance(error)) return error;
  throw new Error('It was not refused.');
}

describe('a folder of onnxruntime-genai, with attention of grouped queries in 4 bits', () => {
  afterAll(() => model.dispose());

  it('has the logits of transformers to 1e-4, by inputs and outputs of any names', async () => {
    for (const { fed, logits } of rows) {
      await using forest = await target.open([Int32Array.from(fed)]);
      const tokenId = Int32Array.from(fed);
      const parent = tokenId.map((_, index) => -1 - index);
      const given = await forest.extend({ row: new Int32Array(fed.length), parent, tokenId }, { kind: 'logits' });
      for (const [index, value] of logits.flat().entries()) {
        expect(Math.abs(given.logits[index] - value)).toBeLessThan(1e-4);
      }
    }
  });

  it('has its greedy outputs, alone, together and by speculation', async () => {
    const request = { sources, maxNewTokens: NEW_TOKENS };
    for (const decoder of [greedy(), speculative({ drafter: ngramDrafter({ vocabulary: target.vocabulary }) })]) {
      const { results } = await collect(decoder.decode(target, request));
      expect(results.map(({ best }) => [...best.tokenIds])).toEqual(rows.map((row) => row.greedy));
    }
    for (const [row, source] of sources.entries()) {
      const { results } = await collect(greedy().decode(target, { sources: [source], maxNewTokens: NEW_TOKENS }));
      expect([...results[0].best.tokenIds]).toEqual(rows[row].greedy);
    }
  });

  it('has its beams', async () => {
    const decoder = beamSearch({ beamSize: 4, hypotheses: 4, stopWhen: 'improvement-unlikely', lengthPenalty: 1 });
    const { results } = await collect(decoder.decode(target, { sources, maxNewTokens: NEW_TOKENS }));
    expect(results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]))).toEqual(
      rows.map(({ beam }) => beam),
    );
  });

  const KEYS = { past_key_names: 'old_value_%d', past_value_names: 'old_key_%d' };
  const PRESENT_KEYS = { present_key_names: 'new_value_%d', present_value_names: 'new_key_%d' };

  it('calls keys values, and values keys, and decodes the same where it does so throughout', async () => {
    const folder = await changed(({ decoder: { inputs, outputs } }) => {
      Object.assign(inputs, KEYS);
      Object.assign(outputs, PRESENT_KEYS);
    });
    await using renamed = await loadModel(folder, OPTIONS);
    const { results } = await collect(
      greedy().decode(renamed.part('autoregressive'), { sources, maxNewTokens: NEW_TOKENS }),
    );
    expect(results.map(({ best }) => [...best.tokenIds])).toEqual(rows.map((row) => row.greedy));
  });

  it.each([
    ['inputs', KEYS],
    ['outputs', PRESENT_KEYS],
  ] as const)('is refused where keys become values by the names of its %s', async (side, names) => {
    const error = await refusal(await changed(({ decoder }) => Object.assign(decoder[side], names)));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'genai_config.json' } });
    expect(error.message).toMatch(/old_.*becomes.*new_.*decoder\.onnx.*exchanged/);
  });

  it('has as many positions as its graph has, where the config promises more, and refuses more before any compute', async () => {
    const folder = await changed((one) => Object.assign(one, { context_length: 4096 }));
    await using long = await loadModel(folder, OPTIONS);
    const { targetLength } = model.manifest.limits;
    expect(long.manifest.limits).toEqual(model.manifest.limits);
    const part = long.part('autoregressive');
    const prompt = (length: number): TokenSource => new Int32Array(length).fill(5);
    const decode = (length: number) => collect(greedy().decode(part, { sources: [prompt(length)], maxNewTokens: 4 }));
    const error: unknown = await decode(targetLength + 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SOURCE_TOO_LONG' });
    await decode(targetLength - 4);
    const own = await collect(greedy().decode(part, { sources: [sources[0]], maxNewTokens: 200 }));
    expect(own.results[0].best.tokenIds.length).toBeLessThanOrEqual(targetLength);
  });

  it('says what it is', () => {
    expect(model.manifest).toMatchObject({
      family: 'onnx-export',
      architecture: 'llama',
      limits: { targetLength: 64 },
    });
    expect(model.description.architecture).toBe('llama, 2 decoder layers, 1 heads of 16');
  });

  it.each([
    [
      'an encoder that is not there',
      (one) => Object.assign(one, { encoder: { filename: 'encoder.onnx' } }),
      'INVALID_MODEL_FOLDER',
      /encoder\.onnx/,
    ],
    [
      'images',
      (one) => Object.assign(one, { embedding: { filename: 'e.onnx' }, vision: { filename: 'v.onnx' } }),
      'UNSUPPORTED_MODEL',
      /model\.vision: it reads images, .*Use a model of text/,
    ],
    [
      'sound beside text',
      (one) => Object.assign(one, { embedding: { filename: 'e.onnx' }, speech: { filename: 's.onnx' } }),
      'UNSUPPORTED_MODEL',
      /model\.speech: it reads sound beside text.*Use a model/,
    ],
    [
      'a transducer',
      (one) => Object.assign(one, { encoder: {}, joiner: {} }),
      'UNSUPPORTED_MODEL',
      /model\.joiner: it is a transducer.*Use a model/,
    ],
    [
      'a recurrent decoder',
      (one) => Object.assign(one.decoder.inputs, { rnn_states_prev: 'rnn_states_prev' }),
      'UNSUPPORTED_MODEL',
      /decoder\.inputs\.rnn_states_prev: its decoder is recurrent.*Import the model's own weights/,
    ],
    [
      'an encoder and a decoder in one graph',
      (one) => Object.assign(one, { encoder_decoder_init: { filename: 'e.onnx' } }),
      'UNSUPPORTED_MODEL',
      /model\.encoder_decoder_init: .*old versions.*Build it again/,
    ],
    [
      'a part that is not known',
      (one) => Object.assign(one, { diffuser: {} }),
      'UNSUPPORTED_MODEL',
      /model\.diffuser: what that does is not known/,
    ],
    [
      'a pipeline',
      (one) => Object.assign(one.decoder, { pipeline: [{}] }),
      'UNSUPPORTED_MODEL',
      /decoder\.pipeline: its decoder is several graphs.*Build it again/,
    ],
    ['no decoder', (one) => Object.assign(one, { decoder: 1 }), 'INVALID_MODEL_FOLDER', /model\.decoder is 1/],
    [
      'a file outside',
      (one) => Object.assign(one.decoder, { filename: '../a.onnx' }),
      'INVALID_MODEL_FOLDER',
      /outside/,
    ],
    [
      'a file that is not there',
      (one) => Object.assign(one.decoder, { filename: 'a.onnx' }),
      'INVALID_MODEL_FOLDER',
      /a\.onnx/,
    ],
    [
      'too many layers',
      (one) => Object.assign(one.decoder, { num_hidden_layers: 1e9 }),
      'INVALID_MODEL_FOLDER',
      /1000/,
    ],
    [
      'a name without a layer',
      (one) => Object.assign(one.decoder.inputs, { past_key_names: 'p' }),
      'INVALID_MODEL_FOLDER',
      /%d/,
    ],
    [
      'names of another graph',
      (one) => Object.assign(one.decoder.inputs, { input_ids: 'ids' }),
      'UNSUPPORTED_MODEL',
      /tokens/,
    ],
    [
      'another vocabulary',
      (one) => Object.assign(one, { vocab_size: 40 }),
      'INVALID_MODEL_FOLDER',
      /genai_config\.json.*40.*41/,
    ],
    [
      'an end outside',
      (one) => Object.assign(one, { eos_token_id: [99] }),
      'INVALID_MODEL_FOLDER',
      /genai_config\.json.*eos_token_id/,
    ],
    ['no JSON', () => '{', 'INVALID_MODEL_FOLDER', /genai_config\.json/],
    ['a web page', () => '<!DOCTYPE html><html></html>', 'INVALID_MODEL_FOLDER', /web page/],
  ] as [string, (model: GenaiFields) => unknown, string, RegExp][])(
    'is refused with %s',
    async (_, change, code, words) => {
      const error = await refusal(await changed(change));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(words);
    },
  );

  it.skipIf(process.platform === 'win32').each([
    ['a pipe', 'p.onnx', (path) => execFileSync('mkfifo', [path])],
    ['a link to a pipe', 'p.onnx', (path) => execFileSync('mkfifo', [`${path}.p`]) && symlink(`${path}.p`, path)],
    ['a device', '/dev/zero', () => undefined],
    ['a link to a device', 'd.onnx', (path) => symlink('/dev/zero', path)],
    ['a folder', 'f.onnx', (path) => mkdir(path)],
    ['a link to itself', 'l.onnx', (path) => symlink(path, path)],
    ['a link to nothing', 'l.onnx', (path) => symlink(`${path}.gone`, path)],
    ['a link to a file outside', 'l.onnx', (path) => symlink(join(exportFolder('genai'), 'decoder.onnx'), path)],
    ['a hard link of what is no graph', 'h.onnx', (path) => link(join(path, '..', 'tokenizer.json'), path)],
    ['an absolute path', join(exportFolder('genai'), 'decoder.onnx'), () => undefined],
    ['a path that comes back', 'x/../decoder.onnx', () => undefined],
    ['backslashes', '..\\genai\\decoder.onnx', () => undefined],
    ['a NUL', 'decoder.onnx\0', () => undefined],
    ['no name', '', () => undefined],
    ['a list', ['decoder.onnx'], () => undefined],
    ['the folder', '.', () => undefined],
    ['its own config', 'genai_config.json', () => undefined],
  ] as [string, unknown, (path: string) => unknown][])('is refused where its graph is %s', async (_, filename, put) => {
    const folder = await changed((one) => Object.assign(one.decoder, { filename }));
    if (typeof filename === 'string') await put(join(folder, filename));
    const error = await refusal(folder);
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toMatch(/filename|\.onnx|genai_config\.json/);
  });

  it.skipIf(process.platform === 'win32').each([
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    ['a link to a device', (path) => symlink('/dev/zero', path)],
    ['a folder', (path) => mkdir(path)],
    ['a link to nothing', (path) => symlink(`${path}.gone`, path)],
  ] as [string, (path: string) => unknown][])('is refused where its weights are %s', async (_, put) => {
    const folder = await exportCopy('genai', 'decoder.onnx.data');
    await put(join(folder, 'decoder.onnx.data'));
    const error = await refusal(folder);
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('decoder.onnx.data');
  });

  it('needs no head that drafts, and says that it is not used', async () => {
    const folder = await changed((one) => Object.assign(one, { mtp: { filename: 'gone.onnx' }, draft: {} }));
    await using plain = await loadModel(folder, OPTIONS);
    expect(plain.manifest.training).toMatchObject({ notUsed: { 'model.mtp': 'gone.onnx', 'model.draft': 'no graph' } });
    const { results } = await collect(
      greedy().decode(plain.part('autoregressive'), { sources, maxNewTokens: NEW_TOKENS }),
    );
    expect(results.map(({ best }) => [...best.tokenIds])).toEqual(rows.map((row) => row.greedy));
  });

  it('has one precision', async () => {
    const error = await refusal(await exportCopy('genai'), { precision: 'q8' });
    expect(error.code).toBe('INVALID_ARGUMENT');
  });
});
