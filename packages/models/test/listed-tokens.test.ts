import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readListedTokens } from '../src/families/onnx-export/listed-tokens.js';
import { loadModel } from '../src/index.js';
import { exportCopy, exportFolder } from './export-folders.js';
import { refusal } from './folder-fixtures.js';

const GOOD = new Uint8Array(await readFile(join(exportFolder('speech-ort'), 'tokenizer.bin')));
const read = (bytes: Uint8Array) =>
  readListedTokens({ path: 'a folder', has: async () => true, read: async () => bytes });
const listed = (...tokens: readonly string[]): Uint8Array =>
  Buffer.concat(tokens.map((token) => Buffer.concat([Buffer.of(Buffer.byteLength(token)), Buffer.from(token)])));

describe('a list of tokens', () => {
  it('says how many there are, and which begins and ends outputs', async () => {
    const { configs } = await read(listed('a', '</s>', '<s>', '<unk>'));
    expect(configs).toEqual({
      path: 'a folder',
      file: 'tokenizer.bin',
      config: { vocab_size: 4, bos_token_id: 2, eos_token_id: 1 },
      origins: { vocab_size: { field: 'tokens' }, bos_token_id: { field: '<s>' }, eos_token_id: { field: '</s>' } },
    });
    const long = 'x'.repeat(300);
    const bytes = Buffer.concat([listed('<unk>', '<s>', '</s>'), Buffer.of(128 + (300 % 128), 2), Buffer.from(long)]);
    expect((await read(bytes)).configs.config.vocab_size).toBe(4);
  });

  it.each([
    ['that is empty', new Uint8Array(), '<unk>'],
    ['without a token that ends', listed('<unk>', '<s>', 'a'), '</s>'],
    ['without a token that begins', listed('<unk>', '</s>', 'a'), '<s>'],
    ['with a token twice', listed('<unk>', '<s>', '</s>', 'a', 'a'), 'tokens[4]'],
    ['that ends in a token', GOOD.subarray(0, GOOD.length - 3), expect.stringMatching(/^tokens\[\d+\]$/)],
    ['that ends in a length', Buffer.concat([GOOD, Buffer.of(200)]), expect.stringMatching(/^tokens\[\d+\]$/)],
  ] as const)('%s is refused, with the field', async (_, bytes, field) => {
    const error = await refusal(() => read(bytes));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'tokenizer.bin', field } });
    expect(error.message).toMatch(/Fetch/);
  });

  it('of another model is refused by its length', async () => {
    const folder = await exportCopy('speech-ort');
    await writeFile(join(folder, 'tokenizer.bin'), Buffer.concat([GOOD, listed('one more')]));
    const error = await refusal(() => loadModel(folder, { probe: false }));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'tokenizer.bin', field: 'tokens' },
    });
  });

  it('that was changed anywhere is read or refused', async () => {
    const change = fc.array(fc.tuple(fc.nat(GOOD.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const holds = async (changes: readonly (readonly [number, number])[]): Promise<void> => {
      const bytes = Uint8Array.from(GOOD);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        const { configs } = await read(bytes);
        expect(configs.config.vocab_size).toBeLessThanOrEqual(GOOD.length);
      } catch (error) {
        if (!ForetokenError.isInstance(error)) throw error;
        expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'tokenizer.bin' } });
      }
    };
    await fc.assert(fc.asyncProperty(change, holds), { seed: 17, numRuns: 200 });
  });
});
