import { ForetokenError, type OutputRequest } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import {
  type GraphSession,
  type OnnxRuntime,
  type RecurrentDriver,
  type RecurrentInputs,
  type RecurrentOutputs,
  scoredLogitsInTurns,
  type Tensor,
} from '@foretoken/core/runtime';
import { numberTensor } from '../../drivers/number-tensor.js';
import { batchOf, type EncodedRow, sliceOf } from './encoded-rows.js';
import type { RecurrentManifest, StepInput } from './recurrent-manifest.js';

/** A state of the step in the row of numbers that a node keeps. */
interface StatePart {
  readonly input: StepInput;
  readonly axis: number;
  readonly begin: number;
  readonly size: number;
  /** Without the dimension of the batch; null is the padded length of the source. */
  readonly dims: readonly (number | null)[];
}

/**
 * Runs a step graph that takes one token: a chain is as many runs as it is long, so plain decoding and verification compute each
 * node alike.
 */
export class RecurrentStepDriver implements RecurrentDriver {
  readonly stateWidth: number;
  readonly #manifest: RecurrentManifest;
  readonly #runtime: OnnxRuntime;
  readonly #session: GraphSession;
  readonly #parts: readonly StatePart[];
  readonly #rows: EncodedRow[];
  readonly #initial: Float32Array[];
  /** What the encoder gave for the lanes of the last run, since the next has often the same. */
  #fed: { readonly lanes: string; readonly feeds: Record<string, Tensor> } | undefined;

