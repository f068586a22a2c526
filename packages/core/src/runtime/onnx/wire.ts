const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** One field of a serialised protobuf message; what it holds is made when it is asked for, since most is never. */
export class WireField {
  /** Its number in the message. */
  readonly number: number;
  readonly #type: number;
  readonly #bytes: Uint8Array;
  readonly #begin: number;
  readonly #end: number;

  /** What it holds lies in `bytes` from `begin` to before `end`. */
  constructor(number: number, type: number, bytes: Uint8Array, begin: number, end: number) {
    this.number = number;
    this.#type = type;
    this.#bytes = bytes;
    this.#begin = begin;
    this.#end = end;
  }

  /** A number, or the bytes of a text, a message or a packed list; undefined for fixed-width fields: see `fixed`. */
  get value(): bigint | Uint8Array | undefined {
    if (this.#type === BYTES) return this.#bytes.subarray(this.#begin, this.#end);
    return this.#type === VARINT ? numberIn(this.#bytes, this.#begin, this.#end) : undefined;
  }

  /** The 4 or 8 bytes of a fixed-width field, little-endian. */
  get fixed(): Uint8Array | undefined {
    const isFixed = this.#type === FIXED_64 || this.#type === FIXED_32;
    return isFixed ? this.#bytes.subarray(this.#begin, this.#end) : undefined;
  }
}

/** Most bytes of a number. */
const NUMBER_BYTES = 10;

/** Where the number ends that begins at a place; one of so many bytes at most. Throws `RangeError`. */
function endOfNumber(bytes: Uint8Array, begin: number, max: number): number {
  for (let end = begin + 1; end <= begin + max; end++) {
    if (end > bytes.length) throw new RangeError('it ends too early');
    if (bytes[end - 1] < 0x80) return end;
  }
  throw new RangeError('a number in it is too long');
}

/** The number whose groups of seven bits lie between two places, the lowest first. */
function numberIn(bytes: Uint8Array, begin: number, end: number): bigint {
  let value = 0n;
  for (let at = begin; at < end; at++) value |= BigInt(bytes[at] & 0x7f) << BigInt(7 * (at - begin));
  return BigInt.asIntN(64, value);
}

/**
 * The fields of a protobuf message in their order, every occurrence of each.
 *
 * A parser that merges fields given twice and one that keeps the last see different messages; who looks at every occurrence
 * misses nothing that either sees. What the format allows but no writer makes (groups, overlong tags) is refused. Throws
 * `RangeError`.
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  /** A number of at most 35 bits, as tags and lengths are. */
  const short = (): number => {
    const end = endOfNumber(bytes, at, 5);
    let value = 0;
    for (let scale = 1; at < end; scale *= 128) value += (bytes[at++] & 0x7f) * scale;
    return value;
  };
  while (at < bytes.length) {
    const tag = short();
    if (tag < 8 || tag > 0xffff_ffff) throw new RangeError('a field in it has no valid number');
    const type = tag & 7;
    let end: number;
    if (type === VARINT) end = endOfNumber(bytes, at, NUMBER_BYTES);
    else if (type === BYTES) {
      const length = short();
      end = at + length;
    } else if (type === FIXED_64 || type === FIXED_32) end = at + (type === FIXED_64 ? 8 : 4);
    else throw new RangeError('a field in it is of a type that the format does not use');
    if (end > bytes.length) throw new RangeError('it ends too early');
    yield new WireField(tag >>> 3, type, bytes, at, end);
    at = end;
  }
}

/** Every message, text or list of bytes that a message holds under a field number. Throws `RangeError`. */
export function wireMessages(bytes: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const one of wireFields(bytes)) {
    const value = one.number === field ? one.value : undefined;
    if (value instanceof Uint8Array) found.push(value);
  }
  return found;
}

/** The one message under a field number, where there is one. Throws `RangeError` for two: parsers do not agree on these. */
export function wireMessage(bytes: Uint8Array, field: number): Uint8Array | undefined {
  const [first, second] = wireMessages(bytes, field);
  if (second !== undefined) throw new RangeError('a part of it that may be there once is there twice');
  return first;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Every text that a message holds under a field number. Throws `RangeError`. */
export function wireTexts(bytes: Uint8Array, field: number): string[] {
  return wireMessages(bytes, field).map((text) => utf8.decode(text));
}

/** The number under a field number, the last where there are several, 0 where there is none. Throws `RangeError`. */
export function wireInteger(bytes: Uint8Array, field: number): number {
  const found = [...wireFields(bytes)].filter(({ number, value }) => number === field && typeof value === 'bigint');
  return Number(found.at(-1)?.value ?? 0n);
}

/** Every number that a message holds under a field number, whether they lie one by one or packed. Throws `RangeError`. */
export function wireIntegers(bytes: Uint8Array, field: number): number[] {
  const found: number[] = [];
  for (const { number, value } of wireFields(bytes)) {
    if (number !== field || value === undefined) continue;
    if (typeof value === 'bigint') found.push(Number(value));
    else {
      for (let at = 0; at < value.length; ) {
        const end = endOfNumber(value, at, NUMBER_BYTES);
        found.push(Number(numberIn(value, at, end)));
        at = end;
      }
    }
  }
  return found;
}
