import { fileURLToPath } from 'node:url';
import { greedy } from '@foretoken/greedy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { type AudioSource, cutSound, type SpeechInput, type SpeechOutput } from '../src/speech.js';
import { imported } from './student-fixtures.js';
import { wavOf } from './wav-fixture.js';

const WEIGHTS = fileURLToPath(new URL('../../importers/test/goldens/whisper/transformers', import.meta.url));
/** Samples of a window of the golden model: 48 frames. */
const WINDOW = 48 * 160;

const tone = (length: number): Float32Array => Float32Array.from({ length }, (_, at) => 0.3 * Math.sin(at / 7));

describe('sound', () => {
  let model: LoadedModel<SpeechInput, SpeechOutput, AudioSource>;
  beforeAll(async () => {
    model = await loadModel<SpeechInput, SpeechOutput, AudioSource>(await imported(WEIGHTS), { probe: false });
  });
  afterAll(() => model.dispose());
  const decode = (input: SpeechInput) => model.decode(input, greedy<AudioSource>(), { maxNewTokens: 6 });

  it('is the same as samples, at another rate, and as a file', async () => {
    const samples = tone(WINDOW);
    const { values } = (await decode(samples)).source;
    const { source } = await decode({ samples, sampleRate: 16_000, language: 'de', task: 'translate' });
    expect(source.values).toEqual(values);
    expect(source).toMatchObject({ dims: [8, 48], language: 'de', task: 'translate' });
    const bytes = wavOf(samples);
    for (const input of [bytes, { wav: bytes }]) {
      const own = (await decode(input)).source.values;
      for (const [at, value] of own.entries()) expect(Math.abs(value - values[at])).toBeLessThan(0.05);
    }
    const double = Float32Array.from({ length: 2 * WINDOW }, (_, at) => 0.3 * Math.sin(at / 14));
    expect((await decode({ samples: double, sampleRate: 32_000 })).source.dims).toEqual([8, 48]);
  });

  it('of several windows is decoded together, as each alone', async () => {
    const windows = cutSound(tone(3 * WINDOW), { seconds: 1 });
    expect(windows.length).toBe(2);
    const parts = windows.map((window) => window.subarray(0, WINDOW));
    const together = await model.decode(parts, greedy<AudioSource>(), { maxNewTokens: 6 });
    for (const [index, part] of parts.entries()) {
      expect([...together[index].tokenIds]).toEqual([...(await decode(part)).tokenIds]);
    }
  });

  it('with timestamps has pieces of text with their times', async () => {
    const { segments, tokenIds, text } = await decode({ samples: tone(WINDOW), timestamps: true });
    expect(segments).toBeDefined();
    expect(text).toBe(segments?.map((segment) => segment.text).join(''));
    const { noTimestampsTokenId } = (model.manifest as unknown as { speech: { noTimestampsTokenId: number } }).speech;
    const write = (ids: number[]) =>
      model.processor.write(
        { tokenIds: Int32Array.from(ids), finishReason: 'length' },
        { values: new Float32Array(), dims: [], timestamps: true },
      );
    const at = (seconds: number): number => noTimestampsTokenId + 1 + Math.round(seconds / 0.02);
    expect(write([at(0.5), 40, at(1.2), at(2), 41]).segments).toEqual([
      { begin: 0.5, end: 1.2, text: expect.any(String) },
      { begin: 2, text: expect.any(String) },
    ]);
    expect(tokenIds.length).toBeLessThanOrEqual(6);
  });

  it.each([
    ['no samples', new Float32Array(), 'EMPTY_SOURCE', /no samples/],
    ['more than a window', tone(WINDOW + 1), 'SOURCE_TOO_LONG', /cutSound/],
    ['a sample that is no number', Float32Array.of(0, Number.NaN), 'INVALID_ARGUMENT', /Sample 1/],
    ['an unknown language', { samples: tone(10), language: 'xx' }, 'INVALID_ARGUMENT', /en, de, fr, yue/],
    ['an unknown task', { samples: tone(10), task: 'sing' }, 'INVALID_ARGUMENT', /transcribe/],
    ['an unknown field', { samples: tone(10), lang: 'en' }, 'INVALID_ARGUMENT', /lang/],
    ['a rate of nothing', { samples: tone(10), sampleRate: 0 }, 'INVALID_ARGUMENT', /sampleRate/],
    ['samples and a file', { samples: tone(10), wav: new Uint8Array(1) }, 'INVALID_ARGUMENT', /samples/],
    ['no sound at all', { samples: undefined, wav: undefined }, 'INVALID_ARGUMENT', /samples/],
    ['a list of numbers', { samples: [1, 2] }, 'INVALID_ARGUMENT', /samples/],
    ['a text', 'recording.wav', 'INVALID_ARGUMENT', /Float32Array/],
    ['what is no WAV file', new Uint8Array(100), 'INVALID_ARGUMENT', /WAV/],
  ] as const)('of %s is refused', async (_, input, code, message) => {
    await expect(decode(input as never)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('as a source of the wrong size is refused', async () => {
    const part = model.part('autoregressive');
    for (const source of [{ values: new Float32Array(3), dims: [1, 3] }, new Int32Array(4), undefined]) {
      await expect(part.open([source as never])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(part.open([])).rejects.toMatchObject({ code: 'EMPTY_SOURCE' });
  });
});
