import type { AutoregressiveModel, Extension, NewNodes, NodeId, OutputRequest, TokenForest } from '@foretoken/core';
import { ROOT } from '@foretoken/core';
export interface HashModel extends AutoregressiveModel<number> { readonly log: { forwards: number; widths: number[]; open: number } }
const PREFIX = 1;
export function nextOf(seed: number, path: readonly number[], size: number): number {
  let hash = seed + 17;
  for (const tokenId of path) hash = (Math.imul(hash ^ (tokenId + 1), 0x9e3779b1) >>> 5) ^ hash;
  return (Math.imul(hash, 0x85ebca6b) >>> 8) % size;
}
export function hashModel(size: number, endTokenId: number, maxLength: number, branching = true): HashModel {
  const log = { forwards: 0, widths: [] as number[], open: 0 };
  return {
    log, vocabulary: { size, endTokenId }, maxLength,
    supports: { outputs: ['argmax', 'topK'], branching, rollback: true, rows: 8 },
    async open(sources) { log.open++; return new Forest(sources, size, maxLength, branching, log); },
  };
}
class Forest implements TokenForest {
  nextNode = 0;
  readonly rows: number;
  paths = new Map<NodeId, { row: number; path: number[]; parent: NodeId }>();
  latest: NodeId[];
  finished = new Set<number>();
  constructor(readonly sources: readonly number[], readonly size: number, readonly maxLength: number, readonly branching: boolean, readonly log: HashModel['log']) {
    this.rows = sources.length;
    this.latest = sources.map(() => ROOT);
  }
  prefix(): Int32Array { return Int32Array.of(PREFIX); }
  async extend<O extends OutputRequest>(nodes: NewNodes, output: O): Promise<Extension<O>> {
    const firstNode = this.nextNode;
    const tokenIds = nodes.tokenId.map((tokenId, i) => {
      const row = nodes.row[i] as number; const parent = nodes.parent[i] as number;
      if (this.finished.has(row)) throw new Error('finished');
      if (!this.branching && parent !== this.latest[row]) throw new Error('branch');
      const up = parent === ROOT ? [] : this.paths.get(parent)?.path;
      if (up === undefined || (parent !== ROOT && this.paths.get(parent)?.row !== row)) throw new Error('parent');
      const path = [...up, tokenId];
      if (path.length > this.maxLength) throw new Error('length');
      this.paths.set(firstNode + i, { row, path, parent });
      this.latest[row] = firstNode + i;
      return nextOf(this.sources[row] as number, path, this.size);
    });
    this.nextNode += tokenIds.length;
    this.log.forwards++; this.log.widths.push(tokenIds.length);
    return { firstNode, tokenIds, k: 1, logProbs: new Float32Array(tokenIds.length).fill(-0.5) } as unknown as Extension<O>;
  }
  retain(row: number, leaves: readonly NodeId[]): void {
    const keep = new Set<NodeId>();
    for (const leaf of leaves) for (let n = leaf; n !== ROOT; n = (this.paths.get(n) as { parent: NodeId }).parent) keep.add(n);
    for (const [n, e] of this.paths) if (e.row === row && !keep.has(n)) this.paths.delete(n);
    this.latest[row] = Math.max(...leaves);
  }
  finish(row: number): void { this.finished.add(row); }
  async [Symbol.asyncDispose](): Promise<void> { this.log.open--; }
}
