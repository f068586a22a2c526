import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import {
  ENCODER_DECODER_KINDS,
  type EncoderDecoderGolden,
  encoderDecoderFolder,
  encoderDecoderGoldens,
} from './encoder-decoder-fixtures.js';

const NEW_TOKENS = 20;

describe.each(ENCODER_DECODER_KINDS)('a %s model against transformers on the same weights', (kind) => {
  let loaded: LoadedModel;
  let model: AutoregressiveModel<TokenSource>;
  let goldens: readonly EncoderDecoderGolden[];
  let suppressed: readonly number[];
  let sources: readonly TokenSource[];
  /** What rows begin with beside what the model begins all outputs with. */
  let outputPrefixes: readonly Int32Array[];

  beforeAll(async () => {
    ({ rows: goldens, suppressed } = await encoderDecoderGoldens(kind));
    sources = goldens.map(({ source }) => Int32Array.from(source));
    loaded = await loadModel(await encoderDecoderFolder(kind), { probe: false });
    model = loaded.part('autoregressive');
    await using forest = await model.open([sources[0]]);
    const own = forest.start(0).prefix.length;
    outputPrefixes = goldens.map(({ beginning }) => Int32Array.from(beginning.slice(own)));
  });
  afterAll(() => loaded.dispose());

  const decode = async (
    decoder: Parameters<typeof loaded.decode>[1],
    rows: readonly number[] = [...sources.keys()],
  ) => {
    const request = {
      sources: rows.map((row) => sources[row]),
      outputPrefixes: rows.map((row) => outputPrefixes[row]),
      maxNewTokens: NEW_TOKENS,
      seed: 7,
    };
    return (await collect((decoder as ReturnType<typeof greedy>).decode(model, request))).results;
  };
  const written = (row: number, tokenIds: Int32Array): number[] => [...tokenIds.subarray(outputPrefixes[row].length)];

  const logitsOf = async (row: number, prefix: readonly number[]): Promise<Float32Array> => {
    await using forest = await model.open([sources[row]]);
    expect([...forest.start(0).prefix]).toEqual(prefix.slice(0, forest.start(0).prefix.length));
    const nodes = new NodeBatch();
    nodes.addChain(0, ROOT, Int32Array.from(prefix), 'all');
    return (await forest.extend(nodes, { kind: 'logits' })).logits;
  };

  it('has the same logits to 1e-4', async () => {
    for (const [row, { prefix, logits: expected }] of goldens.entries()) {
      const logits = await logitsOf(row, prefix);
      const { size } = model.vocabulary;
      const last = logits.subarray(logits.length - expected.length * size);
      for (const [index, value] of expected.flat().entries()) {
        if (suppressed.includes(index % size)) expect(last[index]).toBeLessThan(-50_000);
        else expect(Math.abs(last[index] - value)).toBeLessThan(1e-4);
      }
    }
  });

  it('has the same greedy outputs, alone and together', async () => {
    const together = await decode(greedy());
    for (const [row, { greedy: expected }] of goldens.entries()) {
      const [alone] = await decode(greedy(), [row]);
      expect(written(row, alone.best.tokenIds)).toEqual(expected);
      expect(written(row, together[row].best.tokenIds)).toEqual(expected);
    }
  });

  it('has the same n-best list of a beam of four, scores too', async () => {
    const stopWhen = 'improvement-unlikely';
    const results = await decode(beamSearch({ beamSize: 4, hypotheses: 4, stopWhen, lengthPenalty: 1 }));
    for (const [row, { beam, scores }] of goldens.entries()) {
      const { hypotheses } = results[row];
      expect(hypotheses.map(({ tokenIds }) => written(row, tokenIds))).toEqual(beam);
      for (const [index, score] of scores.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
    }
  });

  it('is the same with drafts looked up in source and output', async () => {
    const { vocabulary } = model;
    const plain = (await decode(greedy())).map(({ best }) => best.tokenIds);
    for (const drafter of [ngramDrafter({ vocabulary }), copyDrafter({ vocabulary, shape: 'tree' })]) {
      const drafted = await decode(speculative({ drafter }));
      expect(drafted.map(({ best }) => best.tokenIds)).toEqual(plain);
    }
  });

  it('draws the same of a seed, alone and together', async () => {
    const decoder = sampling({ temperature: 0.8, topP: 0.95 });
    // Draws depend on a row's place.
    const [alone] = await decode(decoder, [0]);
    expect(alone.best.tokenIds).toEqual((await decode(decoder))[0].best.tokenIds);
  });

  it('says the same bits of a node, however many are read and scored beside it', async () => {
    const { prefix } = goldens[2];
    const { size } = model.vocabulary;
    const whole = await logitsOf(2, prefix);
    for (let length = 3; length < prefix.length; length++) {
      const part = await logitsOf(2, prefix.slice(0, length));
      expect(part).toEqual(whole.subarray(0, length * size));
    }
  });

  it('reads and writes texts as its tokenizer does, in the languages that are given', async () => {
    for (const [row, { text, sourceLanguage, targetLanguage, source, greedy: expected, said }] of goldens.entries()) {
      const languages = { sourceLanguage: sourceLanguage ?? undefined, targetLanguage: targetLanguage ?? undefined };
      const input = sourceLanguage === null && targetLanguage === null ? text : { text, ...languages };
      const result = await loaded.decode(input as string, greedy(), { maxNewTokens: NEW_TOKENS });
      expect([...result.source]).toEqual(source);
      expect([...result.tokenIds]).toEqual([...outputPrefixes[row], ...expected]);
      expect(plain(result.text)).toBe(plain(said));
    }
  });
});

/** Without languages, which transformers shows where they are no special tokens, and with one space for several. */
const plain = (text: string): string =>
  text
    .replaceAll(/__[a-z]+__/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
