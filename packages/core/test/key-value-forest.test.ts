import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ForetokenError, type NodeId } from '../src/index.js';
import { NodeBatch, nodeInBatch, ROOT } from '../src/kit/index.js';
import {
  KeyValueStore,
  openForests,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  StoreForest,
} from '../src/runtime/index.js';

const VOCABULARY = 50;

/** What a node contributes to everyone who sees it; sensitive to its token and its place. */
const contribution = (tokenId: number, position: number): number => Math.sin(tokenId * 12.9 + position * 7.7) + 2;

/** Logit-like score of a path in source row `row`, straight from the tokens: the oracle. */
const scoreOfPath = (row: number, path: readonly number[]): number =>
  path.reduce((sum, tokenId, position) => sum + contribution(tokenId, position), row * 1000);

/** A step "graph" in plain arithmetic: each new node sums the contributions of all it can see, through the cache. */
class SummingDriver implements StepDriver {
  readonly sources: number[];
  disposed = false;
  forwards = 0;
  maxCells = Number.POSITIVE_INFINITY;
  /** Columns that each forward must have. */
  minWidth = 1;
  readonly #padTo: number;

  constructor(rows: number, padTo: number) {
    this.sources = Array.from({ length: rows }, (_, row) => row);
    this.#padTo = padTo;
  }

  paddedWidth(width: number): number {
    return Math.ceil(width / this.#padTo) * this.#padTo;
  }

  releaseRow(row: number): void {
    const last = this.sources.pop() as number;
    if (row < this.sources.length) this.sources[row] = last;
  }

  dispose(): void {
    this.disposed = true;
  }

  async run(inputs: StepInputs): Promise<StepOutputs> {
    this.forwards++;
    const { firstRow, rows, width, pastLength, tokenIds, positions, attentionBias, scored } = inputs;
    const past = inputs.past[0];
    expect(firstRow + rows).toBeLessThanOrEqual(this.sources.length);
    expect(rows * width).toBeLessThanOrEqual(this.maxCells);
    expect(width).toBeGreaterThanOrEqual(this.minWidth);
    expect(past.length).toBe(rows * pastLength);
    const keysValues = Float32Array.from(tokenIds, (id, cell) => contribution(id, positions[cell]));
    const scores = new Float32Array(rows * width);
    const total = pastLength + width;
    for (let cell = 0; cell < rows * width; cell++) {
      const row = Math.floor(cell / width);
      let sum = this.sources[firstRow + row] * 1000;
      for (let column = 0; column < total; column++) {
        if (attentionBias[cell * total + column] !== 0) continue;
        sum += column < pastLength ? past[row * pastLength + column] : keysValues[row * width + column - pastLength];
      }
      scores[cell] = sum;
    }
    const logits = Float32Array.from(scored, (cell) => scores[cell]);
    return { keysValues, extension: { kind: 'logits', logits } };
  }
}

function forestOf(driver: SummingDriver, maxLength = 40, maxCells?: number): StoreForest {
  return new StoreForest({
    store: new KeyValueStore({ driver, rows: driver.sources.length, parts: 1, partWidth: 1 }),
    prefixes: driver.sources.map(() => Int32Array.of(1)),
    vocabularySize: VOCABULARY,
    maxLength,
    supports: { outputs: ['logits'], branching: true, rollback: true, rows: 8, maxCandidates: 0 },
    maxCells,
  });
}

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

  const single = (parent: NodeId, tokenId = 3, row = 0) => ({
    row: Int32Array.of(row),
    parent: Int32Array.of(parent),
    tokenId: Int32Array.of(tokenId),
  });
  const logits = { kind: 'logits' } as const;
  const codeOf = async (run: () => unknown): Promise<string> => {
    try {
      await run();
    } catch (error) {
      if (ForetokenError.isInstance(error)) return error.code;
      throw error;
    }
    return 'no error';
  };