  /** `rows` of a language model are encoded as nothing. */
  constructor(manifest: RecurrentManifest, runtime: OnnxRuntime, session: GraphSession, rows: readonly EncodedRow[]) {
    this.#manifest = manifest;
    this.#runtime = runtime;
    this.#session = session;
    this.#rows = [...rows];
    const longest = rows.reduce((max, { time }) => Math.max(max, time), 0);
    let begin = 0;
    this.#parts = manifest.step.inputs.flatMap((input) => {
      if (input.role !== 'state') return [];
      const { batchAxis: axis = 0, tensor } = input;
      const dims = tensor.dims.filter((_, at) => at !== axis);
      const size = sizeOf(dims, longest);
      begin += size;
      return [{ input, axis, begin: begin - size, size, dims }];
    });
    this.stateWidth = begin;
    this.#initial = rows.map((row) => this.#initialOf(row));
  }

  initialState(row: number): Float32Array {
    return this.#initial[row];
  }

  async run(inputs: RecurrentInputs, output: OutputRequest): Promise<RecurrentOutputs> {
    const { lanes, length, tokenIds, scored } = inputs;
    const { size } = this.#manifest.vocabulary;
    const states = new Float32Array(lanes * length * this.stateWidth);
    const logits = new Float32Array(scored.length * size);
    const placeOf = new Map<number, number>(Array.from(scored, (cell, place) => [cell, place]));
    const yielder = new Yielder();
    for (const group of this.#groups(inputs)) {
      let before = group.map((lane) => this.#stateAt(inputs.states, lane));
      for (let column = 0; column < length; column++) {
        const cells = group.map((lane) => lane * length + column);
        const results = await this.#step(group, cells, tokenIds, before, inputs.row);
        before = group.map((_, index) => this.#nextState(results, index, this.#rows[inputs.row[group[index]]]));
        for (const [index, cell] of cells.entries()) {
          states.set(before[index], cell * this.stateWidth);
          const place = placeOf.get(cell);
          if (place !== undefined) this.#writeScores(results, index, group.length, logits, place * size);
          if (yielder.due()) await yielder.yield();
        }
      }
    }
    return { states, extension: await scoredLogitsInTurns(logits, size, output) };
  }

  releaseRow(row: number): void {
    this.#fed = undefined;
    const last = this.#rows.length - 1;
    this.#rows[row] = this.#rows[last];
    this.#initial[row] = this.#initial[last];
    this.#rows.pop();
    this.#initial.pop();
  }

  dispose(): void {
    this.#fed = undefined;
    this.#rows.length = 0;
    this.#initial.length = 0;
  }

  /** Lanes that can be run together: where the graph takes a batch, those whose sources are padded alike. */
  #groups({ lanes, row }: RecurrentInputs): readonly (readonly number[])[] {
    const all = Array.from({ length: lanes }, (_, lane) => lane);
    const tokens = this.#manifest.step.inputs.find(({ role }) => role === 'tokens');
    if (tokens?.tensor.dims[0] !== null) return all.map((lane) => [lane]);
    const byTime = new Map<number, number[]>();
    for (const lane of all) {
      const { time } = this.#rows[row[lane]];
      const group = byTime.get(time);
      if (group === undefined) byTime.set(time, [lane]);
      else group.push(lane);
    }
    return [...byTime.values()];
  }

  async #step(
    group: readonly number[],
    cells: readonly number[],
    tokenIds: Int32Array,
    states: readonly Float32Array[],
    row: Int32Array,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const feeds: Record<string, Tensor> = { ...this.#sourceFeeds(group.map((lane) => row[lane])) };
    const { time } = this.#rows[row[group[0]]];
    for (const { role, tensor } of this.#manifest.step.inputs) {
      if (role !== 'tokens') continue;
      const dims = tensor.dims.length === 1 ? [group.length] : [group.length, 1];
      feeds[tensor.name] = numberTensor(
        this.#runtime,
        tensor.type,
        cells.map((cell) => tokenIds[cell]),
        dims,
      );
    }
    for (const { input, axis, begin, dims } of this.#parts) {
      const own = dims.map((size) => size ?? time);
      const size = sizeOf(own, time);
      const values = batchOf(
        states.map((state) => state.subarray(begin, begin + size)),
        own,
        axis,
      );
      const shape = [...own.slice(0, axis), group.length, ...own.slice(axis)];
      feeds[input.tensor.name] = new this.#runtime.Tensor('float32', values, shape);
    }
    return this.#session.run(feeds);
  }

  /** What the encoder gave for these rows, and places of the source. */
  #sourceFeeds(rows: readonly number[]): Record<string, Tensor> {
    const lanes = rows.join();
    if (this.#fed?.lanes === lanes) return this.#fed.feeds;
    const feeds: Record<string, Tensor> = {};
    const { time } = this.#rows[rows[0]];
    for (const { role, tensor, from = '' } of this.#manifest.step.inputs) {
      const { name, type } = tensor;
      if (role === 'positions') {
        feeds[name] = numberTensor(
          this.#runtime,
          type,
          Int32Array.from({ length: time }, (_, at) => at),
          [1, time],
        );
      }
      if (role !== 'memory') continue;
      const found = rows.map((row) => this.#rows[row].outputs.get(from));
      const dims = found[0]?.dims ?? [];
      const values = batchOf(
        found.flatMap((one) => (one === undefined ? [] : [one.values])),
        dims,
        0,
      );
      feeds[name] = new this.#runtime.Tensor(type, values as never, [rows.length, ...dims]);
    }
    this.#fed = { lanes, feeds };
    return feeds;
  }

  #stateAt(states: Float32Array, lane: number): Float32Array {
    return states.subarray(lane * this.stateWidth, (lane + 1) * this.stateWidth);
  }

  #initialOf({ outputs }: EncodedRow): Float32Array {
    const state = new Float32Array(this.stateWidth);
    for (const { input, begin } of this.#parts) {
      const given = input.from === undefined ? undefined : outputs.get(input.from);
      if (given !== undefined) state.set(given.values as Float32Array, begin);
    }
    return state;
  }

  #nextState(results: Readonly<Record<string, Tensor>>, index: number, { time }: EncodedRow): Float32Array {
    const state = new Float32Array(this.stateWidth);
    for (const { input, axis, begin, dims } of this.#parts) {
      const { data, dims: shape } = results[input.to ?? ''];
      const slice = sliceOf(data as Float32Array, shape, axis, index);
      // More would run into the next part.
      state.set(slice.subarray(0, sizeOf(dims, time)), begin);
    }
    return state;
  }

  /** Writes the scores of a lane from `at` on. Throws `RUNTIME_FAILURE` where the step gives others than the manifest says. */
  #writeScores(
    results: Readonly<Record<string, Tensor>>,
    index: number,
    lanes: number,
    logits: Float32Array,
    at: number,
  ): void {
    const { step, vocabulary } = this.#manifest;
    const { size } = vocabulary;
    const { data, dims } = results[step.scores];
    // A step that scores each of its tokens scores one.
    const stride = data.length / lanes;
    if (!(data instanceof Float32Array) || !(stride >= size) || !Number.isInteger(stride)) {
      throw new ForetokenError(
        'RUNTIME_FAILURE',
        `${step.scores} came out as [${dims.join(', ')}] for ${lanes} tokens; scores of ${size} symbols each are required. Import the model again.`,
        { received: [...dims], required: { lanes, symbols: size } },
      );
    }
    const scores = data.subarray(index * stride, index * stride + size);
    if (step.values !== 'probabilities') logits.set(scores, at);
    else for (let id = 0; id < size; id++) logits[at + id] = Math.log(Math.max(0, scores[id]));
  }
}

function sizeOf(dims: readonly (number | null)[], time: number): number {
  return dims.reduce<number>((product, size) => product * (size ?? time), 1);
}
