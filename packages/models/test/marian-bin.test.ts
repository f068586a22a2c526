import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { marianBeam } from './marian-beam.js';
import { MARIAN_BIN_KINDS, type MarianBinGolden, marianBinFolder, marianBinGoldens } from './marian-bin-fixtures.js';

describe.each(MARIAN_BIN_KINDS)('a %s model of Marian against Marian on the same weights', (kind) => {
  let loaded: LoadedModel;
  let model: AutoregressiveModel<TokenSource>;
  let goldens: readonly MarianBinGolden[];
  let sources: readonly TokenSource[];

  beforeAll(async () => {
    goldens = await marianBinGoldens(kind);
    sources = goldens.map(({ source }) => Int32Array.from(source));
    loaded = await loadModel(await marianBinFolder(kind), { probe: false });
    model = loaded.part('autoregressive');
  });
  afterAll(() => loaded.dispose());

  const limitOf = (row: number): number => 3 * sources[row].length;
  const decode = async (
    decoder: ReturnType<typeof greedy>,
    rows: readonly number[] = [...sources.keys()],
    maxNewTokens = 30,
  ) => {
    const request = { sources: rows.map((row) => sources[row]), maxNewTokens, seed: 7 };
    return (await collect(decoder.decode(model, request))).results;
  };
  const logProbsOf = async (row: number, prefix: ArrayLike<number>): Promise<Float32Array> => {
    await using forest = await model.open([sources[row]]);
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, Int32Array.from([...forest.start(0).prefix, ...Array.from(prefix)]), 'all');
    return (await forest.extend(nodes, { kind: 'logProbs' })).logProbs;
  };

  it('cuts texts as Marian does, and says the same greedily, each token with the same log-probability to 1e-4', async () => {
    for (const [row, { text, source, said, logProbs }] of goldens.entries()) {
      const result = await loaded.decode(text, greedy(), { maxNewTokens: limitOf(row) });
      expect([...result.source]).toEqual(source);
      expect(result.text).toBe(said);
      const { size, endTokenId } = model.vocabulary;
      const said0 = [...result.tokenIds];
      const ended = said0.length < logProbs.length ? [...said0, endTokenId as number] : said0;
      expect(ended.length).toBe(logProbs.length);
      const scores = await logProbsOf(row, ended.slice(0, -1));
      for (const [at, expected] of logProbs.entries()) {
        expect(Math.abs(scores[at * size + ended[at]] - expected)).toBeLessThan(1e-4);
      }
    }
  });

  it('has the n-best list of a beam of four, searched as Marian does, scores too', async () => {
    for (const [row, { beam }] of goldens.entries()) {
      const hypotheses = await marianBeam(model, sources[row], 4, limitOf(row));
      expect(hypotheses.map(({ tokenIds }) => loaded.tokenizer?.decode(tokenIds))).toEqual(
        beam.map(({ said }) => said.trimEnd()),
      );
      for (const [index, { score }] of beam.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
    }
  });

  it('is the same with drafts looked up in source and output, alone and together', async () => {
    const { vocabulary } = model;
    const plain = (await decode(greedy())).map(({ best }) => best.tokenIds);
    for (const row of sources.keys()) expect((await decode(greedy(), [row]))[0].best.tokenIds).toEqual(plain[row]);
    for (const drafter of [ngramDrafter({ vocabulary }), copyDrafter({ vocabulary, shape: 'tree' })]) {
      const drafted = await decode(speculative({ drafter }));
      expect(drafted.map(({ best }) => best.tokenIds)).toEqual(plain);
    }
  });

  it('draws the same of a seed, alone and together', async () => {
    const decoder = sampling({ temperature: 0.8, topP: 0.95 });
    const [alone] = await decode(decoder, [0]);
    expect(alone.best.tokenIds).toEqual((await decode(decoder))[0].best.tokenIds);
  });

  it('says the same bits of a node, however many are read and scored beside it', async () => {
    const prefix = [5, 9, 3, 12, 7, 2, 30, 4, 4, 11];
    const { size } = model.vocabulary;
    const whole = await logProbsOf(2, prefix);
    for (let length = 0; length < prefix.length; length++) {
      expect(await logProbsOf(2, prefix.slice(0, length))).toEqual(whole.subarray(0, (length + 1) * size));
    }
  });
});

it('in 8 bits says the same greedily and with drafts, alone and together', async () => {
  await using loaded = await loadModel(await marianBinFolder('firefox', { weights: 'int8' }), { probe: false });
  const model = loaded.part('autoregressive');
  const sources = (await marianBinGoldens('firefox')).map(({ source }) => Int32Array.from(source));
  const drafter = copyDrafter({ vocabulary: model.vocabulary, shape: 'tree' });
  const said = async (decoder: ReturnType<typeof greedy>, rows: readonly TokenSource[]) =>
    (await collect(decoder.decode(model, { sources: rows, maxNewTokens: 30 }))).results.map(
      ({ best }) => best.tokenIds,
    );
  const plain = await said(greedy(), sources);
  expect(await said(speculative({ drafter }), sources)).toEqual(plain);
  for (const [row, source] of sources.entries()) expect(await said(greedy(), [source])).toEqual([plain[row]]);
});
