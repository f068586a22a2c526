import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { describe, expect, test } from 'vitest';
import { refusal } from '../../models/test/folder-fixtures.js';
import { TINY, writeTinyMarian } from '../../models/test/tiny-marian.js';
import { importModel } from '../src/index.js';
import { editJson } from './import-fixtures.js';

const GOLDENS = fileURLToPath(new URL('../../models/test/goldens/', import.meta.url));
const golden = JSON.parse(await readFile(join(GOLDENS, 'marian-tokenizer.json'), 'utf8')) as {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly encoded: readonly { text: string; ids: number[] }[];
};

/** A weights folder as OPUS-MT models are published: SentencePiece models and no tokenizer.json. */
async function opusFolder(): Promise<string> {
  const vocabularySize = Object.keys(golden.vocabulary).length;
  const weights = await writeTinyMarian({ ...TINY, vocabularySize });
  await rm(join(weights, 'tokenizer.json'));
  await editJson(weights, 'config.json', { eos_token_id: 0 });
  await copyFile(join(GOLDENS, 'sentencepiece/unigram.spm'), join(weights, 'source.spm'));
  await copyFile(join(GOLDENS, 'sentencepiece/bpe.spm'), join(weights, 'target.spm'));
  await writeFile(join(weights, 'vocab.json'), JSON.stringify(golden.vocabulary));
  return weights;
}

describe('a weights folder with SentencePiece models only', () => {
  test('is imported, loaded and decodes; its ids are those of the original tokenizer', async () => {
    const weights = await opusFolder();
    const target = join(weights, 'model');
    const manifest = await importModel(weights, target);
    expect(manifest.tokenizer).toEqual({ source: 'source.spm', target: 'target.spm', vocabulary: 'vocab.json' });
    expect(manifest.vocabulary.unknownTokenId).toBe(golden.vocabulary['<unk>']);
    await using model = await loadModel(target, { probe: false });
    for (const { text, ids } of golden.encoded) expect([...model.tokenizer.encode(text)]).toEqual(ids);
    const { text, tokenIds } = await model.decode('A man rides a horse.', greedy(), { maxNewTokens: 12 });
    expect(text).toBe(model.tokenizer.decode(tokenIds));
  });

  test('counts before a tokenizer.json beside it, which only comes near', async () => {
    const weights = await opusFolder();
    await writeFile(join(weights, 'tokenizer.json'), '{}');
    expect((await importModel(weights, join(weights, 'model'))).tokenizer).toMatchObject({ source: 'source.spm' });
  });

  test.each(['source.spm', 'target.spm', 'vocab.json'])('is refused, by name, when %s is damaged', async (file) => {
    for (const content of ['', '<!doctype html><html></html>', 'version https://git-lfs.github.com/spec/v1']) {
      const weights = await opusFolder();
      await writeFile(join(weights, file), content);
      const error = await refusal(() => importModel(weights, join(weights, 'model')));
      expect(error.code).toBe('INVALID_MODEL_FOLDER');
      expect(error.message).toContain(file);
    }
  });
});
