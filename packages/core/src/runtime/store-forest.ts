import type { OpenOptions } from '../contract/encoding.js';
import { ForetokenError } from '../contract/errors.js';
import type { Extension, NewNodes, NodeId, OutputRequest, RowStart, TokenForest } from '../contract/token-tree.js';
import { wrongValue } from '../kit/checks.js';
import { nodeIdOf } from '../kit/node-batch.js';
import { assertNewNodes, assertOffered } from '../kit/offered-outputs.js';
import { joinOptions } from '../kit/open-options.js';
import { immediate, lengthOf } from '../kit/options.js';
import { throwIfAborted } from '../kit/request.js';
import { show } from '../kit/show.js';
import { assertRows, assertScored, invalid, leafSlots, parentSlot } from './forest-refusals.js';
import type { ForwardNodes } from './node-store.js';
import type { OpenRow } from './open-row.js';
import { PromptSharing } from './prompt-sharing.js';
import { runForward } from './run-forward.js';
import { assertExtension } from './store-checks.js';
import { forestOptions, joiningRows, type StoreForestOptions } from './store-forest-options.js';
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
  readonly #sharing: PromptSharing | undefined;
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

  /** Throws `INVALID_ARGUMENT` for what is none of its options. */
  constructor(options: StoreForestOptions<Source>) {
    this.#options = forestOptions(options);
    const { sharing } = this.#options;
    this.#sharing = sharing && new PromptSharing(sharing.block, sharing.own);
    this.#add(this.#options.prefixes);
    open++;
  }

  /** A forest that has read what its prefixes have in common. Throws as `extend` does; then nothing is left open. */
  static async open<Source>(options: StoreForestOptions<Source>, signal?: AbortSignal): Promise<StoreForest<Source>> {
    const forest = new StoreForest(options);
    try {
      await forest.#readShared(forest.#open.slice(), signal);
      return forest;
    } catch (error) {
      await forest[Symbol.asyncDispose]();
      throw error;
    }
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
  async extend(given: NewNodes, output: OutputRequest, signal?: AbortSignal): Promise<Extension> {
    this.#assertUsable();
    this.#assertIdle('extend');
    const nodes = assertNewNodes(given);
    assertOffered(this.#options.supports, output);
    assertScored(nodes);
    throwIfAborted(signal);
    this.#running = 'extend';
    try {
      return await this.#grow(nodes, output, signal);
    } finally {
      this.#ended();
    }
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    this.#assertUsable();
    this.#assertIdle('retain');
    const open = this.#openRow(row);
    const { tree, gridRow } = open;
    const moves = tree.retain(leafSlots(open, leaves));
    // Slots before the first that moved are what they were.
    open.read = Math.min(open.read, tree.size, moves[0]?.to ?? tree.size);
    immediate('What compact of the store gives', this.#options.store.compact(gridRow, moves));
  }

  finish(row: number): void {
    this.#assertUsable();
    this.#assertIdle('finish');
    this.#release(row);
  }

  #release(row: number): void {
    const { gridRow } = this.#openRow(row);
    immediate('What release of the store gives', this.#options.store.release(gridRow));
    const last = this.#open[this.#open.length - 1];
    this.#open[gridRow] = last;
    last.gridRow = gridRow;
    this.#open.pop();
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
    const count = lengthOf(sources);
    if (count === undefined) throw wrongValue('sources', sources, 'an array with one source a row');
    assertRows(supports, this.#open.length + count);
    this.#running = 'join';
    try {
      const { prefixes, admit } = joiningRows(await join(sources, options), sources.length);
      this.#assertUsable();
      admit();
      immediate('What admit of the store gives', store.admit(prefixes.length));
      const first = this.#add(prefixes);
      const joined = this.#open.slice(-prefixes.length);
      try {
        await this.#readShared(joined, options.signal);
      } catch (error) {
        for (const { row } of joined.reverse()) this.#release(row);
        this.#rows = first;
        throw error;
      }
      return first;
    } finally {
      this.#ended();
    }
  }

  /** A running `extend` or `join` ends with `DISPOSED`, and is waited for; a second call waits for the same. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#close();
    return this.#released;
  }

  async #close(): Promise<void> {
    open--;
    if (this.#running !== undefined) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    immediate('What dispose of the store gives', this.#options.store.dispose());
  }

  #ended(): void {
    this.#running = undefined;
    this.#idle?.();
  }

  /** Adds rows; returns the first of them. */
  #add(prefixes: readonly Int32Array[]): number {
    const first = this.#rows;
    for (const prefix of prefixes) {
      const row: OpenRow = {
        row: this.#rows++,
        prefix,
        tree: new TreeRow(),
        gridRow: this.#open.length,
        cached: 0,
        read: 0,
      };
      const donor = this.#sharing?.donorOf(this.#open, prefix);
      if (donor !== undefined) this.#copy(donor.row, row, donor.length);
      row.cached = row.read;
      this.#open.push(row);
      this.#byRow.set(row.row, row);
    }
    return first;
  }

  /** Reads once what new rows have in common. */
  async #readShared(rows: readonly OpenRow[], signal: AbortSignal | undefined): Promise<void> {
    await this.#sharing?.read(rows, {
      signal,
      read: (nodes) => this.#grow(nodes, { kind: 'argmax' }, signal),
      copy: (donor, open, length) => this.#copy(donor, open, length),
    });
    for (const open of rows) open.cached = open.read;
  }

  /** Gives a row what another has read of the same tokens, as nodes of its own. */
  #copy(donor: OpenRow, open: OpenRow, length: number): void {
    for (; open.read < length; open.read++) open.tree.append(this.#nextNode++, open.read - 1);
    immediate('What copy of the store gives', this.#options.store.copy?.(donor.gridRow, open.gridRow, length));
  }

  /** Adds nodes and computes them, all or none. */
  async #grow(nodes: NewNodes, output: OutputRequest, signal: AbortSignal | undefined): Promise<Extension> {
    const firstNode = this.#nextNode;
    const before = new Int32Array(this.#open.length);
    for (let at = 0; at < before.length; at++) before[at] = this.#open[at].tree.size;
    try {
      const forward = this.#append(nodes, firstNode, before);
      const values = await runForward(forward, output, this.#options, signal, () => this.#assertUsable());
      this.#assertUsable();
      assertExtension('What extend of the store gives', values, output, forward.scored.length);
      this.#nextNode += forward.slot.length;
      return { ...values, firstNode };
    } catch (error) {
      for (const open of this.#open) {
        open.tree.truncate(before[open.gridRow]);
        open.read = Math.min(open.read, open.tree.size);
      }
      throw error;
    }
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
      const below = parentSlot(at, nodeIdOf(parent[index], firstNode), tokenId[index], this.#options);
      slot[index] = at.tree.append(firstNode + index, below);
      if (slot[index] === at.read && below === at.read - 1 && tokenId[index] === at.prefix[at.read]) at.read++;
      gridRow[index] = at.gridRow;
      firstRow = Math.min(firstRow, at.gridRow);
      lastRow = Math.max(lastRow, at.gridRow);
      width = Math.max(width, at.tree.size - stored[at.gridRow]);
      if (scored === undefined || scored[index] !== 0) places[scores++] = index;
    }
    const trees = this.#open.map(({ tree }) => tree);
    const rows = lastRow - firstRow + 1;
    return { trees, stored, firstRow, rows, width, gridRow, slot, tokenId, scored: places.slice(0, scores) };
  }

  #openRow(row: number): OpenRow {
    const found = this.#byRow.get(row);
    if (found !== undefined) return found;
    const known = Number.isInteger(row) && row >= 0 && row < this.#rows;
    throw invalid(
      'INVALID_NODE',
      known ? `Row ${row} is finished.` : `Row ${show(row)} does not exist; there are ${this.#rows}.`,
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
