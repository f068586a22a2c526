import { readFile } from 'node:fs/promises';
import { Yielder } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutSound } from '../src/audio/cut-sound.js';
import { FourierTransform } from '../src/audio/fourier.js';
import { logMelSpectrum } from '../src/audio/log-mel.js';
import { resample } from '../src/audio/resample.js';
import { readWav } from '../src/audio/wav.js';

const GOLDENS = new URL('../../importers/test/goldens/whisper/expected.json', import.meta.url);
const SEED = { seed: 5 };

/** As apps/distill/make_whisper_goldens.py makes it: a tone that rises, and noise. */
function sound(count: number): Float32Array {
  let state = 12_345;
  return Float32Array.from({ length: count }, (_, at) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const seconds = at / 16_000;
    return 0.4 * Math.sin(2 * Math.PI * (200 * seconds + 1500 * seconds ** 2)) + 0.05 * (state / 2 ** 31 - 1);
  });
}

describe('log-mel spectra', () => {
  it('are those of the feature extractor of transformers', async () => {
    const { spectra } = JSON.parse(await readFile(GOLDENS, 'utf8')) as {
      readonly spectra: readonly { readonly mels: number; readonly samples: number; readonly values: string }[];
    };
    expect(spectra.map(({ mels }) => mels)).toEqual([80, 128]);
    for (const { mels, samples, values } of spectra) {
      const golden = new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer);
      const own = await logMelSpectrum(sound(samples), mels, 100);
      expect(own.length).toBe(golden.length);
      for (const [at, value] of own.entries()) expect(Math.abs(value - golden[at])).toBeLessThan(5e-5);
    }
  });

  it('of silence and of an odd number of frames are numbers', async () => {
    const silence = await logMelSpectrum(new Float32Array(), 8, 5);
    expect([...new Set(silence)]).toEqual([Math.fround(-1.5)]);
    const [even, odd] = [await logMelSpectrum(sound(900), 8, 6), await logMelSpectrum(sound(900), 8, 5)];
    // All frames but those at the end, where the sound is mirrored, see the same samples.
    for (let frame = 0; frame < 3; frame++) expect(odd[frame]).toBeCloseTo(even[frame], 5);
  });
});

describe('a Fourier transform', () => {
  it('of any length is the sum that defines it', () => {
    const lengths = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (length, stream) => {
        const input = Float64Array.from({ length: 2 * length }, () => stream.next().value as number);
        const output = new Float64Array(2 * length);
        new FourierTransform(length).transform(input, output);
        for (let bin = 0; bin < length; bin++) {
          let [real, imaginary] = [0, 0];
          for (let at = 0; at < length; at++) {
            const [cosine, sine] = [Math.cos, Math.sin].map((of) => of((-2 * Math.PI * at * bin) / length));
            real += input[2 * at] * cosine - input[2 * at + 1] * sine;
            imaginary += input[2 * at] * sine + input[2 * at + 1] * cosine;
          }
          expect(output[2 * bin]).toBeCloseTo(real, 9);
          expect(output[2 * bin + 1]).toBeCloseTo(imaginary, 9);
        }
      }),
      { ...SEED, numRuns: 60 },
    );
  });
});

describe('resampling', () => {
  it.each([48_000, 44_100, 22_050, 8000])('from %d keeps a tone, its phase and its loudness', async (rate) => {
    const tone = (at: number, of: number): number => 0.7 * Math.sin((2 * Math.PI * 1000 * at) / of + 0.3);
    const samples = Float32Array.from({ length: rate / 4 }, (_, at) => tone(at, rate));
    const own = await resample(samples, rate, 16_000, new Yielder(undefined));
    expect(own.length).toBe(4000);
    for (let at = 400; at < 3600; at++) expect(Math.abs(own[at] - tone(at, 16_000))).toBeLessThan(1e-3);
  });

  it('takes away what the new rate cannot hold', async () => {
    const samples = Float32Array.from({ length: 12_000 }, (_, at) =>
      Math.sin((2 * Math.PI * 12_000 * at) / 48_000 + 0.2),
    );
    const own = await resample(samples, 48_000, 16_000, new Yielder(undefined));
    for (let at = 400; at < own.length - 400; at++) expect(Math.abs(own[at])).toBeLessThan(1e-3);
  });
});

interface WavParts {
  readonly format: number;
  readonly bits: number;
  readonly channels: number;
  readonly data: Uint8Array;
  readonly dataSize?: number;
}

