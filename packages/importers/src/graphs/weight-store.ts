import { ForetokenError, Yielder } from '@foretoken/core';
import { findNonFinite, toHalf } from '../tensors/half-storage.js';

type Elements = Float32Array | Int8Array;

/** A weight's values, or how to make them when they are stored. */
export type WeightValues<E extends Elements = Float32Array> = E | ((pace: Yielder) => Promise<E>);

/** Where a weight's bytes lie in the one data file all graphs of a folder share. */
export interface StoredWeight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: 'float32' | 'float16' | 'int8';
  readonly offset: number;
  readonly length: number;
}

interface Entry {
  readonly name: string;
  readonly dims: readonly number[];
  /** Element type of the values, and whether fp32 may be stored as fp16. */
  readonly type: 'float32' | 'int8';
  readonly exact: boolean;
  values: WeightValues<Elements> | undefined;
  stored?: { readonly bytes: Uint8Array; readonly elementType: StoredWeight['elementType']; offset: number };
}

const ALIGNMENT = 64;

/**
 * Collects the weights of several graphs into one data file, each stored once under its name.
 *
 * Stored as fp16 a weight takes half the space; graphs cast it to fp32 when they load, so all computing is fp32. A weight
 * that fp16 cannot hold stays fp32.
 */
export class WeightStore {
  readonly #elementType: 'float32' | 'float16';
  readonly #entries = new Map<string, Entry>();
  #length: number | undefined;

  constructor(elementType: 'float32' | 'float16') {
    this.#elementType = elementType;
  }

  /** `exact` keeps fp32 where the values are not trained and rounding them would only lose accuracy. */
  add(name: string, dims: readonly number[], values: WeightValues, exact = false): void {
    this.#put({ name, dims, type: 'float32', exact, values });
  }

  addInt8(name: string, dims: readonly number[], values: WeightValues<Int8Array>): void {
    this.#put({ name, dims, type: 'int8', exact: true, values });
  }

  #put(entry: Entry): void {
    if (this.#entries.has(entry.name)) return;
    this.#entries.set(entry.name, entry);
    this.#length = undefined;
  }

  /**
   * Makes and converts all values, which `find` and `pieces` need.
   *
   * Throws `INVALID_MODEL_FOLDER` naming a weight that is NaN or infinite, and what `pace` throws.
   */
  async settle(pace: Yielder = new Yielder()): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (entry.values === undefined) continue;
      const values = typeof entry.values === 'function' ? await entry.values(pace) : entry.values;
      const stored = values instanceof Float32Array ? await this.#convert(entry, values, pace) : values;
      const elementType = stored instanceof Uint16Array ? 'float16' : entry.type;
      const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
      entry.stored = { bytes, elementType, offset: 0 };
      entry.values = undefined;
      if (pace.due()) await pace.yield();
    }
    let length = 0;
    for (const { stored } of this.#entries.values()) {
      if (stored === undefined) continue;
      stored.offset = length;
      length += Math.ceil(stored.bytes.length / ALIGNMENT) * ALIGNMENT;
    }
    this.#length = length;
  }

  async #convert(
    { name, dims, exact }: Entry,
    values: Float32Array,
    pace: Yielder,
  ): Promise<Float32Array | Uint16Array> {
    const wrong = await findNonFinite(values, pace);
    if (wrong >= 0) {
      throw new ForetokenError(
        'INVALID_MODEL_FOLDER',
        `The weights have no finite ${name}: it is ${values[wrong]} at index ${wrong}. Train or export the model again.`,
        { field: name, index: wrong, received: values[wrong], required: 'finite numbers' },
      );
    }
    if (exact || this.#elementType === 'float32') return values;
    return (await toHalf(values, dims, pace)) ?? values;
  }

  /** Where a weight lies, once all are settled. */
  find(name: string): StoredWeight {
    const entry = this.#entries.get(name);
    if (entry?.stored === undefined || this.#length === undefined) {
      throw new TypeError(`The weight ${name} is not settled.`);
    }
    const { bytes, elementType, offset } = entry.stored;
    return { name, dims: entry.dims, elementType, offset, length: bytes.length };
  }

  /** The data file's content in pieces, once all weights are settled. */
  pieces(): Uint8Array[] {
    if (this.#length === undefined) throw new TypeError('The weights are not settled.');
    return [...this.#entries.values()].flatMap(({ stored }) => {
      const bytes = stored?.bytes ?? new Uint8Array(0);
      const padding = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
      return padding === 0 ? [bytes] : [bytes, new Uint8Array(padding)];
    });
  }
}
