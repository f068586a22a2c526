import type { OutputRequest } from '../contract/token-tree.js';
import { assertInteger } from '../kit/checks.js';
import { forwardParts, MAX_FORWARD_CELLS } from '../kit/forward-cells.js';
import { immediate, withMethods } from '../kit/options.js';
import { GatheredScores } from './gathered-scores.js';
import type { ExtensionValues, ForwardNodes, NodeStore } from './node-store.js';
import { type Lane, lanesByLevel } from './recurrent-lanes.js';
import { assertFloats, assertForward, assertMoves, assertOpenRow, assertRowCount, givenBy } from './store-checks.js';
import type { SlotMove } from './tree-row.js';

/** Chains of new nodes to run side by side, `[lanes, length]`. Arrays are read during the call. */
export interface RecurrentInputs {
  /** Chains side by side. */
  readonly lanes: number;
  /** Tokens of the longest chain; shorter ones are padded with token 0 behind their end. */
  readonly length: number;
  /** Open row that each lane belongs to, `[lanes]`. */
  readonly row: Int32Array;
  /** Token of each cell, `[lanes, length]`. */
  readonly tokenIds: Int32Array;
  /** Place of each lane's first token in its sequence, `[lanes]`. */
  readonly positions: Int32Array;
  /** State before each lane's first token, `[lanes, stateWidth]`. */
  readonly states: Float32Array;
  /** Cells, `lane * length + column`, whose successors are to be scored, in the order of the scores; there may be none. */
  readonly scored: Int32Array;
}

/** What a run of a recurrent step gives. Owned by the store. */
export interface RecurrentOutputs {
  /** State after every cell, `[lanes, length, stateWidth]`; nobody reads what follows a lane's end. */
  readonly states: Float32Array;
  /** Scores of the `scored` cells, in the kind asked for; where there are none, empty arrays. */
  readonly extension: ExtensionValues;
}

/** A recurrent model's step graphs with the state of its sources, as a store of states drives them. Owned by the store. */
export interface RecurrentDriver {
  /** Floats of a node's state: all that a model keeps of a path, layers and cells laid side by side. */
  readonly stateWidth: number;
  /** State before the first node of an open row, `[stateWidth]`; to be read only. */
  initialState(row: number): Float32Array;
  /** Runs the step once. Throws `RUNTIME_FAILURE`. */
  run(inputs: RecurrentInputs, output: OutputRequest): Promise<RecurrentOutputs>;
  /** Releases a row's source state; the last row takes its place. */
  releaseRow(row: number): void;
  /** Releases the source states of all rows. */
  dispose(): void;
}

const readDriver = withMethods<RecurrentDriver>('a recurrent driver', 'initialState', 'run', 'releaseRow', 'dispose');

/** Most numbers of a state. */
const MAX_STATE = 2 ** 31 - 1;

/**
 * The state of a recurrent network after each node (RNN, LSTM, GRU, SSRU): a node is scored from its parent's state, so a fork or
 * a rollback is a choice of state and nothing is recomputed.
 *
 * A forward runs the new nodes as chains, so a prompt or a draft that is a chain takes one run of the graph.
 */
export class RecurrentStore implements NodeStore {
  readonly #driver: RecurrentDriver;
  readonly #stateWidth: number;
  /** States of each open row, `[slots, stateWidth]`, with room behind them. */
  readonly #states: Float32Array[];

