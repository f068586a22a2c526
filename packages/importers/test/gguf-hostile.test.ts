import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';
import { GgufFields } from '../src/readers/gguf/gguf-fields.js';
import { openGgufFolder } from '../src/readers/gguf/gguf-folder.js';
import { ggufTokenizer } from '../src/readers/gguf/gguf-tokenizer.js';
import { openGguf } from '../src/readers/gguf/open-gguf.js';
import { expectReadOrRefused, picker } from './mutated-files.js';
import { turnsOf } from './turns.js';

const FOLDER = fileURLToPath(new URL('goldens/gguf/', import.meta.url));
const GOOD = await readFile(join(FOLDER, 'llama-byte-level.gguf'));

async function fileOf(content: Uint8Array | string): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'model.gguf'), content);
  return { folder, file: 'model.gguf' };
}

/** The good file with other bytes where a text stands, `after` bytes behind its end. */
function edited(text: string, after: number, bytes: readonly number[]): Uint8Array {
  const at = GOOD.indexOf(text);
  expect(at, text).toBeGreaterThan(0);
  const content = Uint8Array.from(GOOD);
  content.set(bytes, at + text.length + after);
  return content;
}

/** Eight bytes, little-endian. */
const long = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(value).buffer)];
const HUGE = long(2n ** 63n - 1n);
// After the name of a matrix: its rank (4 bytes), two dimensions (8 each), its type (4), its offset (8).
const TENSOR = 'blk.0.ffn_down.weight';

describe('a GGUF file', () => {
  it.each([
    ['that is empty', () => new Uint8Array(), 'the beginning'],
    ['that ends in its header', () => GOOD.subarray(0, 1000), undefined],
    ['whose data end early', () => GOOD.subarray(0, GOOD.length - 1), undefined],
    ['that counts too many tensors', () => Uint8Array.from(GOOD).fill(255, 8, 15), 'tensor count'],
    ['that counts too many fields', () => Uint8Array.from(GOOD).fill(255, 16, 23), 'metadata count'],
    ['with a key longer than itself', () => Uint8Array.from(GOOD).fill(255, 24, 31), 'metadata key 0 length'],
    ['with an unknown kind of value', () => edited('general.architecture', 0, [99]), 'general.architecture type'],
    ['with a list longer than itself', () => edited('tokenizer.ggml.merges', 8, HUGE), 'tokenizer.ggml.merges length'],
    ['with lists of an unknown kind', () => edited('tokenizer.ggml.merges', 4, [77]), 'tokenizer.ggml.merges type'],
    ['with a gigantic shape', () => edited(TENSOR, 4, HUGE), `tensor "${TENSOR}"`],
    ['with rows of no whole blocks', () => edited(TENSOR, 4, [63]), `tensor "${TENSOR}" shape`],
    ['with a gigantic number of rows', () => edited(TENSOR, 12, HUGE), `tensor "${TENSOR}"`],
    ['with a shape of zero', () => edited(TENSOR, 12, long(0n)), `tensor "${TENSOR}" shape`],
    ['with too many dimensions', () => edited(TENSOR, 0, [200]), `tensor "${TENSOR}" rank`],
    ['with an offset outside', () => edited(TENSOR, 24, HUGE), `tensor "${TENSOR}"`],
    ['with tensors in one another', () => edited(TENSOR, 24, long(0n)), undefined],
    ['with a width that is none', () => edited('llama.embedding_length', 4, [1, 0, 0, 0]), 'llama.embedding_length'],
    ['with layers that are missing', () => edited('llama.block_count', 4, [9, 0, 0, 0]), undefined],
    ['with an end token that is none', () => edited('ggml.eos_token_id', 4, [255, 255, 255, 0]), undefined],
  ] as const)('%s is refused, naming what is wrong', async (_, content, field) => {
    const place = await fileOf(content());
    const target = join(place.folder, 'out');
    const error = await importModel(join(place.folder, place.file), target).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ForetokenError);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.gguf' } });
    if (field !== undefined) expect((error as ForetokenError).details.field).toBe(field);
  });

  it.each([
    ['of another architecture', () => edited('general.architecture', 12, [...Buffer.from('lxxma')]), /llama, qwen2/],
    ['of an unknown tokenizer', () => edited('tokenizer.ggml.pre', 12, [...Buffer.from('smollx')]), /smollm/],
    ['of an unknown quantisation', () => edited(TENSOR, 20, [13]), /Q5_K.*Q8_0 or F16/s],
    ['of a type without a name', () => edited(TENSOR, 20, [250]), /number 250/],
    ['of version 1', () => Uint8Array.from(GOOD).fill(1, 4, 5), /newer llama.cpp/],
    ['of a big-endian machine', () => Uint8Array.from(GOOD).fill(0, 4, 5).fill(3, 7, 8), /big-endian/],
  ] as const)('%s is not supported, and says what is', async (_, content, message) => {
    await expect(openGgufFolder(await fileOf(content()))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 98362432\n', /git lfs pull/],
    ['<!DOCTYPE html><html>Sign in</html>', /web page/],
    ['{"error":"not found"}', /GGUF/],
  ])('that is %j is refused, and says what it is', async (content, message) => {
    await expect(openGguf(await fileOf(content), new Yielder())).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(message),
    });
  });

  it('is found in a folder of its own, and named where there are two', async () => {
    const { folder } = await fileOf(GOOD);
    const manifest = await importModel(folder, join(await temporaryFolder(), 'model'));
    expect(manifest.family).toBe('causal-lm');
    expect(manifest.name).toBe(basename(folder));
    await copyFile(join(folder, 'model.gguf'), join(folder, 'other.gguf'));
    await expect(importModel(folder, join(await temporaryFolder(), 'model'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('model.gguf'),
    });
  });

  it('that changes while it is imported is refused', async () => {
    const place = await fileOf(GOOD);
    const { tensors } = await openGguf(place, new Yielder());
    await writeFile(join(place.folder, place.file), GOOD.subarray(0, GOOD.length - 32));
    const pace = { due: () => false } as never;
    await expect(tensors.get(TENSOR)?.read(pace)).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
  });
});

