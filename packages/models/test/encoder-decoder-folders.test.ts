import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importModel, inspectWeights } from '@foretoken/importers';
import type { EncoderDecoderManifest } from '@foretoken/models/internal';
import { describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { encoderDecoderFolder, encoderDecoderWeights } from './encoder-decoder-fixtures.js';
import { temporaryFolder } from './folder-fixtures.js';

async function refusal(act: () => Promise<unknown>): Promise<ForetokenError> {
  const error: unknown = await act().then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ForetokenError) return error;
  throw new Error('nothing was refused', { cause: error });
}

/** The weights of a kind, with fields of config.json changed, or of another file. */
async function weightsOf(
  kind: string,
  fields: Readonly<Record<string, unknown>> = {},
  file = 'config.json',
): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await cp(encoderDecoderWeights(kind), folder, { recursive: true });
  const path = join(folder, file);
  const config: unknown = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...(config as object), ...fields }));
  return folder;
}

async function loaded<Result>(kind: string, use: (model: LoadedModel) => Promise<Result>): Promise<Result> {
  const model = await loadModel(await encoderDecoderFolder(kind), { probe: false });
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

describe('a config that the importer cannot follow', () => {
  it.each([
    ['bart', 'activation_function', 'tanh', 'UNSUPPORTED_MODEL'],
    ['bart', 'add_bias_logits', true, 'UNSUPPORTED_MODEL'],
    ['bart', 'extra_layer_norm', true, 'UNSUPPORTED_MODEL'],
    ['bart', 'decoder_layers', 0, 'INVALID_MODEL_FOLDER'],
    ['bart', 'encoder_attention_heads', 3, 'INVALID_MODEL_FOLDER'],
    ['bart', 'max_position_embeddings', 'many', 'INVALID_MODEL_FOLDER'],
    ['bart', 'scale_embedding', 'yes', 'INVALID_MODEL_FOLDER'],
    ['marian-gelu', 'static_position_embeddings', false, 'UNSUPPORTED_MODEL'],
    ['m2m100', 'd_model', 15, 'INVALID_MODEL_FOLDER'],
    ['t5', 'feed_forward_proj', 'gated-tanh', 'UNSUPPORTED_MODEL'],
    ['t5', 'feed_forward_proj', 7, 'UNSUPPORTED_MODEL'],
    ['t5', 'is_decoder', true, 'UNSUPPORTED_MODEL'],
    ['t5', 'relative_attention_num_buckets', 1, 'INVALID_MODEL_FOLDER'],
    ['t5', 'relative_attention_max_distance', 2, 'INVALID_MODEL_FOLDER'],
    ['t5', 'd_kv', 0, 'INVALID_MODEL_FOLDER'],
    ['t5', 'eos_token_id', null, 'INVALID_MODEL_FOLDER'],
    ['t5', 'model_type', 'umt5', 'UNSUPPORTED_MODEL'],
    // Its pieces have other ids than their places in spiece.model.
    ['mt5', 'model_type', 'pegasus', 'UNSUPPORTED_MODEL'],
  ])('%s with %s = %j is refused by that field', async (kind, field, value, code) => {
    const folder = await weightsOf(kind, { [field]: value });
    await rm(join(folder, 'generation_config.json'), { force: true });
    const error = await refusal(() => inspectWeights(folder));
    expect(error).toMatchObject({ code, details: { field } });
    expect(error.message).toContain(folder);
  });

  it('needs both vocabularies where sources have their own', async () => {
    const folder = await weightsOf('marian-separate');
    await rm(join(folder, 'target_vocab.json'));
    expect(await refusal(() => inspectWeights(folder))).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { file: 'target_vocab.json' },
    });
  });

  it.each(['ctc', 'canvas'] as const)('takes no %s student', async (student) => {
    const target = join(await temporaryFolder(), 'model');
    const error = await refusal(() => importModel(encoderDecoderWeights('bart'), target, { [student]: '/none' }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: student } });
  });

  it('has one layout of its steps', async () => {
    const target = join(await temporaryFolder(), 'model');
    const weights = encoderDecoderWeights('bart');
    expect(await refusal(() => importModel(weights, target, { stepLayout: 'heads' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'stepLayout' },
    });
    expect((await importModel(weights, target, { stepLayout: 'body' })).family).toBe('encoder-decoder');
  });
});

