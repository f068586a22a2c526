import type { OutputRequest } from '../contract/token-tree.js';
import { assertInteger } from '../kit/checks.js';
import { largest } from '../kit/long-lists.js';
import { checkOptions, flag, immediate, integer, type OptionTable, oneOf, withMethods } from '../kit/options.js';
import { assertCacheValues, type CacheType, type CacheValues } from './cache-values.js';
import { HIDDEN } from './hidden.js';
import type { ExtensionValues, ForwardNodes, NodeStore } from './node-store.js';
import { RowCache } from './row-cache.js';
import { STEADY_SLOTS } from './steady-slots.js';
import type { StepDriver, StepInputs } from './step-driver.js';
import { assertForward, givenBy, MAX_FORWARD_WIDTH, MAX_ROWS } from './store-checks.js';
import type { SlotMove } from './tree-row.js';

/** What a store of keys and values is made of. */
export interface KeyValueStoreOptions {
  /** Runs the step graph; the store releases it. */
  readonly driver: StepDriver;
  /** Open rows at first. */
  readonly rows: number;
  /** Keys of a layer and values of a layer are two parts. */
  readonly parts: number;
  /** Numbers a node takes in each part. */
  readonly partWidth: number;
  /** What the graph keeps them as (default `float32`); the cache has the same, whatever it computes with. */
  readonly type?: CacheType | undefined;
  /**
   * Rows may join, so what a row gives should not depend on the rows beside it: rows are then read at multiples of `STEADY_SLOTS`
   * slots, be they alone or not, which keeps the last bit unless the runtime adds up in larger blocks.
   */
  readonly joining?: boolean | undefined;
}

const OPTIONS: OptionTable<KeyValueStoreOptions> = {
  driver: withMethods('a step driver', 'run', 'paddedWidth', 'releaseRow', 'dispose'),
  rows: integer(0, MAX_ROWS),
  parts: integer(1, MAX_ROWS),
  partWidth: integer(1),
  type: oneOf('float32', 'float16'),
  joining: flag,
};

/**
 * Keys and values of delta graphs: a graph returns those of the new nodes only, and the cache lives here, so rollback and
 * compaction are index work and a fork copies nothing.
 */
export class KeyValueStore implements NodeStore {
  readonly #driver: StepDriver;
  readonly #cache: RowCache;
  readonly #joining: boolean;
  /** Room for the attention bias of a forward, used again by the next. */
  #bias: Float32Array = new Float32Array();
  readonly #type: CacheType;

  /** Throws `INVALID_ARGUMENT` for what is none of its options, and where `extend` is given other nodes than a forest's. */
  constructor(options: KeyValueStoreOptions) {
    const required = ['driver', 'rows', 'parts', 'partWidth'] as const;
    const {
      driver,
      rows,
      parts,
      partWidth,
      type,
      joining = false,
    } = checkOptions('KeyValueStore', options, OPTIONS, required);
    this.#driver = driver;
    this.#joining = joining;
    this.#type = type ?? 'float32';
    this.#cache = new RowCache(rows, parts, partWidth, joining ? STEADY_SLOTS : undefined, undefined, type);
  }

