import { beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, safetensors } from '../../importers/test/weights-fixtures.js';
import { SideFile } from '../src/drivers/side-file.js';
import { refusal } from './folder-fixtures.js';

let side: SideFile;
beforeAll(() => {
  const parts: Record<string, [dtype: string, data: Uint8Array]> = {
    // An odd number of these, so that the next tensor does not lie where its elements would.
    narrow: ['U16', bytesOf(Uint16Array.of(0, 6001, 65_535))],
    wide: ['I32', bytesOf(Int32Array.of(-1, 70_000))],
    floats: ['F32', bytesOf(Float32Array.of(0.5))],
  };
  let offset = 0;
  const header = Object.entries(parts).map(([name, [dtype, data]]) => {
    const begin = offset;
    offset += data.length;
    return [name, { dtype, shape: [data.length / (dtype === 'U16' ? 2 : 4)], data_offsets: [begin, offset] }] as const;
  });
  const data = Uint8Array.from(Object.values(parts).flatMap(([, bytes]) => [...bytes]));
  const place = { folder: 'folder', file: 'side.safetensors' };
  side = new SideFile(safetensors(Object.fromEntries(header), data), place, 'side file');
});

describe('a side file', () => {
  it('holds integers of 16 bits without a sign, or of 32 with one', () => {
    expect(side.integers('narrow')).toEqual({ values: Int32Array.of(0, 6001, 65_535), shape: [3] });
    expect(side.integers('wide')).toEqual({ values: Int32Array.of(-1, 70_000), shape: [2] });
  });

  it('is refused by name where a tensor is of another type, or missing', async () => {
    const details = { file: 'side.safetensors', field: 'floats', received: 'F32', required: ['I32', 'U16'] };
    expect(await refusal(async () => side.integers('floats'))).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details });
    const missing = await refusal(async () => side.floats('none'));
    expect(missing).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { field: 'none' } });
    expect(missing.message).toContain('Make the side file again');
  });
});