  it('refuses bad nodes by code, before any forward, and stays as it was', async () => {
    const driver = new SummingDriver(2, 1);
    const forest = forestOf(driver, 3);
    await forest.extend(single(ROOT), logits);
    await forest.extend(single(0), logits);
    await forest.extend(single(1), logits);
    const { forwards } = driver;
    expect(await codeOf(() => forest.extend(single(2), logits))).toBe('LENGTH_LIMIT');
    expect(await codeOf(() => forest.extend(single(7), logits))).toBe('INVALID_NODE');
    expect(await codeOf(() => forest.extend(single(0, 3, 1), logits))).toBe('INVALID_NODE');
    expect(await codeOf(() => forest.extend(single(0, 3, 5), logits))).toBe('INVALID_NODE');
    expect(await codeOf(() => forest.extend(single(0, VOCABULARY), logits))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => forest.extend(single(0, -1), logits))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(() => forest.retain(0, [9]))).toBe('INVALID_NODE');
    const none = { row: new Int32Array(), parent: new Int32Array(), tokenId: new Int32Array() };
    expect(await codeOf(() => forest.extend(none, logits))).toBe('INVALID_ARGUMENT');
    expect(driver.forwards).toBe(forwards);
    forest.retain(0, [0]);
    expect(await codeOf(() => forest.extend(single(1), logits))).toBe('INVALID_NODE');
    const { firstNode, logits: scores } = await forest.extend(single(0, 9), logits);
    expect(firstNode).toBe(3);
    expect(scores[0]).toBeCloseTo(scoreOfPath(0, [3, 9]), 2);
    forest.finish(0);
    expect(await codeOf(() => forest.extend(single(0), logits))).toBe('INVALID_NODE');
    expect(await codeOf(() => forest.finish(0))).toBe('INVALID_NODE');
    await forest[Symbol.asyncDispose]();
    expect(await codeOf(() => forest.extend(single(ROOT), logits))).toBe('DISPOSED');
    expect(await codeOf(() => forest.start(0))).toBe('DISPOSED');
  });

  it('adds nothing when the driver fails', async () => {
    const driver = new SummingDriver(1, 1);
    const forest = forestOf(driver);
    await forest.extend(single(ROOT), logits);
    const run = driver.run.bind(driver);
    driver.run = () => Promise.reject(new Error('broken'));
    await expect(forest.extend(single(0, 4), logits)).rejects.toThrow('broken');
    driver.run = run;
    const { firstNode, logits: scores } = await forest.extend(single(0, 5), logits);
    expect(firstNode).toBe(1);
    expect(scores[0]).toBeCloseTo(scoreOfPath(0, [3, 5]), 2);
    await forest[Symbol.asyncDispose]();
  });

  it('adds nothing to any row when one node of a call is refused, on the trunk or on a branch', async () => {
    const driver = new SummingDriver(2, 1);
    const forest = forestOf(driver);
    await forest.extend(single(ROOT, 3, 0), logits);
    await forest.extend(single(ROOT, 4, 1), logits);
    await forest.extend(single(0, 5, 0), logits);
    // Good nodes of both rows come before the bad one, below the trunk's end and below an earlier node.
    const bad = {
      row: Int32Array.of(0, 0, 1, 0),
      parent: Int32Array.of(2, 0, 1, 77),
      tokenId: Int32Array.of(6, 7, 8, 9),
    };
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await codeOf(() => forest.extend(bad, logits))).toBe('INVALID_NODE');
      // The ids that the refused nodes would have had are nobody's, in neither row.
      for (const row of [0, 1]) {
        for (const ghost of [3, 4, 5, 6]) {
          expect(await codeOf(() => forest.extend(single(ghost, 6, row), logits))).toBe('INVALID_NODE');
          expect(await codeOf(() => forest.retain(row, [ghost]))).toBe('INVALID_NODE');
        }
      }
    }
    expect(driver.forwards).toBe(3);
    // A branch from below the trunk's old end sees its own path alone.
    const branch = await forest.extend(single(0, 10, 0), logits);
    expect(branch.firstNode).toBe(3);
    expect(branch.logits[0]).toBeCloseTo(scoreOfPath(0, [3, 10]), 2);
    const trunk = await forest.extend(single(2, 11, 0), logits);
    expect(trunk.logits[0]).toBeCloseTo(scoreOfPath(0, [3, 5, 11]), 2);
    const below = await forest.extend(single(3, 12, 0), logits);
    expect(below.logits[0]).toBeCloseTo(scoreOfPath(0, [3, 10, 12]), 2);
    await forest[Symbol.asyncDispose]();
  });

  it('goes back on a trunk after a failed forward, so that a later branch is no part of it', async () => {
    const driver = new SummingDriver(1, 1);
    const forest = forestOf(driver);
    await forest.extend(single(ROOT, 3), logits);
    const run = driver.run.bind(driver);
    driver.run = () => Promise.reject(new Error('broken'));
    const chain = { row: new Int32Array(3), parent: Int32Array.of(0, 1, 2), tokenId: Int32Array.of(4, 5, 6) };
    await expect(forest.extend(chain, logits)).rejects.toThrow('broken');
    driver.run = run;
    // Two branches of the root's child, then one below the first: were the trunk still four long, it would run through the second.
    const twins = { row: new Int32Array(2), parent: Int32Array.of(0, 0), tokenId: Int32Array.of(7, 8) };
    const { firstNode } = await forest.extend(twins, logits);
    expect(firstNode).toBe(1);
    const { logits: scores } = await forest.extend(single(1, 9), logits);
    expect(scores[0]).toBeCloseTo(scoreOfPath(0, [3, 7, 9]), 2);
    const { logits: others } = await forest.extend(single(2, 9), logits);
    expect(others[0]).toBeCloseTo(scoreOfPath(0, [3, 8, 9]), 2);
    await forest[Symbol.asyncDispose]();
  });

  it('lets nothing change rows while extend is running, and stays as it was', async () => {
    const driver = new SummingDriver(2, 1);
    const forest = forestOf(driver);
    await forest.extend(single(ROOT, 3, 0), logits);
    await forest.extend(single(ROOT, 3, 1), logits);
    const running = forest.extend(single(0, 5, 0), logits);
    const refused = [
      codeOf(() => forest.extend(single(1, 5, 1), logits)),
      codeOf(() => forest.retain(0, [0])),
      codeOf(() => forest.finish(1)),
    ];
    expect(await Promise.all(refused)).toEqual(refused.map(() => 'INVALID_ARGUMENT'));
    expect(driver.sources).toEqual([0, 1]);
    expect((await running).logits[0]).toBeCloseTo(scoreOfPath(0, [3, 5]), 2);
    forest.retain(0, [0]);
    forest.finish(1);
    const { logits: scores } = await forest.extend(single(0, 6, 0), logits);
    expect(scores[0]).toBeCloseTo(scoreOfPath(0, [3, 6]), 2);
    await forest[Symbol.asyncDispose]();
  });

  it('ends a running extend with DISPOSED, and releases the driver only then, once, for every call of dispose', async () => {
    const driver = new SummingDriver(1, 1);
    const forest = forestOf(driver);
    const run = driver.run.bind(driver);
    let release = (): void => {};
    driver.run = async (inputs) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      expect(driver.disposed).toBe(false);
      return run(inputs);
    };
    const running = codeOf(() => forest.extend(single(ROOT), logits));
    const disposals = [forest[Symbol.asyncDispose](), forest[Symbol.asyncDispose]()];
    expect(openForests()).toBe(before);
    for (const call of [
      () => forest.start(0),
      () => forest.retain(0, []),
      () => forest.finish(0),
      () => forest.extend(single(ROOT), logits),
    ]) {
      expect(await codeOf(call)).toBe('DISPOSED');
    }
    release();
    expect(await running).toBe('DISPOSED');
    await Promise.all(disposals);
    expect(driver.disposed).toBe(true);
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
