import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { deflateRawSync } from 'node:zlib';
import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../src/index.js';
import { openNpz } from '../src/readers/npz/open-npz.js';

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
  return [...new Float32Array(read?.buffer ?? new ArrayBuffer(0))];
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
      ['numbers of the other order', zip([{ name: 'w.npy', content: npy('>f4', '(2,)', floats(1, 2)) }])],
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
