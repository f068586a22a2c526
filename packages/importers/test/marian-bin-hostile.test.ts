import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { inspectWeights } from '../src/index.js';
import { importFailure } from './import-fixtures.js';
import { expectReadOrRefused, picker } from './mutated-files.js';

const GOLDENS = fileURLToPath(new URL('../../models/test/goldens/marian-bin/', import.meta.url));
const FILE = 'model.aaen.intgemm.alphas.bin';
const GOOD = await readFile(join(GOLDENS, 'firefox', FILE));
const COUNT = Number(GOOD.readBigUInt64LE(8));
const NAMES = 16 + 32 * COUNT;

async function folderOf(content: Uint8Array | string): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  await cp(join(GOLDENS, 'firefox'), folder, { recursive: true });
  await writeFile(join(folder, FILE), content);
  return folder;
}

/** The good file with another number of 64 bits at a place. */
function withNumber(at: number, value: bigint): Uint8Array {
  const content = Buffer.from(GOOD);
  content.writeBigUInt64LE(value, at);
  return content;
}

/** The good file with a text replaced by one of the same length. */
function withText(text: string, other: string): Uint8Array {
  expect(other.length).toBe(text.length);
  const at = GOOD.indexOf(text);
  expect(at, text).toBeGreaterThan(0);
  const content = Buffer.from(GOOD);
  content.write(other, at, 'latin1');
  return content;
}

/** Where the shape of an item lies. */
function shapeOf(name: string): number {
  let [at, names] = [NAMES, 0];
  const lengths = Array.from({ length: COUNT }, (_, item) => Number(GOOD.readBigUInt64LE(16 + 32 * item)));
  for (const length of lengths) names += length;
  let shapes = NAMES + names;
  for (const [item, length] of lengths.entries()) {
    if (GOOD.toString('latin1', at, at + length - 1) === name) return shapes;
    at += length;
    shapes += 4 * Number(GOOD.readBigUInt64LE(16 + 32 * item + 16));
  }
  throw new Error(name);
}

function withShape(name: string, ...sizes: readonly number[]): Uint8Array {
  const content = Buffer.from(GOOD);
  for (const [index, size] of sizes.entries()) content.writeInt32LE(size, shapeOf(name) + 4 * index);
  return content;
}

const HUGE = 2n ** 63n - 1n;

