import { wireFields, wireIntegers, wireMessage, wireMessages, wireTexts } from '@foretoken/core/internal';
import { type GraphParts, type HeldTensor, type NodeParts, onlyInteger, operatorName } from './graph-parts.js';

// Fields of onnx.proto3 (ONNX, Apache-2.0).
const GRAPH = 7;
const NODE = 1;
const INITIALIZER = 5;
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
const OPERATOR = 4;
const ATTRIBUTE = 5;
const DOMAIN = 7;
const ATTRIBUTE_NAME = 1;
const ATTRIBUTE_INTEGER = 3;
const ATTRIBUTE_TENSOR = 5;
const ATTRIBUTE_GRAPH = 6;
const ATTRIBUTE_INTEGERS = 8;
const TENSOR_DIMS = 1;
const TENSOR_TYPE = 2;
const INT32_DATA = 5;
const INT64_DATA = 7;
const TENSOR_NAME = 8;
const RAW_DATA = 9;
const WHOLE_NUMBERS: readonly number[] = [6, 7];
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The parts of a serialised ONNX graph; undefined for a file without a graph. Throws `RangeError` for what is no ONNX. */
export function wireParts(model: Uint8Array): GraphParts | undefined {
  const graph = wireMessage(model, GRAPH);
  return graph && partsOf(graph);
}

function partsOf(graph: Uint8Array): GraphParts {
  const tensors = new Map<string, HeldTensor>();
  for (const tensor of wireMessages(graph, INITIALIZER)) {
    for (const name of wireTexts(tensor, TENSOR_NAME)) tensors.set(name, new WireTensor(tensor));
  }
  return { tensors, nodes: wireMessages(graph, NODE).map((bytes) => new WireNode(bytes)) };
}

/** Read when it is asked for: there are thousands. */
class WireTensor implements HeldTensor {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get dims(): readonly number[] {
    return wireIntegers(this.#bytes, TENSOR_DIMS);
  }

  /** The value of a tensor of one whole number, wherever it keeps it. */
  get integer(): number | undefined {
    const { dims } = this;
    const type = wireIntegers(this.#bytes, TENSOR_TYPE).at(-1) ?? 0;
    const [raw] = wireMessages(this.#bytes, RAW_DATA);
    if (raw !== undefined) return onlyInteger(type, dims, new DataView(raw.buffer, raw.byteOffset, raw.length));
    if (!WHOLE_NUMBERS.includes(type) || dims.some((dim) => dim !== 1)) return undefined;
    return only([INT32_DATA, INT64_DATA].flatMap((field) => wireIntegers(this.#bytes, field)));
  }
}

class WireNode implements NodeParts {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly constant: HeldTensor | undefined;
  readonly #attributes: readonly Uint8Array[];

  /** Reads what an operator says of itself at once. */
  constructor(bytes: Uint8Array) {
    const [inputs, outputs, attributes]: [string[], string[], Uint8Array[]] = [[], [], []];
    let [name, domain] = ['', ''];
    for (const { number, value } of wireFields(bytes)) {
      if (!(value instanceof Uint8Array)) continue;
      if (number === NODE_INPUT) inputs.push(utf8.decode(value));
      else if (number === NODE_OUTPUT) outputs.push(utf8.decode(value));
      else if (number === OPERATOR) name = utf8.decode(value);
      else if (number === DOMAIN) domain = utf8.decode(value);
      else if (number === ATTRIBUTE) attributes.push(value);
    }
    this.operator = operatorName(domain, name);
    this.inputs = inputs;
    this.outputs = outputs;
    this.#attributes = attributes;
    this.constant = this.operator === '.Constant' ? this.#constant() : undefined;
  }

  integer(name: string): number | undefined {
    return this.#named(name)
      .flatMap((attribute) => wireIntegers(attribute, ATTRIBUTE_INTEGER))
      .at(-1);
  }

  graphs(): readonly GraphParts[] {
    return this.#attributes.flatMap((attribute) => wireMessages(attribute, ATTRIBUTE_GRAPH)).map(partsOf);
  }

  #constant(): HeldTensor | undefined {
    const [tensor] = this.#named('value').flatMap((attribute) => wireMessage(attribute, ATTRIBUTE_TENSOR) ?? []);
    if (tensor !== undefined) return new WireTensor(tensor);
    const integer = this.integer('value_int');
    if (integer !== undefined) return { dims: [], integer };
    const list = this.#named('value_ints').flatMap((attribute) => wireIntegers(attribute, ATTRIBUTE_INTEGERS));
    return list.length === 0 ? undefined : { dims: [list.length], integer: only(list) };
  }

  #named(name: string): readonly Uint8Array[] {
    return this.#attributes.filter((attribute) => wireTexts(attribute, ATTRIBUTE_NAME).includes(name));
  }
}

function only(values: readonly number[]): number | undefined {
  return values.length === 1 ? values[0] : undefined;
}
