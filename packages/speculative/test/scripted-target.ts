import {
  type AutoregressiveModel,
  type Drafter,
  type DraftLimit,
  type DraftTree,
  type Extension,
  ForetokenError,
  type NewNodes,
  type NodeId,
  type OutputRequest,
  type RowStart,
  type SourceEncoder,
  type TokenForest,
} from '@foretoken/core';
import { nodeIdOf, ROOT } from '@foretoken/core/kit';

/** What the target does: which token follows which output prefix of which source. */
export type Script = (source: number, output: readonly number[]) => number;

export interface TargetOptions {
  readonly script: Script;
  readonly size: number;
  readonly endTokenId?: number;
  readonly maxLength?: number;
  readonly branching?: boolean;
  readonly rollback?: boolean;
  readonly encoder?: SourceEncoder<number>;
}

/** What was done with a target. */
export interface TargetLog {
  opened: number;
  disposed: number;
  finished: number[];
  /** `[rows.., tokens..]` of every forward. */
  readonly forwards: { readonly rows: readonly number[]; readonly tokenIds: readonly number[] }[];
  readonly encodings: unknown[];
}

export type Target = AutoregressiveModel<number> & { readonly log: TargetLog };

/** Prefix of every row; longer than one token, so that the first forward holds a chain before the draft. */
export const START: readonly number[] = [1, 2];

interface Entry {
  readonly row: number;
  readonly parent: NodeId;
  readonly path: readonly number[];
}

/** A target that keeps the token-forest contract to the letter and refuses whatever breaks it. */
export function scriptedTarget(options: TargetOptions): Target {
  const { size, endTokenId = 0, maxLength = 40, branching = true, rollback = true, encoder } = options;
  const log: TargetLog = { opened: 0, disposed: 0, finished: [], forwards: [], encodings: [] };
  return {
    log,
    vocabulary: { size, endTokenId },
    maxLength,
    supports: { outputs: ['argmax', 'topK'], branching, rollback, rows: 16, maxCandidates: 64 },
    encoder,
    async open(sources, { encoding } = {}) {
      log.opened++;
      log.encodings.push(encoding);
      return new ScriptedForest(sources, { ...options, maxLength, branching }, log);
    },
  };
}

class ScriptedForest implements TokenForest {
  #nextNode: NodeId = 0;
  readonly rows: number;
  readonly #sources: readonly number[];
  readonly #options: TargetOptions & { readonly maxLength: number; readonly branching: boolean };
  readonly #log: TargetLog;
  readonly #nodes = new Map<NodeId, Entry>();
  readonly #latest: NodeId[];
  readonly #finished = new Set<number>();

  constructor(
    sources: readonly number[],
    options: TargetOptions & { readonly maxLength: number; readonly branching: boolean },
    log: TargetLog,
  ) {
    this.rows = sources.length;
    this.#sources = sources;
    this.#options = options;
    this.#log = log;
    this.#latest = sources.map(() => ROOT);
  }

  start(): RowStart {
    return { prefix: Int32Array.from(START), cached: 0, node: ROOT };
  }

  extend<Output extends OutputRequest>(nodes: NewNodes, output: Output): Promise<Extension<Output>>;
  async extend(nodes: NewNodes, { kind }: OutputRequest): Promise<Extension> {
    const { script, maxLength, branching, size } = this.#options;
    const firstNode = this.#nextNode;
    const all = nodes.tokenId.map((tokenId, index) => {
      const row = nodes.row[index];
      const parent = nodeIdOf(nodes.parent[index], firstNode);
      const above = this.#nodes.get(parent);
      if (this.#finished.has(row)) throw new ForetokenError('INVALID_NODE', `Row ${row} is finished.`);
      if (parent !== ROOT && above?.row !== row) throw new ForetokenError('INVALID_NODE', `No parent ${parent}.`);
      if (!branching && parent !== this.#latest[row]) throw new ForetokenError('INVALID_NODE', 'Not a chain.');
      if (tokenId < 0 || tokenId >= size) throw new ForetokenError('INVALID_ARGUMENT', `No token ${tokenId}.`);
      const path = [...(above?.path ?? []), tokenId];
      if (path.length > maxLength) throw new ForetokenError('LENGTH_LIMIT', `Deeper than ${maxLength}.`);
      this.#nodes.set(firstNode + index, { row, parent, path });
      this.#latest[row] = firstNode + index;
      return script(this.#sources[row], path.slice(START.length));
    });
    this.#nextNode += all.length;
    const chosen = all.filter((_, index) => nodes.scored === undefined || nodes.scored[index] === 1);
    this.#log.forwards.push({ rows: [...nodes.row], tokenIds: [...nodes.tokenId] });
    // Scores differ from node to node, so that a wrong sum shows.
    const logProbs = Float32Array.from(chosen, (tokenId) => -(1 + tokenId) / 8);
    if (kind === 'argmax') return { kind, firstNode, tokenIds: chosen };
    return { kind: 'topK', firstNode, k: 1, tokenIds: chosen, logProbs };
  }

  retain(row: number, leaves: readonly NodeId[]): void {
    const keep = new Set<NodeId>();
    for (const leaf of leaves) {
      for (let node = leaf; node !== ROOT; node = (this.#nodes.get(node) as Entry).parent) keep.add(node);
    }
    for (const [node, entry] of this.#nodes) if (entry.row === row && !keep.has(node)) this.#nodes.delete(node);
    this.#latest[row] = Math.max(...leaves);
  }

  finish(row: number): void {
    this.#finished.add(row);
    this.#log.finished.push(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#log.disposed++;
  }
}

/** A script that hashes source and output, so every difference in history changes all that follows. */
export function hashScript(size: number): Script {
  return (source, output) => {
    let hash = source + 17;
    for (const tokenId of output) hash = (Math.imul(hash ^ (tokenId + 1), 0x9e3779b1) >>> 5) ^ hash;
    return (Math.imul(hash, 0x85ebca6b) >>> 8) % size;
  };
}

export interface DrafterLog {
  opened: number;
  disposed: number;
  readonly limits: DraftLimit[];
  readonly contexts: unknown[];
  readonly finished: number[];
}

/** Drafts what `propose` says for a source and the output so far; counts what was opened and closed. */
export function scriptedDrafter(
  propose: (source: number, output: readonly number[], limit: DraftLimit, call: number) => DraftTree,
  extra: Partial<Drafter<number>> = {},
): Drafter<number> & { readonly log: DrafterLog } {
  const log: DrafterLog = { opened: 0, disposed: 0, limits: [], contexts: [], finished: [] };
  return {
    name: 'scripted',
    ...extra,
    log,
    async open(sources, context) {
      log.opened++;
      log.contexts.push(context.encoding);
      let calls = 0;
      return {
        forwards: 3,
        propose: (requests) =>
          requests.map(({ row, prefix, limit }) => {
            log.limits.push(limit);
            return propose(sources[row], [...prefix], limit, calls++);
          }),
        finish(row) {
          log.finished.push(row);
        },
        async [Symbol.asyncDispose]() {
          log.disposed++;
        },
      };
    },
  };
}
