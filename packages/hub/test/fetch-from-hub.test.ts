import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fetchFromHub, type HubOptions, parseHubLocation } from '../src/index.js';
import { COMMIT, HubServer } from './hub-server.js';

const WEIGHTS = {
  'config.json': '{"model_type":"marian"}',
  'source.spm': 'source',
  'target.spm': 'target',
  'vocab.json': '{}',
  'model.safetensors': 'w'.repeat(5_000),
  'pytorch_model.bin': 'a pickle',
  'README.md': 'a card',
  '.gitattributes': '',
};

let server: HubServer;
let cacheFolder: string;
let endpoint: string;
const open = async (files: Readonly<Record<string, string>>): Promise<void> => {
  server = new HubServer(files);
  endpoint = await server.start();
};
const options = (more: HubOptions = {}): HubOptions => ({ endpoint, cacheFolder, offline: false, ...more });
const refusal = async (run: Promise<unknown>): Promise<ForetokenError> => {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ForetokenError);
  return error as ForetokenError;
};
/** A download that ends once something of the weights has come. */
const brokenOff = async (): Promise<ForetokenError> => {
  server.cutAfter = 2_000;
  let start: number | undefined;
  const onProgress: HubOptions['onProgress'] = ({ file, bytes }) => {
    if (file !== 'model.safetensors') return;
    start ??= bytes;
    if (bytes > start) server.breakOff();
  };
  const error = await refusal(fetchFromHub('hub:owner/name', options({ onProgress })));
  server.cutAfter = undefined;
  return error;
};
const downloads = (): string[] => server.requests.map(({ url }) => url).filter((url) => url.includes('/resolve/'));

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'foretoken-hub-'));
});
afterEach(async () => {
  await server.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});

describe('a repository of an ONNX export', () => {
  test.each([
    [
      'in the layout of transformers.js, merged where it is',
      ['onnx/encoder_model.onnx', 'onnx/decoder_model_merged.onnx'],
      ['onnx/decoder_model.onnx', 'onnx/decoder_with_past_model.onnx', 'onnx/encoder_model_quantized.onnx'],
    ],
    [
      'in three graphs beside the config',
      ['encoder_model.onnx', 'decoder_model.onnx', 'decoder_with_past_model.onnx'],
      ['decoder_model_q4.onnx', 'flax_model.msgpack'],
    ],
    [
      'of a decoder, with weights beside it',
      ['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1'],
      ['onnx/model_fp16.onnx', 'onnx/model_fp16.onnx_data'],
    ],
    [
      'of onnxruntime-genai',
      ['genai_config.json', 'model.onnx', 'model.onnx.data'],
      ['audio_processor_config.json', 'model_fp16.onnx'],
    ],
    [
      "in ONNX Runtime's own format, with tokens of their own",
      ['encoder_model.ort', 'decoder_model_merged.ort', 'tokenizer.bin'],
      ['decoder_model_merged_quantized.ort', 'encoder_model_quantized.ort', 'preprocess.ort'],
    ],
    ['in ONNX where they are in both formats', ['onnx/model.onnx'], ['onnx/model.ort', 'model.ort']],
  ])('gives its fp32 graphs %s', async (_, needed, others) => {
    const content = Object.fromEntries([...needed, ...others].map((name) => [name, name]));
    await open({ 'config.json': '{}', 'tokenizer.json': '{}', 'README.md': '', ...content });
    const { folder } = await fetchFromHub('hub:owner/name', options());
    const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
    const files = names.filter((name) => !name.startsWith('.') && name !== 'onnx').sort();
    expect(files).toEqual(['config.json', 'tokenizer.json', ...needed].sort());
  });
});

