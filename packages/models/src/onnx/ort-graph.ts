import { invalidFolder, quote, unsupportedModel } from '../folder/refusal.js';
import { FlatBuffer, type FlatTable } from './flat-buffer.js';
import { type GraphDescription, type GraphValue, TYPE_NAMES } from './graph-description.js';
import { type GraphParts, type HeldTensor, type NodeParts, onlyInteger, operatorName } from './graph-parts.js';

// Fields of ort.fbs by their number (ONNX Runtime, MIT).
const SESSION_MODEL = 1;
const MODEL_GRAPH = 7;
const GRAPH = { initializers: 0, values: 1, nodes: 2, maxNodeIndex: 3, edges: 4, inputs: 5, outputs: 6, sparse: 7 };
const VALUE = { name: 0, type: 2 };
const TYPE = { kind: 1, content: 2 };
const TENSOR_TYPE = { element: 0, shape: 1 };
const SHAPE_DIMENSIONS = 0;
const DIMENSION_VALUE = 0;
const SIZE = { kind: 0, value: 1 };
const NODE = { domain: 2, index: 4, operator: 5, inputs: 8, outputs: 9, attributes: 10 };
const ATTRIBUTE = { name: 0, integer: 4, tensor: 6, graph: 7, tensors: 11, graphs: 12 };
const TENSOR = { name: 0, dims: 2, type: 3, raw: 4, texts: 5, externalOffset: 6 };
const EDGE = { node: 0, inputs: 1, outputs: 2 };

const IS_TENSOR = 1;
const IS_SIZE = 1;
const EDGE_END_BYTES = 12;
const TEXT = 8;
/** Bytes of the numbers of each element type; what is not here is packed, or unknown. */
const BYTES = new Map(
  Object.entries('4 1 1 2 2 4 8 0 1 2 8 4 8 8 16 2 1 1 1 1'.split(' ')).map(([at, bytes]) => [
    Number(at) + 1,
    Number(bytes),
  ]),
);

/** Far more than any graph has: the runtime takes memory for as many nodes as a file says. */
const MAX_NODES = 1_000_000;
/** Graphs in the attributes of one another. */
const MAX_DEPTH = 16;

/** What a graph in ONNX Runtime's own format says of itself. */
export interface OrtGraphDescription extends GraphDescription {
  /** Names of all its operators, those of its subgraphs among them. */
  readonly operators: ReadonlySet<string>;
  readonly parts: GraphParts;
}

/**
 * Reads the signature and operators of a graph in ONNX Runtime's own format, and checks what the runtime would take memory by. The bytes
 * are untrusted.
 *
 * Throws `INVALID_MODEL_FOLDER`; `UNSUPPORTED_MODEL` where weights lie in another file. Both name the file and the field.
 */
