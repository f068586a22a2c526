import { ForetokenError } from '@foretoken/core';
import { ELEMENT_TYPE, ModelProto } from './proto.js';

/** An input or output as the graph declares it; a symbolic dimension is null. */
export interface GraphValue {
  readonly type: string;
  readonly dims: readonly (number | null)[];
}

/** What can be known of a graph file without running it. */
export interface GraphDescription {
  readonly inputs: ReadonlyMap<string, GraphValue>;
  readonly outputs: ReadonlyMap<string, GraphValue>;
  /** Files the graph wants to read its weights from, as it names them. */
  readonly externalLocations: readonly string[];
}

interface RawTensor {
  readonly dataLocation?: number;
  readonly externalData?: readonly { readonly key: string; readonly value: string }[];
}
interface RawAttribute {
  readonly t?: RawTensor;
  readonly g?: RawGraph;
  readonly tensors?: readonly RawTensor[];
  readonly graphs?: readonly RawGraph[];
  readonly sparseTensor?: RawSparse;
  readonly sparseTensors?: readonly RawSparse[];
}
interface RawSparse {
  readonly values?: RawTensor;
  readonly indices?: RawTensor;
}
interface RawNode {
  readonly attribute?: readonly RawAttribute[];
}
interface RawValueInfo {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType: number;
      readonly shape?: { readonly dim?: readonly { readonly dimValue?: number; readonly dimParam?: string }[] };
    };
  };
}
interface RawGraph {
  readonly node?: readonly RawNode[];
  readonly initializer?: readonly RawTensor[];
  readonly sparseInitializer?: readonly RawSparse[];
  readonly input?: readonly RawValueInfo[];
  readonly output?: readonly RawValueInfo[];
}
interface RawModel {
  readonly graph?: RawGraph;
  readonly functions?: readonly { readonly node?: readonly RawNode[] }[];
}

const TYPE_NAMES = new Map<number, string>(Object.entries(ELEMENT_TYPE).map(([name, number]) => [number, name]));

/** Reads a serialised graph's signature and external files. Throws `INVALID_MODEL_FOLDER` when it is not ONNX. */
export function describeGraph(bytes: Uint8Array, file: string): GraphDescription {
  let model: RawModel;
  try {
    model = ModelProto.toObject(ModelProto.decode(bytes), { longs: Number, arrays: true }) as RawModel;
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file} is not an ONNX graph: ${cause instanceof Error ? cause.message : String(cause)}. Import the model again.`,
      { file },
      { cause },
    );
  }
  if (model.graph === undefined || model.graph === null) {
    throw new ForetokenError('INVALID_MODEL_FOLDER', `${file} holds no ONNX graph. Import the model again.`, { file });
  }
  const locations = new Set<string>();
  visitGraph(model.graph, locations);
  for (const { node } of model.functions ?? []) visitNodes(node, locations);
  return {
    inputs: signature(model.graph.input),
    outputs: signature(model.graph.output),
    externalLocations: [...locations],
  };
}

/** What a family requires of a graph's input or output; a null dimension may be anything. */
export type ExpectedValues = Readonly<Record<string, GraphValue>>;

/** Throws `INVALID_MODEL_FOLDER` unless the graph declares exactly the expected inputs and at least these outputs. */
export function checkSignature(
  file: string,
  description: GraphDescription,
  inputs: ExpectedValues,
  outputs: ExpectedValues,
): void {
  for (const [name, actual] of description.inputs) {
    const expected = inputs[name];
    if (expected === undefined) fail(file, `input ${name}`, show(actual), 'no such input');
    else if (!matches(actual, expected)) fail(file, `input ${name}`, show(actual), show(expected));
  }
  for (const [kind, wanted, found] of [
    ['input', inputs, description.inputs],
    ['output', outputs, description.outputs],
  ] as const) {
    for (const [name, expected] of Object.entries(wanted)) {
      const actual = found.get(name);
      if (actual === undefined) fail(file, `${kind} ${name}`, 'nothing', show(expected));
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

function signature(values: readonly RawValueInfo[] | undefined): Map<string, GraphValue> {
  const entries = (values ?? []).map(({ name, type }): [string, GraphValue] => {
    const tensor = type?.tensorType;
    const dims = (tensor?.shape?.dim ?? []).map(({ dimValue }) =>
      typeof dimValue === 'number' && dimValue > 0 ? dimValue : null,
    );
    return [name, { type: TYPE_NAMES.get(tensor?.elemType ?? 0) ?? `type ${tensor?.elemType ?? 'unknown'}`, dims }];
  });
  return new Map(entries);
}

function visitGraph(graph: RawGraph, locations: Set<string>): void {
  for (const tensor of graph.initializer ?? []) visitTensor(tensor, locations);
  for (const sparse of graph.sparseInitializer ?? []) visitSparse(sparse, locations);
  visitNodes(graph.node, locations);
}

function visitNodes(nodes: readonly RawNode[] | undefined, locations: Set<string>): void {
  for (const { attribute } of nodes ?? []) {
    for (const { t, g, tensors, graphs, sparseTensor, sparseTensors } of attribute ?? []) {
      if (t) visitTensor(t, locations);
      if (g) visitGraph(g, locations);
      if (sparseTensor) visitSparse(sparseTensor, locations);
      for (const tensor of tensors ?? []) visitTensor(tensor, locations);
      for (const graph of graphs ?? []) visitGraph(graph, locations);
      for (const sparse of sparseTensors ?? []) visitSparse(sparse, locations);
    }
  }
}

function visitSparse(sparse: RawSparse, locations: Set<string>): void {
  if (sparse.values) visitTensor(sparse.values, locations);
  if (sparse.indices) visitTensor(sparse.indices, locations);
}

function visitTensor(tensor: RawTensor, locations: Set<string>): void {
  for (const { key, value } of tensor.externalData ?? []) if (key === 'location') locations.add(value);
}
