/** Serialised protobuf by hand, so that a test can write what no honest writer does. */
type Part = Uint8Array | string | number | bigint;

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export function field(number: number, value: Part): Uint8Array {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(number << 3), varint(value)]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

/** Two fp32 values kept in another file. */
export function externalTensor(location: string, name = 'w', offset: number | string = 0, length = 8): Uint8Array {
  const entry = (key: string, value: string) => field(13, message(field(1, key), field(2, value)));
  return message(
    field(1, 2),
    field(2, 1),
    field(8, name),
    entry('location', location),
    entry('offset', String(offset)),
    entry('length', String(length)),
    field(14, 1),
  );
}

/** An fp32 vector of two as an input or output. */
export function vector(name: string): Uint8Array {
  const dimension = field(1, message(field(1, 2)));
  return message(field(1, name), field(2, message(field(1, message(field(1, 1), field(2, dimension))))));
}

export function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Uint8Array[] = [],
  domain = '',
): Uint8Array {
  return message(
    ...inputs.map((name) => field(1, name)),
    field(2, output),
    field(4, opType),
    ...attributes.map((attribute) => field(5, attribute)),
    field(7, domain),
  );
}

const TENSOR = 4;
const GRAPH = 5;

export function tensorAttribute(tensor: Uint8Array, name = 'value'): Uint8Array {
  return message(field(1, name), field(5, tensor), field(20, TENSOR));
}

export function graphAttribute(name: string, graph: Uint8Array): Uint8Array {
  return message(field(1, name), field(6, graph), field(20, GRAPH));
}

/** A model of these parts, with `x` for input and `y` for output. */
export function onnx(graph: readonly Uint8Array[], model: readonly Uint8Array[] = []): Uint8Array {
  return message(
    field(1, 10),
    field(8, message(field(1, ''), field(2, 20))),
    field(8, message(field(1, 'own'), field(2, 1))),
    field(7, message(...graph, field(2, 'graph'), field(11, vector('x')), field(12, vector('y')))),
    ...model,
  );
}

/** y = x + w, where w is the only weight. */
export function sum(weight: Uint8Array): Uint8Array {
  return onnx([field(1, node('Add', ['x', 'w'], 'y')), field(5, weight)]);
}
