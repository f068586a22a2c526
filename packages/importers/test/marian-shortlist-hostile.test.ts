import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { encoderDecoderWeights } from '../../models/test/encoder-decoder-fixtures.js';
import { marianShortlistWeights, SHORTLIST_FILE } from '../../models/test/marian-bin-fixtures.js';
import { inspectWeights } from '../src/index.js';
import { importFailure } from './import-fixtures.js';
import { expectReadOrRefused, picker } from './mutated-files.js';

const GOLDENS = fileURLToPath(new URL('../../models/test/goldens/marian-shortlist/', import.meta.url));
const GOOD = await readFile(join(GOLDENS, 'separate', SHORTLIST_FILE));
const HEADER = 48;
const ROWS = Number(GOOD.readBigUInt64LE(32));
const IDS = HEADER + 8 * ROWS;
const HUGE = 2n ** 63n - 1n;

async function folderOf(content: Uint8Array | string): Promise<string> {
  const folder = await marianShortlistWeights('separate');
  await writeFile(join(folder, SHORTLIST_FILE), content);
  return folder;
}

/** The checksum that Marian expects, by big integers. */
function summed(content: Buffer): Buffer {
  let sum = 0n;
  for (let at = 16; at + 8 <= content.length; at += 8) {
    const added = content.readBigUInt64LE(at) + 0x9e3779b9n + BigInt.asUintN(64, sum << 6n) + (sum >> 2n);
    sum ^= BigInt.asUintN(64, added);
  }
  content.writeBigUInt64LE(BigInt.asUintN(64, sum), 8);
  return content;
}

/** The good file with other numbers of 64 or 32 bits, and a checksum that fits. */
function withNumbers(...numbers: readonly (readonly [at: number, value: bigint | number])[]): Buffer {
  const content = Buffer.from(GOOD);
  for (const [at, value] of numbers) {
    if (typeof value === 'bigint') content.writeBigUInt64LE(value, at);
    else content.writeUInt32LE(value, at);
  }
  return summed(content);
}

/** What is wrong, the content, and the field that is named. */
const DEFECTS: readonly (readonly [what: string, content: () => Uint8Array | string, field: string | undefined])[] = [
  ['that ends in its magic', () => GOOD.subarray(0, 6), 'the begin'],
  ['that is empty', () => '', undefined],
  ['that is a web page', () => '<!DOCTYPE html><html>Sign in</html>', 'the begin'],
  ['that Git LFS has elsewhere', () => 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'the begin'],
  ['of another format', () => Buffer.from('the der 0.5\nfox Fuchs 0.5\n'), 'the begin'],
  ['that ends in its header', () => GOOD.subarray(0, 40), 'file size'],
  ['that ends in its offsets', () => GOOD.subarray(0, HEADER + 24), 'file size'],
  ['that ends in its lists', () => GOOD.subarray(0, GOOD.length - 4), 'file size'],
  ['with more behind its end', () => Buffer.concat([GOOD, Buffer.from('more')]), 'file size'],
  ['of another model', () => withNumbers([32, BigInt(ROWS + 1)]), 'the count of offsets'],
  ['that counts too many offsets', () => withNumbers([32, HUGE]), 'the count of offsets'],
  ['that counts too many listed tokens', () => withNumbers([40, HUGE]), 'the count of listed tokens'],
  ['that counts more listed tokens than there are', () => withNumbers([40, 1000n]), 'file size'],
  ['that counts no frequent tokens', () => withNumbers([16, 0n]), 'the count of frequent tokens'],
  ['with a count that no number holds', () => withNumbers([24, HUGE]), 'the count of best tokens'],
  ['whose offsets begin late', () => withNumbers([HEADER, 1n]), 'offset 0'],
  ['whose offsets go back', () => withNumbers([HEADER + 8 * 20, 0n]), 'offset 20'],
  ['whose offsets lie outside', () => withNumbers([HEADER + 8 * 20, 10_000n]), 'offset 20'],
  ['whose offsets end early', () => withNumbers([HEADER + 8 * (ROWS - 1), 100n]), `offset ${ROWS - 1}`],
  ['that lists a token which is none', () => withNumbers([IDS, 48]), 'listed token 0'],
  [
    'whose checksum is wrong',
    () => Buffer.concat([GOOD.subarray(0, 8), Buffer.alloc(8), GOOD.subarray(16)]),
    'the checksum',
  ],
  [
    'with a list that was changed',
    () => Buffer.concat([GOOD.subarray(0, IDS), Buffer.from([7]), GOOD.subarray(IDS + 1)]),
    'the checksum',
  ],
];

