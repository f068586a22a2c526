import { ForetokenError } from '@foretoken/core';
import { integer, listOf, oneOf, text as readText, show, Yielder } from '@foretoken/core/kit';
import { findNonFinite, toHalf } from '../tensors/half-storage.js';

type Elements = Float32Array | Int8Array | Uint8Array;

/** A weight's values, or how to make them when they are stored. */
export type WeightValues<E extends Elements = Float32Array> = E | ((pace: Yielder) => Promise<E>);

/** Where a weight's bytes lie in the one data file all graphs of a folder share. */
export interface StoredWeight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: 'float32' | 'float16' | 'int8' | 'uint8';
  readonly offset: number;
  readonly length: number;
}

interface Entry {
  readonly name: string;
  readonly dims: readonly number[];
  /** Element type of the values, and whether fp32 may be stored as fp16. */
  readonly type: 'float32' | 'int8' | 'uint8';
  readonly exact: boolean;
  stored?: StoredWeight | undefined;
}

const ALIGNMENT = 64;

/**
 * Collects the weights of several graphs into one data file, each stored once under its name.
 *
 * Stored as fp16 a weight takes half the space; graphs cast it to fp32 when they load, so all computing is fp32. A weight
 * that fp16 cannot hold stays fp32. Values are made and converted one weight at a time, while the file is written.
 */
export class WeightStore {
  readonly #elementType: 'float32' | 'float16';
  readonly #entries = new Map<string, Entry>();
  /** Values that are not stored yet. */
  readonly #waiting = new Map<Entry, WeightValues<Elements>>();
  #streamed = false;

  constructor(elementType: 'float32' | 'float16') {
    this.#elementType = oneOf('float32', 'float16')('elementType', elementType);
  }

  /** `exact` keeps fp32 where the values are not trained and rounding them would only lose accuracy. */
  add(name: string, dims: readonly number[], values: WeightValues, exact = false): void {
    this.#put({ name, dims, type: 'float32', exact }, values);
  }

  /** Adds a tensor of signed bytes. */
  addInt8(name: string, dims: readonly number[], values: WeightValues<Int8Array>): void {
    this.#put({ name, dims, type: 'int8', exact: true }, values);
  }

  /** Adds a tensor of bytes. */
  addUint8(name: string, dims: readonly number[], values: WeightValues<Uint8Array>): void {
    this.#put({ name, dims, type: 'uint8', exact: true }, values);
  }

  #put(entry: Entry, values: WeightValues<Elements>): void {
    readText('name', entry.name);
    dimsOf(entry.dims);
    if (this.#entries.has(entry.name)) return;
    if (this.#streamed) throw invalid(`The weight ${entry.name} comes after the data file was written.`);
    this.#entries.set(entry.name, entry);
    this.#waiting.set(entry, values);
  }

  /**
   * The data file's content, once, in pieces that lie in memory one after the other. Where a weight lies is known when it was
   * streamed.
   *
   * Throws `INVALID_MODEL_FOLDER` naming a weight that is NaN or infinite, and what `pace` throws.
   */
  async *stream(pace: Yielder = new Yielder()): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#streamed) throw invalid('The weights were streamed before.');
    this.#streamed = true;
    let offset = 0;
    for (const [entry, values] of this.#waiting) {
      // Nothing else holds them, so they are let go when they are stored.
      this.#waiting.delete(entry);
      const { bytes, elementType } = await this.#make(entry, values, pace);
      entry.stored = { name: entry.name, dims: entry.dims, elementType, offset, length: bytes.length };
      yield bytes;
      const padding = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
      if (padding > 0) yield new Uint8Array(padding);
      offset += bytes.length + padding;
      if (pace.due()) await pace.yield();
    }
  }

  async #make(
    entry: Entry,
    given: WeightValues<Elements>,
    pace: Yielder,
  ): Promise<{ bytes: Uint8Array; elementType: StoredWeight['elementType'] }> {
    const { type } = entry;
    const values = typeof given === 'function' ? await given(pace) : given;
    const stored = values instanceof Float32Array ? await this.#convert(entry, values, pace) : values;
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    return { bytes, elementType: stored instanceof Uint16Array ? 'float16' : type };
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

  /** Where a weight lies, once it was streamed. */
  find(name: string): StoredWeight {
    const stored = this.#entries.get(name)?.stored;
    if (stored === undefined) throw invalid(`The weight ${show(name)} was not streamed.`);
    return stored;
  }
}

/** Dimensions of a tensor. Throws `INVALID_ARGUMENT`. */
export const dimsOf = (dims: unknown): readonly number[] => listOf(integer(0))('dims', dims);

function invalid(message: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message);
}
