import { cp, link, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float32ToFloat16Bits } from '@foretoken/models/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { type StudentName, weightsOf } from '../../models/test/student-fixtures.js';
import { importModel } from '../src/index.js';
import { openWeightsFolder } from '../src/readers/hugging-face/weights-folder.js';
import {
  editJson,
  INDEX,
  type RawTensor,
  rawTensors,
  type ShardIndex,
  safetensorsOf,
  shard,
  shardName,
} from './import-fixtures.js';

const [FIRST, SECOND, THIRD] = [0, 1, 2].map((part) => shardName(part, 3)) as [string, string, string];

/** Contents of an imported folder by file. */
async function contents(weights: string, options: object): Promise<Record<string, string>> {
  const target = join(await temporaryFolder(), 'model');
  await importModel(weights, target, { name: 'same', ...options });
  const names = (await readdir(target)).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(target, name))).toString('base64')] as const),
    ),
  );
}

async function shardedMarian(): Promise<{ folder: string; index: ShardIndex; saved: () => Promise<void> }> {
  const folder = await weightsOf('marian');
  const index = await shard(folder, 3);
  return { folder, index, saved: () => writeFile(join(folder, INDEX), JSON.stringify(index)) };
}

describe('sharded weights', () => {
  test.each([1, 2, 3, 7])('in %i files give every byte that one file gives, students included', async (count) => {
    const names: readonly StudentName[] = ['marian', 'ctc', 'canvas', 'dag', 'edit'];
    const [whole, sharded] = await Promise.all(
      [0, count].map(async (parts) => {
        const folders = new Map<string, string>();
        for (const name of names) {
          const folder = await weightsOf(name);
          if (parts > 0) await shard(folder, parts);
          folders.set(name, folder);
        }
        const { marian, ...students } = Object.fromEntries(folders);
        return contents(marian, students);
      }),
    );
    expect(Object.keys(sharded ?? {}).length).toBeGreaterThan(15);
    expect(sharded).toEqual(whole);
  });

  test('may be symbolic links, as in a download cache, and an index need not state a size', async () => {
    const { folder, index, saved } = await shardedMarian();
    const whole = await contents(await weightsOf('marian'), {});
    const cache = await temporaryFolder();
    for (const name of [FIRST, SECOND]) {
      await cp(join(folder, name), join(cache, name));
      await rm(join(folder, name));
      await symlink(join(cache, name), join(folder, name));
    }
    delete index.metadata;
    await saved();
    expect(await contents(folder, {})).toEqual(whole);
  });

  test('stand back where the one file is there too', async () => {
    const { folder } = await shardedMarian();
    await cp(join(await weightsOf('marian'), 'model.safetensors'), join(folder, 'model.safetensors'));
    await writeFile(join(folder, INDEX), 'damaged');
    expect((await openWeightsFolder(folder)).tensors.size).toBeGreaterThan(10);
  });

  type Damage = (given: { folder: string; index: ShardIndex; name: string }) => Promise<void> | void;
  const says =
    (fields: object): Damage =>
    ({ index }) => {
      Object.assign(index, fields);
    };
  const holds =
    (name: string, file: string): Damage =>
    ({ index }) => {
      index.weight_map[name] = file;
    };
  const place =
    (value: unknown): Damage =>
    ({ index, name }) => {
      index.weight_map[name] = value;
    };
  test.each<[string, Damage, string, string]>([
    ['a shard is missing', ({ folder }) => rm(join(folder, SECOND)), SECOND, 'missing'],
    ['a shard is cut', async ({ folder }) => cut(join(folder, SECOND)), SECOND, 'file size'],
    ['a shard is a page', ({ folder }) => writeFile(join(folder, THIRD), '<!doctype html><html>'), THIRD, 'page'],
    [
      'it names a shard that is not there',
      place('model-00009-of-00003.safetensors'),
      'model-00009-of-00003.safetensors',
      'missing',
    ],
    ['it places a tensor in another shard', place(THIRD), INDEX, 'holds tensor'],
    ['it names a tensor that no shard holds', holds('more', FIRST), INDEX, 'more'],
    ['it leaves out a tensor', ({ index, name }) => void delete index.weight_map[name], INDEX, 'does not list it'],
    ['it names itself', place(INDEX), INDEX, 'same folder'],
    ['it names another index', place('other.safetensors.index.json'), INDEX, 'same folder'],
    ['it leads out of the folder', place('../model.safetensors'), INDEX, 'same folder'],
    ['it leads to an absolute path', place('/etc/model.safetensors'), INDEX, 'same folder'],
    ['it leads into a folder', place('deep/model.safetensors'), INDEX, 'same folder'],
    ['it leads into a folder of Windows', place('..\\model.safetensors'), INDEX, 'same folder'],
    ['it names a number', place(4), INDEX, 'same folder'],
    ['it names a hidden file', place('.safetensors'), INDEX, 'same folder'],
    ['it names nothing', place(''), INDEX, 'same folder'],
    ['it is empty', says({ weight_map: {} }), INDEX, 'weight_map'],
    ['it has a list for a map', says({ weight_map: [FIRST] }), INDEX, 'weight_map'],
    ['it states another size', says({ metadata: { total_size: 5 } }), INDEX, 'total_size'],
    ['it states a size in words', says({ metadata: { total_size: 'big' } }), INDEX, 'total_size'],
    ['it states an endless size', says({ metadata: { total_size: 1e300 } }), INDEX, 'total_size'],
    ['a shard is linked to itself', async ({ folder }) => cycle(join(folder, FIRST)), FIRST, FIRST],
    ['two shards are one file', async ({ folder }) => same(folder), INDEX, 'holds tensor'],
    [
      'two shards hold one tensor',
      async ({ folder, name }) => {
        const donor = await weightsOf('marian');
        const all = await rawTensors(donor);
        const own = [...all].filter((_, at) => at % 3 === 1);
        await writeFile(join(folder, SECOND), safetensorsOf(new Map([...own, [name, all.get(name) as RawTensor]])));
      },
      INDEX,
      'holds tensor',
    ],
  ])('an index is refused: %s', async (_, damage, file, words) => {
    const { folder, index, saved } = await shardedMarian();
    const name = Object.keys(index.weight_map).find((tensor) => index.weight_map[tensor] === FIRST) as string;
    await damage({ folder, index, name });
    await saved();
    const error = await refusal(() => openWeightsFolder(folder));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file } });
    expect(error.message).toContain(words);
  });

  test.each(['', '[]', 'null', '{"weight_map": {"a": NaN}}', '{}', '<!doctype html>'])(
    'an index that is %j is refused by name',
    async (text) => {
      const { folder } = await shardedMarian();
      await writeFile(join(folder, INDEX), text);
      const error = await refusal(() => openWeightsFolder(folder));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: INDEX } });
    },
  );

  test('any index is read or refused by code', async () => {
    const { folder, index } = await shardedMarian();
    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(FIRST, SECOND, INDEX, '__proto__', `./${FIRST}`));
    const names = Object.keys(index.weight_map);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names, 'weight_map', '__proto__'), odd, async (name, value) => {
        const changed = { ...index, weight_map: { ...index.weight_map } } as Record<string, unknown>;
        const owner = (name === 'weight_map' ? changed : changed.weight_map) as Record<string, unknown>;
        const before = owner[name];
        Object.defineProperty(owner, name, { value, enumerable: true, configurable: true, writable: true });
        await writeFile(join(folder, INDEX), JSON.stringify(changed));
        if (value === before) return;
        const error = await refusal(() => openWeightsFolder(folder));
        expect(error.code).toBe('INVALID_MODEL_FOLDER');
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  test('a wrong shape in a shard is refused with the name of the shard', async () => {
    const { folder } = await shardedMarian();
    await editJson(folder, 'config.json', { encoder_ffn_dim: 7 });
    const error = await refusal(() => importModel(folder, join(folder, 'model')));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect([FIRST, SECOND, THIRD]).toContain(error.details.file);
  });
});

