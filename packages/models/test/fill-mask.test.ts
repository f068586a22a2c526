import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { importModel } from '@foretoken/importers';
import { nat } from '@foretoken/one-shot';
import { easyFirst, maskedDiffusion, maskPredict } from '@foretoken/refine';
import { describe, expect, it } from 'vitest';
import { type FillMaskManifest, type FillMaskOutput, loadModel, openModelFolder } from '../src/index.js';
import {
  alteredWeights,
  FILL_MASK_KINDS,
  fillMaskFolder,
  fillMaskGoldens,
  fillMaskWeights,
} from './fill-mask-fixtures.js';
import { refusal, temporaryFolder } from './folder-fixtures.js';

const load = (folder: string) => loadModel<string, FillMaskOutput>(folder, { probe: false });
const numbers = (values: Iterable<number>): number[] => [...values];

describe.each(FILL_MASK_KINDS)('%s as transformers computes it', async (kind) => {
  const { rows, mask, maskTokenId } = await fillMaskGoldens(kind);
  const model = await load(await fillMaskFolder(kind));
  const canvas = model.part('canvas');
  const texts = rows.map(({ text }) => text);
  const sources = rows.map(({ source }) => Int32Array.from(source));

  it('reads texts as its tokenizer does', () => {
    expect(canvas.maskTokenId).toBe(maskTokenId);
    for (const { text, source } of rows) expect(numbers(model.tokenizer.encode(text, 'prompt'))).toEqual(source);
    expect(model.processor.input).toBe(`a text with ${mask} in it`);
  });

  it('scores masks to 1e-4, beside other texts too', async () => {
    await using session = await canvas.open(sources);
    const canvases = rows.map(({ atOnce }, row) => ({
      row,
      tokenIds: new Int32Array(atOnce.length).fill(maskTokenId),
    }));
    const all = await session.fill(canvases, { kind: 'logits' });
    for (const [row, { logits }] of all.entries()) {
      const expected = rows[row].logits.flat();
      expect(logits.length).toBe(expected.length);
      const worst = expected.reduce((max, value, at) => Math.max(max, Math.abs(value - logits[at])), 0);
      expect(worst).toBeLessThan(1e-4);
    }
  });

  it('fills all masks at once, with the candidates and their probabilities', async () => {
    const results = await model.decode(texts, nat({ alternatives: 5 }));
    for (const [row, { text, tokenIds, fills, alternatives = [] }] of results.entries()) {
      const { atOnce, filled, candidates, probabilities, spelled } = rows[row];
      expect(numbers(tokenIds)).toEqual(atOnce);
      expect(text).toBe(filled);
      expect(alternatives.map((one) => numbers(one.tokenIds))).toEqual(candidates);
      for (const [at, { text: said, candidates: told = [] }] of fills.entries()) {
        // Tokens that no text shows are spelled as the vocabulary does.
        if (spelled[at] !== '') expect(said).toBe(spelled[at]);
        expect(told[0].text).toBe(said);
        for (const [rank, { probability }] of told.entries()) {
          expect(probability).toBeCloseTo(probabilities[at][rank], 5);
        }
      }
    }
  });

  it('fills one mask after the other, the surest first', async () => {
    const results = await model.decode(texts, maskedDiffusion());
    expect(results.map(({ tokenIds }) => numbers(tokenIds))).toEqual(rows.map(({ oneByOne }) => oneByOne));
  });

  it('is refined by every strategy on canvases, which counts its masks alone', async () => {
    for (const decoder of [maskPredict({ iterations: 3 }), easyFirst({ iterations: 3 })]) {
      const results = await model.decode(texts, decoder);
      for (const [row, { tokenIds, text }] of results.entries()) {
        expect(tokenIds.length).toBe(rows[row].atOnce.length);
        expect(tokenIds.includes(maskTokenId)).toBe(false);
        expect(text).not.toContain(mask);
      }
      const alone = await model.decode(texts[1], decoder);
      expect(numbers(alone.tokenIds)).toEqual(numbers(results[1].tokenIds));
    }
    // Three masks, of which 2 and then 1 are masked again (Ghazvininejad et al., 2019).
    const { statistics } = await collect(maskPredict({ iterations: 3 }).decode(canvas, { sources: [sources[2]] }));
    expect(statistics.forwards).toBe(3);
  });
});

describe('a text with masks', async () => {
  const model = await load(await fillMaskFolder('bert'));
  const canvas = model.part('canvas');

  it('may be told how its first masks are filled', async () => {
    const source = model.tokenizer.encode('a [MASK] dog [MASK]', 'prompt');
    const given = Int32Array.of(16);
    const { results } = await collect(nat().decode(canvas, { sources: [source], outputPrefixes: [given] }));
    const alone = await model.decode('a big dog [MASK]', nat());
    expect(model.tokenizer.decode(given)).toBe('big');
    expect(numbers(results[0].best.tokenIds)).toEqual([16, ...alone.tokenIds]);
  });

  it('has more tokens at its last mask where it is told a length', async () => {
    const longer = await model.decode('rome and [MASK].', nat(), { lengths: 3 });
    const masks = await model.decode('rome and [MASK][MASK][MASK].', nat());
    expect(numbers(longer.tokenIds)).toEqual(numbers(masks.tokenIds));
    expect(longer.text).toBe(masks.text);
    expect(longer.text).toMatch(/^rome and.*\.$/);
  });

  it('is refused where there is nothing to fill, too little room, or no mask of this model', async () => {
    const decode = (text: string, lengths?: number) => refusal(() => model.decode(text, nat(), { lengths }));
    const none = await decode('The capital of France is <mask>.');
    expect(none).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: '[MASK]' } });
    expect(none.message).toMatch(/has no \[MASK\].*Write \[MASK\] where a word is wanted/);
    expect(await decode('a [MASK] dog [MASK]', 1)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { min: 2 } });
    expect(await decode('a [MASK]', 24)).toMatchObject({ code: 'LENGTH_LIMIT' });
    expect(await decode(`${'a '.repeat(24)}[MASK]`)).toMatchObject({ code: 'SOURCE_TOO_LONG' });
    expect(await refusal(() => canvas.open([Int32Array.of(2, 5, 3)]))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusal(() => model.decode('[MASK]', nat({ alternatives: 3, deduplicate: true })))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'alternatives' },
    });
  });

  it('gives no stream, since it does not grow from left to right', async () => {
    const stream = async () => {
      for await (const text of model.stream('a [MASK]', nat())) expect(text).toBeDefined();
    };
    expect(await refusal(stream)).toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });
});