function mutated(seed: number): Uint8Array {
  const pick = picker(seed);
  // Nearly all of what can be wrong is wrong in the header.
  const header = GOOD.indexOf(TENSOR) + 2000;
  const content = Uint8Array.from(GOOD);
  for (let change = pick(6); change >= 0; change--) {
    const at = pick(pick(4) === 0 ? content.length - 8 : header);
    if (pick(3) === 0) content.set(long(2n ** BigInt(pick(64)) - BigInt(pick(2))), at);
    else content[at] = pick(2) === 0 ? pick(256) : content[at] ^ (1 << pick(8));
  }
  return pick(5) === 0 ? content.subarray(0, pick(content.length)) : content;
}

describe('a folder of several GGUF files', () => {
  it.each([
    [['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'], /--merge .*a-00001-of-00002\.gguf/],
    [['a-Q4_0.gguf', 'a-Q8_0.gguf'], /Name the one to import/],
    [['a-00001-of-00002.gguf', 'b.gguf'], /Name the one to import/],
  ])('%j is refused, and the error says what to do', async (names, words) => {
    const folder = await temporaryFolder();
    for (const name of names) await writeFile(join(folder, name), GOOD);
    const error = await importModel(folder, join(folder, 'out')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL', message: expect.stringMatching(words) });
  });
});

describe('mutated GGUF files', () => {
  it('are read, or refused by code with a file, whatever was changed', async () => {
    const place = await fileOf('');
    const path = join(place.folder, place.file);
    await expectReadOrRefused(path, path, mutated, { read: () => openGgufFolder(place), times: 600 });
  });
});

/** A header of these fields and no tensors; fields are lists of texts. */
function headerOf(lists: Readonly<Record<string, readonly string[]>>): Buffer {
  const number = (value: number, bytes: 4 | 8): Buffer => {
    const written = Buffer.alloc(bytes);
    written.writeUInt32LE(value, 0);
    return written;
  };
  const text = (value: string): Buffer => Buffer.concat([number(Buffer.byteLength(value), 8), Buffer.from(value)]);
  const fields = Object.entries(lists).flatMap(([key, texts]) => [
    text(key),
    number(9, 4),
    number(8, 4),
    number(texts.length, 8),
    ...texts.map(text),
  ]);
  const begin = [Buffer.from('GGUF'), number(3, 4), number(0, 8), number(Object.keys(lists).length, 8)];
  return Buffer.concat([...begin, ...fields]);
}

describe('a large vocabulary', () => {
  const COUNT = 50_000;
  const tokens = Array.from({ length: COUNT }, (_, id) => `t${id}`);
  const merges = tokens.map((token) => `${token} x`);

  it('lets others have their turn while it is read', async () => {
    const place = await fileOf(headerOf({ 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.merges': merges }));
    const turns = await turnsOf(async () => {
      const { metadata } = await openGguf(place, new Yielder());
      expect(metadata.get('tokenizer.ggml.tokens')).toEqual(tokens);
    });
    expect(turns).toBeGreaterThan((2 * COUNT) / 1024);
  });

  it('lets others have their turn while it becomes a tokenizer, and is that', async () => {
    const scores = tokens.map((_, id) => -id);
    const kinds = [...tokens.keys()].map((id) => (id === 0 ? 2 : 1));
    for (const model of ['gpt2', 'llama']) {
      const metadata = new Map<string, never>(
        Object.entries({
          'tokenizer.ggml.model': model,
          'tokenizer.ggml.pre': 'gpt-2',
          'tokenizer.ggml.tokens': tokens,
          'tokenizer.ggml.token_type': kinds,
          'tokenizer.ggml.merges': merges,
          'tokenizer.ggml.scores': scores,
        }) as unknown as [string, never][],
      );
      let written = '';
      const turns = await turnsOf(async () => {
        const fields = new GgufFields({ metadata, tensors: new Map(), types: [] }, { folder: '.', file: 'model.gguf' });
        const { files } = await ggufTokenizer(fields, COUNT, new Yielder());
        written = new TextDecoder().decode(files.get('tokenizer.json'));
      });
      expect(turns, model).toBeGreaterThan((3 * COUNT) / 1024);
      const { model: content, added_tokens: added } = JSON.parse(written);
      expect(content.vocab).toEqual(Object.fromEntries(tokens.map((token, id) => [token, id])));
      expect(added).toHaveLength(1);
      if (model === 'gpt2') expect(content.merges).toEqual(merges.map((merge) => merge.split(' ')));
    }
  });

  it('is read no further after an abort', async () => {
    const place = await fileOf(headerOf({ 'tokenizer.ggml.tokens': tokens }));
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(turnsOf(async () => void (await openGguf(place, new Yielder(stop.signal))))).rejects.toThrow('enough');
  });

  it('with scores that are no numbers is refused', async () => {
    const own = {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['a', 'b'],
      'tokenizer.ggml.scores': [0, NaN],
    };
    const metadata = new Map<string, never>(Object.entries(own) as unknown as [string, never][]);
    const fields = new GgufFields({ metadata, tensors: new Map(), types: [] }, { folder: '.', file: 'model.gguf' });
    await expect(ggufTokenizer(fields, 2, new Yielder())).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { field: 'tokenizer.ggml.scores[1]' },
    });
  });
});
