import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { CtcInput, CtcManifest, FloatSource, ModelManifest } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import { normalised } from '../../models/src/audio/normalised.js';
import { wavOf } from '../../models/test/wav-fixture.js';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { importCtcModel } from '../src/index.js';
import { folder, load, refusal } from './ctc-folders.js';
import { SAMPLES, SCALED, SOUND_LABELS, writeSoundGraph } from './ctc-sound-fixture.js';

let count = 0;

/** Imports a graph of sound from a folder where this is the preprocessor's config. */
async function hearing(config: unknown, options: Partial<CtcImportOptions> = {}, graphsBelow = false): Promise<string> {
  const root = join(folder, `sound-${count++}`);
  const graphs = graphsBelow ? join(root, 'onnx') : root;
  await mkdir(graphs, { recursive: true });
  const graph = await writeSoundGraph(graphs);
  if (config !== undefined) await writeFile(join(root, 'preprocessor_config.json'), JSON.stringify(config));
  const target = join(root, 'model');
  await importCtcModel(graph, target, { dictionary: SOUND_LABELS, ...options });
  return target;
}

const refused = async (said: Promise<unknown>): Promise<ForetokenError> => {
  const error: unknown = await said.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!ForetokenError.isInstance(error)) throw error ?? new Error('was not refused');
  return error;
};

const samples = Float32Array.from(SAMPLES);
/** As wav2vec2 has it. */
const CONFIG = { do_normalize: true, feature_size: 1, padding_value: 0, sampling_rate: 16_000 };

describe('a CTC graph that hears samples', () => {
  it('is given sound as its preprocessor would make it', async () => {
    for (const below of [false, true]) {
      await using model = await load(await hearing(CONFIG, {}, below));
      expect(model.manifest).toMatchObject({ sound: { sampleRate: 16_000, normalised: true } });
      const wav = wavOf(samples);
      const inputs: readonly CtcInput[] = [samples, wav, { samples }, { wav }, { samples, sampleRate: 16_000 }];
      for (const input of inputs) {
        expect(await model.decode(input, ctcGreedy<FloatSource>())).toMatchObject({ text: 'abcd' });
      }
      // Numbers with dimensions are what the graph reads, as they are.
      const raw = { values: samples, dims: [samples.length] };
      expect(await model.decode(raw, ctcGreedy<FloatSource>())).toMatchObject({ text: 'aab' });
      const facts = model.description.facts.map(([name, fact]) => `${name}: ${fact}`);
      expect(facts).toContain('sound: 16000 samples a second, with mean 0 and variance 1');
    }
  });

  it.each([
    ['a config that scales nothing', { ...CONFIG, do_normalize: false }, {}, 16_000, false],
    ['a config that leaves it to its extractor', { sampling_rate: 8_000 }, {}, 8_000, true],
    ['an empty config', {}, {}, 16_000, true],
    ['a rate that is told', undefined, { sampleRate: 22_050 }, 22_050, false],
    ['both told', undefined, { sampleRate: 16_000, normalise: true }, 16_000, true],
    ['told what the config says', CONFIG, { sampleRate: 16_000, normalise: true }, 16_000, true],
  ] as const)('knows them by %s', async (_, config, told, sampleRate, normalised) => {
    await using model = await load(await hearing(config, told));
    expect(model.manifest).toMatchObject({ sound: { sampleRate, normalised } });
    const { text } = await model.decode(samples, ctcGreedy<FloatSource>());
    expect(text).toBe(normalised ? 'abcd' : 'aab');
  });

  it('that nobody knows the rate of is given samples alone, as they are', async () => {
    await using model = await load(await hearing(undefined));
    expect((model.manifest as ModelManifest & Partial<CtcManifest>).sound).toBeUndefined();
    expect(await model.decode(samples, ctcGreedy<FloatSource>())).toMatchObject({ text: 'aab' });
    for (const input of [wavOf(samples), { samples }]) {
      expect(await refused(model.decode(input, ctcGreedy<FloatSource>()))).toMatchObject({
        code: 'UNSUPPORTED_CAPABILITY',
        message: expect.stringMatching(/--sample-rate/),
      });
    }
  });

  it('counts what it reads at most in its own rate', async () => {
    await using model = await load(await hearing(CONFIG, { maxLength: 10 }));
    const slow = { samples, sampleRate: 8_000 };
    expect((await refused(model.decode(slow, ctcGreedy<FloatSource>()))).code).toBe('SOURCE_TOO_LONG');
    expect((await refused(model.decode(new Float32Array(), ctcGreedy<FloatSource>()))).code).toBe('EMPTY_SOURCE');
  });

  it('cannot be told a language, a task or timestamps', async () => {
    await using model = await load(await hearing(CONFIG));
    for (const told of [{ language: 'en' }, { task: 'translate' as const }, { timestamps: true }]) {
      expect(await refused(model.decode({ samples, ...told }, ctcGreedy<FloatSource>()))).toMatchObject({
        code: 'UNSUPPORTED_CAPABILITY',
        details: { capability: Object.keys(told)[0] },
      });
    }
  });

  it.each([
    [CONFIG, { sampleRate: 8_000 }, 'INVALID_ARGUMENT', /sampleRate must be left out, or 16000 as preproc/],
    [CONFIG, { normalise: false }, 'INVALID_ARGUMENT', /normalise must be left out, or true as preproc/],
    [undefined, { normalise: true }, 'INVALID_ARGUMENT', /normalise must be given together with sampleRate/],
    [{ feature_extractor_type: 'SeamlessM4TFeatureExtractor' }, {}, 'UNSUPPORTED_MODEL', /feature_extractor_type/],
    [{ sampling_rate: 0 }, {}, 'UNSUPPORTED_MODEL', /sampling_rate is 0/],
    [{ sampling_rate: '16000' }, {}, 'UNSUPPORTED_MODEL', /sampling_rate is "16000"/],
    [{ do_normalize: 1 }, {}, 'UNSUPPORTED_MODEL', /do_normalize is 1/],
    [[], {}, 'UNSUPPORTED_MODEL', /the whole file/],
  ] as const)('refuses %j with %j', async (config, told, code, message) => {
    expect(await refused(hearing(config, told))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is no graph of features', async () => {
    for (const told of [{ sampleRate: 16_000 }, { normalise: true }]) {
      const error = await refusal({ classes: 6, blankId: 0 }, told);
      expect(error).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/reads no samples of sound/),
      });
    }
  });
});

it('samples are scaled as transformers scales them; silence stays silence', () => {
  const scaled = normalised(samples);
  for (const [at, value] of SCALED.entries()) expect(scaled[at]).toBeCloseTo(value, 6);
  expect(Array.from(normalised(new Float32Array(3).fill(0.5)))).toEqual([0, 0, 0]);
});
