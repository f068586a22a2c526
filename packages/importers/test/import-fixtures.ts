import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
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
  const [from, to] = (header[name] as Entry).data_offsets;
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
