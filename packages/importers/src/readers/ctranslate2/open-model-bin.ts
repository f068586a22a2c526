import type { Yielder } from '@foretoken/core/kit';
import { allocate, FILE_BYTES, type FilePlace, refuseWeights, type WeightDtype } from '@foretoken/models/internal';
import type { StoredTensor } from '../stored-tensor.js';
import { readAt, stateOf, throwChanged, withFile } from '../weights-file.js';
import { type ModelHeader, readModelHeader, VARIABLE_BYTES, type Variable } from './model-header.js';

/** Values that are de-quantised before other work may have its turn. */
const PIECE = 2 ** 18;
/** What follows a quantised variable's name in that of its scales: a value is `quantised / scale` of its row, or of all. */
const SCALE = '_scale';

/** An opened `model.bin`: variables by name, their values read when they are asked for. */
export interface ModelBin extends Omit<ModelHeader, 'variables' | 'aliases'> {
  /** By name and by alias. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Element types of the variables that are no single numbers. */
  readonly elementTypes: readonly string[];
  /**
   * Rows of a variable as a tensor, from `first` on; integers are de-quantised by their scales. The variable has these rows. Throws
   * `INVALID_MODEL_FOLDER` for integers without scales.
   */
  rows(variable: Variable, first: number, count: number): StoredTensor;
  /** The value of a single number. Throws `INVALID_MODEL_FOLDER`. */
  scalar(variable: Variable): Promise<number>;
}

/**
 * Opens a `model.bin` of CTranslate2; it is not kept open. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function openModelBin(place: FilePlace): Promise<ModelBin> {
  return withFile(place, async (open) => {
    if (open.bytes > FILE_BYTES) throw refuseWeights(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const state = await stateOf(open);
    const header = await readModelHeader(
      (begin, length) => readAt(open, allocate(length, place), begin, place),
      open.bytes,
      place,
    );
    const variables = new Map(header.variables.map((variable) => [variable.name, variable]));
    for (const [alias, name] of header.aliases) {
      const variable = variables.get(name);
      if (variable !== undefined) variables.set(alias, variable);
    }
    const read = (begin: number, length: number, pace?: Yielder): Promise<Uint8Array> =>
      withFile(place, async (again) => {
        if ((await stateOf(again)) !== state) throwChanged(place);
        return readAt(again, allocate(length, place), begin, place, pace);
      });
    return {
      spec: header.spec,
      revision: header.revision,
      variables,
      elementTypes: [...new Set(header.variables.flatMap(({ shape, type }) => (shape.length === 0 ? [] : [type])))],
      rows: (variable, first, count) => storedRows({ place, variables, read }, variable, first, count),
      scalar: async ({ name, type, shape, begin, bytes }) => {
        if (shape.length > 0) throw refuseWeights(place, name, shape, 'a single number');
        return numberOf(await read(begin, bytes), type);
      },
    };
  });
}

interface Source {
  readonly place: FilePlace;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly read: (begin: number, length: number, pace?: Yielder) => Promise<Uint8Array>;
}

const DTYPES: Partial<Record<Variable['type'], WeightDtype>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

function storedRows(source: Source, variable: Variable, first: number, count: number): StoredTensor {
  const { place, read } = source;
  const { shape, type } = variable;
  const rest = shape.slice(1);
  const rowValues = rest.reduce((product, size) => product * size, 1);
  const rowBytes = rowValues * VARIABLE_BYTES[type];
  const [begin, bytes] = [variable.begin + first * rowBytes, count * rowBytes];
  const dtype = DTYPES[type];
  const tensor = { shape: [count, ...rest], bytes, file: place.file };
  if (dtype !== undefined) return { ...tensor, dtype, read: (pace) => read(begin, bytes, pace) };
  const scaleOf = scalesOf(source, variable);
  return {
    ...tensor,
    dtype: 'F32',
    read: async (pace) => {
      const stored = await read(begin, bytes, pace);
      const scales = await scaleOf(pace);
      const values = new Float32Array(count * rowValues);
      const integers = type === 'int8' ? new Int8Array(stored.buffer, stored.byteOffset, values.length) : words(stored);
      for (let index = 0; index < values.length; index++) {
        values[index] = integers[index] / scales[scales.length === 1 ? 0 : first + Math.floor(index / rowValues)];
        if (index % PIECE === 0 && pace.due()) await pace.yield();
      }
      return new Uint8Array(values.buffer);
    },
  };
}

/** Scales of a quantised variable: one for each row, or one. Throws `INVALID_MODEL_FOLDER` where they are missing, do not fit or are none. */
function scalesOf({ place, variables, read }: Source, variable: Variable): (pace: Yielder) => Promise<Float32Array> {
  const name = `${variable.name}${SCALE}`;
  const scale = variables.get(name);
  const count = scale?.shape.reduce((product, size) => product * size, 1);
  const quantised = variable.type === 'int8' || variable.type === 'int16';
  if (!quantised || scale?.type !== 'float32' || (count !== 1 && count !== variable.shape[0])) {
    throw refuseWeights(
      place,
      `variable ${variable.name}`,
      `${variable.type} with ${scale === undefined ? 'no scales' : `${scale.type} [${scale.shape.join(', ')}] for scales`}`,
      `numbers, or int8 or int16 with float32 scales, one or ${variable.shape[0]}`,
    );
  }
  return async (pace) => {
    const stored = await read(scale.begin, scale.bytes, pace);
    const scales = new Float32Array(stored.buffer, stored.byteOffset, stored.length / 4);
    // Divided by infinity, whole rows would be 0 without a word.
    const wrong = scales.findIndex((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
    if (wrong < 0) return scales;
    throw refuseWeights(place, `variable ${name}`, `${scales[wrong]} at index ${wrong}`, 'positive finite numbers');
  };
}

function words({ buffer, byteOffset, length }: Uint8Array): Int16Array {
  return new Int16Array(buffer, byteOffset, length / 2);
}

function numberOf(bytes: Uint8Array, type: Variable['type']): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'int8') return view.getInt8(0);
  if (type === 'int16') return view.getInt16(0, true);
  if (type === 'int32') return view.getInt32(0, true);
  return type === 'float32' ? view.getFloat32(0, true) : Number.NaN;
}
