import { posix } from 'node:path';
import { ELEMENT_TYPE, invalidFolder, type ModelFolder, type WeightDtype } from '@foretoken/models/internal';
import { decodeGraph } from '../../graphs/proto.js';
import type { StoredTensor } from '../../readers/stored-tensor.js';

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array | undefined;
  readonly dataLocation: number;
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
}

interface Node {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly {
    readonly name: string;
    readonly i?: number | undefined;
    readonly t?: Tensor | null | undefined;
    readonly g?: Graph | null | undefined;
  }[];
}

interface Graph {
  readonly initializer: readonly Tensor[];
  readonly node: readonly Node[];
}

const TYPES: ReadonlyMap<number, WeightDtype> = new Map([
  [ELEMENT_TYPE.float32, 'F32'],
  [ELEMENT_TYPE.float16, 'F16'],
]);
const BYTES: Readonly<Partial<Record<WeightDtype, number>>> = { F32: 4, F16: 2 };
/** What networks call their tables of positions. */
const POSITIONS = 'embed_positions.weight';
/** `TensorProto.DataLocation`. */
const EXTERNAL = 1;

/**
 * The weights of an exported graph by the names that they have in the network that was exported, with the shapes that they have there.
 *
 * PyTorch's exporter keeps the names of weights that it takes as they are. Of those that it transposes for a product only the name of
 * the operator says whose they are, such as `/model/decoder/layers.0/fc1/MatMul`. A table of positions that is added as a whole has no
 * name at all. Weights of equal values are kept once; the others are `Identity` operators with their names. Throws `INVALID_MODEL_FOLDER`.
 */
export async function graphWeights(folder: ModelFolder, file: string): Promise<Map<string, StoredTensor>> {
  const { graph } = (await decodeGraph(folder, file)) as { readonly graph: Graph };
  const found = new Map<string, StoredTensor>();
  const add = (name: string, tensor: StoredTensor): void => {
    if (!found.has(name)) found.set(name, tensor);
  };
  const visit = ({ initializer, node }: Graph, outer: ReadonlyMap<string, StoredTensor>): void => {
    const values = new Map(outer);
    const put = (name: string, tensor: Tensor): void => {
      const stored = storedTensor(folder, file, tensor);
      if (stored === undefined) return;
      values.set(name, stored);
      add(ownName(name), stored);
    };
    for (const tensor of initializer) put(tensor.name, tensor);
    for (const { name, opType, input, output, attribute } of node) {
      // A node without an output gives nothing.
      const [given] = output as readonly (string | undefined)[];
      const constant = opType === 'Constant' ? attribute.find((one) => one.name === 'value')?.t : undefined;
      if (constant != null && given !== undefined) put(given, constant);
      const same = opType === 'Identity' ? values.get(input[0]) : undefined;
      if (same !== undefined && given !== undefined) {
        values.set(given, same);
        add(ownName(given), same);
      }
      const weight = values.get(input[1]);
      if (weight !== undefined && weight.shape.length === 2 && (opType === 'MatMul' || opType === 'Gemm')) {
        const isTransposed = attribute.some((one) => one.name === 'transB' && one.i === 1);
        add(`${scopeOf(name)}.weight`, isTransposed ? weight : transposed(weight));
      }
      const table = opType === 'Add' ? values.get(input[1]) : undefined;
      // Its sizes are checked where it is asked for, and what is made of it is compared with the export.
      if (table?.shape.length === 2) add([scopeOf(name), POSITIONS].filter((part) => part !== '').join('.'), table);
      for (const { g } of attribute) if (g != null) visit(g, values);
    }
  };
  visit(graph, new Map());
  return found;
}

/** The name of a weight, without what joining two graphs in one adds. */
function ownName(name: string): string {
  return name.replace(/_merged_\d+$/, '');
}

/** The module that an operator belongs to: `/lm_head/MatMul` is of `lm_head`. */
function scopeOf(operator: string): string {
  return operator.split('/').slice(1, -1).join('.');
}

/** A tensor of floats with its bytes where they lie; undefined for what is no such weight. */
function storedTensor(folder: ModelFolder, file: string, tensor: Tensor): StoredTensor | undefined {
  const { dims, dataType, rawData, dataLocation, externalData } = tensor;
  const dtype = TYPES.get(dataType);
  const size = dtype === undefined ? undefined : BYTES[dtype];
  if (dtype === undefined || size === undefined || dims.length === 0) return undefined;
  const bytes = dims.reduce((product, dim) => product * dim, size);
  if (dataLocation !== EXTERNAL) {
    // A few numbers may be kept as numbers; no weight is.
    if (rawData === undefined || rawData.length !== bytes) return undefined;
    return { dtype, shape: dims, bytes, file, read: async () => rawData.slice() };
  }
  const field = (key: string): string | undefined => externalData.find((entry) => entry.key === key)?.value;
  const source = posix.join(posix.dirname(file), field('location') ?? '');
  const offset = field('offset') ?? '0';
  // What is no number from 0 begins nowhere.
  const begin = /^\d{1,16}$/.test(offset) ? Number(offset) : Number.MAX_SAFE_INTEGER;
  return {
    dtype,
    shape: dims,
    bytes,
    file: source,
    read: async () => {
      const data = (await folder.readBytes(source)).slice(begin, begin + bytes);
      if (data.length === bytes) return data;
      throw invalidFolder(
        `${file} in ${folder.path}: ${JSON.stringify(tensor.name)} has ${bytes} bytes at ${offset} of ${source}, which ends before. Fetch all files of the model again.`,
        { folder: folder.path, file: source, field: tensor.name, received: data.length, required: bytes },
      );
    },
  };
}

/** A matrix as a linear layer has it, of one that is multiplied from the right. */
function transposed(matrix: StoredTensor): StoredTensor {
  const [rows, columns] = matrix.shape;
  const size = matrix.bytes / (rows * columns);
  return {
    ...matrix,
    shape: [columns, rows],
    read: async (pace) => {
      const Numbers = size === 4 ? Uint32Array : Uint16Array;
      // A copy, whose numbers lie where they can be read as such.
      const from = new Numbers(Uint8Array.from(await matrix.read(pace)).buffer);
      const to = new Numbers(rows * columns);
      for (let column = 0; column < columns; column++) {
        for (let row = 0; row < rows; row++) to[column * rows + row] = from[row * columns + column];
        if (pace.due()) await pace.yield();
      }
      return new Uint8Array(to.buffer);
    },
  };
}
