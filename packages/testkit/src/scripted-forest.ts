import {
  type AutoregressiveSupport,
  type Extension,
  ForetokenError,
  type NewNodes,
  type NodeId,
  type OpenOptions,
  type OutputRequest,
  type RowStart,
  type TokenForest,
  type TokenSource,
} from '@foretoken/core';
import {
  assertNewNodes,
  assertOffered,
  assertTokenSources,
  joinOptions,
  nodeIdOf,
  ROOT,
  throwIfAborted,
} from '@foretoken/core/kit';
import type { Score } from './random-logits.js';
import { scoresAs } from './scripted-scores.js';

/** What a scripted forest is made of. */
export interface ScriptedForestOptions {
  readonly vocabularySize: number;
  readonly score: Score;
  readonly state?: Score | undefined;
  readonly prefix?: readonly number[] | undefined;
  /** Tokens of the prefix that are nodes already when a row opens. */
  readonly cached?: number | undefined;
  readonly maxLength: number;
}

interface Entry {
  readonly row: number;
  readonly parent: NodeId;
  readonly path: readonly number[];
}

/** Token trees of a scripted model: it checks each call to the letter of the contract, and keeps paths alone. */
export class ScriptedForest implements TokenForest<TokenSource> {
  #nextNode: NodeId = 0;
  readonly #sources: TokenSource[];
  readonly #options: ScriptedForestOptions;
  readonly #supports: AutoregressiveSupport;
  readonly #prefix: readonly number[];
  readonly #nodes = new Map<NodeId, Entry>();
  readonly #latest: NodeId[];
  /** The node of each row's last cached token. */
  readonly #starts: NodeId[] = [];
  readonly #finished = new Set<number>();
  readonly #joining: boolean;
  #running = false;
  #disposed = false;

  constructor(
    sources: readonly TokenSource[],
    options: ScriptedForestOptions,
    supports: AutoregressiveSupport,
    joining: boolean,
  ) {
    this.#sources = [...sources];
    this.#joining = joining;
    this.#options = options;
    this.#supports = supports;
    this.#prefix = options.prefix ?? [1];
    this.#latest = [];
    this.#addRows(0);
  }

  get rows(): number {
    return this.#sources.length;
  }

