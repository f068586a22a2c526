import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../models/test/folder-fixtures.js';

export interface TensorEntry {
  dtype: unknown;
  shape: unknown;
  data_offsets: unknown;
}

/** A safetensors file of any header, right or wrong. */
export function safetensors(header: unknown, data: Uint8Array, headerLength?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

export const bytesOf = (array: Float32Array | Uint16Array | Int32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Tensors of several types, one at an odd offset. */
export function sample(): { header: Record<string, unknown>; data: Uint8Array } {
  const parts = [
    bytesOf(Float32Array.of(1.5, -2, Number.NaN, 4, 5, 6)),
    Uint8Array.of(1, 0, 1),
    bytesOf(Uint16Array.of(0x3c00, 0xc000)),
    bytesOf(Uint16Array.of(0x3f80)),
    new Uint8Array(0),
    bytesOf(Int32Array.of(-1, 7)),
    bytesOf(BigInt64Array.of(5n, -6n, 7n)),
  ];
  const names: [string, string, number[]][] = [
    ['wide', 'F32', [2, 3]],
    ['flags', 'BOOL', [3]],
    ['half', 'F16', [2, 1]],
    ['brain', 'BF16', []],
    ['none', 'F32', [0, 4]],
    ['ids', 'I32', [2]],
    ['longs', 'I64', [3]],
  ];
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  names.forEach(([name, dtype, shape], index) => {
    const part = parts[index];
    header[name] = { dtype, shape, data_offsets: [offset, offset + part.length] };
    data.set(part, offset);
    offset += part.length;
  });
  return { header, data };
}

/** A weights folder with the given files instead of, or beside, sound ones; null leaves one out. */
export async function weightsFolder(files: Readonly<Record<string, string | Uint8Array | null>> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  const { header, data } = sample();
  await mkdir(folder);
  const all = {
    'config.json': '{"d_model": 8, "heads": "2", "rate": 0.5}',
    'tokenizer.json': '{}',
    'model.safetensors': safetensors(header, data),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    if (content !== null) await writeFile(join(folder, name), content);
  }
  return folder;
}