function wav({ format, bits, channels, data, dataSize = data.length }: WavParts): Uint8Array {
  const bytes = new Uint8Array(44 + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('RIFF....WAVEfmt '), 0);
  view.setUint32(16, 16, true);
  view.setUint16(20, format, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, 16_000, true);
  view.setUint16(34, bits, true);
  bytes.set(Buffer.from('data'), 36);
  view.setUint32(40, dataSize, true);
  bytes.set(data, 44);
  return bytes;
}

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe('WAV files', () => {
  it.each([
    [1, 8, bytesOf(Uint8Array.of(128, 192, 0))],
    [1, 16, bytesOf(Int16Array.of(0, 16_384, -32_768))],
    [1, 24, Uint8Array.of(0, 0, 0, 0, 0, 0x40, 0, 0, 0x80)],
    [1, 32, bytesOf(Int32Array.of(0, 2 ** 30, -(2 ** 31)))],
    [3, 32, bytesOf(Float32Array.of(0, 0.5, -1))],
    [3, 64, bytesOf(Float64Array.of(0, 0.5, -1))],
  ])('of format %d and %d bits are read', (format, bits, data) => {
    const { samples, sampleRate } = readWav(wav({ format, bits, channels: 1, data }));
    expect([...samples]).toEqual([0, 0.5, -1]);
    expect(sampleRate).toBe(16_000);
  });

  it('of two channels become one; sizes that a pipe could not write are those of the file', () => {
    const data = bytesOf(Int16Array.of(16_384, 0, -16_384, -16_384));
    const file = { format: 1, bits: 16, channels: 2, data };
    expect([...readWav(wav(file)).samples]).toEqual([0.25, -0.5]);
    expect([...readWav(wav({ ...file, dataSize: 0xffffffff })).samples]).toEqual([0.25, -0.5]);
  });

  const good = { format: 1, bits: 16, channels: 1, data: bytesOf(Int16Array.of(1, 2)) };
  it.each([
    ['nothing', new Uint8Array(), 'INVALID_ARGUMENT', 'the beginning'],
    ['an MP3 file', new Uint8Array(Buffer.from('ID3\u0003aaaaaaaaaaaa')), 'INVALID_ARGUMENT', 'the beginning'],
    ['no sound', wav({ ...good, data: new Uint8Array() }), 'EMPTY_SOURCE', undefined],
    ['compressed sound', wav({ ...good, format: 85 }), 'INVALID_ARGUMENT', 'format'],
    ['12 bits', wav({ ...good, bits: 12 }), 'INVALID_ARGUMENT', 'format'],
    ['no channels', wav({ ...good, channels: 0 }), 'INVALID_ARGUMENT', 'channels'],
    ['less than it says', wav({ ...good, dataSize: 5000 }), 'INVALID_ARGUMENT', 'size of "data"'],
    ['a header alone', wav(good).subarray(0, 36), 'INVALID_ARGUMENT', '"data"'],
  ])('with %s are refused, naming what is wrong', (_, bytes, code, field) => {
    expect(() => readWav(bytes)).toThrow(
      expect.objectContaining({ code, details: field === undefined ? {} : expect.objectContaining({ field }) }),
    );
  });

  it('changed at random are read or refused by code', () => {
    const file = wav({ ...good, data: bytesOf(Int16Array.from({ length: 40 }, (_, at) => at)) });
    const changes = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(changes, fc.nat(file.length), (edits, length) => {
        const changed = file.slice(0, length);
        for (const [at, byte] of edits) if (at < changed.length) changed[at] = byte;
        try {
          readWav(changed);
        } catch (error) {
          expect(['INVALID_ARGUMENT', 'EMPTY_SOURCE']).toContain((error as { code?: string }).code);
        }
      }),
      { ...SEED, numRuns: 2000 },
    );
  });
});

describe('long sound', () => {
  it('is cut in its pauses, into windows that are all of it', () => {
    const samples = Float32Array.from({ length: 70_000 }, (_, at) => (at > 24_000 && at < 26_000 ? 0 : Math.sin(at)));
    const windows = cutSound(samples, { sampleRate: 1000, seconds: 30 });
    expect(windows[0].length).toBeGreaterThan(24_000);
    expect(windows[0].length).toBeLessThan(26_000);
    expect(Math.max(...windows.map(({ length }) => length))).toBeLessThanOrEqual(30_000);
    expect(Float32Array.from(windows.flatMap((window) => [...window]))).toEqual(samples);
    expect(() => cutSound(new Float32Array())).toThrow(expect.objectContaining({ code: 'EMPTY_SOURCE' }));
    expect(() => cutSound(samples, { seconds: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
