import { readdir, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fetchFromHub, type HubOptions } from '../src/index.js';
import { cacheFolder, downloads, graphOf, open, options, refusal, server } from './hub-folder.js';

/** Files by these names; graphs keep weights in the files that are named after them. */
const contentOf = (names: readonly string[]): Record<string, string | Uint8Array> =>
  Object.fromEntries(
    names.map((name) => {
      const beside = names.filter((other) => other !== name && other.startsWith(name));
      const locations = beside.map((other) => other.replace(/^.*\//, ''));
      return [name, name.endsWith('.onnx') ? graphOf(name, ...locations) : `${name}, eight bytes`];
    }),
  );

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
    const content = contentOf([...needed, ...others]);
    await open({ 'config.json': '{}', 'tokenizer.json': '{}', 'README.md': '', ...content });
    const { folder } = await fetchFromHub('hub:owner/name', options());
    const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
    const files = names.filter((name) => !name.startsWith('.') && name !== 'onnx').sort();
    expect(files).toEqual(['config.json', 'tokenizer.json', ...needed].sort());
  });
});

describe('a repository of onnxruntime-genai', () => {
  const config = (model: object): string => JSON.stringify({ model });
  const kept = async (): Promise<readonly string[]> => {
    const { folder } = await fetchFromHub('hub:owner/name', options());
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  };

  test('gives the graph that its config names, with the weights beside it, and no other', async () => {
    const graph = graphOf('named', 'weights of it.bin');
    const others = { 'model.onnx': graphOf('other'), 'other.onnx': graphOf('third') };
    const files = { 'named.onnx': graph, 'weights of it.bin': 'eight bytes', 'tokenizer.json': '{}', ...others };
    await open({ 'genai_config.json': config({ decoder: { filename: 'named.onnx' } }), ...files });
    expect(await kept()).toEqual(['genai_config.json', 'named.onnx', 'tokenizer.json', 'weights of it.bin']);
  });

  test.each([
    ['', {}, 'audio_processor_config.json'],
    [' and what its config names for sound', { speech: { config_filename: 'sound.json' } }, 'sound.json'],
    [' and no head that drafts', { mtp: { filename: 'm.onnx' }, draft: {} }, 'audio_processor_config.json'],
  ])('gives an encoder and its decoder%s', async (_, parts, processor) => {
    const model = { encoder: { filename: 'e.onnx' }, decoder: { filename: 'd.onnx' }, ...parts };
    const graphs = { 'e.onnx': graphOf('e', 'e.bin'), 'd.onnx': graphOf('d', 'd.bin'), 'm.onnx': graphOf('m') };
    const weights = { 'e.bin': 'eight bytes', 'd.bin': 'eight bytes' };
    const others = { 'audio_processor_config.json': '{}', 'sound.json': '{}', 'tokenizer.json': '{}' };
    await open({ 'genai_config.json': config(model), ...graphs, ...weights, ...others });
    const taken = ['genai_config.json', 'e.onnx', 'e.bin', 'd.onnx', 'd.bin', processor, 'tokenizer.json'];
    expect(await kept()).toEqual(taken.sort());
  });

  const PAIR = { encoder: { filename: 'e.onnx' }, decoder: { filename: 'd.onnx' } };
  test.each([
    ['a part for images', { ...PAIR, vision: { filename: 'v.onnx' } }],
    ['a part for images of several graphs', { ...PAIR, vision: { pipeline: [{ filename: 'v.onnx' }] } }],
    ['a part for sound beside text', { decoder: PAIR.decoder, speech: { filename: 's.onnx' } }],
    ['a pipeline', { decoder: { ...PAIR.decoder, pipeline: [{}] } }],
    ['a recurrent decoder', { ...PAIR, decoder: { ...PAIR.decoder, inputs: { rnn_states_prev: 'r' } } }],
    ['an encoder without a graph', { ...PAIR, encoder: {} }],
  ])('gives no graph where its config names %s, which loading refuses', async (_, model) => {
    const graphs = Object.fromEntries(['e', 'd', 'v', 's'].map((name) => [`${name}.onnx`, graphOf(name)]));
    await open({ 'genai_config.json': config(model), ...graphs });
    expect(await kept()).toEqual(['genai_config.json']);
  });

  test.each([
    ['that is not there', 'decoder', 'gone.onnx'],
    ['outside', 'decoder', '../named.onnx'],
    ['of an encoder that is not there', 'encoder', 'gone.onnx'],
  ])('is refused where its config names a graph %s', async (_, part, filename) => {
    const model = { decoder: { filename: 'named.onnx' }, [part]: { filename } };
    await open({ 'genai_config.json': config(model), 'named.onnx': graphOf('named') });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'genai_config.json', field: `model.${part}.filename`, received: filename },
    });
  });

  test.each(['null', '{"model": null}', '{"model": {"decoder": {"filename": 1}}}', '{'])(
    'gives graphs by their usual names where its config is %s',
    async (text) => {
      await open({ 'genai_config.json': text, 'model.onnx': graphOf('usual') });
      expect(await kept()).toEqual(['genai_config.json', 'model.onnx']);
    },
  );
});

describe('one of several precisions', () => {
  const EXPORT = contentOf(
    'config.json tokenizer.json model.safetensors onnx/encoder_model.onnx onnx/encoder_model_fp16.onnx onnx/decoder_model_merged.onnx onnx/decoder_model_merged_fp16.onnx onnx/decoder_model_merged_fp16.onnx_data onnx/decoder_model_merged_quantized.onnx onnx/encoder_model_quantized.onnx onnx/decoder_model_merged_q4.onnx'.split(
      ' ',
    ),
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
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': graphOf('q4'), 'onnx/model.ort': 'plain' });
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
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': graphOf('q4') });
    expect(await kept({})).toEqual(['config.json', 'onnx/model_q4.onnx']);
    await server.stop();
    await open({ 'config.json': '{}', 'onnx/model_q4.onnx': graphOf('q4'), 'onnx/model_fp16.onnx': graphOf('half') });
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

  test.each<[string, Readonly<Record<string, string | Uint8Array>>, Partial<HubOptions>, string]>([
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
