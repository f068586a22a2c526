import type { Yielder } from '@foretoken/core/kit';
import { allocate, FILE_BYTES, type FilePlace, refuseWeights, type WeightDtype } from '@foretoken/models/internal';
import type { ReadBytes } from '../file-fields.js';
import type { StoredTensor } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';
import { type MarianItem, MULTIPLIER_BYTES, readItemHeaders } from './item-headers.js';

/** Values that are de-quantised before other work may have its turn. */
const PIECE = 2 ** 18;
/** What says how the model was made; no weight. */
const CONFIG_ITEM = 'special:model.yml';
const MAX_CONFIG_BYTES = 2 ** 20;
/** Scales by which Marian quantises activations; weights need none. */
const ACTIVATION_SCALE = /_QuantMultA$/;

/** An opened model of Marian. */
export interface MarianBin {
  /** Weights by Marian's names, matrices `[in, out]`, tables `[tokens, width]`; those in 8 bits are de-quantised as they are read. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Element types of the weights. */
  readonly elementTypes: readonly string[];
  /** Content of the config, in YAML. Throws `INVALID_MODEL_FOLDER`. */
  readonly config: () => Promise<Uint8Array>;
}

/** Opens a model file of Marian; it is not kept open. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function openMarianBin(place: FilePlace): Promise<MarianBin> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const state = await stateOf(open);
    const items = await readItemHeaders(
      (begin, length) => readAt(open, allocate(length, place), begin, place),
      open.bytes,
      place,
    );
    const read = (begin: number, length: number, pace?: Yielder): Promise<Uint8Array> =>
      withFile(place, async (again) => {
        if ((await stateOf(again)) !== state) throwChanged(place);
        return readAt(again, allocate(length, place), begin, place, pace);
      });
    const weights = items.filter(({ name, type }) => type !== 'int8' && !ACTIVATION_SCALE.test(name));
    return {
      tensors: new Map(weights.map((item) => [item.name, storedItem(item, read, place)])),
      elementTypes: [...new Set(weights.map(({ type }) => (type === 'quantised8' ? 'intgemm8' : type)))],
      config: () => configOf(items, read, place),
    };
  });
}

async function configOf(items: readonly MarianItem[], read: ReadBytes, place: FilePlace): Promise<Uint8Array> {
  const item = items.find(({ name }) => name === CONFIG_ITEM);
  if (item?.type !== 'int8' || item.bytes > MAX_CONFIG_BYTES) {
    throw refuseWeights(
      place,
      CONFIG_ITEM,
      item === undefined ? 'missing' : `${item.bytes} bytes of ${item.type}`,
      `a text of at most ${MAX_CONFIG_BYTES} bytes, which says how the model is built`,
    );
  }
  const bytes = await read(item.begin, item.bytes);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const DTYPES: Partial<Record<MarianItem['type'], WeightDtype>> = { float32: 'F32', float16: 'F16' };

function storedItem(
  item: MarianItem,
  read: (begin: number, length: number, pace?: Yielder) => Promise<Uint8Array>,
  place: FilePlace,
): StoredTensor {
  const { name, type, shape, begin, bytes } = item;
  const dtype = DTYPES[type];
  const tensor = { shape, bytes, file: place.file };
  if (dtype !== undefined) return { ...tensor, dtype, read: (pace) => read(begin, bytes, pace) };
  return {
    ...tensor,
    dtype: 'F32',
    read: async (pace) => {
      const stored = await read(begin, bytes + MULTIPLIER_BYTES, pace);
      const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
      const multiplier = view.getFloat32(bytes, true);
      if (!(Number.isFinite(multiplier) && multiplier > 0)) {
        throw refuseWeights(place, `multiplier of ${name}`, multiplier, 'a number above 0');
      }
      const whole = new Int8Array(stored.buffer, stored.byteOffset, bytes);
      return new Uint8Array((await dequantised(whole, item, multiplier, pace)).buffer);
    },
  };
}

/** Values row by row; matrices are stored by columns, tables of tokens are not. */
async function dequantised(
  whole: Int8Array,
  { name, shape }: MarianItem,
  multiplier: number,
  pace: Yielder,
): Promise<Float32Array> {
  const values = new Float32Array(whole.length);
  const byColumns = shape.length === 2 && !name.endsWith('Wemb');
  const [rows, columns] = byColumns ? shape : [whole.length, 1];
  for (let index = 0; index < whole.length; index++) {
    values[(index % rows) * columns + Math.floor(index / rows)] = whole[index] / multiplier;
    if (index % PIECE === 0 && pace.due()) await pace.yield();
  }
  return values;
}
