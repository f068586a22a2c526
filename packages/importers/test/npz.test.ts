import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { deflateRawSync } from 'node:zlib';
import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { importModel } from '../src/index.js';
import { openNpz } from '../src/readers/npz/open-npz.js';
import { turnsOf } from './turns.js';

const GOLDEN = fileURLToPath(new URL('./goldens/recurrent/gru', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-npz-'));
});
afterAll(() => rm(folder, { recursive: true }));

function npy(descr: string, shape: string, values: Uint8Array, fortran = false): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([1, 0]), length, header, values]);
}

interface Part {
  readonly name: string;
  readonly content: Uint8Array;
  readonly compressed?: boolean;
  /** What the archive says instead of what is. */
  readonly size?: number;
  readonly crc?: number;
}

/** An archive of these files, written by hand so that it can lie. */
function zip(parts: readonly Part[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, compressed = false, size = content.length, crc } of parts) {
    const data = compressed ? deflateRawSync(content) : Buffer.from(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(compressed ? 8 : 0, 4);
    fields.writeUInt32LE(crc ?? zlib.crc32(content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 0]), fields, rest, Buffer.from(name)]),
    );
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, central, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

async function open(bytes: Uint8Array) {
  await writeFile(join(folder, 'w.npz'), bytes);
  return openNpz({ folder, file: 'w.npz' });
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

async function valuesOf(bytes: Uint8Array, name = 'w'): Promise<number[]> {
  const tensor = (await open(bytes)).get(name);
  const read = await tensor?.read(new Yielder());
  return read === undefined ? [] : [...new Float32Array(read.buffer, read.byteOffset, read.byteLength / 4)];
}

describe('an archive of numpy', () => {
  it('gives arrays of each kind, compressed or not', async () => {
    for (const compressed of [false, true]) {
      const array = npy('<f4', '(2, 3)', floats(1, 2, 3, 4, 5, 6));
      expect(await valuesOf(zip([{ name: 'w.npy', content: array, compressed }]))).toEqual([1, 2, 3, 4, 5, 6]);
    }
    const columns = npy('<f4', '(2, 3)', floats(1, 4, 2, 5, 3, 6), true);
    expect(await valuesOf(zip([{ name: 'w.npy', content: columns }]))).toEqual([1, 2, 3, 4, 5, 6]);
    const doubles = npy('<f8', '(2,)', new Uint8Array(Float64Array.of(0.5, -2).buffer));
    expect(await valuesOf(zip([{ name: 'w.npy', content: doubles }]))).toEqual([0.5, -2]);
    // Numbers of the other order, in columns too, and a shape as Python 2 wrote it.
    const swapped = Buffer.from(floats(1, 4, 2, 5, 3, 6)).swap32();
    const turned = npy('>f4', '(2L, 3L)', swapped, true);
    expect(await valuesOf(zip([{ name: 'w.npy', content: turned }]))).toEqual([1, 2, 3, 4, 5, 6]);
    const swappedDoubles = npy('>f8', '(2,)', Buffer.from(Float64Array.of(0.5, -2).buffer).swap64());
    expect(await valuesOf(zip([{ name: 'w.npy', content: swappedDoubles }]))).toEqual([0.5, -2]);
    const halves = (await open(zip([{ name: 'h.npy', content: npy('>f2', '(1,)', Uint8Array.of(0x3c, 1)) }]))).get('h');
    expect([halves?.dtype, ...((await halves?.read(new Yielder())) ?? [])]).toEqual(['F16', 1, 0x3c]);
    const scalar = (await open(zip([{ name: 'n.npy', content: npy('<i8', '()', new Uint8Array(8)) }]))).get('n');
    expect([scalar?.dtype, scalar?.shape]).toEqual(['I64', []]);
  });

  it('is refused where it lies', async () => {
    const good = npy('<f4', '(2,)', floats(1, 2));
    const cases: [string, Uint8Array][] = [
      ['a shape larger than its values', zip([{ name: 'w.npy', content: npy('<f4', '(3,)', floats(1, 2)) }])],
      ['a shape smaller than its values', zip([{ name: 'w.npy', content: npy('<f4', '(1,)', floats(1, 2)) }])],
      ['a gigantic shape', zip([{ name: 'w.npy', content: npy('<f4', '(99999999999, 99999999999)', floats(1)) }])],
      ['objects, which are pickles', zip([{ name: 'w.npy', content: npy('|O', '(2,)', floats(1, 2)) }])],
      ['numbers of an unknown kind', zip([{ name: 'w.npy', content: npy('|V2', '(2,)', floats(1)) }])],
      ['no array', zip([{ name: 'w.npy', content: Buffer.from('nothing of numpy') }])],
      [
        'an array twice',
        zip([
          { name: 'w.npy', content: good },
          { name: 'w.npy', content: good },
        ]),
      ],
      ['a path out of the archive', zip([{ name: '../w.npy', content: good }])],
      ['a size that is not', zip([{ name: 'w.npy', content: good, compressed: true, size: good.length + 4 }])],
      ['a web page', Buffer.from('<!DOCTYPE html>')],
      ['a pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n')],
      ['nothing', Buffer.alloc(0)],
    ];
    for (const [what, bytes] of cases) {
      await expect(open(bytes), what).rejects.toMatchObject({ code: 'INVALID_MODEL_FOLDER' });
    }
    await expect(valuesOf(zip([{ name: 'w.npy', content: good, crc: 1 }]))).rejects.toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
    });
  });

  it('keeps every bit of elements of any size and any number of dimensions, whatever their order', async () => {
    const elements = fc.constantFrom(['|u1', 1], ['<f2', 2], ['<f4', 4], ['<i8', 8]) as fc.Arbitrary<[string, number]>;
    await fc.assert(
      fc.asyncProperty(
        elements,
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 4 }),
        fc.infiniteStream(fc.nat(255)),
        async ([descr, size], shape, stream) => {
          const count = shape.reduce((product, one) => product * one, 1);
          const bytes = Uint8Array.from({ length: count * size }, () => stream.next().value as number);
          // -1 as an integer has the bits of a number that is none.
          bytes.fill(255, 0, size);
          const file = zip([{ name: 'w.npy', content: npy(descr, `(${shape.join(', ')})`, bytes, true) }]);
          const read = await (await open(file)).get('w')?.read(new Yielder());
          const expected: number[] = [];
          for (let at = 0; at < count; at++) {
            let [rest, from, stride] = [at, 0, 1];
            const index = shape.toReversed().map((one) => {
              const own = rest % one;
              rest = Math.floor(rest / one);
              return own;
            });
            for (const [axis, one] of shape.entries()) {
              from += index[shape.length - 1 - axis] * stride;
              stride *= one;
            }
            expected.push(...bytes.subarray(from * size, (from + 1) * size));
          }
          expect([...(read ?? [])]).toEqual(expected);
        },
      ),
      { seed: 29, numRuns: 60 },
    );
  });

  it('is put in order whole where its rows are long', async () => {
    const columns = 300_000;
    const values = Uint8Array.from({ length: 2 * columns }, (_, at) => (at % 2 === 0 ? (at / 2) % 251 : 255));
    const file = zip([{ name: 'w.npy', content: npy('|u1', `(2, ${columns})`, values, true) }]);
    const read = await (await open(file)).get('w')?.read(new Yielder());
    expect(read?.subarray(0, columns).every((value, at) => value === at % 251)).toBe(true);
    expect(read?.subarray(columns).every((value) => value === 255)).toBe(true);
  });

  it('gives others their turn while it is put in order or rounded', async () => {
    const [rows, columns] = [1200, 1100];
    const turns = async (descr: string, size: number, fortran: boolean): Promise<number> => {
      const values = new Uint8Array(rows * columns * size);
      const file = zip([{ name: 'w.npy', content: npy(descr, `(${rows}, ${columns})`, values, fortran) }]);
      const tensor = (await open(file)).get('w');
      return turnsOf(async () => void (await tensor?.read(new Yielder())));
    };
    const plain = await turns('<f4', 4, false);
    expect(await turns('<f4', 4, true)).toBeGreaterThanOrEqual(plain + 4);
    const doubles = await turns('<i8', 8, false);
    expect(await turns('<f8', 8, false)).toBeGreaterThanOrEqual(doubles + 4);
  });

  it('ends with the reason of an abort, wherever that comes', async () => {
    const values = floats(...Array.from({ length: 4000 }, (_, at) => at));
    const part = (name: string) => ({ name, content: npy('<f4', '(40, 100)', values, true), compressed: true });
    await writeFile(join(folder, 'w.npz'), zip([part('a.npy'), part('b.npy')]));
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 50));
    let clock = 0;
    try {
      // A reason of our own kind is no damage either.
      for (const reason of [new Error('enough'), new ForetokenError('INVALID_MODEL_FOLDER', 'enough', {})]) {
        let stopped = 0;
        for (let at = 0; ; at++) {
          const stop = new AbortController();
          let looks = 0;
          const { throwIfAborted } = stop.signal;
          vi.spyOn(stop.signal, 'throwIfAborted').mockImplementation(() => {
            if (looks++ === at) stop.abort(reason);
            throwIfAborted.call(stop.signal);
          });
          const run = async () => {
            const tensors = await openNpz({ folder, file: 'w.npz' }, stop.signal);
            for (const tensor of tensors.values()) await tensor.read(new Yielder(stop.signal));
          };
          const error = await run().then(
            () => undefined,
            (failure: unknown) => failure,
          );
          if (error === undefined) break;
          expect(error).toBe(reason);
          stopped++;
        }
        expect(stopped).toBeGreaterThan(6);
      }
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('of weights that are not finite is refused, by name', async () => {
    const own = await mkdtemp(join(folder, 'not-finite-'));
    for (const file of ['config.json', 'symbols.json'])
      await writeFile(join(own, file), await readFile(join(GOLDEN, file)));
    const tensors = await openNpz({ folder: GOLDEN, file: 'weights.npz' });
    const arrays = new Map<string, { readonly shape: readonly number[]; readonly values: Float64Array }>();
    for (const [name, { shape, read }] of tensors) {
      const { buffer, byteOffset, byteLength } = await read(new Yielder());
      arrays.set(name, { shape, values: Float64Array.from(new Float32Array(buffer, byteOffset, byteLength / 4)) });
    }
    const [wrong] = [...arrays].filter(([, { shape }]) => shape.length === 2)[0];
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39]) {
      const parts = [...arrays].map(([name, { shape, values }]) => {
        const own = name === wrong ? values.with(3, value) : values;
        const text = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
        return { name: `${name}.npy`, content: npy('<f8', text, new Uint8Array(own.buffer)) };
      });
      await writeFile(join(own, 'weights.npz'), zip(parts));
      const error = await importModel(own, join(own, 'model')).catch((failure: unknown) => failure);
      expect(error, String(value)).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: wrong, index: 3 } });
    }
  });

  it('and its config meet damage with typed errors', async () => {
    const weights = await readFile(join(GOLDEN, 'weights.npz'));
    const config = await readFile(join(GOLDEN, 'config.json'));
    await writeFile(join(folder, 'symbols.json'), await readFile(join(GOLDEN, 'symbols.json')));
    await rm(join(folder, 'w.npz'), { force: true });
    const damaged = (bytes: Uint8Array, at: number, value: number, cut: boolean): Uint8Array => {
      if (cut) return bytes.subarray(0, at);
      const copy = Uint8Array.from(bytes);
      copy[at] = value;
      return copy;
    };
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(255),
        fc.boolean(),
        fc.boolean(),
        async (share, value, cut, ofConfig) => {
          const whole = ofConfig ? config : weights;
          const bytes = damaged(whole, Math.floor(share * (whole.length - 1)), value, cut);
          await writeFile(join(folder, 'config.json'), ofConfig ? bytes : config);
          await writeFile(join(folder, 'weights.npz'), ofConfig ? weights : bytes);
          try {
            await importModel(folder, join(folder, 'model'), { replace: true });
          } catch (error) {
            if (!ForetokenError.isInstance(error)) throw error;
            refused++;
          }
        },
      ),
      { seed: 8, numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(120);
  });
});