  async extend(nodes: ForwardNodes, output: OutputRequest): Promise<ExtensionValues> {
    assertForward(nodes, this.#cache.rows);
    const inputs = this.#inputs(nodes);
    const { keysValues, extension } = givenBy('run', await this.#driver.run(inputs, output));
    const cells = inputs.rows * inputs.width * this.#cache.stride;
    assertCacheValues('keysValues, as run of the driver gives them,', keysValues, this.#type, cells, cells);
    this.#store(nodes, keysValues);
    return extension;
  }

  compact(gridRow: number, moves: readonly SlotMove[]): void {
    this.#cache.compact(gridRow, moves);
  }

  copy(gridRow: number, to: number, slots: number): void {
    this.#cache.copy(gridRow, to, slots);
  }

  admit(rows: number): void {
    this.#cache.admit(rows);
  }

  release(gridRow: number): void {
    immediate('What releaseRow of the driver gives', this.#driver.releaseRow(gridRow));
    this.#cache.release(gridRow);
  }

  dispose(): void {
    immediate('What dispose of the driver gives', this.#driver.dispose());
    this.#cache.dispose();
  }

  /** Lays the nodes out as a grid: a row's new nodes side by side, behind what is cached of it. */
  #inputs(nodes: ForwardNodes): StepInputs {
    const { trees, stored, firstRow, rows, gridRow, slot, tokenId, scored } = nodes;
    const width = this.#driver.paddedWidth(nodes.width, trees.length);
    assertInteger('paddedWidth, as the driver gives it,', width, nodes.width, MAX_FORWARD_WIDTH);
    const alone = trees.length === 1;
    const used = largest(stored, 0);
    if (!alone) this.#cache.relax(used + nodes.width);
    const block = this.#joining ? STEADY_SLOTS : 1;
    const pastLength = alone ? Math.ceil(used / block) * block : this.#cache.capacity;
    const past = alone ? this.#cache.viewSingle(pastLength) : this.#cache.viewRows(firstRow, rows);
    const tokenIds = new Int32Array(rows * width);
    const positions = new Int32Array(rows * width);
    const total = pastLength + width;
    const attentionBias = this.#room(rows * width * total).fill(HIDDEN);
    // A cell sees itself. So does padding, whose softmax then stays finite; nobody reads what it gives.
    for (let cell = 0; cell < rows * width; cell++) attentionBias[cell * total + pastLength + (cell % width)] = 0;
    const cells = new Int32Array(slot.length);
    for (let node = 0; node < slot.length; node++) {
      const row = gridRow[node];
      const at = slot[node];
      const tree = trees[row];
      const cached = stored[row];
      const cell = (row - firstRow) * width + at - cached;
      cells[node] = cell;
      tokenIds[cell] = tokenId[node];
      positions[cell] = tree.depthOf(at) - 1;
      const line = cell * total;
      let ancestor = at;
      for (; ancestor >= tree.trunk; ancestor = tree.parentOf(ancestor)) {
        attentionBias[line + (ancestor < cached ? ancestor : pastLength + ancestor - cached)] = 0;
      }
      // All before it are ancestors too.
      attentionBias.fill(0, line, line + Math.min(ancestor + 1, cached));
      if (ancestor >= cached) attentionBias.fill(0, line + pastLength, line + pastLength + ancestor + 1 - cached);
    }
    const scoredCells = new Int32Array(scored.length);
    for (let at = 0; at < scored.length; at++) scoredCells[at] = cells[scored[at]];
    const keyPositions = (): Int32Array => {
      const places = new Int32Array(rows * total);
      for (let row = 0; row < rows; row++) {
        const tree = trees[firstRow + row];
        for (let at = 0; at < stored[firstRow + row]; at++) places[row * total + at] = tree.depthOf(at) - 1;
        places.set(positions.subarray(row * width, (row + 1) * width), row * total + pastLength);
      }
      return places;
    };
    return {
      firstRow,
      rows,
      width,
      pastLength,
      tokenIds,
      positions,
      attentionBias,
      keyPositions,
      past,
      scored: scoredCells,
    };
  }

  #room(size: number): Float32Array {
    if (this.#bias.length < size) this.#bias = new Float32Array(2 * size);
    return this.#bias.subarray(0, size);
  }

  /** Appends the new nodes' keys and values, `[rows, width, parts * partWidth]`, to the cache. */
  #store({ stored, firstRow, rows, gridRow }: ForwardNodes, keysValues: CacheValues): void {
    const width = keysValues.length / (rows * this.#cache.stride);
    const added = new Int32Array(rows);
    for (const row of gridRow) added[row - firstRow]++;
    let end = 0;
    for (let row = 0; row < rows; row++) end = Math.max(end, added[row] + stored[firstRow + row]);
    this.#cache.reserve(end);
    for (let row = 0; row < rows; row++) {
      const count = added[row];
      if (count === 0) continue;
      this.#cache.write(firstRow + row, stored[firstRow + row], keysValues, row * width, count);
    }
  }
}
