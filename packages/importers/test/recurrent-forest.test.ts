import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import {
  adversarialDrafter,
  DRAFT_KINDS,
  logSoftmax,
  referenceGreedy,
  scriptedModel,
  tokenForestConformance,
} from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRU, type GruModel, gruModel, gruWeights, plainGru } from './gru-fixture.js';

type Model = AutoregressiveModel<TokenSource>;

const SOURCES = [[5, 9, 4, 3], [7], [3, 3, 8, 1, 6, 2, 9]].map((tokenIds) => Int32Array.from(tokenIds));
const SEEDS = [1, 2, 3, 4, 5, 6];
const { vocabularySize, endTokenId, maxLength } = GRU;

const before = { forests: openForests(), sessions: openSessions() };
const models: GruModel[] = [];
let cut: GruModel;

beforeAll(async () => {
  for (const seed of SEEDS) models.push(await gruModel(gruWeights(seed)));
  cut = await gruModel(gruWeights(1), 3);
});

afterAll(async () => {
  for (const model of [...models, cut]) await model.dispose();
  expect({ forests: openForests(), sessions: openSessions() }).toEqual(before);
});

tokenForestConformance({
  runner: { describe, it },
  name: 'a GRU on ONNX Runtime',
  createModel: () => models[0],
  sources: SOURCES,
  tolerance: 1e-5,
});

tokenForestConformance({
  runner: { describe, it },
  name: 'a GRU whose forwards are cut into three cells',
  createModel: () => cut,
  sources: SOURCES,
  tolerance: 1e-5,
});

async function outputsOf(decoder: Decoder<Model>, model: Model, request: object = {}): Promise<number[][]> {
  const { results } = await collect(decoder.decode(model, { sources: SOURCES, ...request }));
  return results.map(({ best }) => [...best.tokenIds]);
}

describe('decoding with a recurrent state in each node', () => {
  it('scores as plain arithmetic does', async () => {
    for (const [index, seed] of SEEDS.entries()) {
      const score = plainGru(gruWeights(seed));
      const forest = await models[index].open(SOURCES);
      const tail = [3, 1, 4, 1, 5];
      const nodes = new NodeBatch();
      for (const row of SOURCES.keys()) nodes.addChain(row, ROOT, [GRU.startTokenId, ...tail], 'all');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      await forest[Symbol.asyncDispose]();
      for (const [row, source] of SOURCES.entries()) {
        for (let length = 0; length <= tail.length; length++) {
          const begin = (row * (tail.length + 1) + length) * vocabularySize;
          const expected = score(source, tail.slice(0, length));
          for (const [tokenId, value] of expected.entries()) expect(logits[begin + tokenId]).toBeCloseTo(value, 4);
        }
      }
    }
  });

  it('is greedy as a plain loop is, with drafts of any kind too', async () => {
    const lengths = new Set<number>();
    for (const [index, seed] of SEEDS.entries()) {
      const score = plainGru(gruWeights(seed));
      const expected = SOURCES.map((source) => [
        ...referenceGreedy(source, { score, endTokenId, limit: maxLength }).tokenIds,
      ]);
      for (const { length } of expected) lengths.add(length);
      const model = models[index];
      expect(await outputsOf(greedy(), model)).toEqual(expected);
      const { vocabulary } = model;
      expect(await outputsOf(speculative({ drafter: ngramDrafter({ vocabulary }) }), model)).toEqual(expected);
      for (const kind of DRAFT_KINDS) {
        const drafter = adversarialDrafter({ kind, score, vocabularySize, endTokenId, seed });
        expect(await outputsOf(speculative({ drafter }), model)).toEqual(expected);
      }
    }
    expect(lengths.size).toBeGreaterThan(2);
  });

  it('searches and samples as on the plain arithmetic', async () => {
    for (const [index, seed] of SEEDS.entries()) {
      const plain = scriptedModel({
        vocabularySize,
        endTokenId,
        maxLength,
        prefix: [GRU.startTokenId],
        score: plainGru(gruWeights(seed)),
      });
      const decoders = [beamSearch({ beamSize: 3 }), beamSearch({ beamSize: 8 }), sampling({ temperature: 0.7 })];
      for (const decoder of decoders) {
        expect(await outputsOf(decoder, models[index])).toEqual(await outputsOf(decoder, plain));
      }
    }
  });

  it('finds by beam search what trying every output finds', async () => {
    const score = plainGru(gruWeights(2));
    const maxNewTokens = 2;
    const best = SOURCES.map((source) => {
      let found = { tokenIds: [] as number[], logProb: Number.NEGATIVE_INFINITY };
      const visit = (tokenIds: number[], logProb: number): void => {
        const logProbs = logSoftmax(score(source, tokenIds));
        const ended = logProb + logProbs[endTokenId];
        if (ended > found.logProb) found = { tokenIds, logProb: ended };
        for (let tokenId = 1; tokenId < vocabularySize; tokenId++) {
          const total = logProb + logProbs[tokenId];
          const longer = [...tokenIds, tokenId];
          if (longer.length < maxNewTokens) visit(longer, total);
          else if (total > found.logProb) found = { tokenIds: longer, logProb: total };
        }
      };
      visit([], 0);
      return found.tokenIds;
    });
    const wide = beamSearch({ beamSize: vocabularySize, lengthPenalty: 0, stopWhen: 'improvement-impossible' });
    expect(await outputsOf(wide, models[1], { maxNewTokens })).toEqual(best);
  });

  it('reads a chain in one run of its graph, prompt or draft, and a branch in one more', async () => {
    const model = models[0];
    const forest = await model.open(SOURCES);
    const nodes = new NodeBatch();
    for (const row of SOURCES.keys()) nodes.addChain(row, ROOT, [10, 1, 2, 3, 4, 5, 6, 7], 'last');
    await forest.extend(nodes, { kind: 'argmax' });
    const driver = model.drivers.at(-1);
    expect(driver?.runs).toBe(1);
    const tree = new NodeBatch();
    const stem = tree.addChain(0, 7, [1, 2], 'all');
    tree.addChain(0, stem, [3, 4], 'all');
    tree.addChain(0, stem, [5], 'all');
    tree.addChain(0, 7, [6], 'all');
    await forest.extend(tree, { kind: 'argmax' });
    expect(driver?.runs).toBe(3);
    await forest[Symbol.asyncDispose]();
  });

  it('lays out a tree of many branches in bounded runs', async () => {
    const model = models[0];
    const forest = await model.open(SOURCES.slice(0, 1));
    const nodes = new NodeBatch();
    const root = nodes.add(0, ROOT, GRU.startTokenId, false);
    nodes.addChain(0, root, new Array(20).fill(1), 'last');
    for (let branch = 0; branch < 980; branch++) nodes.add(0, root, 1 + (branch % 9), branch === 979);
    const { logits } = await forest.extend(nodes, { kind: 'logits' });
    expect(model.drivers.at(-1)?.cells).toBeLessThanOrEqual(1024);
    const expected = plainGru(gruWeights(1))(SOURCES[0], [1 + (979 % 9)]);
    for (const [tokenId, value] of expected.entries()) expect(logits[vocabularySize + tokenId]).toBeCloseTo(value, 4);
    await forest[Symbol.asyncDispose]();
  });
});
