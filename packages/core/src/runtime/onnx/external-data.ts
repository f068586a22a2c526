import { wireFields, wireMessages, wireTexts } from './wire.js';

/** Where a graph keeps weights outside itself, by the names it gives. */
export interface ExternalData {
  /** Of tensors anywhere in the graph, with how many bytes the file must have. */
  readonly locations: ReadonlyMap<string, number>;
  /** Of tensors that are not weights of the graph's main part: those of subgraphs, functions, attributes and the like. */
  readonly nested: ReadonlySet<string>;
}

type Message = 'model' | 'training' | 'graph' | 'node' | 'attribute' | 'function' | 'sparse' | 'tensor';

/** Fields of onnx.proto3 (ONNX, Apache-2.0) below which a tensor may lie, by message and field number. */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
};
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
const EXTERNAL = 1n;
const KEY = 1;
const VALUE = 2;

/** Protobuf's own limit of messages in one another. */
const MAX_DEPTH = 100;

/** Finds every tensor of a serialised ONNX model that is kept in another file. Throws `RangeError` when it is malformed. */
export function findExternalData(model: Uint8Array): ExternalData {
  const locations = new Map<string, number>();
  const nested = new Set<string>();
  const visit = (message: Message, bytes: Uint8Array, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw new RangeError(`its parts lie more than ${MAX_DEPTH} deep in one another`);
    if (message === 'tensor') {
      const entries = wireMessages(bytes, EXTERNAL_DATA);
      const end = bytesOf(entries, 'offset') + bytesOf(entries, 'length');
      for (const location of locationsOf(bytes, entries)) {
        locations.set(location, Math.max(end, locations.get(location) ?? 0));
        if (path !== 'model.graph.tensor') nested.add(location);
      }
      return;
    }
    for (const field of wireFields(bytes)) {
      const inner = FIELDS[message][field.number];
      const value = inner === undefined ? undefined : field.value;
      if (value instanceof Uint8Array) visit(inner, value, `${path}.${inner}`, depth + 1);
    }
  };
  visit('model', model, 'model', 1);
  return { locations, nested };
}

/** An external tensor that names no file has the empty location, which is none. */
function locationsOf(tensor: Uint8Array, entries: readonly Uint8Array[]): string[] {
  let external = false;
  for (const field of wireFields(tensor)) {
    if (field.number !== DATA_LOCATION) continue;
    const { value } = field;
    external ||= typeof value === 'bigint' && BigInt.asIntN(32, value) === EXTERNAL;
  }
  const found = entries.flatMap((entry) => (wireTexts(entry, KEY).includes('location') ? wireTexts(entry, VALUE) : []));
  return external && found.length === 0 ? [''] : found;
}

/** A number of bytes, written in decimal digits; 0 where it is not told. */
function bytesOf(entries: readonly Uint8Array[], key: string): number {
  const named = entries.filter((entry) => wireTexts(entry, KEY).at(-1) === key);
  const text = named.flatMap((entry) => wireTexts(entry, VALUE)).at(-1) ?? '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RangeError(`the ${key} of external data is no number of bytes`);
}
