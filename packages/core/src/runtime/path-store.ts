import type { OutputRequest } from '../contract/token-tree.js';
import { assertInteger, wrongValue } from '../kit/checks.js';
import { forwardParts, MAX_FORWARD_CELLS } from '../kit/forward-cells.js';
import { flag, immediate, withMethods } from '../kit/options.js';
import { GatheredScores } from './gathered-scores.js';
import type { ExtensionValues, ForwardNodes, NodeStore } from './node-store.js';
import { gatherPaths, isPathBlock, type PathBlock, type PathPlace } from './path-blocks.js';
import { pathRounds } from './path-lanes.js';
import type { Lane } from './recurrent-lanes.js';
import { assertForward, assertMoves, assertOpenRow, assertRowCount, givenBy } from './store-checks.js';
import type { SlotMove } from './tree-row.js';

/** Chains of new nodes, `[lanes, length]`, each behind a past of the same length. Arrays are read during the call. */
export interface PathInputs {
  /** Open row that each lane belongs to, `[lanes]`. */
  readonly row: Int32Array;
  /** Tokens of each lane's past. */
  readonly pastLength: number;
  /** Tokens of the longest chain; shorter ones are padded with token 0 behind their end. */
  readonly length: number;
  /** Token of each cell, `[lanes, length]`. */
  readonly tokenIds: Int32Array;
  /** Keys and values of each lane's past; absent where that is empty. */
  readonly past: PathBlock | undefined;
  /** Cells, `lane * length + column`, whose successors are to be scored, in the order of the scores; there may be none. */
  readonly scored: Int32Array;
}

/** What a run of the graphs gives: the grown caches, and scores. Owned by the store. */
export interface PathOutputs {
  /** Keys and values of each lane's past and of its new nodes behind that. */
  readonly present: PathBlock;
  /** Scores of the `scored` cells, in the kind asked for; where there are none, empty arrays. */
  readonly extension: ExtensionValues;
}

/** Graphs that take the whole cache of each path and give it back grown, as a store of paths drives them. Owned by the store. */
export interface PathDriver {
  /** Whether a run takes several new tokens of a path. */
  readonly chains: boolean;
  /** A token that nothing follows in a run: of what comes after it in the same run the graph would say something else. */
  readonly chainEnd?: number | undefined;
  /** Most lanes of a run. */
  readonly maxLanes: number;
  /** Rows of different kinds are run apart, such as rows whose sources cannot be padded; without it all are of one kind. */
  kindOf?(row: number): number;
  /** Runs the graphs once. Throws `RUNTIME_FAILURE`. */
  run(inputs: PathInputs, output: OutputRequest): Promise<PathOutputs>;
  /** Releases a row's source state; the last row takes its place. */
  releaseRow(row: number): void;
  /** Releases the source states of all rows. */
  dispose(): void;
}

const readDriver = withMethods<PathDriver>('a path driver', 'run', 'releaseRow', 'dispose');

/**
 * Whole caches, as graphs give them that know no masks of their own: a branch is a lane of the batch, its cache a copy of the
 * path's beginning.
 *
 * What a graph gave is kept as it is. A node knows a block in which its path lies, the latest one; so a fork or a rollback copies
 * nothing, a step that goes on where the last ended is fed what that gave, and what no path lies in is garbage.
 */
export class PathStore implements NodeStore {
  readonly #driver: PathDriver;
  /** Of each open row by slot. */
  readonly #places: PathPlace[][];

  /** With `rows` open rows at first. What no driver, row or slot is throws `INVALID_ARGUMENT`, in all methods. */
  constructor(driver: PathDriver, rows: number) {
    this.#driver = readDriver('driver', driver);
    assertInteger('driver.maxLanes', driver.maxLanes, 1, Number.MAX_SAFE_INTEGER);
    flag('driver.chains', driver.chains);
    const { chainEnd = 0 } = driver;
    assertInteger('driver.chainEnd', chainEnd, 0, Number.MAX_SAFE_INTEGER);
    assertRowCount(rows);
    this.#places = Array.from({ length: rows }, () => []);
  }

