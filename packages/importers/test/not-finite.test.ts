import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Yielder } from '@foretoken/core/kit';
import { expect, it } from 'vitest';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { importModel } from '../src/index.js';
import { openModelBin } from '../src/readers/ctranslate2/open-model-bin.js';
import { openGguf } from '../src/readers/gguf/open-gguf.js';
import { openMarianBin } from '../src/readers/marian-bin/open-marian-bin.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const PRECISIONS = ['float32', 'float16', 'int8', 'int4'] as const;

type Read = (pace: Yielder) => Promise<Uint8Array>;
/** How the tensors of a file are read that are kept as numbers, and the bytes of a number. */
type Found = Map<string, { readonly size: number; readonly read: Read }>;

const SIZES: Readonly<Record<string, number>> = { F32: 4, F16: 2 };

function found(tensors: Iterable<readonly [string, { readonly dtype: string; readonly read: Read }]>): Found {
  const all: Found = new Map();
  for (const [name, { dtype, read }] of tensors) {
    const size = SIZES[dtype];
    if (size !== undefined) all.set(name, { size, read });
  }
  return all;
}

type Open = (place: { readonly folder: string; readonly file: string }) => Promise<Found>;

const openCtranslate2: Open = async (place) => {
  const bin = await openModelBin(place);
  const weights = [...bin.variables.values()].filter(({ type, shape }) => type.startsWith('float') && shape.length > 0);
  return found(weights.map((one) => [one.name, bin.rows(one, 0, one.shape[0])]));
};

const FILES: readonly (readonly [kind: string, folder: string, file: string, open: Open])[] = [
  ['CTranslate2', at('goldens/whisper/ctranslate2'), 'model.bin', openCtranslate2],
  ['GGUF', at('goldens/gguf'), 'qwen2.gguf', async (place) => found((await openGguf(place, new Yielder())).tensors)],
  [
    'Marian',
    at('../../models/test/goldens/marian-bin/firefox'),
    'model.aaen.intgemm.alphas.bin',
    async (place) => found((await openMarianBin(place)).tensors),
  ],
];

it.each(FILES)(
  'NaN and infinite weights of %s are refused by the name that the file has for them',
  async (...given) => {
    const [, source, file, open] = given;
    const good = await readFile(join(source, file));
    const folder = join(await temporaryFolder(), 'folder');
    await cp(source, folder, { recursive: true });
    let tried = 0;
    for (const [tensor, { size, read }] of await open({ folder: source, file })) {
      const bytes = await read(new Yielder());
      const begin = good.indexOf(bytes);
      // What is de-quantised as it is read lies there in other bytes.
      if (begin < 0) continue;
      const place = begin + size * (tried % (bytes.length / size));
      const edited = Buffer.from(good);
      if (size === 4) edited.writeFloatLE([Number.NaN, Number.POSITIVE_INFINITY][tried % 2], place);
      else edited.writeUInt16LE([0x7e00, 0xfc00][tried % 2], place);
      await writeFile(join(folder, file), edited);
      const weights = PRECISIONS[tried++ % 4];
      const error = await refusal(() => importModel(join(folder, file), join(folder, 'model'), { weights }));
      expect(error, tensor).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file, field: tensor } });
      expect(error.message).toContain(`"${tensor}"`);
    }
    expect(tried).toBeGreaterThan(10);
  },
);
