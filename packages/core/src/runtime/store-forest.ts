import type { OpenOptions } from '../contract/encoding.js';
import { ForetokenError } from '../contract/errors.js';
import type { Extension, NewNodes, NodeId, OutputRequest, RowStart, TokenForest } from '../contract/token-tree.js';
import { MAX_FORWARD_CELLS, maxScoredCells } from '../kit/forward-cells.js';
import { nodeIdOf, ROOT } from '../kit/node-batch.js';
import { assertNewNodes, assertOffered } from '../kit/offered-outputs.js';
import { joinOptions } from '../kit/open-options.js';
import { throwIfAborted } from '../kit/request.js';
import { Yielder } from '../kit/yielder.js';
import { assertRows, invalid } from './forest-refusals.js';
import { cutForward } from './forward-parts.js';
import { GatheredScores } from './gathered-scores.js';
import type { ExtensionValues, ForwardNodes } from './node-store.js';
import { donorOf, type OpenRow } from './open-row.js';
import type { StoreForestOptions } from './store-forest-options.js';
import { TreeRow } from './tree-row.js';

/** Node ids are int32. */
const MAX_NODES = 2 ** 31 - 1;

let open = 0;

/** Forests opened and not yet disposed of in this process, for leak checks. */
export function openForests(): number {
  return open;
}

/**
 * Token trees over a store: rows, ids, checks and the order of forwards are here, what a node keeps is in the store.
 *
 * All rows share one grid: the i-th open row is grid row i, and a finished row's place is taken by the last one.
 */
export class StoreForest<Source = never> implements TokenForest<Source> {
  readonly #options: StoreForestOptions<Source>;
  /** By grid row. */
  readonly #open: OpenRow[] = [];
  readonly #byRow = new Map<number, OpenRow>();
  #rows = 0;
  #nextNode = 0;
  /** The call that is running. */
  #running: 'extend' | 'join' | undefined;
  /** Called when it has ended. */
  #idle: (() => void) | undefined;
  #released: Promise<void> | undefined;

  constructor(options: StoreForestOptions<Source>) {
    this.#options = options;
    this.#add(options.prefixes);
    open++;
  }

  get rows(): number {
    return this.#rows;
  }

