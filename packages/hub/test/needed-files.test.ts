import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fetchFromHub } from '../src/index.js';
import { downloads, open, options, refusal } from './hub-folder.js';

const INDEX = 'model.safetensors.index.json';
const indexOf = (...shards: unknown[]): string =>
  JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, at) => [`tensor.${at}`, shard])) });

/** The files that were fetched, of a repository that holds these. */
async function fetched(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await open(files);
  const { folder } = await fetchFromHub('hub:owner/name', options());
  return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
}

describe('shards', () => {
  test.each([
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ['model-1-of-2.safetensors', 'model-2-of-2.safetensors'],
    ['part a.safetensors', 'часть (2).safetensors'],
    ['consolidated.00.safetensors', 'consolidated.01.safetensors'],
    ['layers+head.safetensors'],
  ])('%s come by whatever names the index has for them, and no others', async (...shards) => {
    const others = ['model-00001-of-00009.safetensors', 'consolidated.safetensors'];
    const content = Object.fromEntries([...shards, ...others].map((name) => [name, name]));
    const names = await fetched({ 'config.json': '{}', [INDEX]: indexOf(...shards, ...shards), ...content });
    expect(names).toEqual(['config.json', INDEX, ...shards].sort());
    expect(downloads().filter((url) => url.endsWith(INDEX))).toHaveLength(1);
    const count = downloads().length;
    await fetchFromHub('hub:owner/name', options());
    expect(downloads()).toHaveLength(count);
  });

  test.each([
    ['one that is not there', indexOf('a.safetensors', 'b.safetensors'), 'b.safetensors'],
    ['one outside', indexOf('../../a.safetensors'), '../../a.safetensors'],
    ['a number', indexOf(7), '7'],
    ['none', '{}', '{}'],
    ['a list', '[1]', '[1]'],
    ['a page', '<!doctype html>', '<!doctype html>'],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1', 'version'],
  ])('of an index that names %s are refused before they are downloaded', async (_, index, words) => {
    await open({ 'config.json': '{}', [INDEX]: index, 'a.safetensors': 'a' });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: INDEX, field: 'weight_map' } });
    expect(error.message).toContain(words);
    expect(downloads()).toHaveLength(1);
  });

  test('of an index that is gigantic are refused', async () => {
    await open({ 'config.json': '{}', [INDEX]: ' '.repeat(17 * 1024 ** 2) });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: INDEX } });
    expect(downloads()).toEqual([]);
  });
});

describe('weights in other formats', () => {
  test.each([
    [
      'of CTranslate2',
      ['model.bin', 'config.json', 'tokenizer.json', 'vocabulary.json', 'chat_template.jinja'],
      ['vocabulary.txt', 'README.md'],
    ],
    [
      'of Marian',
      ['model.enru.intgemm8.bin', 'srcvocab.enru.spm', 'trgvocab.enru.spm', 'lex.50.50.enru.s2t.bin'],
      ['README.md', 'deep/x.bin'],
    ],
    [
      'of CTranslate2, with lists of tokens and pieces',
      ['model.bin', 'config.json', 'shared_vocabulary.json', 'flores200_spm.model', 'vocab.en.spm'],
      ['vocabulary.txt', 'other/sentencepiece.model'],
    ],
    [
      'of NumPy, beside a vocabulary and what is no model',
      ['weights.npz', 'config.json'],
      ['vocab.en.spm', 'training_args.bin'],
    ],
    ['of NumPy', ['weights.npz', 'config.json', 'tokenizer.json'], ['notes.txt']],
  ])('%s come with what describes them', async (_, needed, others) => {
    const names = await fetched(Object.fromEntries([...needed, ...others].map((name) => [name, name])));
    expect(names).toEqual([...needed].sort());
  });
});
