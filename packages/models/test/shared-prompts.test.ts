import type { AutoregressiveModel, NodeId, TokenForest, TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf } from '@foretoken/core/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { CAUSAL_KINDS, causalFolder } from './causal-fixtures.js';

const SYSTEM = Array.from({ length: 37 }, (_, index) => 3 + ((index * 7) % 20));
const ONE = Int32Array.from([...SYSTEM, 5, 9, 4]);
const OTHER = Int32Array.from([...SYSTEM, 11, 6]);
const STRANGER = Int32Array.from([4, ...SYSTEM, 11]);
const AFTER = [8, 3, 12];

interface Read {
  readonly logits: readonly (readonly number[])[];
  readonly nodes: number;
  readonly last: NodeId;
}

describe.each(CAUSAL_KINDS)('prompts of a %s model', (kind) => {
  let loaded: LoadedModel;
  let model: AutoregressiveModel<TokenSource>;
  beforeAll(async () => {
    loaded = await loadModel(await causalFolder(kind), { probe: false });
    model = loaded.part('autoregressive');
  });
  afterAll(() => loaded.dispose());

  const open = (...sources: readonly TokenSource[]) => model.open(sources, { joining: true });
  const extend = async (forest: TokenForest<TokenSource>, row: number, parent: NodeId, tokenIds: readonly number[]) => {
    const nodes = new NodeBatch();
    const end = nodes.addChain(row, parent, tokenIds, 'last');
    const { logits, firstNode } = await forest.extend(nodes, { kind: 'logits' });
    return { logits: [...logits], last: nodeIdOf(end, firstNode) };
  };
  /** Reads what a row still must, and some tokens more. */
  const read = async (forest: TokenForest<TokenSource>, row: number): Promise<Read> => {
    const { prefix, cached, node } = forest.start(row);
    const begin = [...prefix.subarray(cached)];
    let { logits, last } = await extend(forest, row, node, begin);
    const all = [logits];
    for (const tokenId of AFTER) {
      ({ logits, last } = await extend(forest, row, last, [tokenId]));
      all.push(logits);
    }
    return { logits: all, nodes: begin.length, last };
  };
  const alone = async (source: TokenSource): Promise<Read> => {
    await using forest = await open(source);
    return await read(forest, 0);
  };

  it('are shared with rows that join, bit by bit as if each had read its own', async () => {
    const short = ONE.slice(0, 32);
    await using forest = await open(ONE, STRANGER);
    await read(forest, 0);
    const first = (await forest.join?.([OTHER, ONE, STRANGER, short])) as number;
    // By blocks of 16, and never the whole: the last token is read to be scored.
    const cached = [32, 32, 0, 16];
    expect(cached.map((_, index) => forest.start(first + index).cached)).toEqual(cached);
    for (const [index, source] of [OTHER, ONE, STRANGER, short].entries()) {
      const { logits, nodes } = await read(forest, first + index);
      expect(logits).toEqual((await alone(source)).logits);
      expect(nodes).toBe(source.length - cached[index]);
    }
  });

  it('are shared as far as a row has them still: not what it has not read, took back, or went another way from', async () => {
    const cachedBy = async (prepare: (forest: TokenForest<TokenSource>) => Promise<void>) => {
      await using forest = await open(ONE);
      await prepare(forest);
      const row = (await forest.join?.([OTHER])) as number;
      const { logits } = await read(forest, row);
      expect(logits).toEqual((await alone(OTHER)).logits);
      return forest.start(row).cached;
    };
    const prefix = (count: number) => [...ONE.subarray(0, count)];
    expect(await cachedBy(async () => {})).toBe(0);
    expect(
      await cachedBy(async (forest) => {
        // Nothing of what is refused was read.
        await expect(extend(forest, 0, -1, [...ONE, -1])).rejects.toThrow();
      }),
    ).toBe(0);
    expect(await cachedBy(async (forest) => void (await extend(forest, 0, -1, prefix(20))))).toBe(16);
    expect(
      await cachedBy(async (forest) => void (await extend(forest, 0, -1, [...prefix(20), 30, ...prefix(20)]))),
    ).toBe(16);
    expect(
      await cachedBy(async (forest) => {
        const { last } = await extend(forest, 0, -1, prefix(10));
        const way = await extend(forest, 0, last, [30, 31]);
        await extend(forest, 0, last, [...ONE.subarray(10)]);
        forest.retain(0, [way.last]);
      }),
    ).toBe(0);
    expect(
      await cachedBy(async (forest) => {
        await extend(forest, 0, -1, [30, 31]);
        const { last } = await extend(forest, 0, -1, [...ONE]);
        forest.retain(0, [last]);
      }),
    ).toBe(0);
    expect(
      await cachedBy(async (forest) => {
        await read(forest, 0);
        forest.finish(0);
      }),
    ).toBe(0);
  });

  it('are nodes of the row that joined: they are told, kept and released with it', async () => {
    await using forest = await open(ONE);
    await read(forest, 0);
    const row = (await forest.join?.([OTHER])) as number;
    const { cached, node } = forest.start(row);
    forest.finish(0);
    expect(forest.start(row)).toEqual({ prefix: OTHER, cached, node });
    const { last, logits } = await read(forest, row);
    expect(logits).toEqual((await alone(OTHER)).logits);
    forest.retain(row, [last]);
    forest.retain(row, [node]);
    const { logits: again } = await extend(forest, row, node, [...OTHER.subarray(cached)]);
    expect(again).toEqual(logits[0]);
    forest.retain(row, []);
    expect(forest.start(row)).toMatchObject({ cached: 0, node: -1 });
  });
});
