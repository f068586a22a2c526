import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';
import { type ImportOptions, importModel } from '../src/index.js';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** What importing a folder of weights ends with; undefined where it succeeds. */
export async function importFailure(folder: string, options?: ImportOptions): Promise<unknown> {
  return importModel(folder, join(await temporaryFolder(), 'model'), options).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Names of the F32 tensors of a weights folder, and their shapes. */
export async function tensorsOf(folder: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const { header } = await open(folder);
  return new Map(
    Object.entries(header)
      .filter(([, { dtype }]) => dtype === 'F32')
      .map(([name, { shape }]) => [name, shape]),
  );
}

/** Changes the values of one F32 tensor of a weights folder. */
export async function editTensor(folder: string, name: string, edit: (values: Float32Array) => void): Promise<void> {
  const { path, bytes, header, begin } = await open(folder);
  const [from, to] = header[name].data_offsets;
  const values = new Float32Array(new Uint8Array(bytes.subarray(begin + from, begin + to)).buffer);
  edit(values);
  bytes.set(new Uint8Array(values.buffer), begin + from);
  await writeFile(path, bytes);
}

/** Changes fields of a JSON file of a weights folder, which need not be there. */
export async function editJson(folder: string, file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const path = join(folder, file);
  const known = await readFile(path, 'utf8').catch(() => '{}');
  await writeFile(path, JSON.stringify({ ...(JSON.parse(known) as object), ...fields }));
}

async function open(folder: string) {
  const path = join(folder, 'model.safetensors');
  const bytes = await readFile(path);
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, begin)) as Record<string, Entry>;
  return { path, bytes, header, begin };
}

/** One tensor as it lies in a file. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** All tensors of a weights folder's one file. */
export async function rawTensors(folder: string): Promise<Map<string, RawTensor>> {
  const { bytes, header, begin } = await open(folder);
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return new Map(
    tensors.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, shape, data: bytes.subarray(begin + from, begin + to) }],
    ),
  );
}

/** A safetensors file of these tensors. */
export function safetensorsOf(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  let offset = 0;
  const header: Record<string, Entry> = {};
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...[...tensors.values()].map(({ data }) => data)]);
}

/** What an index of shards says. */
export interface ShardIndex {
  metadata?: unknown;
  weight_map: Record<string, unknown>;
}

/** Splits a weights folder's one file into `count` shards and an index, and removes it. */
export async function shard(folder: string, count: number): Promise<ShardIndex> {
  const tensors = [...(await rawTensors(folder))];
  const index: ShardIndex = {
    metadata: { total_size: tensors.reduce((sum, [, { data }]) => sum + data.length, 0) },
    weight_map: {},
  };
  for (let part = 0; part < count; part++) {
    const own = new Map(tensors.filter((_, at) => at % count === part));
    const file = shardName(part, count);
    for (const name of own.keys()) index.weight_map[name] = file;
    await writeFile(join(folder, file), safetensorsOf(own));
  }
  await writeFile(join(folder, INDEX), JSON.stringify(index));
  await rm(join(folder, 'model.safetensors'));
  return index;
}

export const INDEX = 'model.safetensors.index.json';

export function shardName(part: number, count: number): string {
  const padded = (value: number): string => String(value).padStart(5, '0');
  return `model-${padded(part + 1)}-of-${padded(count)}.safetensors`;
}
