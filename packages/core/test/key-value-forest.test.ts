import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeId } from '../src/index.js';
import { NodeBatch, nodeInBatch, ROOT } from '../src/kit/index.js';
import { openForests } from '../src/runtime/index.js';
import { forestOf, SummingDriver, scoreOfPath, VOCABULARY } from './summing-forest.js';

/** Random growth, pruning, forking and finishing, as data. */
const operations = fc.array(
  fc.record({
    kind: fc.constantFrom('grow', 'grow', 'grow', 'retain', 'finish'),
    picks: fc.array(fc.record({ row: fc.nat(), parent: fc.nat(), tokenId: fc.nat(VOCABULARY - 1) }), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
  { minLength: 1, maxLength: 14 },
);

interface Shadow {
  readonly row: number;
  readonly path: readonly number[];
}

describe('a forest over keys and values', () => {
  let before = 0;
  beforeEach(() => {
    before = openForests();
  });

  it('scores every node as if its whole path were recomputed, whatever was grown, pruned, forked or finished', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 4),
        fc.constantFrom(undefined, 1, 2, 3, 5, 16),
        operations,
        async (rows, padTo, maxCells, script) => {
          const driver = new SummingDriver(rows, padTo);
          const forest = forestOf(driver, 40, maxCells);
          // A part has two columns where the whole has, and no more than padding adds beyond that.
          if (maxCells !== undefined) driver.maxCells = 2 * padTo * maxCells;
          const alive = new Map<NodeId, Shadow>();
          const active = new Set(driver.sources);
          for (const { kind, picks } of script) {
            if (active.size === 0) break;
            const rowsLeft = [...active];
            const rowOf = (pick: { row: number }): number => rowsLeft[pick.row % rowsLeft.length];
            if (kind === 'grow') {
              const fresh: (Shadow & { parent: NodeId; tokenId: number; scored: boolean })[] = [];
              for (const pick of picks) {
                const row = rowOf(pick);
                const parents: [NodeId, readonly number[]][] = [[ROOT, []]];
                for (const [node, shadow] of alive) if (shadow.row === row) parents.push([node, shadow.path]);
                fresh.forEach((node, index) => {
                  if (node.row === row) parents.push([nodeInBatch(index), node.path]);
                });
                const [parent, path] = parents[pick.parent % parents.length];
                // One at least must be scored.
                const scored = fresh.length === 0 || pick.parent % 3 > 0;
                fresh.push({ row, parent, tokenId: pick.tokenId, path: [...path, pick.tokenId], scored });
              }
              // One column is computed by other kernels than two: a part has them where the whole has.
              const isWide = rowsLeft.some((row) => fresh.filter((node) => node.row === row).length > 1);
              driver.minWidth = isWide ? 2 : 1;
              const extension = await forest.extend(
                {
                  row: Int32Array.from(fresh, ({ row }) => row),
                  parent: Int32Array.from(fresh, ({ parent }) => parent),
                  tokenId: Int32Array.from(fresh, ({ tokenId }) => tokenId),
                  scored: Uint8Array.from(fresh, ({ scored }) => Number(scored)),
                },
                { kind: 'logits' },
              );
              const wanted = fresh.filter(({ scored }) => scored);
              expect(extension.logits.length).toBe(wanted.length);
              wanted.forEach(({ row, path }, index) => {
                expect(extension.logits[index]).toBeCloseTo(scoreOfPath(row, path), 2);
              });
              fresh.forEach(({ row, path }, index) => {
                alive.set(extension.firstNode + index, { row, path });
              });
            } else if (kind === 'retain') {
              const row = rowOf(picks[0] as { row: number });
              const nodes = [...alive].filter(([, shadow]) => shadow.row === row);
              if (nodes.length === 0) continue;
              const leaves = picks.map((pick) => nodes[pick.parent % nodes.length]);
              forest.retain(
                row,
                leaves.map(([node]) => node),
              );
              for (const [node, { path }] of nodes) {
                const kept = leaves.some(([, leaf]) => path.every((tokenId, index) => leaf.path[index] === tokenId));
                // A twin path may survive where this node does not; ask the forest only about nodes surely gone.
                if (!kept) alive.delete(node);
                else if (!leaves.some(([leaf]) => leaf === node)) alive.delete(node);
              }
            } else if (active.size > 1) {
              const row = rowOf(picks[0] as { row: number });
              forest.finish(row);
              active.delete(row);
              for (const [node, shadow] of alive) if (shadow.row === row) alive.delete(node);
            }
          }
          await forest[Symbol.asyncDispose]();
          expect(driver.disposed).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect(openForests()).toBe(before);
  });

  it('reads each array of new nodes once a forward, since a batch makes a view for each look', async () => {
    const forest = forestOf(new SummingDriver(1, 1));
    const reads: string[] = [];
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, [1, 2], 'last');
    const counted = new Proxy(nodes, {
      get: (target, name) => {
        reads.push(String(name));
        return Reflect.get(target, name, target);
      },
    });
    await forest.extend(counted, { kind: 'logits' });
    expect(reads.sort()).toEqual(['parent', 'row', 'scored', 'tokenId']);
    await forest[Symbol.asyncDispose]();
  });
});
