import { float32ToFloat16Bits } from '../weights/safetensors.js';

/** Where a weight's bytes lie in the one data file all graphs of a folder share. */
export interface StoredWeight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: 'float32' | 'float16' | 'int8';
  readonly offset: number;
  readonly length: number;
}

const ALIGNMENT = 64;

/**
 * Collects the weights of several graphs into one data file, each stored once under its name.
 *
 * Stored as fp16 a weight takes half the space; graphs cast it to fp32 when they load, so all computing is fp32.
 */
export class WeightStore {
  readonly #elementType: 'float32' | 'float16';
  readonly #weights = new Map<string, StoredWeight>();
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(elementType: 'float32' | 'float16') {
    this.#elementType = elementType;
  }

  /** `exact` keeps fp32 where the values are not trained and rounding them would only lose accuracy. */
  add(name: string, dims: readonly number[], values: Float32Array, exact = false): StoredWeight {
    const elementType = exact ? 'float32' : this.#elementType;
    const data = (): ArrayBufferView => (elementType === 'float16' ? float32ToFloat16Bits(values) : values);
    return this.#put(name, dims, elementType, data);
  }

  addInt8(name: string, dims: readonly number[], values: Int8Array): StoredWeight {
    return this.#put(name, dims, 'int8', () => values);
  }

  #put(
    name: string,
    dims: readonly number[],
    elementType: StoredWeight['elementType'],
    data: () => ArrayBufferView,
  ): StoredWeight {
    const known = this.#weights.get(name);
    if (known !== undefined) return known;
    const { buffer, byteOffset, byteLength } = data();
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const stored = { name, dims, elementType, offset: this.#length, length: bytes.length };
    const padding = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
    this.#chunks.push(bytes, new Uint8Array(padding));
    this.#length += bytes.length + padding;
    this.#weights.set(name, stored);
    return stored;
  }

  /** The data file's content. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }
}