describe('one of several precisions', () => {
  const EXPORT = Object.fromEntries(
    'config.json tokenizer.json model.safetensors onnx/encoder_model.onnx onnx/encoder_model_fp16.onnx onnx/decoder_model_merged.onnx onnx/decoder_model_merged_fp16.onnx onnx/decoder_model_merged_fp16.onnx_data onnx/decoder_model_merged_quantized.onnx onnx/encoder_model_quantized.onnx onnx/decoder_model_merged_q4.onnx'
      .split(' ')
      .map((name) => [name, name]),
  );
  const GGUF = {
    'README.md': '',
    'a-Q4_K_M.gguf': 'q4',
    'a.Q8_0.gguf': 'q8',
    'a-f16.gguf': 'f16',
    'mmproj-F16.gguf': 'm',
  };
  const kept = async (more: Partial<HubOptions>): Promise<readonly string[]> => {
    const { folder } = await fetchFromHub('hub:owner/name', options(more));
    const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
    return names.filter((name) => !name.startsWith('.') && name !== 'onnx').sort();
  };

  test.each([
    ['fp32', ['onnx/decoder_model_merged.onnx', 'onnx/encoder_model.onnx']],
    [
      'fp16',
      [
        'onnx/decoder_model_merged_fp16.onnx',
        'onnx/decoder_model_merged_fp16.onnx_data',
        'onnx/encoder_model_fp16.onnx',
      ],
    ],
    ['q8', ['onnx/decoder_model_merged_quantized.onnx', 'onnx/encoder_model_quantized.onnx']],
    [{ encoder: 'fp32', decoder: 'q4' }, ['onnx/decoder_model_merged_q4.onnx', 'onnx/encoder_model.onnx']],
  ])('of an export: %j', async (precision, graphs) => {
    await open(EXPORT);
    expect(await kept({ precision })).toEqual(['config.json', ...graphs, 'tokenizer.json']);
    expect(downloads()).toHaveLength(graphs.length + 2);
  });

  test('lies beside what was downloaded without a choice, offline too', async () => {
    await open(EXPORT);
    const plain = await kept({});
    expect(plain).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const chosen = await kept({ precision: 'fp16' });
    const count = server.requests.length;
    expect(await kept({ offline: true })).toEqual(plain);
    expect(await kept({ offline: true, precision: 'fp16' })).toEqual(chosen);
    const missing = await refusal(fetchFromHub('hub:owner/name', options({ offline: true, precision: 'fp32' })));
    expect(missing.code).toBe('INVALID_ARGUMENT');
    expect(server.requests.length).toBe(count);
  });

  test("of ONNX Runtime's own format is taken where it is the only one, where there is no ONNX, or where it is chosen", async () => {
    await open({ 'config.json': '{}', 'onnx/model_int8.ort': 'int8' });
    expect(await kept({})).toEqual(['config.json', 'onnx/model_int8.ort']);
    await server.stop();
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': 'q4', 'onnx/model.ort': 'plain' });
    await rm(cacheFolder, { recursive: true });
    expect(await kept({})).toEqual(['config.json', 'onnx/model_q4.onnx']);
    expect(await kept({ precision: 'fp32' })).toEqual(['config.json', 'onnx/model.ort']);
    const error = await refusal(fetchFromHub('hub:owner/name', options({ precision: 'fp16' })));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'precision', required: ['q4', 'fp32'] },
    });
  });

  test('is taken where it is the only one, and asked for where fp32 is none of several', async () => {
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': 'q4' });
    expect(await kept({})).toEqual(['config.json', 'onnx/model_q4.onnx']);
    await server.stop();
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': 'q4', 'onnx/model_fp16.onnx': 'half' });
    await rm(cacheFolder, { recursive: true });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'precision', required: ['fp16', 'q4'] },
    });
  });

  test.each([
    ['Q4_K_M', 'a-Q4_K_M.gguf'],
    ['q8_0', 'a.Q8_0.gguf'],
    ['F16', 'a-f16.gguf'],
  ])('of GGUF files: %s', async (quantisation, file) => {
    await open({ ...GGUF, 'model.safetensors': 'w', 'config.json': '{}' });
    expect(await kept({ quantisation })).toEqual([file]);
    expect(downloads()).toHaveLength(1);
  });

  test('is not needed of one GGUF file', async () => {
    await open({ 'config.json': '{}', 'a.Q8_0.gguf': 'q8', 'mmproj-F16.gguf': 'm' });
    expect(await kept({})).toEqual(['a.Q8_0.gguf']);
  });

  test.each<[string, Readonly<Record<string, string>>, Partial<HubOptions>, string]>([
    ['a decoder without its encoder', EXPORT, { precision: 'q4' }, 'fp16, fp32, q8'],
    ['a precision that is not there', EXPORT, { precision: 'int8' }, 'fp16, fp32, q8'],
    ['a precision of weights alone', { 'model.safetensors': 'w' }, { precision: 'q8' }, 'no graphs'],
    ['several GGUF files', GGUF, {}, 'Q4_K_M, Q8_0, f16'],
    ['a part of a name', GGUF, { quantisation: 'Q4_K' }, 'no GGUF file in Q4_K, but'],
    ['two files in one quantisation', { ...GGUF, 'b-Q8_0.gguf': 'b' }, { quantisation: 'Q8_0' }, 'b-Q8_0.gguf'],
    ['a file in parts', { 'a-Q8_0-00001-of-00002.gguf': '1', 'a-Q8_0-00002-of-00002.gguf': '2' }, {}, 'one GGUF file'],
    ['no GGUF file', { 'model.safetensors': 'w' }, { quantisation: 'Q8_0' }, 'holds no GGUF file'],
    ['both', GGUF, { quantisation: 'Q8_0', precision: 'q8' }, 'Leave out one'],
    ['a path as a quantisation', GGUF, { quantisation: '../a' }, 'such as Q4_K_M'],
    ['a path as a precision', EXPORT, { precision: '../a' }, 'such as fp32'],
  ])('is refused before anything is downloaded: %s', async (_, files, more, words) => {
    await open(files);
    const error = await refusal(fetchFromHub('hub:owner/name', options(more)));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(words);
    expect(downloads()).toEqual([]);
  });
});

