import { wireFields, wireIntegers, wireMessage, wireMessages, wireTexts } from '@foretoken/core/internal';

// Fields of onnx.proto3 (ONNX, Apache-2.0).
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
const BYTES_OF_INTEGERS: ReadonlyMap<number, number> = new Map([
  [6, 4],
  [7, 8],
]);
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** An operator of a graph, and the graph that it stands in. */
export interface ScopedNode {
  readonly scope: GraphScope;
  /** Its domain and name, such as `.Gather` or `com.microsoft.RotaryEmbedding`. */
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes: readonly Uint8Array[];
}

/** A serialised graph by the names of what it computes and holds; a graph inside an operator sees those of the graph around it. */
export class GraphScope {
  /** In their order. */
  readonly nodes: readonly ScopedNode[];
  readonly #outer: GraphScope | undefined;
  readonly #given = new Map<string, ScopedNode>();
  readonly #tensors = new Map<string, Uint8Array>();

  /** Throws `RangeError` for what is no graph. */
  constructor(graph: Uint8Array, outer?: GraphScope) {
    this.#outer = outer;
    for (const tensor of wireMessages(graph, INITIALIZER)) {
      for (const name of wireTexts(tensor, TENSOR_NAME)) this.#tensors.set(name, tensor);
    }
    const nodes: ScopedNode[] = [];
    for (const bytes of wireMessages(graph, NODE)) {
      const { outputs, ...parts } = partsOf(bytes);
      const node: ScopedNode = { scope: this, ...parts };
      nodes.push(node);
      const tensor = node.operator === '.Constant' ? attributeOf(node, 'value', ATTRIBUTE_TENSOR) : undefined;
      for (const name of outputs) {
        this.#given.set(name, node);
        if (tensor !== undefined) this.#tensors.set(name, tensor);
      }
    }
    this.nodes = nodes;
  }

  /** The operator that computes what has a name; undefined for weights and inputs. */
  node(name: string): ScopedNode | undefined {
    return this.#given.get(name) ?? this.#outer?.node(name);
  }

  /** Sizes of a tensor that the graph holds; undefined for what is computed, and for inputs. */
  dims(name: string): readonly number[] | undefined {
    const tensor = this.#tensor(name);
    return tensor && wireIntegers(tensor, TENSOR_DIMS);
  }

  /** The number that a name stands for, where the graph holds it: a scalar, or a list of one. */
  integer(name: string): number | undefined {
    const tensor = this.#tensor(name);
    if (tensor !== undefined) return onlyInteger(tensor);
    const node = this.node(name);
    if (node?.operator !== '.Constant') return undefined;
    return integerAttribute(node, 'value_int') ?? only(integersAttribute(node, 'value_ints'));
  }

  #tensor(name: string): Uint8Array | undefined {
    const own = this.#tensors.get(name);
    if (own !== undefined || this.#outer === undefined) return own;
    return this.#outer.#tensor(name);
  }
}

/** What an operator says of itself, read at once: there are thousands. */
function partsOf(bytes: Uint8Array): Omit<ScopedNode, 'scope'> & { readonly outputs: readonly string[] } {
  const [inputs, outputs, attributes]: [string[], string[], Uint8Array[]] = [[], [], []];
  let [operator, domain] = ['', ''];
  for (const { number, value } of wireFields(bytes)) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === NODE_INPUT) inputs.push(utf8.decode(value));
    else if (number === NODE_OUTPUT) outputs.push(utf8.decode(value));
    else if (number === OPERATOR) operator = utf8.decode(value);
    else if (number === DOMAIN) domain = utf8.decode(value);
    else if (number === ATTRIBUTE) attributes.push(value);
  }
  return { operator: `${domain === 'ai.onnx' ? '' : domain}.${operator}`, inputs, outputs, attributes };
}

/** The graphs inside an operator, such as the branches of an `If`. */
export function innerGraphs({ scope, attributes }: ScopedNode): readonly GraphScope[] {
  const graphs = attributes.flatMap((attribute) => wireMessages(attribute, ATTRIBUTE_GRAPH));
  return graphs.map((graph) => new GraphScope(graph, scope));
}

/** A whole number that an operator is told. */
export function integerAttribute(node: ScopedNode, name: string): number | undefined {
  return attributesOf(node, name)
    .flatMap((attribute) => wireIntegers(attribute, ATTRIBUTE_INTEGER))
    .at(-1);
}

function integersAttribute(node: ScopedNode, name: string): readonly number[] {
  return attributesOf(node, name).flatMap((attribute) => wireIntegers(attribute, ATTRIBUTE_INTEGERS));
}

function attributeOf(node: ScopedNode, name: string, field: number): Uint8Array | undefined {
  return attributesOf(node, name).flatMap((attribute) => wireMessage(attribute, field) ?? [])[0];
}

function attributesOf({ attributes }: ScopedNode, name: string): readonly Uint8Array[] {
  return attributes.filter((attribute) => wireTexts(attribute, ATTRIBUTE_NAME).includes(name));
}

/** The value of a tensor of one whole number, wherever it keeps it. */
function onlyInteger(tensor: Uint8Array): number | undefined {
  const size = BYTES_OF_INTEGERS.get(wireIntegers(tensor, TENSOR_TYPE).at(-1) ?? 0);
  if (size === undefined || wireIntegers(tensor, TENSOR_DIMS).some((dim) => dim !== 1)) return undefined;
  const [raw] = wireMessages(tensor, RAW_DATA);
  if (raw === undefined) return only([INT32_DATA, INT64_DATA].flatMap((field) => wireIntegers(tensor, field)));
  if (raw.length !== size) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, size);
  return size === 4 ? view.getInt32(0, true) : Number(view.getBigInt64(0, true));
}

function only(values: readonly number[]): number | undefined {
  return values.length === 1 ? values[0] : undefined;
}