describe('a model file of Marian', () => {
  it.each([
    ['that ends in its sizes', () => GOOD.subarray(0, 60), 'item count'],
    ['that ends in its names', () => GOOD.subarray(0, NAMES + 20), 'names of items'],
    ['whose data end early', () => GOOD.subarray(0, GOOD.length - 300), undefined],
    ['with more behind its end', () => Buffer.concat([GOOD, Buffer.from('more')]), 'file size'],
    ['that counts too many items', () => withNumber(8, 4_000_000_000n), 'item count'],
    ['with a name longer than all', () => withNumber(16, HUGE), 'name length of item 0'],
    ['with too many dimensions', () => withNumber(16 + 16, 200n), 'rank of item 0'],
    ['with more bytes than there are', () => withNumber(16 + 24, HUGE), 'bytes of item 0'],
    ['with fewer bytes than its shape has', () => withNumber(16 + 24, 16n), undefined],
    ['with a gigantic shape', () => withShape('Wemb', 2 ** 31 - 1, 2 ** 31 - 1), 'item "Wemb" bytes'],
    ['with a negative size', () => withShape('Wemb', -40, 64), 'item "Wemb" shape'],
    ['with an item twice', () => withText('decoder_l1_ffn_b1\0', 'decoder_l1_ffn_b2\0'), 'item "decoder_l1_ffn_b2"'],
    ['without its config', () => withText('special:model.yml', 'special:model.yaz'), 'special:model.yml'],
    [
      'whose config is no YAML',
      () => withText('bert-train-type-embeddings: true', `bert: [${' '.repeat(25)}`),
      undefined,
    ],
    ['whose config says a size in words', () => withText('dim-emb: 64', 'dim-emb: xx'), 'dim-emb'],
    ['with heads that do not divide the width', () => withText('heads: 4', 'heads: 5'), 'transformer-heads'],
    ['that lacks a tensor', () => withText('decoder_l1_rnn_Wf\0', 'decoder_l1_rnn_Wx\0'), 'decoder_l1_rnn_Wf'],
    ['with a tensor of another shape', () => withShape('decoder_l1_rnn_Wf', 32, 64), 'decoder_l1_rnn_Wf'],
  ] as const)('%s is refused, naming what is wrong', async (_, content, field) => {
    const error = await importFailure(await folderOf(content()));
    expect(error).toBeInstanceOf(ForetokenError);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: expect.any(String) } });
    if (field !== undefined) expect((error as ForetokenError).details.field).toBe(field);
  });

  it.each([
    ['packed for one kind of machine', () => withNumber(16 + 8, 0x16101n), /0x16101.*marian-conv/],
    [
      'with a decoder that attends to itself',
      () => withText('autoreg: rnn', 'autoreg: xyz'),
      /transformer-decoder-autoreg = "xyz"/,
    ],
    ['with another cell', () => withText('dec-cell: ssru', 'dec-cell: lstm'), /dec-cell = "lstm"/],
    [
      'whose blocks normalise elsewhere',
      () => withText('postprocess: dan', 'postprocess: dna'),
      /transformer-postprocess = "dna"/,
    ],
    [
      'whose outputs are written from right to left',
      () => withText('right-left: false', 'right-left: true '),
      /right-left = true/,
    ],
  ] as const)('%s is not supported, and says what is', async (_, content, message) => {
    expect(await importFailure(await folderOf(content()))).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 75537502\n', /git lfs pull/],
    ['<!DOCTYPE html><html>Sign in</html>', /web page/],
    ['', /empty/],
  ])('that is %j is refused, and says what it is', async (content, message) => {
    expect(await importFailure(await folderOf(content))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(message),
    });
  });

  it('that is compressed is refused with the command that unpacks it', async () => {
    const folder = await folderOf(GOOD);
    await rename(join(folder, FILE), join(folder, `${FILE}.zst`));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/zstd -d/),
    });
  });

  it('beside another is refused until one is named, which then imports', async () => {
    const folder = await folderOf(GOOD);
    await writeFile(join(folder, 'other.bin'), GOOD);
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/Name the one/),
    });
    expect(await importFailure(join(folder, 'other.bin'))).toBeUndefined();
  });

  it('without a vocabulary, or with two, is refused', async () => {
    const folder = await folderOf(GOOD);
    const vocabulary = join(folder, 'vocab.aaen.spm');
    await cp(vocabulary, join(folder, 'vocab.bbcc.spm'));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/several/),
    });
    await rm(join(folder, 'vocab.bbcc.spm'));
    await rename(vocabulary, join(folder, 'srcvocab.aaen.spm'));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(/trgvocab/),
    });
  });

  it('with the vocabulary of another model is refused', async () => {
    const folder = await folderOf(GOOD);
    await cp(join(GOLDENS, 'separate', 'trgvocab.aaen.spm'), join(folder, 'vocab.aaen.spm'));
    expect(await importFailure(folder)).toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
  });

  it('is told of by what it comes as', async () => {
    const { format, elementTypes, manifest } = await inspectWeights(await folderOf(GOOD));
    expect({ format, elementTypes }).toEqual({ format: 'marian', elementTypes: ['intgemm8', 'float32'] });
    expect(manifest).toMatchObject({ architecture: { recurrentDecoder: true, decoderLayers: 2 } });
  });
});

/** Where the header ends, and where the config lies. */
const HEADER = GOOD.indexOf(0, NAMES + 1500) + 600;
const CONFIG = GOOD.lastIndexOf('bert-train');

function mutated(seed: number): Uint8Array {
  const pick = picker(seed);
  const content = Uint8Array.from(GOOD);
  for (let change = pick(5); change >= 0; change--) {
    const kind = pick(6);
    const at =
      kind === 0 ? pick(content.length) : kind === 1 ? CONFIG + pick(content.length - CONFIG) : 8 + pick(HEADER);
    const value = pick(3) === 0 ? 255 : pick(256);
    content[at] = pick(2) === 0 ? value : content[at] ^ (1 << pick(8));
  }
  return pick(5) === 0 ? content.subarray(0, pick(content.length)) : content;
}

describe('mutated model files of Marian', () => {
  it('are read, or refused by code with a file, whatever was changed', async () => {
    const folder = await folderOf('');
    await expectReadOrRefused(join(folder, FILE), join(folder, FILE), mutated);
  });
});