  start(row: number): RowStart {
    this.#assertUsable();
    const { prefix, cached, read, tree } = this.#openRow(row);
    const held = Math.min(cached, read);
    return { prefix: prefix.slice(), cached: held, node: tree.nodeAt(held - 1) };
  }

  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, output: OutputRequest, signal?: AbortSignal): Promise<Extension> {
    this.#assertUsable();
    this.#assertIdle('extend');
    assertNewNodes(nodes);
    assertOffered(this.#options.supports, output);
    throwIfAborted(signal);
    const firstNode = this.#nextNode;
    const before = Int32Array.from(this.#open, ({ tree }) => tree.size);
    this.#running = 'extend';
    try {
      const forward = this.#append(nodes, firstNode, before);
      const values = await this.#compute(forward, output, signal);
      this.#assertUsable();
      this.#nextNode += forward.slot.length;
      return { ...values, firstNode };
    } catch (error) {
      for (const open of this.#open) {
        open.tree.truncate(before[open.gridRow]);
        open.read = Math.min(open.read, open.tree.size);
      }
      throw error;
    } finally {
      this.#ended();
    }
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    this.#assertUsable();
    this.#assertIdle('retain');
    const open = this.#openRow(row);
    const { tree, gridRow } = open;
    const slots = leaves.map((leaf) => {
      const slot = tree.slotOf(leaf);
      if (slot < 0) throw invalid('INVALID_NODE', `Node ${leaf} is not in row ${row}.`, { row, node: leaf });
      return slot;
    });
    const moves = tree.retain(slots);
    // Slots before the first that moved are what they were.
    open.read = Math.min(open.read, tree.size, moves[0]?.to ?? tree.size);
    this.#options.store.compact(gridRow, moves);
  }

  finish(row: number): void {
    this.#assertUsable();
    this.#assertIdle('finish');
    const { gridRow } = this.#openRow(row);
    this.#options.store.release(gridRow);
    const last = this.#open.pop() as OpenRow;
    if (last.row !== row) {
      this.#open[gridRow] = last;
      last.gridRow = gridRow;
    }
    this.#byRow.delete(row);
  }

  async join(sources: readonly Source[], given?: OpenOptions): Promise<number> {
    this.#assertUsable();
    this.#assertIdle('join');
    const { join, supports, store } = this.#options;
    if (join === undefined) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        supports.joining === true
          ? 'No row can join this forest: it was opened without the option `joining`. Open it with `joining: true`.'
          : 'No row can join a forest of this model.',
        { capability: 'joining' },
      );
    }
    const options = joinOptions(given);
    assertRows(supports, this.#open.length + sources.length);
    this.#running = 'join';
    try {
      const { prefixes, admit } = await join(sources, options);
      this.#assertUsable();
      admit();
      store.admit(prefixes.length);
      return this.#add(prefixes);
    } finally {
      this.#ended();
    }
  }

  /** A running `extend` or `join` ends with `DISPOSED`, and is waited for; a second call waits for the same. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    open--;
    if (this.#running !== undefined) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#options.store.dispose();
  }

  #ended(): void {
    this.#running = undefined;
    this.#idle?.();
  }

  /** Adds rows; returns the first of them. */
  #add(prefixes: readonly Int32Array[]): number {
    const first = this.#rows;
    for (const prefix of prefixes) {
      const gridRow = this.#open.length;
      const { donor, cached } = donorOf(prefix, this.#open, this.#options);
      const tree = new TreeRow();
      for (let slot = 0; slot < cached; slot++) tree.append(this.#nextNode++, slot - 1);
      if (donor !== undefined) this.#options.store.copy?.(donor.gridRow, gridRow, cached);
      const row: OpenRow = { row: this.#rows++, prefix, tree, gridRow, cached, read: cached };
      this.#open.push(row);
      this.#byRow.set(row.row, row);
    }
    return first;
  }

  /** Checks the new nodes and gives each a slot. */
  #append({ row, parent, tokenId, scored }: NewNodes, firstNode: NodeId, stored: Int32Array): ForwardNodes {
    const count = tokenId.length;
    if (count === 0) throw invalid('INVALID_ARGUMENT', 'extend was called without nodes; add at least one.', {});
    if (firstNode + count > MAX_NODES) {
      throw invalid('LENGTH_LIMIT', `A forest gives out ${MAX_NODES} node ids; open another one.`, { max: MAX_NODES });
    }
    const gridRow = new Int32Array(count);
    const slot = new Int32Array(count);
    const places = new Int32Array(count);
    let scores = 0;
    let firstRow = this.#open.length;
    let lastRow = 0;
    let width = 0;
    for (let index = 0; index < count; index++) {
      const at = this.#openRow(row[index]);
      const below = this.#parentSlot(at, nodeIdOf(parent[index], firstNode), tokenId[index]);
      slot[index] = at.tree.append(firstNode + index, below);
      if (slot[index] === at.read && below === at.read - 1 && tokenId[index] === at.prefix[at.read]) at.read++;
      gridRow[index] = at.gridRow;
      firstRow = Math.min(firstRow, at.gridRow);
      lastRow = Math.max(lastRow, at.gridRow);
      width = Math.max(width, at.tree.size - stored[at.gridRow]);
      if (scored === undefined || scored[index] !== 0) places[scores++] = index;
    }
    if (scores === 0) {
      throw invalid('INVALID_ARGUMENT', 'No node of the batch is to be scored; mark at least one.', {});
    }
    const trees = this.#open.map(({ tree }) => tree);
    const rows = lastRow - firstRow + 1;
    return { trees, stored, firstRow, rows, width, gridRow, slot, tokenId, scored: places.subarray(0, scores) };
  }

  /** Slot of the parent, -1 for the root's place, of a new node that may be there. */
  #parentSlot({ row, tree }: OpenRow, parent: NodeId, tokenId: number): number {
    const { vocabularySize, maxLength } = this.#options;
    if (tokenId < 0 || tokenId >= vocabularySize) {
      throw invalid('INVALID_ARGUMENT', `Token id ${tokenId} is outside the vocabulary of ${vocabularySize}.`, {
        received: tokenId,
        size: vocabularySize,
      });
    }
    const slot = parent === ROOT ? -1 : tree.slotOf(parent);
    if (parent !== ROOT && slot < 0) {
      throw invalid('INVALID_NODE', `Parent ${parent} is not in row ${row}: it was released, or never there.`, {
        row,
        node: parent,
      });
    }
    if (tree.depthOf(slot) >= maxLength) {
      throw invalid('LENGTH_LIMIT', `Row ${row} already has ${maxLength} tokens, the most this model holds.`, {
        row,
        max: maxLength,
      });
    }
    return slot;
  }

  /** Computes the new nodes in as many forwards as it takes; other work has a turn between them. */
  async #compute(
    nodes: ForwardNodes,
    output: OutputRequest,
    signal: AbortSignal | undefined,
  ): Promise<ExtensionValues> {
    const { store, vocabularySize, maxCells = MAX_FORWARD_CELLS } = this.#options;
    const parts = cutForward(nodes, { cells: maxCells, scores: maxScoredCells(vocabularySize) });
    if (parts === undefined) return store.extend(nodes, output);
    const gathered = new GatheredScores(nodes.scored.length);
    const stored = nodes.stored.slice();
    const yielder = new Yielder(signal);
    for (const part of parts) {
      gathered.put(await store.extend({ ...part, stored }, output), part.places);
      for (const row of part.gridRow) stored[row]++;
      this.#assertUsable();
      if (yielder.due()) await yielder.yield();
      this.#assertUsable();
    }
    return gathered.values;
  }

  #openRow(row: number): OpenRow {
    const found = this.#byRow.get(row);
    if (found !== undefined) return found;
    const known = Number.isInteger(row) && row >= 0 && row < this.#rows;
    throw invalid(
      'INVALID_NODE',
      known ? `Row ${row} is finished.` : `Row ${row} does not exist; there are ${this.#rows}.`,
      { row, rows: this.#rows },
    );
  }

  /** What changes rows must not do so under a call that reads them. */
  #assertIdle(call: string): void {
    if (this.#running === undefined) return;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${call} was called while ${this.#running} is running; await ${this.#running} first.`,
      { call },
    );
  }

  #assertUsable(): void {
    if (this.#released !== undefined) throw new ForetokenError('DISPOSED', 'The token forest was disposed of.', {});
  }
}
