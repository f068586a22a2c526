import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  type Extension,
  ForetokenError,
  type NewNodes,
  type NodeId,
  type OutputRequest,
  ROOT,
  type RowStart,
  type SourceEncoder,
  type TokenForest,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import {
  anything,
  assertTokenSources,
  callback,
  checkOptions,
  fields,
  flag,
  integer,
  listOf,
  nodeIdOf,
  type OptionTable,
  oneOf,
  withMethods,
} from '@foretoken/core/kit';
import { RANDOM_LOGITS_OPTIONS, type RandomLogitsOptions, randomLogits, type Score } from './random-logits.js';

export interface ScriptedModelOptions {
  readonly vocabularySize: number;
  /** Default 0; -1 where no token ends outputs. */
  readonly endTokenId?: number | undefined;
  /** What the model thinks comes next; output tokens only, the prefix is not passed. */
  readonly score: Score;
  /** Hidden state after an output, `[width]`; a model with it returns hidden states beside every output. */
  readonly state?: Score | undefined;
  /** Tokens every row begins with; default one token, id 1. */
  readonly prefix?: readonly number[] | undefined;
  /** Most nodes on a path, prefix included; default 64. */
  readonly maxLength?: number | undefined;
  /** Narrows what the model offers; what it does not offer it refuses. */
  readonly supports?: Partial<AutoregressiveSupport> | undefined;
  readonly encoder?: SourceEncoder<TokenSource> | undefined;
}

const ALL = {
  outputs: ['argmax', 'topK', 'logProbs', 'logits'],
  branching: true,
  rollback: true,
  rows: 4096,
  joining: true,
} as const;

const SHARED = {
  prefix: listOf(integer(0), 1),
  maxLength: integer(1),
  supports: fields<Partial<AutoregressiveSupport>>({
    outputs: listOf(oneOf('argmax', 'topK', 'logProbs', 'logits')),
    states: listOf(oneOf('argmax', 'topK', 'logProbs', 'logits')),
    branching: flag,
    rollback: flag,
    rows: integer(1),
    joining: flag,
    maxCandidates: integer(0),
  }),
};

const OPTIONS: OptionTable<ScriptedModelOptions> = {
  ...SHARED,
  vocabularySize: integer(1),
  endTokenId: integer(-1),
  score: callback<Score>(anything),
  state: callback<Score>(anything),
  encoder: withMethods('an encoder', 'encode'),
};

/** An autoregressive model that is a function, keeping the token-forest contract to the letter. */
export function scriptedModel(options: ScriptedModelOptions): AutoregressiveModel<TokenSource> {
  options = checkOptions('scriptedModel', options, OPTIONS, ['vocabularySize', 'score']);
  const { vocabularySize, endTokenId = 0, maxLength = 64, encoder } = options;
  const outputs = options.supports?.outputs ?? ALL.outputs;
  const maxCandidates = outputs.includes('topK') ? vocabularySize : 0;
  const states = options.state === undefined ? [] : outputs;
  const supports = { ...ALL, outputs, states, maxCandidates, ...options.supports };
  return {
    vocabulary: vocabularyOf(vocabularySize, endTokenId),
    maxLength,
    supports,
    encoder,
    async open(sources, { joining = false } = {}) {
      assertTokenSources(sources);
      if (joining && !supports.joining)
        throw refuse('UNSUPPORTED_CAPABILITY', 'No row can join a forest of this model.');
      return new ScriptedForest(sources, { ...options, maxLength }, supports, joining);
    },
  };
}

/** A vocabulary of scripted models; an end token of -1 is none. */
export function vocabularyOf(size: number, endTokenId: number): Vocabulary {
  return endTokenId < 0 ? { size } : { size, endTokenId };
}

export interface RandomModelOptions extends Omit<RandomLogitsOptions, 'endTokenId'> {
  readonly endTokenId?: number | undefined;
  readonly prefix?: readonly number[] | undefined;
  readonly maxLength?: number | undefined;
  readonly supports?: Partial<AutoregressiveSupport> | undefined;
}

const RANDOM_OPTIONS: OptionTable<RandomModelOptions> = { ...RANDOM_LOGITS_OPTIONS, ...SHARED };

/** A scripted model with random, repeatable scores: thousands of different models cost nothing to make. */
export function randomScriptedModel(options: RandomModelOptions): AutoregressiveModel<TokenSource> {
  const { prefix, maxLength, supports, ...given } = checkOptions('randomScriptedModel', options, RANDOM_OPTIONS, [
    'seed',
    'vocabularySize',
  ]);
  const logits = { ...given, endTokenId: given.endTokenId ?? 0 };
  return scriptedModel({
    vocabularySize: logits.vocabularySize,
    endTokenId: logits.endTokenId,
    score: randomLogits(logits),
    prefix,
    maxLength,
    supports,
  });
}