describe('a model of several languages', () => {
  it('names those that it knows, and refuses others', async () => {
    await loaded('mbart50', async (model) => {
      expect(Object.fromEntries(model.description.facts).languages).toContain('unless told, from en_XX to fr_XX');
      for (const [option, code] of [
        ['sourceLanguage', 'xx_XX'],
        ['targetLanguage', 'de'],
        ['targetLanguage', '__proto__'],
      ] as const) {
        const error = await refusal(() => model.decode({ text: 'a dog', [option]: code }, greedy()));
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option, received: code } });
        expect(error.message).toContain('ar_AR, cs_CZ');
      }
      const odd = { text: 'a dog', language: 'de_DE' };
      expect(await refusal(() => model.decode(odd, greedy()))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });

  it('writes one language where its start token is that, and says so', async () => {
    await loaded('mbart', async (model) => {
      const texts = ['ro_RO', undefined].map((targetLanguage) => ({ text: 'a dog runs', targetLanguage }));
      const [same, plain] = await model.decode(texts, greedy(), { maxNewTokens: 5 });
      expect(same.tokenIds).toEqual(plain.tokenIds);
      const error = await refusal(() => model.decode({ text: 'a dog', targetLanguage: 'de_DE' }, greedy()));
      expect(error).toMatchObject({ code: 'UNSUPPORTED_CAPABILITY', details: { capability: 'targetLanguage' } });
    });
  });

  it.each([
    ['m2m100', 1],
    ['mbart50', 1],
    // Of one language, by its start token, and of none.
    ['mbart', 0],
    ['bart', 1],
    ['t5', 0],
  ])('counts the tokens that outputs of %s are forced to begin with: %i', async (kind, count) => {
    await loaded(kind, async (model) => {
      expect(model.part('autoregressive').forcedTokens).toBe(count);
    });
  });

  it('is told of them as its configs say: the place in the source, the list, what outputs begin with', async () => {
    const factsOf = async (kind: string, fields: Readonly<Record<string, unknown>>, file: string) => {
      const { manifest } = await inspectWeights(await weightsOf(kind, fields, file));
      return manifest as EncoderDecoderManifest;
    };
    const tokenizer = 'tokenizer_config.json';
    expect((await factsOf('nllb', { legacy_behaviour: true }, tokenizer)).languages?.sourcePlace).toBe('after');
    expect((await factsOf('nllb', { legacy_behaviour: false }, tokenizer)).languages?.sourcePlace).toBe('before');
    // The list of the WMT shared task of 2021, in the order of its tokens, as transformers has it.
    const wmt = (await factsOf('m2m100', { language_codes: 'wmt21' }, tokenizer)).languages?.tokens ?? {};
    const byToken = Object.entries(wmt).sort(([, a], [, b]) => a - b);
    expect(byToken.map(([code]) => code).join(' ')).toBe('en ha is ja cs ru zh de');
    // What outputs begin with by force is a language, or a token that stays.
    const generation = 'generation_config.json';
    const plain = await factsOf('mbart50', { forced_bos_token_id: null }, generation);
    const [start] = plain.beginning;
    expect(plain.beginning).toEqual([start]);
    expect((await factsOf('mbart50', { forced_bos_token_id: 7 }, generation)).beginning).toEqual([start, 7]);
    const french = plain.languages?.tokens.fr_XX;
    const forced = await factsOf('mbart50', { forced_bos_token_id: french }, generation);
    expect(forced).toMatchObject({ beginning: [start], languages: { target: 'fr_XX' } });
  });

  it('is read in several languages at once', async () => {
    await loaded('m2m100', async (model) => {
      const inputs = [
        { text: 'a dog runs', sourceLanguage: 'fr', targetLanguage: 'en' },
        'a dog runs',
        { text: 'a dog runs', targetLanguage: 'zu' },
      ];
      const results = await model.decode(inputs, greedy(), { maxNewTokens: 6 });
      const { tokens } = (model.manifest as unknown as { languages: { tokens: Record<string, number> } }).languages;
      expect(results.map(({ tokenIds }) => tokenIds[0])).toEqual([tokens.en, tokens.de, tokens.zu]);
      expect(results.map(({ source }) => source[0])).toEqual([tokens.fr, tokens.en, tokens.en]);
      for (const { text } of results) expect(text).not.toMatch(/__/);
      const [alone] = await model.decode([inputs[2]], greedy(), { maxNewTokens: 6 });
      expect(alone.tokenIds).toEqual(results[2].tokenIds);
    });
  });
});

describe('weights of fewer bits', () => {
  it.each([
    ['t5', 'int8'],
    ['mbart50', 'int4'],
    ['marian-separate', 'int8'],
    ['m2m100', 'float16'],
  ] as const)('decode a %s model in %s, alone as together', async (kind, weights) => {
    const model = await loadModel(await encoderDecoderFolder(kind, { weights }), { probe: false });
    const texts = ['a dog runs', 'the old house', 'ja'];
    const inputs = kind === 'mbart50' ? texts.map((text) => ({ text, targetLanguage: 'de_DE' })) : texts;
    const together = await model.decode(inputs, greedy(), { maxNewTokens: 12 });
    for (const [row, input] of inputs.entries()) {
      const alone = await model.decode(input, greedy(), { maxNewTokens: 12 });
      expect(alone.tokenIds).toEqual(together[row].tokenIds);
    }
    await model.dispose();
  });
});
