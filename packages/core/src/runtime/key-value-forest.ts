import { ForetokenError } from '../contract/errors.js';
import {
  type Extension,
  type NewNodes,
  type NodeId,
  type OutputRequest,
  ROOT,
  type RowStart,
  type TokenForest,
} from '../contract/token-tree.js';
import { nodeIdOf } from '../kit/node-batch.js';
import { RowCache } from './row-cache.js';
import type { StepDriver, StepOutputs } from './step-driver.js';
import { TreeRow } from './tree-row.js';

export interface KeyValueForestOptions {
  readonly driver: StepDriver;
  /** Tokens each row must begin with. */
  readonly prefixes: readonly Int32Array[];
  readonly vocabularySize: number;
  readonly maxLength: number;
  /** Keys of a layer and values of a layer are two parts. */
  readonly parts: number;
  /** Floats a node takes in each part. */
  readonly partWidth: number;
}

const HIDDEN = -1e9;

let open = 0;

/** Forests opened and not yet disposed of in this process, for leak checks. */
export function openForests(): number {
  return open;
}

/**
 * Token trees over a delta key-value cache: the graph returns only the new nodes' keys and values, and the cache lives
 * here, so rollback and compaction are index work and a fork copies nothing.
 *
 * All rows share one grid: the i-th active row is grid row i, and a finished row's place is taken by the last one.
 */
export class KeyValueForest implements TokenForest {
  readonly rows: number;
  readonly #options: KeyValueForestOptions;
  readonly #trees: TreeRow[];
  readonly #cache: RowCache;
  /** Source row of each grid row, and back (-1 when finished). */
  readonly #active: number[];
  readonly #gridRowOf: number[];
  #nextNode = 0;
  #running = false;
  /** Called when a running `extend` has ended. */
  #idle: (() => void) | undefined;
  #released: Promise<void> | undefined;

  constructor(options: KeyValueForestOptions) {
    this.#options = options;
    this.rows = options.prefixes.length;
    this.#trees = options.prefixes.map(() => new TreeRow());
    this.#cache = new RowCache(this.rows, options.parts, options.partWidth);
    this.#active = options.prefixes.map((_, row) => row);
    this.#gridRowOf = options.prefixes.map((_, row) => row);
    open++;
  }

  start(row: number): RowStart {
    this.#treeOf(row);
    return { prefix: (this.#options.prefixes[row] as Int32Array).slice(), cached: 0, node: ROOT };
  }

  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, output: OutputRequest, signal?: AbortSignal): Promise<Extension> {
    this.#assertUsable();
    this.#assertIdle('extend');
    signal?.throwIfAborted();
    const firstNode = this.#nextNode;
    const count = nodes.tokenId.length;
    const rows = this.#active.length;
    const before = this.#active.map((row) => (this.#trees[row] as TreeRow).size);
    const added = new Int32Array(rows);
    /** Grid row and column of each new node. */
    const column = new Int32Array(count);
    const slots = new Int32Array(count);
    try {
      for (let index = 0; index < count; index++) {
        const gridRow = this.#gridRow(nodes.row[index] as number);
        slots[index] = this.#append(nodes, index, firstNode);
        column[index] = added[gridRow] as number;
        added[gridRow] = (added[gridRow] as number) + 1;
      }
      if (count === 0) throw invalid('INVALID_ARGUMENT', 'extend was called without nodes; add at least one.', {});
      this.#running = true;
      const outputs = await this.#run(nodes, output, before, added, column, slots);
      this.#assertUsable();
      this.#store(outputs, before, added);
      this.#nextNode += count;
      return { ...outputs.extension, firstNode };
    } catch (error) {
      this.#active.forEach((row, gridRow) => {
        (this.#trees[row] as TreeRow).truncate(before[gridRow] as number);
      });
      throw error;
    } finally {
      this.#running = false;
      this.#idle?.();
    }
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    const tree = this.#treeOf(row);
    this.#assertIdle('retain');
    const gridRow = this.#gridRow(row);
    const slots = leaves.map((leaf) => {
      const slot = tree.slotOf(leaf);
      if (slot < 0) throw invalid('INVALID_NODE', `Node ${leaf} is not in row ${row}.`, { row, node: leaf });
      return slot;
    });
    this.#cache.compact(gridRow, tree.retain(slots));
  }

  finish(row: number): void {
    this.#treeOf(row);
    this.#assertIdle('finish');
    const gridRow = this.#gridRow(row);
    this.#options.driver.releaseRow(gridRow);
    this.#cache.release(gridRow);
    const last = this.#active.pop() as number;
    if (last !== row) {
      this.#active[gridRow] = last;
      this.#gridRowOf[last] = gridRow;
    }
    this.#gridRowOf[row] = -1;
    (this.#trees[row] as TreeRow).truncate(0);
  }

  /** A running `extend` ends with `DISPOSED`, and is waited for; a second call waits for the same. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    open--;
    if (this.#running) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#options.driver.dispose();
  }

  /** Validates one new node and gives it a slot. */
  #append(nodes: NewNodes, index: number, firstNode: NodeId): number {
    const row = nodes.row[index] as number;
    const parent = nodeIdOf(nodes.parent[index] as number, firstNode);
    const tokenId = nodes.tokenId[index] as number;
    const tree = this.#trees[row] as TreeRow;
    const { vocabularySize, maxLength } = this.#options;
    if (tokenId < 0 || tokenId >= vocabularySize) {
      throw invalid('INVALID_ARGUMENT', `Token id ${tokenId} is outside the vocabulary of ${vocabularySize}.`, {
        received: tokenId,
        size: vocabularySize,
      });
    }
    const parentSlot = parent === ROOT ? -1 : tree.slotOf(parent);
    if (parent !== ROOT && parentSlot < 0) {
      throw invalid('INVALID_NODE', `Parent ${parent} is not in row ${row}: it was released, or never there.`, {
        row,
        node: parent,
      });
    }
    if (tree.depthOf(parentSlot) >= maxLength) {
      throw invalid('LENGTH_LIMIT', `Row ${row} already has ${maxLength} tokens, the most this model holds.`, {
        row,
        most: maxLength,
      });
    }
    return tree.append(firstNode + index, parentSlot);
  }