interface Entry {
  readonly row: number;
  readonly parent: NodeId;
  readonly path: readonly number[];
}

class ScriptedForest implements TokenForest<TokenSource> {
  #nextNode: NodeId = 0;
  readonly #sources: TokenSource[];
  readonly #options: ScriptedModelOptions & { readonly maxLength: number };
  readonly #supports: AutoregressiveSupport;
  readonly #prefix: readonly number[];
  readonly #nodes = new Map<NodeId, Entry>();
  readonly #latest: NodeId[];
  readonly #finished = new Set<number>();
  readonly #joining: boolean;
  #running = false;
  #disposed = false;

  constructor(
    sources: readonly TokenSource[],
    options: ScriptedModelOptions & { readonly maxLength: number },
    supports: AutoregressiveSupport,
    joining: boolean,
  ) {
    this.#sources = [...sources];
    this.#joining = joining;
    this.#options = options;
    this.#supports = supports;
    this.#prefix = options.prefix ?? [1];
    this.#latest = sources.map(() => ROOT);
  }

  get rows(): number {
    return this.#sources.length;
  }

  start(row: number): RowStart {
    this.#checkRow(row);
    return { prefix: Int32Array.from(this.#prefix), cached: 0, node: ROOT };
  }

  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, output: OutputRequest, signal?: AbortSignal): Promise<Extension> {
    this.#checkIdle();
    signal?.throwIfAborted();
    const { score, vocabularySize } = this.#options;
    if (!this.#supports.outputs.includes(output.kind)) {
      throw refuse('UNSUPPORTED_CAPABILITY', `There is no ${output.kind} output.`);
    }
    if (output.states === true && !this.#supports.states?.includes(output.kind)) {
      throw refuse('UNSUPPORTED_CAPABILITY', `There are no hidden states beside the ${output.kind} output.`);
    }
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
    return extension(firstNode, logits, states, output);
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    this.#checkIdle();
    this.#checkRow(row);
    const keep = new Set<NodeId>();
    for (const leaf of leaves) {
      if (this.#nodes.get(leaf)?.row !== row) throw refuse('INVALID_NODE', `Node ${leaf} is not in row ${row}.`);
      for (let node = leaf; node !== ROOT; node = (this.#nodes.get(node) as Entry).parent) keep.add(node);
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

  async join(sources: readonly TokenSource[]): Promise<number> {
    this.#checkIdle();
    if (!this.#joining) throw refuse('UNSUPPORTED_CAPABILITY', 'This forest was not opened with `joining`.');
    assertTokenSources(sources);
    const first = this.rows;
    this.#sources.push(...sources);
    this.#latest.push(...sources.map(() => ROOT));
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
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

/** Natural-log softmax of one row; where every score is `-Infinity`, so is every log-probability. */
export function logSoftmax(logits: ArrayLike<number>): Float32Array {
  const values = Float64Array.from(logits);
  const max = Math.max(...values);
  if (max === Number.NEGATIVE_INFINITY) return Float32Array.from(values);
  const normaliser = max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return Float32Array.from(values, (value) => value - normaliser);
}

/** Token ids from the highest score down, the lower id first among equals. */
export function ranked(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, tokenId) => tokenId).sort((a, b) => scores[b] - scores[a] || a - b);
}

function extension(
  firstNode: NodeId,
  logits: readonly Float32Array[],
  hidden: readonly (readonly number[])[],
  output: OutputRequest,
): Extension {
  const flat = (rows: readonly ArrayLike<number>[]): number[] => rows.flatMap((row) => Array.from(row));
  const scored = { firstNode, states: output.states === true ? Float32Array.from(flat(hidden)) : undefined };
  switch (output.kind) {
    case 'argmax':
      return {
        ...scored,
        kind: 'argmax',
        tokenIds: Int32Array.from(logits, (row) => ranked(row)[0]),
        scores: Float32Array.from(logits, (row) => Math.max(...row)),
      };
    case 'topK': {
      const best = logits.map((row) => ranked(row).slice(0, output.k));
      const logProbs = logits.map((row, index) => {
        const normalised = logSoftmax(row);
        return best[index].map((tokenId) => normalised[tokenId]);
      });
      const tokenIds = Int32Array.from(flat(best));
      return { ...scored, kind: 'topK', k: output.k, tokenIds, logProbs: Float32Array.from(flat(logProbs)) };
    }
    case 'logProbs':
      return { ...scored, kind: 'logProbs', logProbs: Float32Array.from(flat(logits.map(logSoftmax))) };
    case 'logits':
      return { ...scored, kind: 'logits', logits: Float32Array.from(flat(logits)) };
  }
}
