/** One field of a serialised protobuf message: a number, or the bytes of a text, a message or a packed list. */
export interface WireField {
  readonly number: number;
  /** Undefined for fixed-width fields: see `fixed`. */
  readonly value: bigint | Uint8Array | undefined;
  /** The 4 or 8 bytes of a fixed-width field, little-endian. */
  readonly fixed?: Uint8Array | undefined;
}

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/**
 * The fields of a protobuf message in their order, every occurrence of each.
 *
 * A parser that merges fields given twice and one that keeps the last see different messages; who looks at every occurrence
 * misses nothing that either sees. What the format allows but no writer makes (groups, overlong tags) is refused. Throws
 * `RangeError`.
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (max: number): bigint => {
    let value = 0n;
    for (let count = 0; count < max; count++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('it ends too early');
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number in it is too long');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('it ends too early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint(5);
    if (tag < 8n || tag > 0xffff_ffffn) throw new RangeError('a field in it has no valid number');
    const number = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (type === VARINT) yield { number, value: BigInt.asIntN(64, varint(10)) };
    else if (type === BYTES) yield { number, value: take(Number(varint(5))) };
    else if (type === FIXED_64 || type === FIXED_32) {
      yield { number, value: undefined, fixed: take(type === FIXED_64 ? 8 : 4) };
    } else throw new RangeError('a field in it is of a type that the format does not use');
  }
}

/** Every message, text or list of bytes that a message holds under a field number. Throws `RangeError`. */
export function messages(bytes: Uint8Array, field: number): Uint8Array[] {
  return [...wireFields(bytes)].flatMap(({ number, value }) =>
    number === field && value instanceof Uint8Array ? [value] : [],
  );
}

/** The one message under a field number, where there is one. Throws `RangeError` for two: parsers do not agree on these. */
export function message(bytes: Uint8Array, field: number): Uint8Array | undefined {
  const [first, second] = messages(bytes, field);
  if (second !== undefined) throw new RangeError('a part of it that may be there once is there twice');
  return first;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function texts(bytes: Uint8Array, field: number): string[] {
  return messages(bytes, field).map((text) => utf8.decode(text));
}

/** The number under a field number, the last where there are several, 0 where there is none. Throws `RangeError`. */
export function integer(bytes: Uint8Array, field: number): number {
  const found = [...wireFields(bytes)].filter(({ number, value }) => number === field && typeof value === 'bigint');
  return Number(found.at(-1)?.value ?? 0n);
}