describe('weights of 16 bits', () => {
  /** fp32 values cut to the upper half of their bits: what bf16 holds, exactly. */
  const cutToBfloat16 = (data: Uint8Array): Float32Array => {
    const bits = new Uint32Array(new Uint8Array(data).buffer);
    return new Float32Array(bits.map((value) => value & 0xffff_0000).buffer);
  };
  const bytes = (array: Uint16Array | Float32Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

  async function folderOf(change: (tensor: RawTensor) => RawTensor): Promise<string> {
    const folder = await weightsOf('marian');
    const tensors = [...(await rawTensors(folder))].map(
      ([name, tensor]) => [name, tensor.dtype === 'F32' ? change(tensor) : tensor] as const,
    );
    await writeFile(join(folder, 'model.safetensors'), safetensorsOf(new Map(tensors)));
    return folder;
  }

  test.each(['float32', 'float16'] as const)(
    'bf16 gives what the same fp32 values give, stored as %s',
    async (weights) => {
      const exact = await folderOf((tensor) => ({ ...tensor, data: bytes(cutToBfloat16(tensor.data)) }));
      const short = await folderOf(({ shape, data }) => ({
        dtype: 'BF16',
        shape,
        data: bytes(new Uint16Array(new Uint8Array(data).buffer).filter((_, index) => index % 2 === 1)),
      }));
      expect((await readFile(join(short, 'model.safetensors'))).length).toBeLessThan(
        0.75 * (await readFile(join(exact, 'model.safetensors'))).length,
      );
      expect(await contents(short, { weights })).toEqual(await contents(exact, { weights }));
    },
  );

  test('fp16 gives what the same fp32 values give', async () => {
    const halves = (data: Uint8Array) => float32ToFloat16Bits(new Float32Array(new Uint8Array(data).buffer));
    const short = await folderOf(({ shape, data }) => ({ dtype: 'F16', shape, data: bytes(halves(data)) }));
    // Rounded to fp16 when they are stored, where they are stored as they are; biases are computed from what was rounded.
    const first = await contents(short, { weights: 'float32' });
    const whole = await contents(await weightsOf('marian'), { weights: 'float32' });
    expect(Object.keys(first)).toEqual(Object.keys(whole));
    expect(first['weights.bin']?.length).toBe(whole['weights.bin']?.length);
    expect(first['weights.bin']).not.toBe(whole['weights.bin']);
  });
});

async function cut(path: string): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, bytes.length - 1));
}

async function cycle(path: string): Promise<void> {
  await rm(path);
  await symlink(path, path);
}

async function same(folder: string): Promise<void> {
  await rm(join(folder, SECOND));
  await link(join(folder, FIRST), join(folder, SECOND));
}
