import type { OutputRequest, TokenSource } from '@foretoken/core';
import {
  type GraphSession,
  type OnnxRuntime,
  type RecurrentDriver,
  type RecurrentInputs,
  type RecurrentOutputs,
  scoredLogits,
} from '@foretoken/core/runtime';
import type { CanvasLogits } from './position-wise.ts';
import { END, START, VOCABULARY } from './task.ts';

/** Where a graph is opened: now, or when it is first used. */
export type OpenGraph = () => Promise<GraphSession>;

/** Floats of the network's state, as it was trained. */
const UNITS = 16;
/** A node also keeps how many tokens were written: the network reads the digit at that position. */
const WIDTH = UNITS + 1;

/** The recurrent network in ONNX: `token_ids`, `digits` `[lanes, length]` and `state` to `states` and `logits`. */
export class OnnxNetwork implements RecurrentDriver {
  readonly stateWidth: number = WIDTH;
  readonly #sources: TokenSource[];
  readonly #runtime: OnnxRuntime;
  readonly #graph: OpenGraph;

  constructor(sources: readonly TokenSource[], runtime: OnnxRuntime, graph: OpenGraph) {
    this.#sources = [...sources];
    this.#runtime = runtime;
    this.#graph = graph;
  }

  initialState(): Float32Array {
    return new Float32Array(WIDTH);
  }

  async run(
    { lanes, length, row, tokenIds, states, scored }: RecurrentInputs,
    output: OutputRequest,
  ): Promise<RecurrentOutputs> {
    const { Tensor } = this.#runtime;
    const digits = new Int32Array(lanes * length).fill(END);
    const before = new Float32Array(lanes * UNITS);
    const after = new Float32Array(lanes * length * WIDTH);
    for (let lane = 0; lane < lanes; lane++) {
      before.set(states.subarray(lane * WIDTH, lane * WIDTH + UNITS), lane * UNITS);
      let written = states[lane * WIDTH + UNITS];
      for (let cell = lane * length; cell < (lane + 1) * length; cell++) {
        if (tokenIds[cell] !== START) written++;
        digits[cell] = this.#sources[row[lane]][written] ?? END;
        after[cell * WIDTH + UNITS] = written;
      }
    }
    const graph = await this.#graph();
    const results = await graph.run({
      token_ids: new Tensor('int32', tokenIds, [lanes, length]),
      digits: new Tensor('int32', digits, [lanes, length]),
      state: new Tensor('float32', before, [lanes, UNITS]),
    });
    const found = results.states.data as Float32Array;
    for (let cell = 0; cell < lanes * length; cell++) {
      after.set(found.subarray(cell * UNITS, (cell + 1) * UNITS), cell * WIDTH);
    }
    const all = results.logits.data as Float32Array;
    const { size } = VOCABULARY;
    const logits = new Float32Array(scored.length * size);
    for (const [index, cell] of scored.entries())
      logits.set(all.subarray(cell * size, (cell + 1) * size), index * size);
    return { states: after, extension: scoredLogits(logits, size, output) };
  }

  releaseRow(row: number): void {
    const last = this.#sources.pop();
    if (last !== undefined && row < this.#sources.length) this.#sources[row] = last;
  }

  dispose(): void {
    this.#sources.length = 0;
  }
}

/** The position-wise network in ONNX: `digits` `[1, length]` to `logits`. */
export function onnxLogits(runtime: OnnxRuntime, graph: OpenGraph): CanvasLogits {
  return async (source, length) => {
    const digits = new Int32Array(length).fill(END);
    digits.set(source.subarray(0, length));
    const { logits } = await (await graph()).run({ digits: new runtime.Tensor('int32', digits, [1, length]) });
    return Float32Array.from(logits.data as Float32Array);
  };
}