describe('a repository of weights', () => {
  test('gives what is needed, once, and tells how far it is', async () => {
    await open(WEIGHTS);
    const seen: number[] = [];
    const total = ['config.json', 'source.spm', 'target.spm', 'vocab.json', 'model.safetensors']
      .map((name) => WEIGHTS[name as keyof typeof WEIGHTS].length)
      .reduce((sum, bytes) => sum + bytes);
    const onProgress: HubOptions['onProgress'] = ({ bytes, totalBytes }) => {
      expect(totalBytes).toBe(total);
      seen.push(bytes);
    };
    const { folder, commit } = await fetchFromHub('hub:owner/name', options({ onProgress }));
    expect(commit).toBe(COMMIT);
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
    expect(names).toEqual(['config.json', 'model.safetensors', 'source.spm', 'target.spm', 'vocab.json']);
    expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(WEIGHTS['model.safetensors']);
    expect(seen).toEqual([...seen].sort((first, second) => first - second));
    expect(seen.at(-1)).toBe(total);
    const before = downloads().length;
    expect((await fetchFromHub('hub:owner/name', options())).folder).toBe(folder);
    expect(downloads().length).toBe(before);
  });

  test('is taken from this machine when offline; what was never loaded is refused', async () => {
    await open(WEIGHTS);
    const first = await refusal(fetchFromHub('hub:owner/name', options({ offline: true })));
    expect(first).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { folder } = await fetchFromHub('hub:owner/name', options());
    const count = server.requests.length;
    expect(await fetchFromHub('hub:owner/name', options({ offline: true }))).toEqual({ folder, commit: COMMIT });
    expect(await fetchFromHub(`hub:owner/name@${COMMIT}`, options({ offline: true }))).toEqual({
      folder,
      commit: COMMIT,
    });
    expect(server.requests.length).toBe(count);
  });

  test.each([
    ['goes on where it ended', false],
    ['begins again where the server gives no parts', true],
  ])('a download that broke off %s', async (_, whole) => {
    await open(WEIGHTS);
    const error = await brokenOff();
    expect(error.code).toBe('NETWORK_FAILURE');
    expect(error.message).toContain('model.safetensors');
    server.whole = whole;
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(WEIGHTS['model.safetensors']);
    const ranges = server.requests.flatMap(({ range }) => (range === undefined ? [] : [range]));
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(await readdir(join(folder, '../../partial'))).toEqual([]);
  });

  test('with other bytes than it lists is refused, and nothing of them is kept', async () => {
    await open(WEIGHTS);
    server.lies = true;
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'digest' } });
    server.lies = false;
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe(WEIGHTS['config.json']);
  });

  test('a kept part that is wrong does not stay in the way', async () => {
    await open(WEIGHTS);
    await brokenOff();
    const partial = join(cacheFolder, 'models--owner--name/partial');
    const [name] = await readdir(partial);
    await writeFile(join(partial, name), 'x'.repeat(3_000));
    await refusal(fetchFromHub('hub:owner/name', options()));
    await fetchFromHub('hub:owner/name', options());
  });

  test('stops at an abort, and its reason is thrown', async () => {
    await open(WEIGHTS);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => controller.abort(reason);
    await expect(fetchFromHub('hub:owner/name', options({ signal: controller.signal, onProgress }))).rejects.toBe(
      reason,
    );
    await expect(fetchFromHub('hub:owner/name', options({ signal: controller.signal }))).rejects.toBe(reason);
  });

  test('that is private needs a token, which is sent', async () => {
    await open(WEIGHTS);
    server.requiredToken = 'hf_secret';
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { status: 401 } });
    expect(error.message).toContain('HF_TOKEN');
    const { commit } = await fetchFromHub('hub:owner/name', options({ token: 'hf_secret' }));
    expect(commit).toBe(COMMIT);
    expect(error.message).not.toContain('hf_secret');
  });
});