export function describeOrtGraph(bytes: Uint8Array, file: string): OrtGraphDescription {
  const reader = new OrtReader(file);
  try {
    return reader.read(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalidFolder(
      `${file} is not a graph in ONNX Runtime's own format: ${reader.field}: ${cause.message}. Fetch or convert it again.`,
      { file, field: reader.field, required: 'a graph in the format of ONNX Runtime' },
      cause,
    );
  }
}

class OrtReader {
  /** What is being read. */
  field = 'the whole file';
  readonly #file: string;
  readonly #operators = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  read(bytes: Uint8Array): OrtGraphDescription {
    const buffer = new FlatBuffer(bytes);
    if (buffer.identifier !== 'ORTM') {
      throw invalidFolder(
        `${this.#file} has a name that ends in .ort, but it is not in ONNX Runtime's own format. Fetch it again, or let its name end in .onnx where it is an ONNX graph.`,
        { file: this.#file, field: 'identifier', received: buffer.identifier, required: 'ORTM' },
      );
    }
    const graph = buffer.root().table(SESSION_MODEL)?.table(MODEL_GRAPH);
    if (graph === undefined) throw new RangeError('it holds no graph');
    const parts = this.#graph(graph, 'graph', 1);
    const values = new Map<string, FlatTable>();
    this.field = 'graph.node_args';
    for (const value of graph.tables(GRAPH.values)) values.set(value.text(VALUE.name) ?? '', value);
    const signature = (kind: 'inputs' | 'outputs'): [string, GraphValue][] =>
      graph.texts(GRAPH[kind]).map((name) => {
        this.field = `graph.${kind}: ${quote(name)}`;
        const value = values.get(name);
        if (value === undefined) throw new RangeError('it has no type');
        return [name, typeOf(value)];
      });
    return {
      // A weight may be an input too, whose value need not be given.
      inputs: new Map(signature('inputs').filter(([name]) => !parts.tensors.has(name))),
      outputs: new Map(signature('outputs')),
      externalLocations: [],
      nestedLocations: [],
      operators: this.#operators,
      parts,
    };
  }

  /** Checks a graph and all in it, and gives its parts. */
  #graph(graph: FlatTable, path: string, depth: number): GraphParts {
    this.field = path;
    if (depth > MAX_DEPTH) throw new RangeError(`graphs lie more than ${MAX_DEPTH} deep in one another`);
    const maxIndex = graph.uint32(GRAPH.maxNodeIndex);
    if (maxIndex > MAX_NODES) this.#refuse(`${path}.max_node_index`, maxIndex, `at most ${MAX_NODES}`);
    const tensors = new Map<string, HeldTensor>();
    for (const [index, tensor] of each(graph.tables(GRAPH.initializers))) {
      const { name, held } = this.#tensor(tensor, `${path}.initializers[${index}]`);
      tensors.set(name, held);
    }
    for (const [index, sparse] of each(graph.tables(GRAPH.sparse))) {
      for (const part of [0, 1]) {
        const tensor = sparse.table(part);
        if (tensor !== undefined) this.#tensor(tensor, `${path}.sparse_initializers[${index}]`);
      }
    }
    const nodes: NodeParts[] = [];
    for (const [index, node] of each(graph.tables(GRAPH.nodes))) {
      nodes.push(this.#node(node, `${path}.nodes[${index}]`, maxIndex, depth));
    }
    for (const [index, edge] of each(graph.tables(GRAPH.edges))) {
      this.field = `${path}.node_edges[${index}]`;
      this.#assertNode(edge.uint32(EDGE.node), maxIndex);
      for (const side of [EDGE.inputs, EDGE.outputs]) {
        for (const node of edge.firstOf(side, EDGE_END_BYTES)) this.#assertNode(node, maxIndex);
      }
    }
    return { tensors, nodes };
  }

  #node(node: FlatTable, path: string, maxIndex: number, depth: number): NodeParts {
    this.field = path;
    this.#assertNode(node.uint32(NODE.index), maxIndex);
    const name = node.text(NODE.operator) ?? '';
    this.#operators.add(name);
    const operator = operatorName(node.text(NODE.domain) ?? '', name);
    const [inputs, outputs] = [node.texts(NODE.inputs), node.texts(NODE.outputs)];
    const integers = new Map<string, number>();
    const graphs: GraphParts[] = [];
    let constant: HeldTensor | undefined;
    for (const [index, attribute] of each(node.tables(NODE.attributes))) {
      const place = `${path}.attributes[${index}]`;
      this.field = place;
      integers.set(attribute.text(ATTRIBUTE.name) ?? '', attribute.int64(ATTRIBUTE.integer));
      for (const tensor of [attribute.table(ATTRIBUTE.tensor), ...attribute.tables(ATTRIBUTE.tensors)]) {
        if (tensor === undefined) continue;
        const { held } = this.#tensor(tensor, place);
        if (operator === '.Constant') constant = held;
      }
      for (const graph of [attribute.table(ATTRIBUTE.graph), ...attribute.tables(ATTRIBUTE.graphs)]) {
        if (graph !== undefined) graphs.push(this.#graph(graph, `${place}.graph`, depth + 1));
      }
    }
    return { operator, inputs, outputs, constant, integer: (name) => integers.get(name), graphs: () => graphs };
  }

  #assertNode(index: number, maxIndex: number): void {
    if (index >= maxIndex) this.#refuse(this.field, index, `a node below max_node_index, ${maxIndex}`);
  }

  /** Checks that a tensor has its values, and all of them. */
  #tensor(tensor: FlatTable, path: string): { readonly name: string; readonly held: HeldTensor } {
    this.field = path;
    const name = tensor.text(TENSOR.name) ?? '';
    const external = tensor.int64(TENSOR.externalOffset, -1);
    if (external !== -1) {
      throw unsupportedModel(
        `${this.#file}: the values of ${quote(name)} lie in another file, which is not read for graphs in ONNX Runtime's own format. Convert the graph with its weights inside it, or use the ONNX graph.`,
        { file: this.#file, field: `${path}.external_data_offset`, received: external, required: 'no other file' },
      );
    }
    const dims = tensor.int64s(TENSOR.dims);
    const type = tensor.int32(TENSOR.type);
    const required = dims.reduce((product, size) => (size < 0 ? Number.NaN : product * size), 1);
    const bytes = BYTES.get(type);
    const [received, needed] =
      type === TEXT
        ? [tensor.vector(TENSOR.texts, 4).count, required]
        : [tensor.vector(TENSOR.raw, 1).count, required * (bytes ?? 0)];
    if (bytes !== undefined && received !== needed) {
      this.#refuse(`${path}.raw_data`, received, `${needed} bytes for the shape [${dims.slice(0, 8).join(', ')}]`);
    }
    return { name, held: { dims, integer: onlyInteger(type, dims, tensor.raw(TENSOR.raw)) } };
  }

  #refuse(field: string, received: unknown, required: string): never {
    throw invalidFolder(
      `${this.#file}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or convert the file again.`,
      { file: this.#file, field, received, required },
    );
  }
}

/** Elements with their places. */
function* each<Element>(elements: Iterable<Element>): Generator<[number, Element]> {
  let index = 0;
  for (const element of elements) yield [index++, element];
}

/** What a value is declared as. */
function typeOf(value: FlatTable): GraphValue {
  const info = value.table(VALUE.type);
  const tensor = info?.uint8(TYPE.kind) === IS_TENSOR ? info.table(TYPE.content) : undefined;
  const element = tensor?.int32(TENSOR_TYPE.element) ?? 0;
  const dims = Array.from(tensor?.table(TENSOR_TYPE.shape)?.tables(SHAPE_DIMENSIONS) ?? [], (dimension) => {
    const size = dimension.table(DIMENSION_VALUE);
    const known = size?.uint8(SIZE.kind) === IS_SIZE ? size.int64(SIZE.value) : 0;
    return known > 0 ? known : null;
  });
  return { type: TYPE_NAMES.get(element) ?? `type ${element}`, dims };
}
