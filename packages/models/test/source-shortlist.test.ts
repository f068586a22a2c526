import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenForest, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import type { ImportOptions } from '@foretoken/importers';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familyOf, type LoadedModel, loadModel, openModelFolder } from '../src/index.js';
import {
  MARIAN_SHORTLIST_KINDS,
  type MarianShortlistGolden,
  marianShortlistFolder,
  marianShortlistGoldens,
} from './marian-bin-fixtures.js';

type Decoder = ReturnType<typeof greedy>;

/** Log-probabilities after each token of prefixes, one a row, in one forward. */
async function logProbsOf(
  model: AutoregressiveModel<TokenSource>,
  sources: readonly TokenSource[],
  prefix: readonly number[],
): Promise<Float32Array> {
  await using forest = await model.open(sources);
  const nodes = new NodeBatch();
  for (const row of sources.keys()) {
    nodes.addChain(row, ROOT, Int32Array.from([...forest.start(row).prefix, ...prefix]), 'all');
  }
  return (await forest.extend(nodes, { kind: 'logProbs' })).logProbs;
}

describe.each(MARIAN_SHORTLIST_KINDS)('a %s model of Marian with a shortlist', (kind) => {
  let loaded: LoadedModel;
  let model: AutoregressiveModel<TokenSource>;
  let goldens: readonly MarianShortlistGolden[];
  let sources: readonly Int32Array[];

  beforeAll(async () => {
    goldens = await marianShortlistGoldens(kind);
    loaded = await loadModel(await marianShortlistFolder(kind), { probe: false });
    model = loaded.part('autoregressive');
    sources = goldens.map(({ source }) => Int32Array.from(source));
  });
  afterAll(() => loaded.dispose());

  const outputsOf = async (decoder: Decoder, rows: readonly Int32Array[], maxNewTokens = 12) =>
    (await collect(decoder.decode(model, { sources: rows, maxNewTokens, seed: 3 }))).results;

  it('says what Marian says with it of 200 texts, each token with the same log-probability to 1e-4, and without it what that says', async () => {
    await using whole = await loadModel(await marianShortlistFolder(kind, { shortlist: false }), { probe: false });
    for (const [row, { text, said, logProbs, other }] of goldens.entries()) {
      const limit = { maxNewTokens: 2 * sources[row].length };
      const { source, tokenIds, text: own } = await loaded.decode(text, greedy(), limit);
      expect([...source]).toEqual([...sources[row]]);
      expect(own).toBe(said.trimEnd());
      expect((await whole.decode(text, greedy(), limit)).text !== own).toBe(other);
      const { size, endTokenId } = model.vocabulary;
      const ended = tokenIds.length < logProbs.length ? [...tokenIds, endTokenId as number] : [...tokenIds];
      expect(ended.length).toBe(logProbs.length);
      const scores = await logProbsOf(model, [sources[row]], ended.slice(0, -1));
      for (const [at, expected] of logProbs.entries()) {
        expect(Math.abs(scores[at * size + ended[at]] - expected)).toBeLessThan(1e-4);
      }
    }
  });

  it("gives tokens outside of a source's list probability 0, also beside other sources, and what is listed all of it", async () => {
    const { size } = model.vocabulary;
    const together = sources.slice(0, 5);
    const beside = await logProbsOf(model, together, [5, 9]);
    const width = beside.length / (5 * size);
    for (const [row, source] of together.entries()) {
      const own = await logProbsOf(model, [source], [5, 9]);
      expect(beside.slice(row * width * size, (row + 1) * width * size)).toEqual(own);
      for (let at = 0; at < width; at++) {
        const scores = own.subarray(at * size, (at + 1) * size);
        const possible = scores.filter((score) => score > Number.NEGATIVE_INFINITY);
        expect(possible.length % 8).toBe(0);
        expect(possible.length).toBeLessThan(size - 1);
        expect(possible.reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 5);
      }
    }
  });

  it('gives a row the same bits alone and beside rows that list most tokens', async () => {
    const { size } = model.vocabulary;
    const together = sources.slice(0, 40);
    const beside = await logProbsOf(model, together, [5, 9]);
    const width = beside.length / (together.length * size);
    const rows = together.map((_, row) => beside.subarray(row * width * size, (row + 1) * width * size));
    const listed = (scores: Float32Array) => [...scores.keys()].filter((id) => scores[id % size] > -Infinity);
    const all = new Set(rows.flatMap((scores) => listed(scores.subarray(0, size))));
    expect(all.size).toBeGreaterThan(0.75 * size);
    const few = rows.filter((scores) => listed(scores.subarray(0, size)).length < 0.5 * size);
    expect(few.length).toBeGreaterThan(10);
    for (const [row, source] of together.entries()) {
      expect(await logProbsOf(model, [source], [5, 9])).toEqual(rows[row]);
    }
  });

  it('says the same alone and together, while rows end and while they join', async () => {
    const rows = sources.slice(0, 40);
    const together = (await outputsOf(greedy(), rows)).map(({ best }) => best.tokenIds);
    for (const [row, source] of rows.entries()) {
      expect((await outputsOf(greedy(), [source]))[0].best.tokenIds).toEqual(together[row]);
    }
    const alone = await Promise.all(rows.slice(0, 4).map((source) => logProbsOf(model, [source], [7, 3])));
    await using forest = await model.open([rows[0], rows[1]], { joining: true });
    await forest.extend(chains(forest, [0, 1]), { kind: 'logProbs' });
    forest.finish(0);
    expect(await forest.join?.([rows[2], rows[3]])).toBe(2);
    const { logProbs } = await forest.extend(chains(forest, [2, 3]), { kind: 'logProbs' });
    expect(logProbs).toEqual(Float32Array.from([...alone[2], ...alone[3]]));
  });

  it('says the same bits of a node, however many are read and scored beside it', async () => {
    const prefix = [5, 9, 3, 12, 7, 2, 30, 4, 4, 11];
    const { size } = model.vocabulary;
    const whole = await logProbsOf(model, [sources[2]], prefix);
    for (let length = 0; length < prefix.length; length++) {
      const part = await logProbsOf(model, [sources[2]], prefix.slice(0, length));
      expect(part).toEqual(whole.subarray(0, (length + 1) * size));
    }
  });

  it('refuses drafts of tokens that are not listed, and says the same as without drafts', async () => {
    const { vocabulary } = model;
    const rows = sources.slice(0, 40);
    const plain = (await outputsOf(greedy(), rows)).map(({ best }) => best.tokenIds);
    const drafters = [ngramDrafter({ vocabulary }), copyDrafter({ vocabulary, shape: 'tree' })];
    for (const drafter of drafters) {
      const drafted = await outputsOf(speculative({ drafter }), rows);
      expect(drafted.map(({ best }) => best.tokenIds)).toEqual(plain);
    }
  });

  it('has hypotheses and draws of listed tokens alone, with beams wider than a list, too', async () => {
    const rows = sources.slice(0, 6);
    const { size, endTokenId } = model.vocabulary;
    const listed = await Promise.all(
      rows.map(async (source) => {
        const scores = (await logProbsOf(model, [source], [])).subarray(0, size);
        return new Set([...scores.keys()].filter((id) => scores[id] > Number.NEGATIVE_INFINITY));
      }),
    );
    const strategies = [beamSearch({ beamSize: 30, hypotheses: 30 }), sampling({ temperature: 3, hypotheses: 4 })];
    for (const decoder of strategies) {
      for (const [row, { hypotheses }] of (await outputsOf(decoder as Decoder, rows, 5)).entries()) {
        expect(hypotheses.length).toBeGreaterThan(1);
        for (const { tokenIds } of hypotheses) {
          for (const tokenId of tokenIds) {
            if (tokenId !== endTokenId) expect(listed[row].has(tokenId)).toBe(true);
          }
        }
      }
    }
  });
});