test('shards come with their index', async () => {
  await open({
    'config.json': '{}',
    'model.safetensors.index.json': '{}',
    'model-00001-of-00002.safetensors': '1',
    'model-00002-of-00002.safetensors': '2',
    'model.fp16-00001-of-00001.safetensors': 'no',
  });
  const { folder } = await fetchFromHub('hub:owner/name', options());
  expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors')).length).toBe(2);
});

test('a model folder of Foretoken comes whole', async () => {
  await open({ 'foretoken.json': '{}', 'encoder.onnx': 'e', 'deep/step.onnx': 's', 'README.md': 'card' });
  const { folder } = await fetchFromHub('hub:owner/name@main', options());
  expect(await readFile(join(folder, 'deep/step.onnx'), 'utf8')).toBe('s');
  expect(await readdir(folder)).not.toContain('README.md');
});

test.each([
  ['pickled weights', { 'pytorch_model.bin': 'p', 'config.json': '{}' }, 'pickle'],
  ['nothing of use', { 'README.md': 'card' }, 'model.safetensors'],
])('a repository with %s is refused before anything is downloaded', async (_, files, words) => {
  await open(files);
  const error = await refusal(fetchFromHub('hub:owner/name', options()));
  expect(error.code).toBe('UNSUPPORTED_MODEL');
  expect(error.message).toContain(words);
  expect(downloads()).toEqual([]);
});

test('names that could leave the cache are never written', async () => {
  await open({ ...WEIGHTS, '../../outside': 'x', 'foretoken.json': '{}', 'a/../../b': 'x' });
  const { folder } = await fetchFromHub('hub:owner/name', options());
  expect((await readdir(folder)).some((name) => name.includes('outside'))).toBe(false);
  expect(await readdir(join(folder, '..'))).toEqual([COMMIT]);
});

test('a repository that is not there, and a server that does not answer', async () => {
  await open(WEIGHTS);
  expect(await refusal(fetchFromHub('hub:other/name', options()))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: { status: 404 },
  });
  const error = await refusal(fetchFromHub('hub:owner/name', options({ endpoint: 'http://127.0.0.1:9' })));
  expect(error).toMatchObject({ code: 'NETWORK_FAILURE' });
});

describe('locations', () => {
  beforeEach(() => open({}));

  test('name a repository and a revision', () => {
    expect(parseHubLocation('hub:Helsinki-NLP/opus-mt-en-de')).toEqual({
      repository: 'Helsinki-NLP/opus-mt-en-de',
      revision: 'main',
    });
    expect(parseHubLocation('hub:a/b@refs/pr/1').revision).toBe('refs/pr/1');
  });

  test.each(['hub:', 'hub:name', 'hub:a/b/c', 'hub:../b', 'hub:a/..', 'hub:a/b@../x', 'hub:a/b@', 'a/b', 7, null])(
    '%s is refused',
    (location) => {
      expect(() => parseHubLocation(location as string)).toThrow(/hub:owner\/name/);
    },
  );
});

test('a revision that leads elsewhere is refused', () => {
  expect(() => parseHubLocation('hub:owner/name@a/../b')).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('HF_HUB_OFFLINE asks nobody', async () => {
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  try {
    const options = { endpoint: 'http://127.0.0.1:9', cacheFolder: '/nowhere/at/all' };
    await expect(fetchFromHub('hub:owner/name', options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  } finally {
    vi.unstubAllEnvs();
  }
});
