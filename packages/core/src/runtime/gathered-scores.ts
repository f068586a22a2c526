import type { OutputRequest } from '../contract/token-tree.js';
import type { ExtensionValues } from './node-store.js';
import { assertExtension } from './store-checks.js';

/** Scores that are computed in several forwards, put together in the order they were asked for in. */
export class GatheredScores {
  readonly #count: number;
  readonly #output: OutputRequest;
  #values: ExtensionValues | undefined;

  /** For `count` scored nodes, of an output. */
  constructor(count: number, output: OutputRequest) {
    this.#count = count;
    this.#output = output;
  }

  /** Puts the scores of some nodes at their places among all. Throws `INVALID_ARGUMENT` for other scores than the output's. */
  put(part: ExtensionValues, places: Int32Array): void {
    assertExtension('extension, as the driver or the store gives it,', part, this.#output, places.length);
    if (places.length === 0 && this.#count > 0) return;
    // One forward gave all of them in order: nothing to put together.
    if (places.length === this.#count && places.every((place, index) => place === index)) {
      this.#values = part;
      return;
    }
    this.#values ??= empty(part, this.#count, places.length);
    const whole = fieldsOf(this.#values);
    for (const [name, values] of Object.entries(fieldsOf(part))) {
      const target = whole[name];
      if (target === undefined) continue;
      const size = values.length / places.length;
      for (let index = 0; index < places.length; index++) {
        target.set(values.subarray(index * size, (index + 1) * size), places[index] * size);
      }
    }
  }

  /** All of them, once each place has been filled. */
  get values(): ExtensionValues {
    if (this.#values === undefined) throw new TypeError('no scores were put together');
    return this.#values;
  }
}

type ScoreArray = Float32Array | Int32Array;

/** The arrays of an extension by their names: each has a row for each scored node. */
function fieldsOf(values: ExtensionValues): Record<string, ScoreArray> {
  const arrays: Record<string, ScoreArray> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof Float32Array || value instanceof Int32Array) arrays[name] = value;
  }
  return arrays;
}

/** The same fields as those of a part, for all nodes. */
function empty(part: ExtensionValues, count: number, partCount: number): ExtensionValues {
  const arrays = Object.entries(fieldsOf(part)).map(([name, values]): [string, ScoreArray] => {
    const length = partCount === 0 ? 0 : (values.length / partCount) * count;
    return [name, values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length)];
  });
  return { ...part, ...Object.fromEntries(arrays) };
}
