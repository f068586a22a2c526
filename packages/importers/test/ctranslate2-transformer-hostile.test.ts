import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, type ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { describe, expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel, inspectWeights } from '../src/index.js';
import { copyOf, edited, mutator, VALUE, withAlias, withConfig, withJson } from './ctranslate2-fixtures.js';
import { expectReadOrRefused } from './mutated-files.js';

const GOLDENS = fileURLToPath(new URL('goldens/ctranslate2/', import.meta.url));
const kindAt = (kind: string): string => join(GOLDENS, kind);

const inspectFailure = (folder: string): Promise<ForetokenError> => refusal(() => inspectWeights(folder));

const OPUS = 'opus-int8_float32';
const NLLB = 'nllb-float16';
const ONMT = 'onmt-bfloat16';
const ARGOS = 'argos-int16';
const TF = 'tf-int8_bfloat16';
const T5 = 't5-float32';
const other = (name: string): string => `${name.slice(0, -1)}x`;

describe('an encoder-decoder of CTranslate2', () => {
  it.each([
    [OPUS, 'TransformerSpec', 0, [8], 'spec revision'],
    [OPUS, 'decoder/start_from_zero_embedding', -2, [120], `variable ${other('decoder/start_from_zero_embedding')}`],
    [OPUS, 'encoder/activation', VALUE, [5], 'decoder/activation'],
    [OPUS, 'decoder/activation', VALUE, [0], 'decoder/activation'],
    [OPUS, 'decoder/pre_norm', VALUE, [1], 'decoder/pre_norm'],
    [OPUS, 'decoder/alibi', VALUE, [1], 'decoder/alibi'],
    [NLLB, 'encoder/multi_query_attention', VALUE, [1], 'encoder/multi_query_attention'],
    [NLLB, 'decoder/scale_embeddings', VALUE, [0, 0, 0, 64], 'decoder/scale_embeddings'],
    [NLLB, 'decoder/layer_norm/gamma', -2, [120], `variable ${other('decoder/layer_norm/gamma')}`],
    [T5, 'decoder/scale_outputs', VALUE, [0, 0, 0, 64], 'decoder/scale_outputs'],
    [T5, 'decoder/layer_1/attention/queries_scale', VALUE, [0, 0, 0, 64], 'decoder/layer_1/attention/queries_scale'],
    [
      T5,
      'decoder/layer_0/self_attention/relative_attention_max_distance',
      VALUE,
      [9],
      'decoder/layer_1/self_attention/relative_attention_max_distance',
    ],
    [T5, 'decoder/start_from_zero_embedding', VALUE, [1], 'decoder/start_from_zero_embedding'],
  ] as const)('%s with another %s is refused by its name', async (kind, name, after, bytes, field) => {
    const error = await inspectFailure(await edited(kindAt(kind), name, after, bytes));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file: 'model.bin', field } });
  });

  it.each([
    'rotary_dim',
    'sliding_window',
    'num_heads_kv',
    'relative_position_keys',
    'relative_asymmetric_position_keys',
    'q_norm/gamma',
    'head_dim',
  ])('with a variable %s is refused by its name', async (last) => {
    const name = `encoder/layer_0/self_attention/${last}`;
    const folder = await withAlias(kindAt(NLLB), name, 'encoder/layer_norm/gamma');
    expect(await inspectFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { field: `variable ${name}` },
    });
  });

  it.each([
    [NLLB, { multi_query_attention: true }, 'multi_query_attention'],
    [NLLB, { quantization_type: 1 }, 'quantization_type'],
    [NLLB, { layer_norm_epsilon: 1e-6 }, 'layer_norm_epsilon'],
    [T5, { layer_norm_epsilon: 1e-5 }, 'layer_norm_epsilon'],
    [NLLB, { decoder_start_token: null }, 'decoder_start_token of config.json'],
    [ARGOS, { add_source_bos: true }, 'add_source_bos'],
  ])('%s with %j is not supported', async (kind, fields, field) => {
    expect(await inspectFailure(await withConfig(kindAt(kind), fields))).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { field },
    });
  });

  it.each([
    [NLLB, { eos_token: '</t>' }, 'eos_token'],
    [NLLB, { decoder_start_token: 7 }, 'decoder_start_token'],
    [NLLB, { unk_token: ['<unk>'] }, 'unk_token'],
    [TF, { add_source_eos: 'yes' }, 'add_source_eos'],
  ])('%s with %j is refused by that field', async (kind, fields, field) => {
    expect(await inspectFailure(await withConfig(kindAt(kind), fields))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'config.json', field },
    });
  });

  it.each([
    ['of a token less', (tokens: string[]) => tokens.slice(1), 'encoder/embeddings_0/weight'],
    ['with a token twice', (tokens: string[]) => [tokens[5], ...tokens.slice(1)], '5'],
    ['with a number', (tokens: string[]) => [7, ...tokens.slice(1)], '0'],
    ['that is an object', () => ({}), 'the whole file'],
  ])('with a vocabulary %s is refused', async (_, change, field) => {
    const folder = await withJson(kindAt(NLLB), 'shared_vocabulary.json', change as (content: never) => unknown);
    expect(await inspectFailure(folder)).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field } });
  });

  it('without a vocabulary says which files are missing', async () => {
    const folder = await copyOf(kindAt(ONMT));
    await rm(join(folder, 'target_vocabulary.txt'));
    const error = await inspectFailure(folder);
    expect(error.code).toBe('UNSUPPORTED_MODEL');
    expect(error.message).toContain('target_vocabulary.json');
  });

  it('with the SentencePiece model of another is refused while it is imported', async () => {
    const folder = await copyOf(kindAt(NLLB));
    await writeFile(
      join(folder, 'shared_vocabulary.json'),
      JSON.stringify(
        (JSON.parse(await readFile(join(folder, 'shared_vocabulary.json'), 'utf8')) as string[]).map((token, id) =>
          id < 4 ? token : `other${id}`,
        ),
      ),
    );
    await expect(importModel(folder, join(await temporaryFolder(), 'model'))).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringContaining('different models'),
    });
  });

  it('with several SentencePiece models asks for those of the model', async () => {
    const folder = await copyOf(kindAt(NLLB));
    await cp(join(folder, 'sentencepiece.bpe.model'), join(folder, 'another.model'));
    expect(await inspectFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { file: 'another.model' },
    });
  });

  it('with a tokenizer.json of other ids, or one that does not end sources, is refused', async () => {
    const folder = await copyOf(kindAt(TF));
    for (const file of await readdir(folder)) if (file.endsWith('.spm')) await rm(join(folder, file));
    const tokens = JSON.parse(await readFile(join(folder, 'shared_vocabulary.json'), 'utf8')) as string[];
    const tokenizer = (vocabulary: readonly string[]) =>
      JSON.stringify({
        version: '1.0',
        added_tokens: ['<blank>', '<s>', '</s>', '<unk>'].map((content) => ({
          id: vocabulary.indexOf(content),
          content,
          special: true,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
        })),
        normalizer: null,
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
        post_processor: null,
        decoder: null,
        model: { type: 'Unigram', unk_id: 3, vocab: vocabulary.map((token, id) => [token, -id]), byte_fallback: false },
      });
    await writeFile(join(folder, 'tokenizer.json'), tokenizer([...tokens.slice(0, 6), ...tokens.slice(6).reverse()]));
    expect(await inspectFailure(folder)).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'tokenizer.json', field: '6' },
    });
    await writeFile(join(folder, 'tokenizer.json'), tokenizer(tokens));
    expect(await inspectFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { field: 'add_source_eos' },
    });
  });
});

