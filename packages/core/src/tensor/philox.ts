const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_B = 0xcd9e8d57;
const WEYL_A = 0x9e3779b9;
const WEYL_B = 0xbb67ae85;

/** High 32 bits of the product of two unsigned 32-bit integers. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middle = aLow * bHigh + (cross & 0xffff);
  return (aHigh * bHigh + (cross >>> 16) + (middle >>> 16)) >>> 0;
}

/**
 * Philox4x32-10: four random words for a 64-bit key and a 128-bit counter, all as unsigned 32-bit integers `[2]`, `[4]`.
 *
 * A pure function: any draw of any substream is reached without the draws before it, which is what makes a sample the same
 * alone and in a batch. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), section 3.3.
 */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
): Uint32Array {
  const words = new Uint32Array(4);
  philoxInto(words, key[0], key[1], counter[0], counter[1], counter[2], counter[3]);
  return words;
}

/** `philox` without a single allocation: a stochastic beam draws for every token of the vocabulary. */
function philoxInto(
  words: Uint32Array,
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
): void {
  let keyA = key0;
  let keyB = key1;
  let c0 = counter0;
  let c1 = counter1;
  let c2 = counter2;
  let c3 = counter3;
  for (let round = 0; round < 10; round++) {
    const highA = highProduct(MULTIPLIER_A, c0);
    const lowA = Math.imul(MULTIPLIER_A, c0) >>> 0;
    const highB = highProduct(MULTIPLIER_B, c2);
    const lowB = Math.imul(MULTIPLIER_B, c2) >>> 0;
    c0 = (highB ^ c1 ^ keyA) >>> 0;
    c1 = lowB;
    c2 = (highA ^ c3 ^ keyB) >>> 0;
    c3 = lowA;
    keyA = (keyA + WEYL_A) >>> 0;
    keyB = (keyB + WEYL_B) >>> 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/** Two words as a double in `[0, 1)`, all 53 bits random. */
function toUnit(high: number, low: number): number {
  return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 0x20000000000000;
}

/**
 * The random numbers of one row: a substream for each token, indexed by position and by sample.
 *
 * The key is the request's seed and a digest of the row's source, so a row draws the same numbers alone and in any batch,
 * and rows with different sources draw independently. Sources that are neither typed arrays, strings nor arrays of numbers
 * share one digest: rows that differ in nothing else draw the same numbers.
 */
export class RandomStream {
  readonly #seed: number;
  readonly #source: unknown;
  #known: readonly [number, number] | undefined;

  constructor(seed: number, source: unknown) {
    this.#seed = seed >>> 0;
    this.#source = source;
  }

  /** The source is read at the first draw: then the model has opened it, and said whether it is one. */
  get #key(): readonly [number, number] {
    this.#known ??= [this.#seed, digest(this.#source)];
    return this.#known;
  }

  /** A number in `[0, 1)` for a token: output position, sample (or hypothesis) number, and which draw of that token. */
  uniform(position: number, sample: number, draw = 0): number {
    const words = philox(this.#key, [position, sample, draw, 0]);
    return toUnit(words[0], words[1]);
  }

  /** `count` numbers in `[0, 1)` for a token and a hypothesis, `[count]`. */
  uniforms(position: number, sample: number, count: number): Float64Array {
    const numbers = new Float64Array(count);
    const words = new Uint32Array(4);
    const [key0, key1] = this.#key;
    for (let index = 0; index < count; index += 2) {
      philoxInto(words, key0, key1, position, sample, index >>> 1, 1);
      numbers[index] = toUnit(words[0], words[1]);
      if (index + 1 < count) numbers[index + 1] = toUnit(words[2], words[3]);
    }
    return numbers;
  }
}

/** 32 bits of a source's content, every byte mixed in by Philox itself. */
function digest(source: unknown): number {
  const bytes = bytesOf(source);
  if (bytes === undefined) return 0;
  let state: readonly [number, number] = [bytes.length, 0];
  for (let index = 0; index < bytes.length; index += 4) {
    const word = [0, 1, 2, 3].reduce((sum, byte) => sum + (bytes[index + byte] ?? 0) * 256 ** byte, 0);
    const mixed = philox(state, [word, index, 0, 2]);
    state = [mixed[0], mixed[1]];
  }
  return state[0];
}

function bytesOf(source: unknown): Uint8Array | undefined {
  // A view of no bytes may be of a buffer that was given away.
  if (ArrayBuffer.isView(source)) {
    return source.byteLength === 0
      ? new Uint8Array()
      : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }
  if (typeof source === 'string') return new TextEncoder().encode(source);
  if (Array.isArray(source) && source.every((value) => typeof value === 'number')) {
    return new Uint8Array(Float64Array.from(source).buffer);
  }
  return undefined;
}
