import { ATTRIBUTE_TYPE, ELEMENT_TYPE, type ElementType, ModelProto } from './proto.js';
import type { StoredWeight, WeightStore } from './weight-store.js';

/** Name of a value in the graph under construction. */
export type Value = string;

export type AttributeValue = number | { readonly float: number } | string | readonly number[];

export const CONTRIB = 'com.microsoft';

const EXTERNAL = 1;

/**
 * Builds one ONNX graph: inputs, operators in execution order, outputs.
 *
 * Weights go to a `WeightStore` shared with other graphs and are referred to as external data of `dataFile`.
 */
export class GraphBuilder {
  readonly #store: WeightStore;
  readonly #dataFile: string;
  readonly #nodes: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #initializers = new Map<string, object>();
  #fresh = 0;

  constructor(store: WeightStore, dataFile: string) {
    this.#store = store;
    this.#dataFile = dataFile;
  }

  /** Declares an input; a string dimension is symbolic. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares `value` as an output under its own name. */
  output(value: Value, type: ElementType, dims: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(value, type, dims));
  }

  /** Adds an operator with one output, named `name` if given. */
  op(
    opType: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    options: { readonly domain?: string; readonly name?: string } = {},
  ): Value {
    return this.ops(opType, inputs, 1, attributes, options)[0] as Value;
  }

  /** Adds an operator with `count` outputs. */
  ops(
    opType: string,
    inputs: readonly Value[],
    count: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    options: { readonly domain?: string; readonly name?: string } = {},
  ): Value[] {
    const name = options.name ?? `${opType}_${this.#fresh++}`;
    const output = count === 1 ? [name] : Array.from({ length: count }, (_, index) => `${name}_${index}`);
    this.#nodes.push({
      opType,
      name,
      input: [...inputs],
      output,
      domain: options.domain ?? '',
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return output;
  }

  /** A weight of the shared store, usable as an fp32 value; `exact` exempts it from fp16 storage. */
  weight(name: string, dims: readonly number[], values: Float32Array, exact = false): Value {
    if (this.#initializers.has(name)) return name;
    const stored = this.#store.add(name, dims, values, exact);
    const half = stored.elementType === 'float16';
    this.#external(name, half ? `${name}.fp16` : name, stored);
    // Constant folding turns this cast into an fp32 weight once, when the session is created.
    if (half) this.op('Cast', [`${name}.fp16`], { to: ELEMENT_TYPE.float32 }, { name });
    return name;
  }

  /** An int8 weight of the shared store. */
  weightInt8(name: string, dims: readonly number[], values: Int8Array): Value {
    if (!this.#initializers.has(name)) this.#external(name, name, this.#store.addInt8(name, dims, values));
    return name;
  }

  #external(key: string, name: string, { dims, elementType, offset, length }: StoredWeight): void {
    this.#initializers.set(key, {
      name,
      dims: [...dims],
      dataType: ELEMENT_TYPE[elementType],
      dataLocation: EXTERNAL,
      externalData: [
        { key: 'location', value: this.#dataFile },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(length) },
      ],
    });
  }

  /** A small constant kept in the graph itself. */
  constant(type: 'int32' | 'int64' | 'float32', dims: readonly number[], values: readonly number[]): Value {
    const name = `${type}_${dims.join('x')}_${values.slice(0, 8).join('_')}_${this.#fresh++}`;
    const data =
      type === 'int64'
        ? BigInt64Array.from(values, BigInt)
        : type === 'int32'
          ? Int32Array.from(values)
          : Float32Array.from(values);
    this.#initializers.set(name, {
      name,
      dims: [...dims],
      dataType: ELEMENT_TYPE[type],
      rawData: new Uint8Array(data.buffer),
    });
    return name;
  }

  /** The serialised model. */
  build(graphName: string): Uint8Array {
    const model = {
      irVersion: 10,
      producerName: 'foretoken',
      opsetImport: [
        { domain: '', version: 23 },
        { domain: CONTRIB, version: 1 },
      ],
      graph: {
        name: graphName,
        node: this.#nodes,
        initializer: [...this.#initializers.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
    };
    return ModelProto.encode(ModelProto.fromObject(model)).finish();
  }
}

function valueInfo(name: string, type: ElementType, dims: readonly (number | string)[]): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPE[type], shape: { dim } } } };
}

function attribute(name: string, value: AttributeValue): object {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: [...value] };
}
