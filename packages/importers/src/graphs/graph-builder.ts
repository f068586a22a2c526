import { hasMethods, integer, listOf, number, oneOf, text, wrongValue } from '@foretoken/core/kit';
import { ELEMENT_TYPE, type ElementType } from '@foretoken/models/internal';
import { type AttributeValue, graphAttribute, node, type Value, valueInfo } from './graph-parts.js';
import { ModelProto } from './proto.js';
import { dimsOf, type WeightStore, type WeightValues } from './weight-store.js';

export type { AttributeValue, Value } from './graph-parts.js';

/** Domain of the operators that ONNX Runtime adds to those of ONNX. */
export const CONTRIB = 'com.microsoft';

const EXTERNAL = 1;

/** An initializer that the store has. */
const STORED = Symbol('stored');

/** In the place of the node that casts a weight, if that turns out to be stored as fp16. */
interface CastOf {
  readonly castOf: string;
}

/**
 * Builds one ONNX graph: inputs, operators in execution order, outputs.
 *
 * Weights go to a `WeightStore` shared with other graphs and are referred to as external data of `dataFile`. Throws
 * `INVALID_ARGUMENT` for what no graph can hold.
 */
export class GraphBuilder {
  readonly #store: WeightStore;
  readonly #dataFile: string;
  /** Nodes of the main part. */
  readonly #main: (object | CastOf)[] = [];
  /** Where nodes are added: to the main part, or to the branch that is being built. */
  #nodes: (object | CastOf)[] = this.#main;
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #initializers = new Map<string, object | typeof STORED>();
  #fresh = 0;

  constructor(store: WeightStore, dataFile: string) {
    if (!hasMethods(store, 'add', 'addInt8', 'addUint8', 'find')) throw wrongValue('store', store, 'a WeightStore');
    this.#store = store;
    this.#dataFile = text('dataFile', dataFile);
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
    options: { readonly domain?: string | undefined; readonly name?: string | undefined } = {},
  ): Value {
    return this.ops(opType, inputs, 1, attributes, options)[0];
  }

  /** Adds an operator with `count` outputs. */
  ops(
    opType: string,
    inputs: readonly Value[],
    count: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    options: { readonly domain?: string | undefined; readonly name?: string | undefined } = {},
  ): Value[] {
    integer(1)('count', count);
    const name = options.name ?? `${opType}_${this.#fresh++}`;
    const output = count === 1 ? [name] : Array.from({ length: count }, (_, index) => `${name}_${index}`);
    this.#nodes.push(node(opType, inputs, output, name, attributes, options.domain));
    return output;
  }

  /**
   * What one of two branches computes, chosen by `condition` when the graph runs: one element, a boolean. Branches see the values
   * outside them; what each gives must be made in it, and be of these types.
   */
  choose(
    condition: Value,
    types: readonly ElementType[],
    whenTrue: () => readonly Value[],
    whenFalse: () => readonly Value[],
    names: readonly string[] = types.map(() => `If_${this.#fresh++}`),
  ): Value[] {
    const branch = (name: string, build: () => readonly Value[]): object => {
      const outside = this.#nodes;
      const inside: (object | CastOf)[] = [];
      this.#nodes = inside;
      const values = build();
      this.#nodes = outside;
      return graphAttribute(name, inside, values, types);
    };
    const attribute = [branch('then_branch', whenTrue), branch('else_branch', whenFalse)];
    this.#nodes.push({ ...node('If', [condition], names, names[0], {}), attribute });
    return [...names];
  }

