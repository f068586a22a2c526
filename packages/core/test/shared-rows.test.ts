import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeId } from '../src/index.js';
import { nodeInBatch, ROOT } from '../src/kit/index.js';
import { type ExtensionValues, type ForwardNodes, type NodeStore, StoreForest } from '../src/runtime/index.js';

const VOCABULARY = 4;
const BLOCK = 2;

/** What a path says: a number that depends on each of its tokens and on their order. */
const saidBy = (path: readonly number[]): number => path.reduce((sum, tokenId) => (sum * 7 + tokenId + 1) % 65_521, 1);

/** Keeps for each node the number of its path, found from its parent's alone: what is copied wrongly shows in all that follows. */
class PathValues implements NodeStore {
  readonly #rows: number[][];

  constructor(rows: number) {
    this.#rows = Array.from({ length: rows }, () => []);
  }

  async extend({ trees, gridRow, slot, tokenId, scored }: ForwardNodes): Promise<ExtensionValues> {
    for (const [node, at] of slot.entries()) {
      const values = this.#rows[gridRow[node]];
      const parent = trees[gridRow[node]].parentOf(at);
      values[at] = ((parent < 0 ? 1 : values[parent]) * 7 + tokenId[node] + 1) % 65_521;
    }
    const logits = Float32Array.from(scored, (node) => this.#rows[gridRow[node]][slot[node]]);
    return { kind: 'logits', logits };
  }

  compact(gridRow: number, moves: readonly { from: number; to: number; length: number }[]): void {
    for (const { from, to, length } of moves) this.#rows[gridRow].copyWithin(to, from, from + length);
  }

  copy(gridRow: number, to: number, slots: number): void {
    this.#rows[to] = this.#rows[gridRow].slice(0, slots);
  }

  admit(rows: number): void {
    for (let row = 0; row < rows; row++) this.#rows.push([]);
  }

  release(gridRow: number): void {
    const last = this.#rows.pop();
    if (last !== undefined && gridRow < this.#rows.length) this.#rows[gridRow] = last;
  }

  dispose(): void {}
}

function forestOf(store: PathValues, prefixes: readonly Int32Array[]): StoreForest<Int32Array> {
  return new StoreForest({
    store,
    prefixes,
    vocabularySize: VOCABULARY,
    maxLength: 40,
    supports: { outputs: ['logits'], branching: true, rollback: true, rows: 64, joining: true, maxCandidates: 0 },
    sharing: { block: BLOCK },
    join: async (sources) => ({ prefixes: [...sources], admit: () => {} }),
  });
}

interface Known {
  readonly row: number;
  readonly path: readonly number[];
}

/** Few tokens and few prompts, so that rows begin alike. */
const prompt = fc.constantFrom([0], [0, 1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 0], [1, 1, 0]);
const operations = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'read',
      'read',
      'read',
      'join',
      'join',
      'branch',
      'branch',
      'retain',
      'retain',
      'refuse',
      'finish',
    ),
    row: fc.nat(),
    count: fc.integer({ min: 1, max: 6 }),
    pick: fc.nat(),
    prompt,
  }),
  { minLength: 2, maxLength: 24 },
);

