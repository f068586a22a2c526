import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { floatReader, floatTensor, isFloatType, numberTensor, unsupportedModel } from '@foretoken/models/internal';
import { quietNoise } from '../noise.js';
import type { ExportedGraph } from '../read-export.js';
import type { CtcSignature } from './ctc-signature.js';

/** Most numbers of a source that is tried. */
const MAX_VALUES = 2 ** 24;

/** A batch of sources, each as long as told. */
export interface Batch {
  readonly values: readonly Float32Array[];
  readonly lengths: readonly number[];
}

export interface Scores {
  readonly data: Float32Array;
  readonly dims: readonly number[];
  /** Frames of each source, where an output tells. */
  readonly frames: readonly number[] | undefined;
}

/** Runs a CTC graph on sources that are made for it. */
export class CtcRuns {
  readonly #graph: ExportedGraph;
  readonly #signature: CtcSignature;
  readonly #runtime: OnnxRuntime;
  readonly #session: GraphSession;
  readonly #yielder: Yielder;

  constructor(
    graph: ExportedGraph,
    signature: CtcSignature,
    runtime: OnnxRuntime,
    session: GraphSession,
    yielder: Yielder,
  ) {
    this.#graph = graph;
    this.#signature = signature;
    this.#runtime = runtime;
    this.#session = session;
    this.#yielder = yielder;
  }

  /** The scores of a batch. Throws `UNSUPPORTED_MODEL` where they are no floats, `RUNTIME_FAILURE`. */
  async score({ values, lengths }: Batch): Promise<Scores> {
    if (this.#yielder.due()) await this.#yielder.yield();
    const { inputs, outputs, dims } = this.#signature;
    const time = lengths.reduce((longest, length) => Math.max(longest, length), 0);
    const axis = dims.indexOf(null);
    const inner = dims.slice(axis + 1).reduce<number>((product, size) => product * (size ?? 1), 1);
    const size = this.size(time);
    const batch = new Float32Array(values.length * size);
    for (const [row, own] of values.entries()) {
      const from = lengths[row] * inner;
      for (let outer = 0; outer * from < own.length; outer++) {
        batch.set(own.subarray(outer * from, (outer + 1) * from), row * size + outer * time * inner);
      }
    }
    const { name, type } = inputs.values;
    const shape = [values.length, ...dims.map((one) => one ?? time)];
    const feeds: Record<string, Tensor> = {
      [name]: floatTensor(this.#runtime, isFloatType(type) ? type : 'float32', batch, shape),
    };
    if (inputs.lengths !== undefined)
      feeds[inputs.lengths.name] = numberTensor(this.#runtime, inputs.lengths.type, lengths, [values.length]);
    if (inputs.mask !== undefined) {
      const mask = new Int32Array(values.length * time);
      for (const [row, length] of lengths.entries()) mask.fill(1, row * time, row * time + length);
      feeds[inputs.mask.name] = numberTensor(this.#runtime, inputs.mask.type, mask, [values.length, time]);
    }
    const results = await this.#session.run(feeds);
    const scores = results[outputs.scores.name];
    const data = floatReader(scores)?.(0, scores.data.length);
    if (data === undefined) throw this.unsupported('its scores are no floats.', scores.type);
    const told = outputs.lengths === undefined ? undefined : results[outputs.lengths.name];
    const frames = told === undefined ? undefined : Array.from(told.data as ArrayLike<number | bigint>, Number);
    return { data, dims: scores.dims, frames };
  }

  /** Numbers of a source. Throws `UNSUPPORTED_MODEL` where they are too many to try. */
  size(time: number): number {
    const { dims } = this.#signature;
    const size = dims.reduce<number>((product, one) => product * (one ?? time), 1);
    if (size <= MAX_VALUES) return size;
    throw this.unsupported(
      `a source of the dimensions [${dims.map((one) => one ?? time).join(', ')}] has ${size} numbers, but at most ${MAX_VALUES} are tried. Tell smaller dims, where the graph leaves them open.`,
      size,
    );
  }

  /** Quiet noise, as long as told. */
  noise(time: number, seed: number): Promise<Float32Array> {
    return quietNoise(this.size(time), seed, this.#yielder);
  }

  /** Throws the signal's reason, whatever that is, and what is no error of the graph. */
  assertFault(error: unknown): void {
    this.#yielder.throwIfAborted();
    if (!ForetokenError.isInstance(error)) throw error;
  }

  /** An `UNSUPPORTED_MODEL` error that says what of the graph is not so. */
  unsupported(why: string, received: unknown): ForetokenError {
    const { folder, file } = this.#graph;
    return unsupportedModel(`${file} in ${folder} is no CTC graph that can be read: ${why}`, {
      folder,
      file,
      received,
    });
  }
}