  /**
   * What a body makes of fp32 sequences, one element of their second dimension after the other, `[rows, time, ..]`: the last of its
   * states, then what it gives for each element, `[rows, time, ..]`. `step` is given the states and the elements, `[rows, ..]`, and
   * returns the next states and the outputs.
   */
  scan(
    states: readonly Value[],
    sequences: readonly Value[],
    outputs: number,
    step: (
      states: readonly Value[],
      elements: readonly Value[],
    ) => { readonly next: readonly Value[]; readonly given: readonly Value[] },
  ): Value[] {
    const fresh = this.#fresh++;
    const named = (of: readonly Value[], kind: string) => of.map((_, index) => `Scan_${fresh}_${kind}_${index}`);
    const [before, elements] = [named(states, 'state'), named(sequences, 'element')];
    const outside = this.#nodes;
    const inside: (object | CastOf)[] = [];
    this.#nodes = inside;
    const { next, given } = step(before, elements);
    this.#nodes = outside;
    const values = [...next, ...given];
    const body = graphAttribute(
      'body',
      inside,
      values,
      values.map(() => 'float32'),
      [...before, ...elements],
    );
    const names = Array.from({ length: states.length + outputs }, (_, index) => `Scan_${fresh}_${index}`);
    const attributes = {
      num_scan_inputs: sequences.length,
      scan_input_axes: sequences.map(() => 1),
      scan_output_axes: Array.from({ length: outputs }, () => 1),
    };
    const scanned = node('Scan', [...states, ...sequences], names, names[0], attributes);
    this.#nodes.push({ ...scanned, attribute: [...scanned.attribute, body] });
    return names;
  }

  /** A weight of the shared store, usable as an fp32 value; `exact` exempts it from fp16 storage. */
  weight(name: string, dims: readonly number[], values: WeightValues, exact = false): Value {
    if (this.#initializers.has(name)) return name;
    this.#store.add(name, dims, values, exact);
    this.#initializers.set(name, STORED);
    // Constant folding turns this cast into an fp32 weight once, when the session is created.
    this.#main.push({ castOf: name });
    return name;
  }

  /** An int8 weight of the shared store. */
  weightInt8(name: string, dims: readonly number[], values: WeightValues<Int8Array>): Value {
    return this.#stored(name, () => this.#store.addInt8(name, dims, values));
  }

  /** A weight of the shared store in bytes without sign: values of 8 or 4 bits. */
  weightUint8(name: string, dims: readonly number[], values: WeightValues<Uint8Array>): Value {
    return this.#stored(name, () => this.#store.addUint8(name, dims, values));
  }

  #stored(name: string, add: () => void): Value {
    if (!this.#initializers.has(name)) {
      add();
      this.#initializers.set(name, STORED);
    }
    return name;
  }

  /** The store's weight as an initializer: under its own name unless a cast has that. */
  #external(key: string): object {
    const { dims, elementType, offset, length } = this.#store.find(key);
    return {
      name: elementType === 'float16' ? halfName(key) : key,
      dims: [...dims],
      dataType: ELEMENT_TYPE[elementType],
      dataLocation: EXTERNAL,
      externalData: [
        { key: 'location', value: this.#dataFile },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(length) },
      ],
    };
  }

  /** The node that casts a weight to fp32, where it is stored as fp16. */
  #cast(name: string): object[] {
    if (this.#store.find(name).elementType !== 'float16') return [];
    return [node('Cast', [halfName(name)], [name], name, { to: ELEMENT_TYPE.float32 })];
  }

  /** A small constant kept in the graph itself. */
  constant(type: 'int32' | 'int64' | 'float32', dims: readonly number[], values: readonly number[]): Value {
    oneOf('int32', 'int64', 'float32')('type', type);
    dimsOf(dims);
    listOf(type === 'float32' ? number(-Infinity, Infinity) : integer(Number.MIN_SAFE_INTEGER))('values', values);
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

  /** The serialised model. The store's weights must have been streamed. */
  build(graphName: string): Uint8Array {
    const initializer = [...this.#initializers].map(([key, own]) => (own === STORED ? this.#external(key) : own));
    const model = {
      irVersion: 10,
      producerName: 'foretoken',
      opsetImport: [
        { domain: '', version: 23 },
        { domain: CONTRIB, version: 1 },
      ],
      graph: {
        name: graphName,
        node: this.#main.flatMap((each) => ('castOf' in each ? this.#cast(each.castOf) : [each])),
        initializer,
        input: this.#inputs,
        output: this.#outputs,
      },
    };
    return ModelProto.encode(ModelProto.fromObject(model)).finish();
  }
}

const halfName = (name: string): string => `${name}.fp16`;