  async #run(
    nodes: NewNodes,
    output: OutputRequest,
    before: readonly number[],
    added: Int32Array,
    column: Int32Array,
    slots: Int32Array,
  ): Promise<StepOutputs> {
    const rows = this.#active.length;
    const { driver } = this.#options;
    const width = driver.paddedWidth(Math.max(...added), rows);
    const single = rows === 1;
    const used = Math.max(...before);
    this.#cache.reserve(used);
    const pastLength = single ? used : this.#cache.capacity;
    const past = single ? this.#cache.viewSingle(used) : this.#cache.viewAll();
    const tokenIds = new Int32Array(rows * width);
    const positions = new Int32Array(rows * width);
    const total = pastLength + width;
    const attentionBias = new Float32Array(rows * width * total).fill(HIDDEN);
    // A padding cell sees itself, so its softmax stays finite; nobody reads what it gives.
    for (let gridRow = 0; gridRow < rows; gridRow++) {
      for (let pad = added[gridRow] as number; pad < width; pad++) {
        attentionBias[(gridRow * width + pad) * total + pastLength + pad] = 0;
      }
    }
    for (let index = 0; index < nodes.tokenId.length; index++) {
      const row = nodes.row[index] as number;
      const gridRow = this.#gridRowOf[row] as number;
      const tree = this.#trees[row] as TreeRow;
      const cell = gridRow * width + (column[index] as number);
      const slot = slots[index] as number;
      const cached = before[gridRow] as number;
      tokenIds[cell] = nodes.tokenId[index] as number;
      positions[cell] = tree.depthOf(slot) - 1;
      const line = cell * total;
      tree.visitPath(slot, (at) => {
        attentionBias[line + (at < cached ? at : pastLength + at - cached)] = 0;
      });
    }
    const scored = this.#scoredCells(nodes, column, width);
    return driver.run({ rows, width, pastLength, tokenIds, positions, attentionBias, past, scored }, output);
  }

  /** Appends the new nodes' keys and values to the cache. */
  #store(outputs: StepOutputs, before: readonly number[], added: Int32Array): void {
    const rows = this.#active.length;
    const width = outputs.keysValues.length / (rows * this.#cache.stride);
    let most = 0;
    for (let gridRow = 0; gridRow < rows; gridRow++) {
      most = Math.max(most, (before[gridRow] as number) + (added[gridRow] as number));
    }
    this.#cache.reserve(most);
    for (let gridRow = 0; gridRow < rows; gridRow++) {
      const count = added[gridRow] as number;
      if (count > 0) this.#cache.write(gridRow, before[gridRow] as number, outputs.keysValues, gridRow * width, count);
    }
  }

  /** Grid cells of the nodes to be scored, in their order. */
  #scoredCells({ row, scored }: NewNodes, column: Int32Array, width: number): Int32Array {
    const cells = new Int32Array(column.length);
    let count = 0;
    for (let index = 0; index < column.length; index++) {
      if (scored !== undefined && scored[index] === 0) continue;
      cells[count++] = (this.#gridRowOf[row[index] as number] as number) * width + (column[index] as number);
    }
    if (count === 0) {
      throw invalid('INVALID_ARGUMENT', 'No node of the batch is to be scored; mark at least one.', {});
    }
    return cells.subarray(0, count);
  }

  #gridRow(row: number): number {
    const gridRow = this.#gridRowOf[row];
    if (gridRow === undefined || gridRow < 0) {
      throw invalid(
        'INVALID_NODE',
        gridRow === undefined ? `Row ${row} does not exist; there are ${this.rows}.` : `Row ${row} is finished.`,
        { row, rows: this.rows },
      );
    }
    return gridRow;
  }

  #treeOf(row: number): TreeRow {
    this.#assertUsable();
    const tree = this.#trees[row];
    if (tree === undefined) {
      throw invalid('INVALID_NODE', `Row ${row} does not exist; there are ${this.rows}.`, { row, rows: this.rows });
    }
    return tree;
  }

  /** What changes rows must not do so under a forward that reads them. */
  #assertIdle(call: string): void {
    if (!this.#running) return;
    throw new ForetokenError('INVALID_ARGUMENT', `${call} was called while extend is running; await extend first.`, {
      call,
    });
  }

  #assertUsable(): void {
    if (this.#released !== undefined) throw new ForetokenError('DISPOSED', 'The token forest was disposed of.', {});
  }
}

function invalid(
  code: 'INVALID_ARGUMENT' | 'INVALID_NODE' | 'LENGTH_LIMIT',
  message: string,
  details: Readonly<Record<string, unknown>>,
): ForetokenError {
  return new ForetokenError(code, message, details);
}