  async extend(nodes: ForwardNodes, output: OutputRequest): Promise<ExtensionValues> {
    assertForward(nodes, this.#places.length);
    const gathered = new GatheredScores(nodes.scored.length, output);
    const unscored = new Int32Array(nodes.slot.length).fill(-1);
    nodes.scored.forEach((node, place) => {
      unscored[node] = place;
    });
    for (const [row, places] of this.#places.entries()) places.length = Math.min(places.length, nodes.stored[row]);
    for (const round of pathRounds(nodes, this.#driver.chains, this.#driver.chainEnd)) {
      for (const group of alike(nodes, round, this.#driver)) {
        for (const lanes of laneParts(group, this.#driver.maxLanes)) {
          const places: number[] = [];
          const inputs = this.#inputs(nodes, lanes, unscored, places);
          const { present, extension } = givenBy('run', await this.#driver.run(inputs, output));
          const given = isPathBlock(present) && present.lanes === lanes.length;
          if (!given || present.length < inputs.pastLength + inputs.length) {
            const required = `keys and values of ${lanes.length} paths of ${inputs.pastLength + inputs.length}`;
            throw wrongValue('present, as run of the driver gives it,', present, required);
          }
          this.#store(nodes, lanes, present);
          gathered.put(extension, Int32Array.from(places));
        }
      }
    }
    return gathered.values;
  }

  compact(gridRow: number, moves: readonly SlotMove[]): void {
    assertOpenRow(gridRow, this.#places.length, 'gridRow');
    const places = this.#places[gridRow];
    assertMoves(moves, places.length);
    for (const { from, to, length } of moves) places.copyWithin(to, from, from + length);
  }

  admit(rows: number): void {
    assertRowCount(rows, this.#places.length);
    for (let row = 0; row < rows; row++) this.#places.push([]);
  }

  release(gridRow: number): void {
    assertOpenRow(gridRow, this.#places.length, 'gridRow');
    immediate('What releaseRow of the driver gives', this.#driver.releaseRow(gridRow));
    const last = this.#places.pop();
    if (last !== undefined && gridRow < this.#places.length) this.#places[gridRow] = last;
  }

  dispose(): void {
    this.#places.length = 0;
    immediate('What dispose of the driver gives', this.#driver.dispose());
  }

  /** Lays lanes out side by side, and notes where their scores belong. A node of several lanes is scored in the first. */
  #inputs(nodes: ForwardNodes, lanes: readonly Lane[], unscored: Int32Array, places: number[]): PathInputs {
    const length = lanes.reduce((longest, lane) => Math.max(longest, lane.nodes.length), 0);
    const tokenIds = new Int32Array(lanes.length * length);
    const cells: number[] = [];
    for (const [index, { nodes: chain }] of lanes.entries()) {
      for (const [column, node] of chain.entries()) {
        const cell = index * length + column;
        tokenIds[cell] = nodes.tokenId[node];
        const place = unscored[node];
        if (place < 0) continue;
        unscored[node] = -1;
        cells.push(cell);
        places.push(place);
      }
    }
    return {
      row: Int32Array.from(lanes, ({ gridRow }) => gridRow),
      pastLength: pastLengthOf(nodes, lanes[0]),
      length,
      tokenIds,
      past: this.#past(nodes, lanes),
      scored: Int32Array.from(cells),
    };
  }

  /** Keys and values before the lanes' first nodes: the very block where the lanes go on with it, else a copy. */
  #past(nodes: ForwardNodes, lanes: readonly Lane[]): PathBlock | undefined {
    const length = pastLengthOf(nodes, lanes[0]);
    if (length === 0) return undefined;
    const places = lanes.map(({ gridRow, parentSlot }) => this.#places[gridRow][parentSlot]);
    const { block } = places[0];
    const goesOn = block.length === length && block.lanes === lanes.length;
    if (goesOn && places.every((place, lane) => place.block === block && place.lane === lane)) return block;
    return gatherPaths(places, length);
  }

  /** Every node of the lanes' paths is found in what the graph gave from now on. */
  #store(nodes: ForwardNodes, lanes: readonly Lane[], block: PathBlock): void {
    for (const [lane, { gridRow, nodes: chain }] of lanes.entries()) {
      const place = { block, lane };
      const places = this.#places[gridRow];
      const tree = nodes.trees[gridRow];
      for (let slot = nodes.slot[chain[chain.length - 1]]; slot >= 0; slot = tree.parentOf(slot)) places[slot] = place;
    }
  }
}

function pastLengthOf({ trees }: ForwardNodes, { gridRow, parentSlot }: Lane): number {
  return trees[gridRow].depthOf(parentSlot);
}

/** Lanes in parts of bounded cells, and of at most `maxLanes` lanes. */
function laneParts(lanes: readonly Lane[], maxLanes: number): Lane[][] {
  return forwardParts(lanes, ({ nodes: { length } }) => length, MAX_FORWARD_CELLS).flatMap((part) =>
    Array.from({ length: Math.ceil(part.length / maxLanes) }, (_, index) =>
      part.slice(index * maxLanes, (index + 1) * maxLanes),
    ),
  );
}

/** Without masks all lanes of a forward have pasts of the same length, and are of rows of one kind. */
function alike(nodes: ForwardNodes, lanes: readonly Lane[], driver: PathDriver): Lane[][] {
  const groups = new Map<string, Lane[]>();
  for (const lane of lanes) {
    const key = `${pastLengthOf(nodes, lane)} ${driver.kindOf?.(lane.gridRow) ?? 0}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [lane]);
    else group.push(lane);
  }
  return [...groups.values()];
}