  start(row: number): RowStart {
    this.#checkRow(row);
    const { cached = 0 } = this.#options;
    return { prefix: Int32Array.from(this.#prefix), cached, node: this.#starts[row] };
  }

  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, output: OutputRequest, signal?: AbortSignal): Promise<Extension> {
    this.#checkIdle();
    throwIfAborted(signal);
    const { score, vocabularySize } = this.#options;
    assertOffered(this.#supports, output);
    assertNewNodes(nodes);
    if (nodes.tokenId.length === 0) throw refuse('INVALID_ARGUMENT', 'extend was called without nodes.');
    const firstNode = this.#nextNode;
    const latest = [...this.#latest];
    const added: Entry[] = [];
    for (let index = 0; index < nodes.tokenId.length; index++) added.push(this.#entry(nodes, index, added, latest));
    const wanted = added.filter((_, index) => nodes.scored === undefined || nodes.scored[index] === 1);
    if (wanted.length === 0) throw refuse('INVALID_ARGUMENT', 'No node of the batch is to be scored.');
    const logits = wanted.map(({ row, path }) => {
      const values = score(this.#sources[row], path.slice(this.#prefix.length));
      if (values.length !== vocabularySize) throw new RangeError(`score gave ${values.length} values`);
      return Float32Array.from(values);
    });
    const states = wanted.map(({ row, path }) =>
      this.#options.state === undefined
        ? []
        : Array.from(this.#options.state(this.#sources[row], path.slice(this.#prefix.length))),
    );
    // A forward takes a moment, and others may call meanwhile.
    this.#running = true;
    await undefined;
    this.#running = false;
    if (this.#disposed) throw refuse('DISPOSED', 'The forest was disposed of.');
    for (const [index, entry] of added.entries()) this.#nodes.set(firstNode + index, entry);
    latest.forEach((node, row) => {
      this.#latest[row] = node;
    });
    this.#nextNode += added.length;
    const hidden = output.states === true ? Float32Array.from(states.flat()) : undefined;
    return { ...scoresAs(output, logits), firstNode, states: hidden };
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    this.#checkIdle();
    this.#checkRow(row);
    const keep = new Set<NodeId>();
    for (const leaf of leaves) {
      if (this.#nodes.get(leaf)?.row !== row) throw refuse('INVALID_NODE', `Node ${leaf} is not in row ${row}.`);
      for (let node = leaf; node !== ROOT; node = this.#nodes.get(node)?.parent ?? ROOT) keep.add(node);
    }
    const dropped = [...this.#nodes].filter(([node, entry]) => entry.row === row && !keep.has(node));
    if (dropped.length > 0 && !this.#supports.rollback) {
      throw refuse('UNSUPPORTED_CAPABILITY', 'This model cannot take a token back.');
    }
    for (const [node] of dropped) this.#nodes.delete(node);
    this.#latest[row] = Math.max(ROOT, ...leaves);
  }

  finish(row: number): void {
    this.#checkIdle();
    this.#checkRow(row);
    this.#finished.add(row);
    for (const [node, entry] of this.#nodes) if (entry.row === row) this.#nodes.delete(node);
  }

  async join(sources: readonly TokenSource[], options?: OpenOptions): Promise<number> {
    this.#checkIdle();
    joinOptions(options);
    if (!this.#joining) throw refuse('UNSUPPORTED_CAPABILITY', 'This forest was not opened with `joining`.');
    assertTokenSources(sources);
    const first = this.rows;
    this.#sources.push(...sources);
    this.#addRows(first);
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }

  /** Opens the rows from `first` on, with what they have cached as nodes. */
  #addRows(first: number): void {
    for (let row = first; row < this.rows; row++) {
      let parent: NodeId = ROOT;
      for (let depth = 1; depth <= (this.#options.cached ?? 0); depth++) {
        this.#nodes.set(this.#nextNode, { row, parent, path: this.#prefix.slice(0, depth) });
        parent = this.#nextNode++;
      }
      this.#starts[row] = parent;
      this.#latest[row] = parent;
    }
  }

  /** Checks one new node; nothing is added before all of a call are checked. */
  #entry(nodes: NewNodes, index: number, added: readonly Entry[], latest: NodeId[]): Entry {
    const row = nodes.row[index];
    const parent = nodeIdOf(nodes.parent[index], this.#nextNode);
    const tokenId = nodes.tokenId[index];
    this.#checkRow(row);
    const { maxLength, vocabularySize } = this.#options;
    if (tokenId < 0 || tokenId >= vocabularySize) throw refuse('INVALID_ARGUMENT', `There is no token ${tokenId}.`);
    const above = this.#nodes.get(parent) ?? added[parent - this.#nextNode];
    if (parent !== ROOT && above?.row !== row) throw refuse('INVALID_NODE', `Parent ${parent} is not in row ${row}.`);
    if (!this.#supports.branching && parent !== latest[row]) {
      throw refuse('UNSUPPORTED_CAPABILITY', 'This model extends chains only.');
    }
    const path = [...(above?.path ?? []), tokenId];
    if (path.length > maxLength) throw refuse('LENGTH_LIMIT', `A path holds at most ${maxLength} nodes.`);
    latest[row] = this.#nextNode + index;
    return { row, parent, path };
  }

  #checkIdle(): void {
    if (this.#disposed) throw refuse('DISPOSED', 'The forest was disposed of.');
    if (this.#running) throw refuse('INVALID_ARGUMENT', 'Another call is running; await it first.');
  }

  #checkRow(row: number): void {
    if (this.#disposed) throw refuse('DISPOSED', 'The forest was disposed of.');
    if (!(row >= 0 && row < this.rows)) throw refuse('INVALID_NODE', `There is no row ${row}.`);
    if (this.#finished.has(row)) throw refuse('INVALID_NODE', `Row ${row} is finished.`);
  }
}

function refuse(code: ForetokenError['code'], message: string): ForetokenError {
  return new ForetokenError(code, message);
}
