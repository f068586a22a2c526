import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenForest, type TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf } from '@foretoken/core/kit';
import { KeyValueStore, openForests } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { scoreWithModel } from '@foretoken/one-shot';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SharedPrefixes } from '../../core/src/runtime/shared-prefixes.js';
import { type LoadedModel, loadModel } from '../src/index.js';
import { longCausalFolder } from './causal-fixtures.js';

const tokens = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, index) => 3 + ((index * index * 7 + index * seed + seed) % 19));
const rows = (system: number, ...own: readonly number[]): Int32Array[] =>
  own.map((count, row) => Int32Array.from([...tokens(system, 1), ...tokens(count, row + 2)]));

let loaded: LoadedModel;
let model: AutoregressiveModel<TokenSource>;
beforeAll(async () => {
  loaded = await loadModel(await longCausalFolder(), { probe: false });
  model = loaded.part('autoregressive');
});
afterAll(() => loaded.dispose());
afterEach(() => vi.restoreAllMocks());

const unshared = async <Result>(run: () => Promise<Result>): Promise<Result> => {
  const spy = vi.spyOn(SharedPrefixes.prototype, 'add').mockReturnValue(undefined);
  const result = await run();
  spy.mockRestore();
  return result;
};

/** What a computation gives, and how many tokens the model read for it. */
const counted = async <Result>(run: () => Promise<Result>) => {
  const spy = vi.spyOn(KeyValueStore.prototype, 'extend');
  const result = await run();
  const read = spy.mock.calls.reduce((sum, [nodes]) => sum + nodes.slot.length, 0);
  spy.mockRestore();
  return { result, read };
};

/** Scores after the prompts, and after each of some more tokens. */
async function scores(sources: readonly TokenSource[], joining = false): Promise<number[][]> {
  await using forest = await model.open(sources, { joining });
  return await scoresOf(
    forest,
    sources.map((_, row) => row),
  );
}

async function scoresOf(forest: TokenForest<TokenSource>, indices: readonly number[]): Promise<number[][]> {
  const nodes = new NodeBatch();
  let ends = indices.map((row) => {
    const { prefix, cached, node } = forest.start(row);
    return nodes.addChain(row, node, prefix.subarray(cached), 'last');
  });
  const all: number[][] = indices.map(() => []);
  for (let tokenId = 4; ; tokenId++) {
    const { logits, firstNode } = await forest.extend(nodes, { kind: 'logits' });
    const size = logits.length / indices.length;
    for (const [index, row] of all.entries()) row.push(...logits.subarray(index * size, (index + 1) * size));
    if (tokenId === 8) return all;
    nodes.clear();
    ends = ends.map((end, index) => nodes.addChain(indices[index], nodeIdOf(end, firstNode), [tokenId], 'last'));
  }
}

