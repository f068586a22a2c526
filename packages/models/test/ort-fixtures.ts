/** FlatBuffers by hand, so that a test can write what no honest writer does. */
export type Flat = Scalar | string | FlatTable | readonly FlatTable[] | readonly string[] | Vector | Shared;
/** A number as it lies in a table. */
interface Scalar {
  readonly scalar: Uint8Array;
}
/** Elements as they lie in a list, and how many the list says it has. */
interface Vector {
  readonly elements: Uint8Array;
  readonly count: number;
}
/** The same place, wherever it is used. */
interface Shared {
  readonly shared: Flat;
}
/** Fields by their numbers in the schema. */
export interface FlatTable {
  readonly [field: number]: Flat | undefined;
}

const bytesOf = (size: number, set: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return bytes;
};
const u8 = (value: number): Scalar => ({ scalar: Uint8Array.of(value) });
export const u32 = (value: number): Scalar => ({ scalar: bytesOf(4, (view) => view.setUint32(0, value, true)) });
export const i64 = (value: number | bigint): Scalar => ({
  scalar: bytesOf(8, (view) => view.setBigInt64(0, BigInt(value), true)),
});
export const vector = (elements: Uint8Array, count: number): Vector => ({ elements, count });
export const i64s = (...values: readonly (number | bigint)[]): Vector =>
  vector(Buffer.concat(values.map((value) => i64(value).scalar)), values.length);
export const shared = (value: Flat): Shared => ({ shared: value });

/** A file whose root is this table. */
function flatFile(root: FlatTable, identifier = 'ORTM'): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0, ...Buffer.from(identifier, 'latin1')];
  /** Where offsets to shared values are written. Offsets lead forward, so the values come last. */
  const uses = new Map<Shared, number[]>();
  const put = (at: number, more: Uint8Array): void => {
    for (const [index, byte] of more.entries()) bytes[at + index] = byte;
  };
  const offset = (at: number, to: number): void => put(at, u32(to - at).scalar);
  const append = (more: Iterable<number>): number => {
    const at = bytes.length;
    for (const byte of more) bytes.push(byte);
    return at;
  };
  const list = (values: readonly (FlatTable | string)[]): number => {
    const at = append(u32(values.length).scalar);
    append(new Uint8Array(4 * values.length));
    for (const [index, value] of values.entries()) refer(at + 4 + 4 * index, value);
    return at;
  };
  const table = (fields: FlatTable): number => {
    const given = Object.entries(fields).filter((entry): entry is [string, Flat] => entry[1] !== undefined);
    const count = Math.max(-1, ...given.map(([field]) => Number(field))) + 1;
    const layout = append(new Uint8Array(4 + 2 * count));
    const at = append(new Uint8Array(4));
    put(at, u32(at - layout).scalar);
    const later: (() => void)[] = [];
    for (const [field, value] of given) {
      const place = append(typeof value === 'object' && 'scalar' in value ? value.scalar : new Uint8Array(4));
      put(layout + 4 + 2 * Number(field), u32(place - at).scalar.subarray(0, 2));
      if (typeof value !== 'object' || !('scalar' in value)) later.push(() => refer(place, value));
    }
    put(layout, u32(4 + 2 * count).scalar.subarray(0, 2));
    put(layout + 2, u32(bytes.length - at).scalar.subarray(0, 2));
    for (const run of later) run();
    return at;
  };
  const write = (value: Flat): number => {
    if (typeof value === 'string') return append([...u32(Buffer.byteLength(value)).scalar, ...Buffer.from(value), 0]);
    if (Array.isArray(value)) return list(value as readonly (FlatTable | string)[]);
    if ('elements' in value) return append([...u32((value as Vector).count).scalar, ...(value as Vector).elements]);
    return table(value as FlatTable);
  };
  const refer = (place: number, value: Flat): void => {
    if (typeof value === 'object' && 'shared' in value) {
      const one = value as Shared;
      uses.set(one, [...(uses.get(one) ?? []), place]);
    } else offset(place, write(value));
  };
  refer(0, root);
  for (const [one, places] of uses) {
    const at = write(one.shared);
    for (const place of places) offset(place, at);
  }
  return Uint8Array.from(bytes);
}

/** A graph `y = x + w` of two fp32 numbers, as a table of ort.fbs; with other fields where they are given. */
export function ortGraph(others: FlatTable = {}): FlatTable {
  const value = (name: string): FlatTable => ({
    0: name,
    2: { 1: u8(1), 2: { 0: u32(1), 1: { 0: [{ 0: { 0: u8(1), 1: i64(2) } }] } } },
  });
  return {
    0: [ortTensor()],
    1: [value('x'), value('w'), value('y')],
    2: [ortNode()],
    3: u32(1),
    4: [{ 0: u32(0) }],
    5: ['x'],
    6: ['y'],
    ...others,
  };
}

/** A weight of two fp32 numbers. */
export const ortTensor = (others: FlatTable = {}): FlatTable => ({
  0: 'w',
  2: i64s(2),
  3: u32(1),
  4: vector(new Uint8Array(8), 8),
  ...others,
});

export const ortNode = (others: FlatTable = {}): FlatTable => ({
  3: u32(14),
  4: u32(0),
  5: 'Add',
  8: ['x', 'w'],
  9: ['y'],
  ...others,
});

export const ortFile = (graph: FlatTable = ortGraph(), identifier?: string): Uint8Array =>
  flatFile({ 0: '6', 1: { 0: i64(10), 7: graph } }, identifier);