  /** With `rows` open rows at first. What no driver, row or slot is throws `INVALID_ARGUMENT`, in all methods. */
  constructor(driver: RecurrentDriver, rows: number) {
    this.#driver = readDriver('driver', driver);
    this.#stateWidth = driver.stateWidth;
    assertInteger('driver.stateWidth', this.#stateWidth, 1, MAX_STATE);
    assertRowCount(rows);
    this.#states = Array.from({ length: rows }, () => new Float32Array());
  }

  async extend(nodes: ForwardNodes, output: OutputRequest): Promise<ExtensionValues> {
    assertForward(nodes, this.#states.length);
    const gathered = new GatheredScores(nodes.scored.length, output);
    const placeOf = new Int32Array(nodes.slot.length).fill(-1);
    nodes.scored.forEach((node, place) => {
      placeOf[node] = place;
    });
    for (const level of lanesByLevel(nodes)) {
      for (const lanes of forwardParts(level, ({ nodes: { length } }) => length, MAX_FORWARD_CELLS)) {
        const places: number[] = [];
        const inputs = this.#inputs(nodes, lanes, placeOf, places);
        const { states, extension } = givenBy('run', await this.#driver.run(inputs, output));
        const cells = lanes.length * inputs.length * this.#stateWidth;
        assertFloats('states, as run of the driver gives them,', states, cells);
        this.#store(nodes, lanes, inputs.length, states);
        gathered.put(extension, Int32Array.from(places));
      }
    }
    return gathered.values;
  }

  compact(gridRow: number, moves: readonly SlotMove[]): void {
    assertOpenRow(gridRow, this.#states.length, 'gridRow');
    const stateWidth = this.#stateWidth;
    const states = this.#states[gridRow];
    assertMoves(moves, states.length / stateWidth);
    for (const { from, to, length } of moves) {
      states.copyWithin(to * stateWidth, from * stateWidth, (from + length) * stateWidth);
    }
  }

  admit(rows: number): void {
    assertRowCount(rows, this.#states.length);
    for (let row = 0; row < rows; row++) this.#states.push(new Float32Array());
  }

  release(gridRow: number): void {
    assertOpenRow(gridRow, this.#states.length, 'gridRow');
    immediate('What releaseRow of the driver gives', this.#driver.releaseRow(gridRow));
    this.#states[gridRow] = this.#states[this.#states.length - 1];
    this.#states.pop();
  }

  dispose(): void {
    immediate('What dispose of the driver gives', this.#driver.dispose());
  }

  /** Lays lanes out side by side, and notes where their scores belong. */
  #inputs(nodes: ForwardNodes, lanes: readonly Lane[], placeOf: Int32Array, places: number[]): RecurrentInputs {
    const stateWidth = this.#stateWidth;
    const length = lanes.reduce((longest, lane) => Math.max(longest, lane.nodes.length), 0);
    const tokenIds = new Int32Array(lanes.length * length);
    const states = new Float32Array(lanes.length * stateWidth);
    const cells: number[] = [];
    for (const [index, { gridRow, parentSlot, nodes: chain }] of lanes.entries()) {
      states.set(this.#stateOf(gridRow, parentSlot), index * stateWidth);
      for (const [column, node] of chain.entries()) {
        const cell = index * length + column;
        tokenIds[cell] = nodes.tokenId[node];
        const place = placeOf[node];
        if (place < 0) continue;
        cells.push(cell);
        places.push(place);
      }
    }
    const row = Int32Array.from(lanes, ({ gridRow }) => gridRow);
    const positions = Int32Array.from(lanes, ({ gridRow, parentSlot }) => nodes.trees[gridRow].depthOf(parentSlot));
    return { lanes: lanes.length, length, row, tokenIds, positions, states, scored: Int32Array.from(cells) };
  }

  /** The state at a slot, -1 for what a row begins with: a view. */
  #stateOf(gridRow: number, slot: number): Float32Array {
    const stateWidth = this.#stateWidth;
    if (slot < 0) {
      const initial = this.#driver.initialState(gridRow);
      assertFloats('initialState, as the driver gives it,', initial, stateWidth);
      return initial.subarray(0, stateWidth);
    }
    return this.#states[gridRow].subarray(slot * stateWidth, (slot + 1) * stateWidth);
  }

  #store(nodes: ForwardNodes, lanes: readonly Lane[], length: number, states: Float32Array): void {
    const stateWidth = this.#stateWidth;
    for (const [index, { gridRow, nodes: chain }] of lanes.entries()) {
      for (const [column, node] of chain.entries()) {
        const from = (index * length + column) * stateWidth;
        const slot = nodes.slot[node];
        this.#room(gridRow, slot).set(states.subarray(from, from + stateWidth), slot * stateWidth);
      }
    }
  }

  /** A row's states, with room for a slot. */
  #room(gridRow: number, slot: number): Float32Array {
    const stateWidth = this.#stateWidth;
    const states = this.#states[gridRow];
    if ((slot + 1) * stateWidth <= states.length) return states;
    const grown = new Float32Array(Math.max(16, 2 * (slot + 1)) * stateWidth);
    grown.set(states);
    this.#states[gridRow] = grown;
    return grown;
  }
}
