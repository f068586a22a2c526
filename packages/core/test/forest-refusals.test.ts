import { beforeEach, describe, expect, it } from 'vitest';
import { ForetokenError, type NodeId } from '../src/index.js';
import { ROOT } from '../src/kit/index.js';
import { openForests } from '../src/runtime/index.js';
import { forestOf, logits, SummingDriver, scoreOfPath, VOCABULARY } from './summing-forest.js';

const single = (parent: NodeId, tokenId = 3, row = 0) => ({
  row: Int32Array.of(row),
  parent: Int32Array.of(parent),
  tokenId: Int32Array.of(tokenId),
});

const codeOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error.code;
    throw error;
  }
  return 'no error';
};

describe('a forest over keys and values, when a call is refused or fails', () => {
  let before = 0;
  beforeEach(() => {
    before = openForests();
  });

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
});