describe('what the importer refuses', () => {
  const importing = async (weights: string, options = {}) =>
    refusal(async () => importModel(weights, join(await temporaryFolder(), 'model'), options));
  const config = (kind: string, changed: object) =>
    alteredWeights(kind, 'config.json', (content) => ({ ...content, ...changed }));

  it.each([
    ['a decoder', { is_decoder: true }, 'UNSUPPORTED_MODEL', 'is_decoder'],
    ['a decoder that reads a source', { add_cross_attention: true }, 'UNSUPPORTED_MODEL', 'add_cross_attention'],
    [
      'distances for positions',
      { position_embedding_type: 'relative_key' },
      'UNSUPPORTED_MODEL',
      'position_embedding_type',
    ],
    ['an activation unknown', { hidden_act: 'snake' }, 'UNSUPPORTED_MODEL', 'hidden_act'],
    ['a network of another design', { model_type: 'modernbert' }, 'UNSUPPORTED_MODEL', 'model_type'],
    ['heads that do not divide the width', { num_attention_heads: 5 }, 'INVALID_MODEL_FOLDER', 'num_attention_heads'],
    ['another width', { hidden_size: 16 }, 'INVALID_MODEL_FOLDER', undefined],
    ['more layers than there are', { num_hidden_layers: 3 }, 'INVALID_MODEL_FOLDER', undefined],
    ['other token types', { type_vocab_size: 3 }, 'INVALID_MODEL_FOLDER', undefined],
    ['a number of layers that is none', { num_hidden_layers: '2' }, 'INVALID_MODEL_FOLDER', 'num_hidden_layers'],
    ['padding outside the vocabulary', { pad_token_id: 9999 }, 'INVALID_MODEL_FOLDER', 'pad_token_id'],
    ['a table of scores that is not there', { tie_word_embeddings: false }, 'INVALID_MODEL_FOLDER', undefined],
  ])('%s', async (_, changed, code, field) => {
    const error = await importing(await config('bert', changed));
    expect(error).toMatchObject({ code });
    if (field !== undefined) expect(error.details).toMatchObject({ field });
    expect(error.message).toMatch(/required|requires|must be|needs|support/);
  });

  it('a table of positions without room for a text', async () => {
    const error = await importing(await config('roberta', { max_position_embeddings: 2 }));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'max_position_embeddings' } });
  });

  it('weights of another task, by the head that is missing', async () => {
    const weights = await config('bert', { model_type: 'roberta', architectures: ['RobertaForTokenClassification'] });
    const error = await importing(weights);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'lm_head.dense.weight' } });
    expect(error.message).toContain('ForMaskedLM');
  });

  it('a tokenizer without a mask, and a mask that the tokenizer does not have', async () => {
    const unnamed = await alteredWeights('bert', 'tokenizer_config.json', ({ mask_token: _, ...others }) => others);
    await importModel(unnamed, join(await temporaryFolder(), 'model'));
    const path = join(unnamed, 'tokenizer.json');
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('[MASK]', '[HIDE]'));
    const none = await importing(unnamed);
    expect(none).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'added_tokens' } });
    expect(none.message).toMatch(/has no mask token.*mask_token in tokenizer_config.json/);
    const other = await alteredWeights('bert', 'tokenizer_config.json', (content) => ({
      ...content,
      mask_token: '<m>',
    }));
    const error = await importing(other);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'mask_token', received: '<m>' } });
  });

  it.each([['vocab.txt'], ['tokenizer.model'], ['merges.txt', 'vocab.json']])(
    '%s without a tokenizer.json, with what makes one of it',
    async (file, ...others) => {
      const folder = await alteredWeights('bert', 'config.json', (content) => content);
      await rename(join(folder, 'tokenizer.json'), join(folder, file));
      for (const other of others) await writeFile(join(folder, other), '{}');
      const error = await importing(folder);
      expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { file, required: 'tokenizer.json' } });
      expect(error.message).toContain('save_pretrained');
    },
  );

  it('options of other models', async () => {
    for (const options of [{ ctc: 'x' }, { stepLayout: 'body' }, { weights: 'int8' }]) {
      expect(await importing(fillMaskWeights('bert'), options)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('a folder', () => {
  it('says what it reads, in half precision too', async () => {
    const folder = await fillMaskFolder('roberta', { weights: 'float16' });
    const { manifest } = await openModelFolder(folder);
    expect((manifest as FillMaskManifest).canvas).toMatchObject({ mask: '<mask>', maxCandidates: 64 });
    expect(manifest.limits).toEqual({ sourceLength: 64, targetLength: 64 });
    await using model = await load(folder);
    expect(model.description.facts).toContainEqual(['reads', 'a text with <mask> in it']);
    const { rows } = await fillMaskGoldens('roberta');
    const { text } = await model.decode(rows[0].text, nat());
    expect(text).toBe(rows[0].filled);
  });
});