describe('rows that join a forest with what others have read', () => {
  it('are scored as if each had read its own, whatever was read, taken back, refused or finished before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(prompt, { minLength: 1, maxLength: 2 }), operations, async (first, script) => {
        const store = new PathValues(first.length);
        const forest = forestOf(
          store,
          first.map((tokens) => Int32Array.from(tokens)),
        );
        const prompts = [...first];
        const active = new Set(prompts.keys());
        const nodes = new Map<NodeId, Known>();
        /** Adds a chain and checks each of its scores; ids must be new. */
        const grow = async (row: number, parent: NodeId, tokens: readonly number[]): Promise<void> => {
          const before = parent === ROOT ? [] : (nodes.get(parent) as Known).path;
          const { logits, firstNode } = await forest.extend(
            {
              row: new Int32Array(tokens.length).fill(row),
              parent: Int32Array.from(tokens, (_, index) => (index === 0 ? parent : nodeInBatch(index - 1))),
              tokenId: Int32Array.from(tokens),
            },
            { kind: 'logits' },
          );
          for (const [index, logit] of logits.entries()) {
            const path = [...before, ...tokens.slice(0, index + 1)];
            expect(logit).toBe(saidBy(path));
            expect(nodes.has(firstNode + index)).toBe(false);
            nodes.set(firstNode + index, { row, path });
          }
        };
        /** Nodes of a row, the newest last. */
        const nodesOf = (row: number): NodeId[] => [...nodes].filter(([, at]) => at.row === row).map(([node]) => node);
        /** What is left to be read of a prompt, below the longest beginning of it that is there as nodes. */
        const unread = (row: number): { readonly parent: NodeId; readonly tokens: readonly number[] } => {
          const begins = nodesOf(row).filter((node) => {
            const { path } = nodes.get(node) as Known;
            return path.every((tokenId, at) => tokenId === prompts[row][at]);
          });
          const { cached, node } = forest.start(row);
          const all = cached > 0 && !nodes.has(node) ? [...begins, node] : begins;
          const depth = (id: NodeId): number => nodes.get(id)?.path.length ?? cached;
          const parent = all.reduce((best, id) => (best === ROOT || depth(id) > depth(best) ? id : best), ROOT);
          const read = parent === ROOT ? 0 : depth(parent);
          return { parent, tokens: prompts[row].slice(read) };
        };
        for (const { kind, row: pickedRow, count, pick, prompt } of script) {
          if (kind === 'join') {
            const row = await forest.join([Int32Array.from(prompt)]);
            prompts[row] = prompt;
            active.add(row);
            const { cached, node } = forest.start(row);
            expect(cached % BLOCK).toBe(0);
            expect(cached).toBeLessThan(prompt.length);
            if (cached > 0) {
              expect(nodes.has(node)).toBe(false);
              nodes.set(node, { row, path: prompt.slice(0, cached) });
            }
            continue;
          }
          if (active.size === 0) break;
          const row = [...active][pickedRow % active.size];
          const own = nodesOf(row);
          if (kind === 'read') {
            const { parent, tokens } = unread(row);
            if (tokens.length > 0) await grow(row, parent, tokens.slice(0, count));
          } else if (kind === 'branch') {
            const places = [ROOT, ...own];
            const tokens = Array.from({ length: count }, (_, index) => (pick >> index) % 2);
            await grow(row, places[pick % places.length], tokens);
          } else if (kind === 'retain') {
            const leaves = pick % 2 === 0 ? own.slice(-1) : own.filter((_, index) => (pick >> (index % 8)) % 2 === 1);
            forest.retain(row, leaves);
            // What leaves stand on is there still, and is not asked about any more.
            for (const node of own) if (!leaves.includes(node)) nodes.delete(node);
          } else if (kind === 'refuse') {
            const { parent, tokens } = unread(row);
            const refused = {
              row: new Int32Array(tokens.length + 1).fill(row),
              parent: Int32Array.from([...tokens, 0], (_, index) => (index === 0 ? parent : nodeInBatch(index - 1))),
              tokenId: Int32Array.from([...tokens, VOCABULARY]),
            };
            await expect(forest.extend(refused, { kind: 'logits' })).rejects.toThrow('outside the vocabulary');
          } else {
            forest.finish(row);
            active.delete(row);
            for (const node of own) nodes.delete(node);
          }
        }
        await forest[Symbol.asyncDispose]();
      }),
      { numRuns: 600, seed: 20_261_129 },
    );
  });

  /** What joins a row that has read `chains`, one after the other, and then keeps the path to the last node alone: how it says the prompt. */
  async function joined(
    prompt: readonly number[],
    chains: readonly (readonly [parent: NodeId, ...tokens: number[]])[],
    prune = true,
  ): Promise<{ readonly cached: number; readonly right: boolean }> {
    const forest = forestOf(new PathValues(1), [Int32Array.from(prompt)]);
    const read = async (row: number, parent: NodeId, tokens: readonly number[]) =>
      forest.extend(
        {
          row: new Int32Array(tokens.length).fill(row),
          parent: Int32Array.from(tokens, (_, index) => (index === 0 ? parent : nodeInBatch(index - 1))),
          tokenId: Int32Array.from(tokens),
        },
        { kind: 'logits' },
      );
    let last: NodeId = ROOT;
    for (const [parent, ...tokens] of chains) last = (await read(0, parent, tokens)).firstNode + tokens.length - 1;
    if (prune) forest.retain(0, [last]);
    const row = await forest.join([Int32Array.from(prompt)]);
    const { cached, node } = forest.start(row);
    const { logits } = await read(row, node, prompt.slice(cached));
    return { cached, right: logits.at(-1) === saidBy(prompt) };
  }

  it('do not begin with a branch that took the place of the prompt', async () => {
    const prompt = [0, 1, 1, 0, 1];
    expect(await joined(prompt, [[ROOT, ...prompt]])).toEqual({ cached: 4, right: true });
    // The branch leaves the prompt after two tokens, and moves into the slots of what was dropped.
    expect(
      await joined(prompt, [
        [ROOT, ...prompt],
        [1, 0, 1, 1],
      ]),
    ).toEqual({ cached: 2, right: true });
  });

  it('do not begin with tokens of the prompt that stand beside it', async () => {
    const chains = [[ROOT, 0] as const, [ROOT, 1] as const];
    expect(await joined([0, 1, 1], chains, false)).toEqual({ cached: 0, right: true });
  });
});
