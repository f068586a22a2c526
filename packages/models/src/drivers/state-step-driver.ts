import type { OutputRequest } from '@foretoken/core';
import {
  type OnnxRuntime,
  type RecurrentDriver,
  type RecurrentInputs,
  type RecurrentOutputs,
  RecurrentStore,
} from '@foretoken/core/runtime';
import type { SourceFeeds } from './source-rows.js';
import type { StepGraphs } from './step-graphs.js';

/** Cells of a row, at the least: ONNX Runtime attends with other kernels where there is one query. See `LONE_ROW_WIDTH`. */
const MIN_CELLS = 2;

/**
 * Runs the step graphs of a recurrent decoder that reads a source. A forward takes chains of tokens: all its products are over all
 * of them, and only the cells go from token to token.
 *
 * The grid is `[rows, chains of a row, tokens of a chain]`, so that the chains of a row read its source once. A row has two cells
 * and more.
 */
class StateStepDriver implements RecurrentDriver {
  readonly stateWidth: number;
  readonly #runtime: OnnxRuntime;
  readonly #graphs: StepGraphs;
  readonly #sources: SourceFeeds;
  readonly #initial: Float32Array;

  /** A node keeps a state of `stateWidth` numbers. */
  constructor(runtime: OnnxRuntime, graphs: StepGraphs, stateWidth: number, sources: SourceFeeds) {
    this.#runtime = runtime;
    this.#graphs = graphs;
    this.stateWidth = stateWidth;
    this.#sources = sources;
    this.#initial = new Float32Array(stateWidth);
  }

  initialState(): Float32Array {
    return this.#initial;
  }

  async run(inputs: RecurrentInputs, output: OutputRequest): Promise<RecurrentOutputs> {
    const { Tensor } = this.#runtime;
    const { lanes, length, row } = inputs;
    const { firstRow, rows, chains, placeOf } = placesOf(row, length);
    const cells = chains * length;
    const tokenIds = new Int32Array(rows * cells);
    const positions = new Int32Array(rows * cells);
    const before = new Float32Array(rows * chains * this.stateWidth);
    for (let lane = 0; lane < lanes; lane++) {
      const place = placeOf[lane];
      tokenIds.set(inputs.tokenIds.subarray(lane * length, (lane + 1) * length), place * length);
      for (let column = 0; column < length; column++) {
        positions[place * length + column] = inputs.positions[lane] + column;
      }
      before.set(this.#stateOf(inputs.states, lane), place * this.stateWidth);
    }
    const scored = inputs.scored.map((cell) => placeOf[Math.floor(cell / length)] * length + (cell % length));
    // A graph always scores something; what nobody asked for stays in the runtime.
    const wanted = scored.length === 0 ? Int32Array.of(0) : scored;
    const feeds = {
      ...this.#sources.feeds(firstRow, rows, cells),
      token_ids: new Tensor('int32', tokenIds, [rows, cells]),
      positions: new Tensor('int32', positions, [rows, cells]),
      before: new Tensor('float32', before, [rows * chains, this.stateWidth]),
      scored: new Tensor('int32', wanted, [wanted.length]),
    };
    const { keysValues, extension } = await this.#graphs.run(feeds, output, scored.length > 0);
    return { states: this.#statesOf(keysValues as Float32Array, placeOf, length), extension };
  }

  releaseRow(row: number): void {
    this.#sources.releaseRow(row);
  }

  dispose(): void {
    this.#sources.dispose();
  }

  #stateOf(states: Float32Array, lane: number): Float32Array {
    return states.subarray(lane * this.stateWidth, (lane + 1) * this.stateWidth);
  }

  /** States of the lanes' cells, out of those of the grid's. */
  #statesOf(grid: Float32Array, placeOf: Int32Array, length: number): Float32Array {
    if (placeOf.every((place, lane) => place === lane)) return grid;
    const size = length * this.stateWidth;
    const states = new Float32Array(placeOf.length * size);
    for (const [lane, place] of placeOf.entries()) {
      states.set(grid.subarray(place * size, (place + 1) * size), lane * size);
    }
    return states;
  }
}

/** A store of `rows` open rows, whose nodes keep states of `stateWidth` numbers. */
export const stateStore =
  (runtime: OnnxRuntime, stateWidth: number) =>
  (graphs: StepGraphs, sources: SourceFeeds, rows: number): RecurrentStore =>
    new RecurrentStore(new StateStepDriver(runtime, graphs, stateWidth, sources), rows);

interface Places {
  readonly firstRow: number;
  readonly rows: number;
  /** Chains of each row of the grid, those that are padding included. */
  readonly chains: number;
  /** Chain of the grid that each lane is. */
  readonly placeOf: Int32Array;
}

/** Where lanes, each of a row, lie in a grid. */
function placesOf(rowOf: Int32Array, length: number): Places {
  const firstRow = rowOf.reduce((min, row) => Math.min(min, row), rowOf[0]);
  const rows = rowOf.reduce((max, row) => Math.max(max, row), firstRow) - firstRow + 1;
  const count = new Int32Array(rows);
  const nth = rowOf.map((row) => count[row - firstRow]++);
  const widest = count.reduce((max, own) => Math.max(max, own), 0);
  const chains = widest * length < MIN_CELLS ? MIN_CELLS : widest;
  return { firstRow, rows, chains, placeOf: rowOf.map((row, lane) => (row - firstRow) * chains + nth[lane]) };
}