/** One chain of two tokens for each of these rows. */
function chains(forest: TokenForest<TokenSource>, rows: readonly number[]): NodeBatch {
  const nodes = new NodeBatch();
  for (const row of rows) nodes.addChain(row, ROOT, Int32Array.from([...forest.start(row).prefix, 7, 3]), 'all');
  return nodes;
}

it('in 8 bits says the same greedily and with drafts, alone and together', async () => {
  const folder = await marianShortlistFolder('tied', { weights: 'int8' });
  await using loaded = await loadModel(folder, { probe: false });
  const model = loaded.part('autoregressive');
  const sources = (await marianShortlistGoldens('tied')).slice(0, 20).map(({ source }) => Int32Array.from(source));
  const drafter = copyDrafter({ vocabulary: model.vocabulary, shape: 'tree' });
  const said = async (decoder: Decoder, rows: readonly TokenSource[]) =>
    (await collect(decoder.decode(model, { sources: rows, maxNewTokens: 12 }))).results.map(
      ({ best }) => best.tokenIds,
    );
  const plain = await said(greedy(), sources);
  expect(await said(speculative({ drafter }), sources)).toEqual(plain);
  for (const [row, source] of sources.entries()) expect(await said(greedy(), [source])).toEqual([plain[row]]);
});

it('is measured with a list, and says the same as unmeasured', async () => {
  const folder = await marianShortlistFolder('tied');
  const sources = (await marianShortlistGoldens('tied')).slice(0, 8).map(({ source }) => Int32Array.from(source));
  const said = async (probe: boolean) => {
    await using loaded = await loadModel(folder, { probe });
    const { results } = await collect(greedy().decode(loaded.part('autoregressive'), { sources, maxNewTokens: 12 }));
    return results.map(({ best }) => best.tokenIds);
  };
  expect(await said(true)).toEqual(await said(false));
});

it('is told of by the folder, and by nothing where the import left it out', async () => {
  const facts = async (options: ImportOptions) => {
    const { manifest } = await openModelFolder(await marianShortlistFolder('tied', options));
    return { manifest, facts: (await familyOf(manifest)).describe(manifest).facts };
  };
  const file = 'source-shortlist.bin';
  expect(await facts({})).toMatchObject({
    manifest: { shortlist: { file, multipleOf: 8 }, files: { [file]: { sha256: expect.any(String) } } },
    facts: [['shortlist', expect.stringContaining('tokens that the source lists')]],
  });
  const without = await facts({ shortlist: false });
  expect(without.facts).toEqual([]);
  expect(Object.keys({ ...without.manifest, ...without.manifest.files }).join()).not.toMatch(/shortlist/);
});
