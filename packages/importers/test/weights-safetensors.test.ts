import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { toFloat32, type WeightTensor } from '@foretoken/models/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { openSafetensors } from '../src/readers/safetensors/open-safetensors.js';
import { safetensors, sample, type TensorEntry } from './weights-fixtures.js';

/** All tensors of a file, read whole. */
async function readFileWhole(folder: string, file: string): Promise<ReadonlyMap<string, WeightTensor>> {
  const tensors = new Map<string, WeightTensor>();
  for (const [name, { dtype, shape, bytes, read }] of await openSafetensors({ folder, file })) {
    const data = await read(new Yielder());
    expect(data.length).toBe(bytes);
    tensors.set(name, { dtype, shape, data });
  }
  return tensors;
}

async function read(bytes: Uint8Array): Promise<ReadonlyMap<string, WeightTensor>> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'model.safetensors'), bytes);
  return readFileWhole(folder, 'model.safetensors');
}

const values = (tensor: WeightTensor | undefined): number[] => [...toFloat32(tensor as WeightTensor)];

describe('a sound file', () => {
  test('gives every tensor with type, shape and values, at any alignment', async () => {
    const { header, data } = sample();
    // Readers must accept the padding that writers put after the header.
    const tensors = await read(safetensors(`${JSON.stringify(header)}   `, data));
    expect([...tensors.keys()].sort()).toEqual(['brain', 'flags', 'half', 'ids', 'longs', 'none', 'wide']);
    expect(tensors.get('wide')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
    expect(values(tensors.get('wide'))).toEqual([1.5, -2, Number.NaN, 4, 5, 6]);
    expect(values(tensors.get('half'))).toEqual([1, -2]);
    expect(values(tensors.get('brain'))).toEqual([1]);
    expect(values(tensors.get('none'))).toEqual([]);
    const error = await refusal(() => toFloat32(tensors.get('ids') as WeightTensor));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { received: 'I32' } });
  });

  test('may hold no tensor at all, or several MB', async () => {
    expect((await read(safetensors({}, new Uint8Array(0)))).size).toBe(0);
    const big = new Float32Array(700_001).map((_, index) => index);
    const header = { big: { dtype: 'F32', shape: [700_001], data_offsets: [0, big.byteLength] } };
    const tensors = await read(safetensors(header, new Uint8Array(big.buffer)));
    expect(toFloat32(tensors.get('big') as WeightTensor)).toEqual(big);
  });
});

