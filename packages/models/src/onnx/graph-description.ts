import { ForetokenError } from '@foretoken/core';
import { findExternalData, wireInteger, wireMessage, wireMessages, wireTexts } from '@foretoken/core/internal';
import { ELEMENT_TYPE } from './element-type.js';
import type { GraphParts } from './graph-parts.js';

/** An input or output as the graph declares it; a symbolic dimension is null. */
export interface GraphValue {
  readonly type: string;
  /** Dimensions; null where the graph leaves one open. */
  readonly dims: readonly (number | null)[];
}

/** What can be known of a graph file without running it. */
export interface GraphDescription {
  /** Inputs by name. */
  readonly inputs: ReadonlyMap<string, GraphValue>;
  /** Outputs by name. */
  readonly outputs: ReadonlyMap<string, GraphValue>;
  /** Files the graph wants to read its weights from, as it names them. */
  readonly externalLocations: readonly string[];
  /** How many bytes each of these files must have; absent where nothing tells. */
  readonly externalSizes?: ReadonlyMap<string, number> | undefined;
  /** Those of them that other tensors than weights of the graph's main part name. */
  readonly nestedLocations: readonly string[];
  /** Names of all operators, where reading them cost nothing. */
  readonly operators?: ReadonlySet<string> | undefined;
  /** Its computation, where reading that cost nothing. */
  readonly parts?: GraphParts | undefined;
}

// Fields of onnx.proto3 (ONNX, Apache-2.0).
const GRAPH = 7;
const INITIALIZER = 5;
const TENSOR_NAME = 8;
const INPUT = 11;
const OUTPUT = 12;
const NAME = 1;
const VALUE_TYPE = 2;
const TENSOR_TYPE = 1;
const ELEMENT = 1;
const SHAPE = 2;
const DIMENSION = 1;
const DIMENSION_SIZE = 1;

/** Element types that graphs of others declare, and model folders do not hold. */
const OTHER_TYPES = { string: 8, float64: 11, bfloat16: 16 };

/** Element types as descriptions name them, by their numbers. */
export const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...ELEMENT_TYPE, ...OTHER_TYPES }).map(([name, number]) => [number, name]),
);

/** Reads a serialised graph's signature and external files. Throws `INVALID_MODEL_FOLDER` when it is not ONNX. */
export function describeGraph(bytes: Uint8Array, file: string): GraphDescription {
  return readingGraph(file, () => {
    const { locations, nested } = findExternalData(bytes);
    const graph = wireMessage(bytes, GRAPH);
    if (graph === undefined) throw new RangeError('it holds no graph');
    // Before version 4 of the format weights were listed as inputs too.
    const weights = new Set(wireMessages(graph, INITIALIZER).flatMap((tensor) => wireTexts(tensor, TENSOR_NAME)));
    return {
      inputs: new Map([...signature(graph, INPUT)].filter(([name]) => !weights.has(name))),
      outputs: signature(graph, OUTPUT),
      externalLocations: [...locations.keys()],
      externalSizes: locations,
      nestedLocations: [...nested],
    };
  });
}

/** What reading a graph gives. Throws `INVALID_MODEL_FOLDER` in place of a `RangeError`: what is read is not ONNX. */
export function readingGraph<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file} is not an ONNX graph: ${cause.message}. Import the model again; one in ONNX Runtime's own format needs a name that ends in .ort.`,
      { file, required: 'ONNX' },
      { cause },
    );
  }
}

/** What a family requires of a graph's inputs or outputs; a null dimension may be anything, what is undefined is not asked for. */
export type ExpectedValues = Readonly<Record<string, GraphValue | undefined>>;

/** Throws `INVALID_MODEL_FOLDER` unless the graph declares exactly the expected inputs and at least these outputs. */
export function checkSignature(
  file: string,
  description: GraphDescription,
  inputs: ExpectedValues,
  outputs: ExpectedValues,
): void {
  for (const [name, actual] of description.inputs) {
    const expected = inputs[name];
    if (!expected) fail(file, `input ${name}`, show(actual), 'no such input');
    else if (!matches(actual, expected)) fail(file, `input ${name}`, show(actual), show(expected));
  }
  for (const [kind, wanted, found] of [
    ['input', inputs, description.inputs],
    ['output', outputs, description.outputs],
  ] as const) {
    for (const [name, expected] of Object.entries(wanted)) {
      if (!expected) continue;
      const actual = found.get(name);
      if (!actual) fail(file, `${kind} ${name}`, 'nothing', show(expected));
      else if (!matches(actual, expected)) fail(file, `${kind} ${name}`, show(actual), show(expected));
    }
  }
}

function fail(file: string, field: string, received: string, required: string): never {
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${file} does not fit its manifest: ${field} is ${received}, required: ${required}. Import the model again.`,
    { file, field, received, required },
  );
}

function matches(actual: GraphValue, expected: GraphValue): boolean {
  return (
    actual.type === expected.type &&
    actual.dims.length === expected.dims.length &&
    expected.dims.every((size, index) => size === null || size === actual.dims[index])
  );
}

function show({ type, dims }: GraphValue): string {
  return `${type} [${dims.map((size) => size ?? 'any').join(', ')}]`;
}

function signature(graph: Uint8Array, field: number): Map<string, GraphValue> {
  return new Map(
    wireMessages(graph, field).map((info) => {
      const type = wireMessage(info, VALUE_TYPE);
      const tensor = type === undefined ? undefined : wireMessage(type, TENSOR_TYPE);
      const elementType = tensor === undefined ? 0 : wireInteger(tensor, ELEMENT);
      const shape = tensor === undefined ? undefined : wireMessage(tensor, SHAPE);
      const dims = (shape === undefined ? [] : wireMessages(shape, DIMENSION)).map((dim) => {
        const size = wireInteger(dim, DIMENSION_SIZE);
        return size > 0 ? size : null;
      });
      return [wireTexts(info, NAME).at(-1) ?? '', { type: TYPE_NAMES.get(elementType) ?? `type ${elementType}`, dims }];
    }),
  );
}