describe('a folder without a SentencePiece model', () => {
  it.each([OPUS, ONMT])('%s: reads and writes token ids, and says what to add for text', async (kind) => {
    const folder = await copyOf(kindAt(kind));
    for (const file of await readdir(folder)) if (/\.(spm|model)$/.test(file)) await rm(join(folder, file));
    const { notes, manifest } = await inspectWeights(folder);
    expect(manifest.tokenizer).toBeUndefined();
    expect(notes.map(({ message }) => message).join()).toMatch(/token ids only.*source\.spm and target\.spm/);
    const [plain, whole] = [join(await temporaryFolder(), 'plain'), join(await temporaryFolder(), 'whole')];
    await importModel(folder, plain);
    await importModel(kindAt(kind), whole);
    const request = { sources: [Int32Array.of(5, 7, 9, 0)], maxNewTokens: 6 };
    const said: number[][] = [];
    for (const path of [plain, whole]) {
      const model = await loadModel(path, { threads: 1 });
      try {
        const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
        said.push([...results[0].best.tokenIds]);
        if (path !== plain) continue;
        const words = /names no tokenizer.*beside its weights.*foretoken import/;
        const refused = { code: 'UNSUPPORTED_CAPABILITY', message: expect.stringMatching(words) };
        await expect(model.decode('a text', greedy())).rejects.toMatchObject(refused);
        expect(() => model.tokenizer).toThrow(expect.objectContaining(refused));
      } finally {
        await model.dispose();
      }
    }
    expect(said[0]).toEqual(said[1]);
    expect(said[0].length).toBeGreaterThan(0);
  });

  it('with byte pairs of another program is one, too', async () => {
    const folder = await copyOf(kindAt(ARGOS));
    await rm(join(folder, 'sentencepiece.model'));
    await writeFile(join(folder, 'bpe.model'), '#version: 0.2\n');
    expect((await inspectWeights(folder)).manifest.tokenizer).toBeUndefined();
  });
});

describe('mutated files', () => {
  it.each([
    [OPUS, 'model.bin', ['coder/', 'Transformer', 'weight', 'num_heads', 'norm']],
    [T5, 'model.bin', ['coder/', 'relative', 'weight', 'scale', 'norm']],
    [NLLB, 'config.json', ['token', 'true', 'false', '<']],
    [NLLB, 'shared_vocabulary.json', ['"', ',', '<']],
  ] as const)('of %s: %s is read, or refused by code with a file', async (kind, file, texts) => {
    const folder = await copyOf(kindAt(kind));
    const path = join(folder, file);
    await expectReadOrRefused(folder, path, mutator(await readFile(path), texts), { times: 300 });
  });
});