describe('a shortlist of Marian', () => {
  it('has the checksum of a sum by big integers', () => {
    expect(summed(Buffer.from(GOOD))).toEqual(GOOD);
  });

  it.each(DEFECTS)(
    '%s is refused, naming what is wrong; without it the model is imported',
    async (_, content, field) => {
      const folder = await folderOf(content());
      const error = await importFailure(folder);
      expect(error).toBeInstanceOf(ForetokenError);
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: SHORTLIST_FILE } });
      if (field !== undefined) expect((error as ForetokenError).details.field).toBe(field);
      expect(await importFailure(folder, { shortlist: false })).toBeUndefined();
    },
  );

  it('that counts more frequent tokens than there are has all tokens always, as in Marian', async () => {
    expect(await importFailure(await folderOf(withNumbers([16, 1000n])))).toBeUndefined();
  });

  it('beside another is refused until it is left out', async () => {
    const folder = await folderOf(GOOD);
    await copyFile(join(folder, SHORTLIST_FILE), join(folder, 'lex.50.50.bbcc.s2t.bin'));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/several/),
    });
    expect(await importFailure(folder, { shortlist: false })).toBeUndefined();
  });

  it('that is compressed is refused with the command that unpacks it', async () => {
    const folder = await folderOf(GOOD);
    await rename(join(folder, SHORTLIST_FILE), join(folder, `${SHORTLIST_FILE}.gz`));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/gzip -d/),
    });
    expect(await importFailure(folder, { shortlist: false })).toBeUndefined();
  });

  it('is missed where it is asked for, and only there', async () => {
    const folder = await folderOf(GOOD);
    expect(await importFailure(folder, { shortlist: true })).toBeUndefined();
    await rm(join(folder, SHORTLIST_FILE));
    expect(await importFailure(folder)).toBeUndefined();
    expect(await importFailure(folder, { shortlist: false })).toBeUndefined();
    expect(await importFailure(folder, { shortlist: true })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { option: 'shortlist' },
    });
  });

  it('cannot be chosen for models that come without', async () => {
    for (const shortlist of [true, false]) {
      const error = await importFailure(encoderDecoderWeights('t5'), { shortlist });
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { option: 'shortlist' } });
    }
  });

  it('is told of by the weights before they are imported', async () => {
    expect((await inspectWeights(await folderOf(GOOD))).manifest).toMatchObject({ shortlist: { multipleOf: 8 } });
  });
});

function mutated(seed: number): Uint8Array {
  const pick = picker(seed);
  const content = Buffer.from(GOOD);
  for (let change = pick(3); change >= 0; change--) {
    const at = pick(3) === 0 ? 16 + pick(IDS - 16) : pick(content.length);
    content[at] = pick(3) === 0 ? 255 : content[at] ^ (1 << pick(8));
  }
  // Most get a checksum that fits, so that it is not the checksum that finds the change.
  if (pick(6) > 0) summed(content);
  return pick(8) === 0 ? content.subarray(0, pick(content.length)) : content;
}

describe('mutated shortlists of Marian', () => {
  it('are read, or refused by code with a file, whatever was changed', async () => {
    const folder = await folderOf(GOOD);
    await expectReadOrRefused(folder, join(folder, SHORTLIST_FILE), mutated);
  });
});
