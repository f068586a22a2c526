import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { tokenForestConformance } from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { type AudioSource, type SpeechInput, type SpeechOutput, timestampRules } from '../src/speech.js';
import { exportFolder } from './export-folders.js';
import { refusal } from './folder-fixtures.js';
import { soundOf, spectrumGoldens, spectrumSource } from './spectrum-fixtures.js';

type SpeechModel = LoadedModel<SpeechInput, SpeechOutput, AudioSource>;
type Decoder = ReturnType<typeof greedy<AudioSource>>;

const open = (kind: string, options: object = {}): Promise<SpeechModel> =>
  loadModel(exportFolder(kind), { probe: false, improveGraph: false, ...options });

async function decode(
  target: AutoregressiveModel<AudioSource>,
  decoder: Decoder,
  sources: readonly AudioSource[],
  maxNewTokens: number,
) {
  const { results } = await collect(decoder.decode(target, { sources, maxNewTokens }));
  return results;
}

async function best(...given: Parameters<typeof decode>): Promise<number[][]> {
  return (await decode(...given)).map((row) => [...row.best.tokenIds]);
}

describe.each(['spectra', 'spectra-en', 'genai-spectra'])(
  'an exported model that reads spectra and is told what to do: %s',
  async (kind) => {
    const goldens = await spectrumGoldens(kind);
    const { rows, newTokens, suppressed, first } = goldens;
    const sources = rows.map((row) => spectrumSource(goldens, row));
    const model = await open(kind);
    const target = model.part('autoregressive');
    afterAll(() => model.dispose());

    it('has the logits of transformers to 1e-4 after every token, and never what is suppressed', async () => {
      for (const [row, { fed, begin, logits: required }] of rows.entries()) {
        await using forest = await target.open([sources[row]]);
        expect([...forest.start(0).prefix]).toEqual(fed.slice(0, begin));
        const nodes = new NodeBatch();
        nodes.addChain(0, ROOT, fed, 'all');
        const { logits } = await forest.extend(nodes, { kind: 'logits' });
        const { size } = target.vocabulary;
        for (const [at, values] of required.entries()) {
          const own = logits.subarray(at * size, (at + 1) * size);
          const never = at === begin - 1 ? [...suppressed, ...first] : suppressed;
          expect(
            [...own.entries()].filter(([, score]) => score === Number.NEGATIVE_INFINITY).map(([id]) => id),
          ).toEqual(never.toSorted((a, b) => a - b));
          for (const [index, value] of values.entries()) {
            if (!never.includes(7 * index)) expect(Math.abs(own[7 * index] - value)).toBeLessThan(1e-4);
          }
        }
      }
    });

    it('has its greedy outputs, alone and together, and with drafts', async () => {
      const plain = rows.map((row) => row.greedy);
      const drafter = ngramDrafter<AudioSource>({ vocabulary: target.vocabulary, lookIn: 'output' });
      for (const decoder of [greedy<AudioSource>(), speculative<AudioSource>({ drafter })]) {
        expect(await best(target, decoder, sources, newTokens)).toEqual(plain);
        for (const [row, source] of sources.entries()) {
          expect(await best(target, decoder, [source], newTokens)).toEqual([plain[row]]);
        }
      }
    });

    it('has its n-best lists of a beam of four, scores too', async () => {
      const decoder = beamSearch<AudioSource>({
        beamSize: 4,
        hypotheses: 4,
        stopWhen: 'improvement-unlikely',
        lengthPenalty: 1,
      });
      for (const [row, { hypotheses }] of (await decode(target, decoder, sources, newTokens)).entries()) {
        expect(hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual(rows[row].beam);
        for (const [index, score] of rows[row].scores.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
      }
    });

    it('has its outputs with timestamps', async () => {
      const decoder = greedy<AudioSource>({ processors: [timestampRules(model.manifest)] });
      const timed = sources.map((source) => ({ ...source, timestamps: true }));
      expect(await best(target, decoder, timed, newTokens)).toEqual(rows.map((row) => row.timestamps));
    });

    it('hears sounds as it does', async () => {
      const language = rows[0].language === null ? undefined : 'fr';
      for (const { sound, greedy: tokens, text } of goldens.sounds) {
        const input = { samples: soundOf(...sound), language };
        const result = await model.decode(input, greedy<AudioSource>(), { maxNewTokens: newTokens });
        expect([...result.tokenIds]).toEqual(tokens);
        expect(result.text).toBe(text);
      }
    });

    it('fills all its positions', async () => {
      const row = rows.findIndex((one) => one.greedy.length === newTokens);
      const [{ tokenIds }] = (await decode(target, greedy<AudioSource>(), [sources[row]], 1000)).map(
        ({ best }) => best,
      );
      // The last token needs no position.
      expect(tokenIds.length).toBe(target.maxLength - rows[row].begin + 1);
      expect([...tokenIds.slice(0, newTokens)]).toEqual(rows[row].greedy);
    });
  },
);

describe('an exported model of spectra in other precisions', async () => {
  const goldens = await spectrumGoldens('spectra');
  const { rows, newTokens } = goldens;
  const sources = rows.map((row) => spectrumSource(goldens, row));

  it('reads spectra in halves with one merged decoder, and rounds as such graphs do', async () => {
    await using model = await open('spectra', { precision: 'fp16' });
    const target = model.part('autoregressive');
    const { size } = target.vocabulary;
    for (const [row, { fed, logits: required }] of rows.entries()) {
      await using forest = await target.open([sources[row]]);
      const nodes = new NodeBatch();
      nodes.addChain(0, ROOT, fed, 'all');
      const { logits } = await forest.extend(nodes, { kind: 'logits' });
      const differences = required
        .flatMap((values, at) => values.map((value, index) => Math.abs(logits[at * size + 7 * index] - value)))
        .filter(Number.isFinite);
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      // ONNX Runtime in Python differs by 0.008 at most, with logits that spread over 2.3.
      expect(mean).toBeLessThan(0.02);
      expect(mean).toBeGreaterThan(1e-5);
    }
  });

  it('says of products in 8 bits that rows depend on one another, and decodes all the same', async () => {
    await using model = await open('spectra', { precision: 'q8' });
    expect(model.description.facts).toContainEqual(['rows', expect.stringMatching(/DynamicQuantizeLinear/)]);
    const target = model.part('autoregressive');
    for (const decoder of [greedy<AudioSource>(), beamSearch<AudioSource>({ beamSize: 3 })]) {
      const outputs = await best(target, decoder, sources, newTokens);
      expect(outputs.map((tokens) => tokens.length)).toEqual(rows.map(() => newTokens));
    }
    await using mixed = await open('spectra', { precision: { encoder: 'fp32', decoder: 'q8' } });
    expect(mixed.manifest).toMatchObject({ precision: 'fp32.q8' });
  });
});

describe('an exported model of several languages', () => {
  let model: SpeechModel;
  beforeAll(async () => {
    model = await open('spectra');
  });
  afterAll(() => model.dispose());

  it('finds the language that is spoken, of the rows that name none', async () => {
    const goldens = await spectrumGoldens('spectra');
    const { rows } = goldens;
    expect(new Set(rows.map(({ heard }) => heard)).size).toBeGreaterThan(1);
    const tokens = (model.manifest as unknown as { speech: { languages: Record<string, number> } }).speech.languages;
    const sources = rows.map((row, at) => spectrumSource(goldens, { ...row, language: at === 1 ? 'de' : null }));
    await using forest = await model.part('autoregressive').open(sources);
    expect(rows.map((_, row) => forest.start(row).prefix[1])).toEqual(
      rows.map(({ heard }, at) => tokens[at === 1 ? 'de' : heard]),
    );
  });

  it.each([
    ['an unknown language', { samples: soundOf(99, 5, 37), language: 'xx' }, 'INVALID_ARGUMENT', /en, de, fr, yue/],
    ['an unknown task', { samples: soundOf(99, 5, 37), task: 'sing' }, 'INVALID_ARGUMENT', /transcribe/],
    ['no sound', new Float32Array(), 'EMPTY_SOURCE', /no samples/],
    ['more than a window', new Float32Array(16_001), 'SOURCE_TOO_LONG', /1 s.*cutSound/],
    ['what is no number', Float32Array.of(0, Number.NaN), 'INVALID_ARGUMENT', /Sample 1.*NaN/],
  ] as const)('refuses %s, saying why', async (_, input, code, words) => {
    const error = await refusal(() => model.decode(input as never, greedy<AudioSource>()));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });

  it.each([
    ['other bands', { values: new Float32Array(1000), dims: [10, 100] }, 'INVALID_ARGUMENT', /\[8, 100\]/],
    ['fewer frames', { values: new Float32Array(784), dims: [8, 98] }, 'INVALID_ARGUMENT', /\[8, 100\]/],
    ['samples', { values: new Float32Array(800), dims: [800] }, 'INVALID_ARGUMENT', /\[8, 100\]/],
    [
      'an infinite value',
      { values: new Float32Array(800).fill(Number.POSITIVE_INFINITY, 101), dims: [8, 100] },
      'INVALID_ARGUMENT',
      /\[1, 1\]/,
    ],
    [
      'a language that it does not know',
      { values: new Float32Array(800), dims: [8, 100], language: 'xx' },
      'INVALID_ARGUMENT',
      /language/,
    ],
    ['nothing', undefined, 'INVALID_ARGUMENT', /sources\[0\]/],
  ])('refuses a source of %s before it computes', async (_, source, code, words) => {
    model.timings.reset();
    const error = await refusal(() => best(model.part('autoregressive'), greedy<AudioSource>(), [source as never], 4));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(model.timings.runs).toBe(0);
  });
});

describe('an exported model of English alone', async () => {
  const model = await open('spectra-en');
  afterAll(() => model.dispose());

  it('takes no other language and no translation', async () => {
    const samples = soundOf(99, 5, 37);
    for (const told of [{ language: 'de' }, { task: 'translate' }] as const) {
      const error = await refusal(() => model.decode({ samples, ...told }, greedy<AudioSource>()));
      expect(error.code).toBe('UNSUPPORTED_CAPABILITY');
    }
    expect((await model.processor.read({ samples, language: 'en' })).source.dims).toEqual([10, 100]);
  });

  tokenForestConformance({
    runner: { describe, it },
    name: 'of spectra',
    createModel: () => model.part('autoregressive') as never,
    sources: (await spectrumGoldens('spectra-en').then((goldens) =>
      goldens.rows.slice(0, 3).map((row) => spectrumSource(goldens, row)),
    )) as never,
    tolerance: 2e-5,
    scripts: 2,
  });
});
