import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { openModelBin } from '../src/readers/ctranslate2/open-model-bin.js';
import { withConfig } from './ctranslate2-fixtures.js';
import { importFailure } from './import-fixtures.js';
import { expectReadOrRefused, picker } from './mutated-files.js';

const FOLDER = fileURLToPath(new URL('goldens/whisper/ctranslate2-int8/', import.meta.url));
const GOOD = await readFile(join(FOLDER, 'model.bin'));
const HUGE = [255, 255, 255, 255];

async function folderOf(content: Uint8Array | string): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  await cp(FOLDER, folder, { recursive: true });
  await writeFile(join(folder, 'model.bin'), content);
  return folder;
}

/** The good file with other bytes where a name stands, `after` bytes behind its end. */
function edited(name: string, after: number, bytes: readonly number[]): Uint8Array {
  const at = GOOD.indexOf(`${name}\0`);
  expect(at, name).toBeGreaterThan(0);
  const content = Uint8Array.from(GOOD);
  content.set(bytes, at + name.length + 1 + after);
  return content;
}

// Behind the name of a matrix: its rank (1 byte), two dimensions (4 each), its type (1), its bytes (4).
const MATRIX = 'decoder/layer_0/ffn/linear_0/weight';

describe('a model.bin of CTranslate2', () => {
  it.each([
    ['that is empty', () => new Uint8Array(), 'the whole file'],
    ['that ends in its header', () => GOOD.subarray(0, 60), undefined],
    ['whose data end early', () => GOOD.subarray(0, GOOD.length - 3000), undefined],
    ['without its aliases', () => GOOD.subarray(0, GOOD.length - 4), undefined],
    ['with more behind its end', () => Buffer.concat([GOOD, Buffer.from('more')]), 'file size'],
    ['that counts too many variables', () => edited('WhisperSpec', 4, HUGE), 'variable count'],
    ['with a gigantic shape', () => edited(MATRIX, 1, [...HUGE, ...HUGE]), `variable "${MATRIX}" bytes`],
    ['with too many dimensions', () => edited(MATRIX, 0, [200]), `variable "${MATRIX}" rank`],
    ['with another number of bytes', () => edited(MATRIX, 10, HUGE), `variable "${MATRIX}" bytes`],
    ['with a name longer than all', () => Uint8Array.from(GOOD).fill(255, 26, 28), 'name of variable 0 length'],
    ['with integers for scales', () => edited(`${MATRIX}_scale`, 5, [3]), undefined],
    ['with an infinite scale', () => edited(`${MATRIX}_scale`, 10, [0, 0, 128, 127]), `variable ${MATRIX}_scale`],
    ['with a negative scale', () => edited(`${MATRIX}_scale`, 10, [0, 0, 128, 191]), `variable ${MATRIX}_scale`],
    ['with heads that do not divide the width', () => edited('decoder/num_heads', 6, [3]), 'decoder/num_heads'],
    ['with another activation', () => edited('decoder/activation', 6, [0]), 'decoder/activation'],
    ['whose layers normalise behind', () => edited('decoder/pre_norm', 6, [0]), 'decoder/pre_norm'],
    [
      'with a variable of another model',
      () => edited('decoder/position_encodings/encodings', -2, [120]),
      'decoder/position_encodings/encodings',
    ],
  ] as const)('%s is refused, naming what is wrong', async (_, content, field) => {
    const error = await importFailure(await folderOf(content()));
    expect(error).toBeInstanceOf(ForetokenError);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: expect.any(String) } });
    if (field !== undefined) expect((error as ForetokenError).details.field).toBe(field);
  });

  it.each([
    ['of another version', () => Uint8Array.from(GOOD).fill(7, 0, 1), /version is 7, but 6/],
    ['of another revision', () => edited('WhisperSpec', 0, [9]), /revision 9/],
    ['of another kind', () => edited('WhisperSpec', -2, [120]), /WhisperSpex/],
    ['with an unknown element type', () => edited(MATRIX, 9, [77]), /number 77/],
  ] as const)('%s is not supported, and says what is', async (_, content, message) => {
    expect(await importFailure(await folderOf(content()))).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 75537502\n', /git lfs pull/],
    ['<!DOCTYPE html><html>Sign in</html>', /web page/],
  ])('that is %j is refused, and says what it is', async (content, message) => {
    expect(await importFailure(await folderOf(content))).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(message),
    });
  });

  it('without a tokenizer.json is refused, and says where to get one', async () => {
    const folder = await folderOf(GOOD);
    await rm(join(folder, 'tokenizer.json'));
    expect(await importFailure(folder)).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { file: 'tokenizer.json' },
    });
  });

  it.each([
    ['suppress_ids', [3, 'x'], 'x'],
    ['suppress_ids', 7, 7],
    ['suppress_ids_begin', [1_000_000], 1_000_000],
  ])('whose config.json has another %s is refused by that name: %j', async (field, value, received) => {
    const error = await importFailure(await withConfig(FOLDER, { [field]: value }));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      message: expect.stringMatching(new RegExp(`^config\\.json in .*: ${field} is .*a list of integers from 0 to`)),
      details: { file: 'config.json', field, received },
    });
  });

  it('with the tokenizer of another model is refused', async () => {
    const folder = await folderOf(GOOD);
    const tokenizer = await readFile(join(folder, 'tokenizer.json'), 'utf8');
    await writeFile(join(folder, 'tokenizer.json'), tokenizer.replaceAll('<|notimestamps|>', '<|other|>'));
    expect(await importFailure(folder)).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'tokenizer.json', required: '<|notimestamps|>' },
    });
  });

  it('that changes while it is imported is refused', async () => {
    const folder = await folderOf(GOOD);
    const { variables, rows } = await openModelBin({ folder, file: 'model.bin' });
    await writeFile(join(folder, 'model.bin'), GOOD.subarray(0, GOOD.length - 9));
    const variable = variables.get('encoder/conv1/bias');
    const pace = { due: () => false } as never;
    await expect(variable && rows(variable, 0, 1).read(pace)).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
  });
});

/** Places of names, behind which lie the lengths and shapes. */
const PLACES = ['coder/', 'Whisper', 'weight', 'bias', 'gamma'].flatMap((text) => {
  const found: number[] = [];
  for (let at = GOOD.indexOf(text); at >= 0; at = GOOD.indexOf(text, at + 1)) found.push(at);
  return found;
});

function mutated(seed: number): Uint8Array {
  const pick = picker(seed);
  const content = Uint8Array.from(GOOD);
  for (let change = pick(5); change >= 0; change--) {
    const near = PLACES[pick(PLACES.length)] + pick(60) - 12;
    const at = Math.max(0, Math.min(content.length - 4, pick(5) === 0 ? pick(content.length) : near));
    if (pick(3) === 0)
      content.set(
        HUGE.map((byte) => byte >> pick(8)),
        at,
      );
    else content[at] = pick(2) === 0 ? pick(256) : content[at] ^ (1 << pick(8));
  }
  return pick(5) === 0 ? content.subarray(0, pick(content.length)) : content;
}

describe('mutated model.bin files', () => {
  it('are read, or refused by code with a file, whatever was changed', async () => {
    const folder = await folderOf('');
    await expectReadOrRefused(folder, join(folder, 'model.bin'), mutated);
  });
});