describe('a malformed file', () => {
  const { data } = sample();

  test.each<[string, () => Uint8Array, field: string]>([
    ['empty', () => new Uint8Array(0), 'file size'],
    ['seven bytes', () => new Uint8Array(7), 'file size'],
    ['no header', () => new Uint8Array(8), 'header length'],
    ['header longer than the file', () => safetensors(sample().header, data, 10_000n), 'header length'],
    ['header of 2^63 bytes', () => safetensors(sample().header, data, 2n ** 63n), 'header length'],
    ['header that is no object', () => safetensors('[1]', new Uint8Array(0)), 'header'],
    ['truncated data', () => safetensors(sample().header, data.subarray(1)), 'file size'],
    ['data nobody claims', () => safetensors(sample().header, new Uint8Array(data.length + 1)), 'file size'],
    ['metadata that is no text', () => safetensors({ __metadata__: { a: 1 } }, new Uint8Array(0)), '__metadata__'],
  ])('%s', async (_, make, field) => {
    const error = await refusal(() => read(make()));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.safetensors', field } });
    expect(error.message).toContain(field);
  });

  test('a header cut short names the place', async () => {
    const error = await refusal(() => read(safetensors(sample().header, data, 20n)));
    expect(error.message).toContain('line 1, column 21');
  });

  test.each<[string, Partial<TensorEntry>]>([
    ['dtype', { dtype: 'F12' }],
    ['dtype', { dtype: 'toString' }],
    ['dtype', { dtype: 4 }],
    ['shape', { shape: [-2, -3] }],
    ['shape', { shape: [1.5, 4] }],
    ['shape', { shape: '2,3' }],
    ['shape', { shape: [2 ** 53, 1] }],
    ['shape', { shape: Array(17).fill(1) }],
    ['data_offsets', { shape: [2, 2] }],
    ['data_offsets', { shape: [2 ** 52, 2 ** 52] }],
    ['data_offsets', { shape: [2 ** 31, 2 ** 31, 2 ** 31] }],
    ['data_offsets', { dtype: 'F64' }],
    ['data_offsets', { data_offsets: [24, 0] }],
    ['data_offsets', { data_offsets: [-24, 0] }],
    ['data_offsets', { data_offsets: [0, 24, 48] }],
    ['data_offsets', { data_offsets: [1, 25] }],
    ['data_offsets', { data_offsets: [2 ** 40, 2 ** 40 + 24] }],
    ['surprise', { surprise: 1 } as object],
  ])('a tensor with a wrong %s: %j', async (field, change) => {
    const { header } = sample();
    header.wide = { ...(header.wide as object), ...change };
    const error = await refusal(() => read(safetensors(header, data)));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('tensor ');
    expect(error.message).toContain(field);
  });

  test('a file that changes after it was opened is refused when a tensor is read', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'model.safetensors');
    const sound = safetensors(sample().header, data);
    await writeFile(path, sound);
    const tensors = await openSafetensors({ folder, file: 'model.safetensors' });
    const read = () => tensors.get('wide')?.read(new Yielder());
    expect((await read())?.length).toBe(24);
    await writeFile(join(folder, 'other'), sound);
    await rename(join(folder, 'other'), path);
    const error = await refusal(read);
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.safetensors' } });
    expect(error.message).toContain('changed while it was read');
  });

  test('two tensors that share bytes are refused', async () => {
    const { header } = sample();
    header.twin = header.wide;
    const error = await refusal(() => read(safetensors(header, data)));
    expect(error.message).toMatch(/tensor "(twin|wide)" data_offsets/);
  });

  test('any change of any bytes gives tensors that fit the file, or a typed refusal', async () => {
    const { header } = sample();
    const sound = safetensors(header, data);
    const folder = await temporaryFolder();
    const path = join(folder, 'fuzz.safetensors');
    const outcomes = { read: 0, refused: 0 };
    const edit = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 4 }),
        fc.option(fc.nat(sound.length), { freq: 3 }),
        async (edits, cut) => {
          const bytes = sound.slice(0, cut ?? sound.length);
          for (const [at, value] of edits) bytes[at] = value;
          await writeFile(path, bytes);
          try {
            const tensors = await readFileWhole(folder, 'fuzz.safetensors');
            const total = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.length, 0);
            expect(total).toBeLessThan(bytes.length);
            outcomes.read++;
          } catch (error) {
            expect(ForetokenError.isInstance(error) && error.code).toBe('INVALID_MODEL_FOLDER');
            outcomes.refused++;
          }
        },
      ),
      { numRuns: 600 },
    );
    expect(outcomes.read).toBeGreaterThan(20);
    expect(outcomes.refused).toBeGreaterThan(200);
  });

  test('any JSON in place of a tensor is a typed refusal or a tensor that fits', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'fuzz.safetensors');
    const field = fc.oneof(fc.jsonValue(), fc.array(fc.maxSafeInteger(), { maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(field, field, fc.constantFrom('F32', 'I8', 'X'), async (shape, offsets, dtype) => {
        await writeFile(path, safetensors({ t: { dtype, shape, data_offsets: offsets } }, data));
        try {
          expect((await readFileWhole(folder, 'fuzz.safetensors')).get('t')?.data.length).toBe(data.length);
        } catch (error) {
          expect(ForetokenError.isInstance(error) && error.code).toBe('INVALID_MODEL_FOLDER');
        }
      }),
      { numRuns: 300 },
    );
  });
});