describe('a prompt that rows of a batch have in common', () => {
  const [one, ...others] = rows(40, 9, 3, 30);
  interface Case {
    readonly sources: readonly Int32Array[];
    readonly cached: readonly number[];
    /** Where rows may join, all forwards are two columns wide, so that a row may read a single token by itself. */
    readonly cachedJoining?: readonly number[];
  }
  const cases: Record<string, Case> = {
    'before their own': { sources: [one, ...others], cached: [32, 32, 32] },
    'of more tokens than a forward reads': { sources: rows(1500, 5, 3, 59, 1), cached: [1488, 1488, 1488, 1488] },
    'and is all they have': {
      sources: [one, one, one, one],
      cached: [32, 32, 32, 32],
      cachedJoining: [48, 48, 48, 48],
    },
    'that is all of one of them': { sources: [one, one.slice(0, 40), one.slice(0, 16)], cached: [32, 32, 0] },
    'in groups': {
      sources: [one, Int32Array.from(tokens(50, 5)), ...others, Int32Array.from([...tokens(35, 5), 3, 4])],
      cached: [32, 32, 32, 32, 32],
    },
    'step by step, each more of it': {
      sources: [20, 36, 52, 68].map((count, row) => Int32Array.from([...tokens(count, 1), 3 + row, 9, 9])),
      cached: [16, 32, 48, 48],
    },
    'short of a block': { sources: rows(15, 9, 4), cached: [0, 0] },
    'nowhere but in the middle': {
      sources: [Int32Array.from([3, ...tokens(40, 1)]), Int32Array.from([4, ...tokens(40, 1)])],
      cached: [0, 0],
    },
  };

  it.each(Object.entries(cases))('%s is read once, with scores as if each row had read its own', async (_, given) => {
    const { sources } = given;
    for (const joining of [false, true]) {
      const cached = (joining ? given.cachedJoining : undefined) ?? given.cached;
      await using forest = await model.open(sources, { joining });
      expect(sources.map((_source, row) => forest.start(row).cached)).toEqual(cached);
      for (const [row, source] of sources.entries()) expect(forest.start(row).prefix).toEqual(source);
      const shared = await counted(() => scores(sources, joining));
      const own = await counted(() => unshared(() => scores(sources, joining)));
      expect(shared.result).toEqual(own.result);
      const blocks = new Set(
        sources.flatMap((source, row) =>
          Array.from({ length: cached[row] / 16 }, (_block, index) => source.slice(0, 16 * (index + 1)).join()),
        ),
      );
      const copied = cached.reduce((sum, count) => sum + count, 0) - 16 * blocks.size;
      expect(own.read - shared.read).toBe(copied);
    }
  });

  it('gives a row the scores that it has alone', async () => {
    for (const { sources } of Object.values(cases)) {
      const together = await scores(sources, true);
      const plain = await scores(sources);
      for (const [row, source] of sources.entries()) {
        expect(together[row]).toEqual((await scores([source], true))[0]);
        // Steps of a batch are one column wide, those of a row alone two: what is read of prompts does not depend on it.
        const size = model.vocabulary.size;
        expect(plain[row].slice(0, size)).toEqual((await scores([source]))[0].slice(0, size));
      }
    }
  });

  const strategies: Record<string, () => Decoder<AutoregressiveModel<TokenSource>>> = {
    greedy: () => greedy({ scores: true, tokenLogProbs: true }),
    sampling: () => sampling({ hypotheses: 3, topP: 0.9 }),
    'beam search': () => beamSearch({ beamSize: 4, hypotheses: 4 }),
    'diverse beams': () => beamSearch({ beamSize: 4, groups: 2, diversityPenalty: 0.5 }),
    'stochastic beams': () => stochasticBeam({ beamSize: 3 }),
    'contrastive search': () => contrastiveSearch({ candidates: 3 }),
    'prompt lookup': () => speculative({ drafter: ngramDrafter({ vocabulary: model.vocabulary }) }),
    'copied drafts': () => speculative({ drafter: copyDrafter({ vocabulary: model.vocabulary, shape: 'tree' }) }),
  };
  it.each(Object.entries(strategies))('is read once by %s, with the same outputs and scores', async (_, make) => {
    const decoder = make();
    const request = { sources: rows(40, 9, 3, 30, 9, 12, 5, 7, 11), maxNewTokens: 9, seed: 3 };
    const decode = async (): Promise<unknown> => (await collect(decoder.decode(model, request))).results;
    const shared = await counted(decode);
    const own = await counted(() => unshared(decode));
    expect(shared.result).toEqual(own.result);
    // Contrastive search compares with the states of all tokens, so each row reads its own.
    expect(own.read - shared.read).toBe(decoder.name === 'contrastive-search' ? 0 : 7 * 32);
  });

  it('is read once by a model that scores candidates', async () => {
    const sources = rows(40, 9, 3, 30);
    const candidates = sources.map(() => [Int32Array.of(5, 6), Int32Array.of(7)]);
    const score = () => scoreWithModel(model, sources, candidates);
    const shared = await counted(score);
    const own = await counted(() => unshared(score));
    expect(shared.result).toEqual(own.result);
    expect(own.read - shared.read).toBe(2 * 32);
  });

  it('is read once by rows that join together', async () => {
    const sources = rows(40, 9, 3, 30);
    await using forest = await model.open([Int32Array.of(3, 4)], { joining: true });
    const { read } = await counted(async () => forest.join?.(sources));
    expect(read).toBe(32);
    expect([1, 2, 3].map((row) => forest.start(row).cached)).toEqual([32, 32, 32]);
    for (const [index, row] of (await scoresOf(forest, [1, 2, 3])).entries()) {
      expect(row).toEqual((await scores([sources[index]], true))[0]);
    }
  });

  it('leaves nothing behind where reading it fails', async () => {
    const before = openForests();
    const sources = rows(40, 9, 3);
    const fail = () => vi.spyOn(KeyValueStore.prototype, 'extend').mockRejectedValueOnce(new Error('planted'));
    fail();
    await expect(model.open(sources)).rejects.toThrow('planted');
    expect(openForests()).toBe(before);
    const abort = new AbortController();
    const spy = vi.spyOn(KeyValueStore.prototype, 'extend').mockImplementationOnce(async () => {
      abort.abort(new Error('enough'));
      throw abort.signal.reason;
    });
    await expect(model.open(sources, { signal: abort.signal })).rejects.toThrow('enough');
    spy.mockRestore();
    expect(openForests()).toBe(before);
    await using forest = await model.open([sources[0]], { joining: true });
    fail();
    await expect(forest.join?.(rows(33, 9, 3).map((row) => row.map((tokenId) => tokenId + 1)))).rejects.toThrow(
      'planted',
    );
    expect(forest.rows).toBe(1);
    expect(() => forest.start(1)).toThrow(expect.objectContaining({ code: 'INVALID_NODE' }));
    expect(await forest.join?.(sources)).toBe(1);
    expect(await scoresOf(forest, [1, 2])).toEqual(await scores(sources, true));
  });
});
