import type { NodeId, TokenForest } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import { tokenForestConformance } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from './student-fixtures.js';
import { autoregressive, largestDifference, SOURCES } from './student-marian.js';
import { TINY } from './tiny-marian.js';

function chain(row: number, parent: NodeId, tokenIds: readonly number[]): NodeBatch {
  const nodes = new NodeBatch();
  nodes.addChain(row, parent, tokenIds, 'all');
  return nodes;
}

/** Logits after the last token of a path, from scratch: one row, one forward, no cache. */
async function recompute(source: Int32Array, path: readonly number[]): Promise<Float32Array> {
  const forest = await autoregressive().open([source]);
  try {
    const { logits } = await forest.extend(chain(0, ROOT, path), { kind: 'logits' });
    return logits.subarray((path.length - 1) * TINY.vocabularySize);
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

async function withForest(sources: readonly Int32Array[], run: (forest: TokenForest) => Promise<void>): Promise<void> {
  const forest = await autoregressive().open(sources);
  try {
    await run(forest);
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

tokenForestConformance({
  runner: { describe, it },
  name: 'Marian on ONNX Runtime',
  createModel: autoregressive,
  sources: SOURCES,
  // Bits may differ between one node and several, and beside other rows, unless rows may join.
  tolerance: 1e-5,
});

describe('a Marian token forest on ONNX Runtime', () => {
  it('gives the logits of recomputing from scratch, to 1e-5, under random growth, pruning, forks and finished rows', async () => {
    const script = fc.array(
      fc.record({
        kind: fc.constantFrom('grow', 'grow', 'retain', 'finish'),
        picks: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: TINY.vocabularySize - 1 })), {
          minLength: 1,
          maxLength: 5,
        }),
      }),
      { minLength: 2, maxLength: 7 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), script, async (rows, steps) => {
        await withForest(SOURCES.slice(0, rows), async (forest) => {
          const alive = new Map<NodeId, { row: number; path: number[] }>();
          const active = [...SOURCES.keys()].slice(0, rows);
          for (const { kind, picks } of steps) {
            const rowOf = (pick: number): number => active[pick % active.length];
            const [firstPick] = picks[0];
            if (kind === 'grow') {
              const fresh = picks.map(([pick, parentPick, tokenId]) => {
                const row = rowOf(pick);
                const own = [...alive].filter(([, node]) => node.row === row);
                const choice = own[parentPick % (own.length + 1)];
                return { row, parent: choice?.[0] ?? ROOT, tokenId, path: [...(choice?.[1].path ?? []), tokenId] };
              });
              const { firstNode, logits } = await forest.extend(
                {
                  row: Int32Array.from(fresh, ({ row }) => row),
                  parent: Int32Array.from(fresh, ({ parent }) => parent),
                  tokenId: Int32Array.from(fresh, ({ tokenId }) => tokenId),
                },
                { kind: 'logits' },
              );
              for (const [index, { row, path }] of fresh.entries()) {
                const size = TINY.vocabularySize;
                const expected = await recompute(SOURCES[row] as Int32Array, path);
                expect(largestDifference(logits.subarray(index * size, (index + 1) * size), expected)).toBeLessThan(
                  1e-5,
                );
                alive.set(firstNode + index, { row, path });
              }
            } else if (kind === 'retain') {
              const row = rowOf(firstPick);
              const own = [...alive].filter(([, node]) => node.row === row);
              if (own.length === 0) continue;
              const [leaf] = own[firstPick % own.length] as [NodeId, unknown];
              forest.retain(row, [leaf]);
              for (const [node] of own) if (node !== leaf) alive.delete(node);
            } else if (active.length > 1) {
              const row = rowOf(firstPick);
              forest.finish(row);
              active.splice(active.indexOf(row), 1);
              for (const [node, { row: owner }] of alive) if (owner === row) alive.delete(node);
            }
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it('scores a row alone with the same bits whatever the number of nodes in a forward', async () => {
    const path = [TINY.vocabularySize - 1, 5, 9, 7, 4, 8, 5, 6];
    const scoresOf = async (width: number): Promise<number[]> => {
      const scores: number[] = [];
      await withForest(SOURCES.slice(0, 1), async (forest) => {
        let parent: NodeId = ROOT;
        for (let begin = 0; begin < path.length; begin += width) {
          const nodes = new NodeBatch();
          const last = nodes.addChain(0, parent, path.slice(begin, begin + width), 'all');
          const { firstNode, logits } = await forest.extend(nodes, { kind: 'logits' });
          parent = nodeIdOf(last, firstNode);
          scores.push(...logits);
        }
      });
      return scores;
    };
    const alone = await scoresOf(1);
    for (const width of [2, 3, 5, 8]) expect(await scoresOf(width)).toEqual(alone);
  });

  it('agrees with itself across the four outputs', async () => {
    const path = [TINY.vocabularySize - 1, 5, 9];
    await withForest(SOURCES.slice(0, 1), async (forest) => {
      const nodes = () => chain(0, ROOT, path);
      const { logits } = await forest.extend(nodes(), { kind: 'logits' });
      const { logProbs } = await forest.extend(nodes(), { kind: 'logProbs' });
      const { tokenIds, scores } = await forest.extend(nodes(), { kind: 'argmax' });
      forest.retain(0, []);
      const top = await forest.extend(chain(0, ROOT, path), { kind: 'topK', k: 4 });
      for (let node = 0; node < path.length; node++) {
        const row = logits.subarray(node * TINY.vocabularySize, (node + 1) * TINY.vocabularySize);
        const normaliser = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
        const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
        expect(tokenIds[node]).toBe(order[0]);
        expect(scores?.[node]).toBe(row[order[0]]);
        expect([...top.tokenIds.subarray(node * 4, node * 4 + 4)]).toEqual(order.slice(0, 4));
        for (const [index, value] of row.entries()) {
          expect(logProbs[node * TINY.vocabularySize + index]).toBeCloseTo(value - normaliser, 4);
        }
        expect(top.logProbs[node * 4]).toBeCloseTo(row[order[0]] - normaliser, 4);
      }
    });
  });

  it('refuses by code what it cannot do', async () => {
    const open = (source: readonly number[]) => () => autoregressive().open([Int32Array.from(source)]);
    expect(await codeOf(open([]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(() => autoregressive().open([]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(open(new Array(TINY.maxPositions + 1).fill(3)))).toBe('SOURCE_TOO_LONG');
    expect(await codeOf(open([TINY.vocabularySize]))).toBe('INVALID_ARGUMENT');
    await withForest(SOURCES.slice(0, 1), async (forest) => {
      const extend = (k: number) => () => forest.extend(chain(0, ROOT, [3]), { kind: 'topK', k });
      expect(await codeOf(extend(0))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(extend(1000))).toBe('INVALID_ARGUMENT');
    });
    const encoding = await autoregressive().encoder?.encode(SOURCES);
    expect(await codeOf(() => autoregressive().open(SOURCES.slice(0, 1), { encoding: encoding as never }))).toBe(
      'INVALID_ARGUMENT',
    );
    encoding?.dispose();
    expect(await codeOf(() => autoregressive().open(SOURCES, { encoding: encoding as never }))).toBe('DISPOSED');
  });
});
