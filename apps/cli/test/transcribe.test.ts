import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importModel } from '@foretoken/importers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wavOf } from '../../../packages/models/test/wav-fixture.js';
import { services as packages } from '../src/services.js';
import { cli } from './support.js';

const GOLDENS = fileURLToPath(new URL('../../../packages/importers/test/goldens/whisper/', import.meta.url));
let folder: string;
let model: string;
let recording: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-speech-'));
  model = join(folder, 'model');
  recording = join(folder, 'recording.wav');
  await importModel(join(GOLDENS, 'ctranslate2'), model);
  await writeFile(recording, wavOf(Float32Array.from({ length: 6400 }, (_, at) => Math.sin(at / 9) / 2)));
});
afterAll(() => rm(folder, { recursive: true }));

/** Of an exporter; the second in the format and with the operators of real ones. */
const EXPORTS = ['speech', 'speech-ort'].map((name) =>
  fileURLToPath(new URL(`../../../packages/models/test/goldens/exports/${name}`, import.meta.url)),
);

const { loadModel, inspectWeights, describeModel, openModelFolder, improvedGraphs, cores } = packages;
const services = { loadModel, inspectWeights, describeModel, openModelFolder, improvedGraphs, cores };
const command = (...line: readonly string[]) => cli(line, { services });

describe('inspect', () => {
  it('offers no drafts from sound', async () => {
    for (const folder of [model, ...EXPORTS, join(GOLDENS, 'transformers')]) {
      const { code, stdout } = await command('inspect', folder);
      expect(code).toBe(0);
      expect(stdout).toMatch(/speculative \(drafts from ngram\)/);
    }
  });
});

describe('transcribe', () => {
  it('writes a line for each recording, and all of it as JSON', async () => {
    const plain = await command('transcribe', recording, recording, '--model', model);
    expect([plain.code, plain.stderr]).toEqual([0, '']);
    const [first, second, ...rest] = plain.stdout.split('\n');
    expect(second).toBe(first);
    expect(rest).toEqual(['']);
    const { code, stdout } = await command(
      'transcribe',
      recording,
      '--model',
      model,
      '--beam-size',
      '2',
      '--timestamps',
      '--json',
    );
    expect(code).toBe(0);
    const { recordings } = JSON.parse(stdout) as { recordings: { seconds: number; segments: { begin: number }[] }[] };
    expect(recordings[0].seconds).toBeCloseTo(0.4, 5);
    expect(recordings[0].segments.every(({ begin }) => begin >= 0)).toBe(true);
  });

  it('keeps what was said before an interruption, and says where it came', async () => {
    const long = join(folder, 'long.wav');
    const seconds = 4;
    await writeFile(long, wavOf(Float32Array.from({ length: seconds * 16_000 }, (_, at) => Math.sin(at / 9) / 2)));
    const whole = await command('transcribe', long, '--model', model);
    for (const decoded of [1, 2]) {
      const controller = new AbortController();
      let count = 0;
      const loadStopping: typeof loadModel = async (...given) => {
        const loaded = await loadModel(...given);
        const decode = new Proxy(loaded.decode, {
          apply(target, _, given) {
            if (count++ === decoded) controller.abort();
            return Reflect.apply(target, loaded, given);
          },
        });
        return Object.create(loaded, { decode: { value: decode } });
      };
      const { code, stdout, stderr } = await cli(['transcribe', long, '--model', model], {
        services: { ...services, loadModel: loadStopping },
        signal: controller.signal,
      });
      expect(code).toBe(130);
      expect(whole.stdout.startsWith(stdout.trimEnd())).toBe(true);
      expect(stderr).toMatch(/^Stopped after 0:0\d of 0:04 of .*long\.wav\.\n/);
    }
  });

  it('says on a terminal how far it is', async () => {
    const line = ['transcribe', recording, '--model', model, '--timestamps'];
    const { stderr } = await cli(line, { services, stderrIsTerminal: true });
    expect(stderr).toContain('0:00 of 0:01 of');
    expect((await cli([...line, '--quiet'], { services, stderrIsTerminal: true })).stderr).not.toContain('0:00');
  });

  it('takes the folders of exporters as they are', async () => {
    for (const exported of EXPORTS) {
      const line = ['transcribe', recording, '--model', exported, '--beam-size', '2', '--json'];
      const { code, stdout, stderr } = await command(...line);
      expect([code, stderr]).toEqual([0, '']);
      const { recordings } = JSON.parse(stdout) as {
        recordings: { seconds: number; segments: unknown[]; text: string }[];
      };
      expect(recordings).toEqual([{ recording, seconds: 0.4, segments: [], text: expect.any(String) }]);
      for (const option of [['--language', 'en'], ['--task', 'translate'], ['--timestamps']]) {
        const refused = await command('transcribe', recording, '--model', exported, ...option);
        expect([refused.code === 0, refused.stdout]).toEqual([false, '']);
        expect(refused.stderr).toMatch(new RegExp(option[0].slice(2)));
      }
    }
  });

  it('tells exports that can be told what to do, in the precision that is chosen', async () => {
    const spectra = join(EXPORTS[0], '../spectra');
    const line = [
      'transcribe',
      recording,
      '--model',
      spectra,
      '--language',
      'de',
      '--task',
      'translate',
      '--timestamps',
    ];
    for (const precision of ['fp32', 'fp16', 'q8']) {
      const { code, stdout, stderr } = await command(...line, '--precision', precision, '--as-exported', '--json');
      expect([code, stderr]).toEqual([0, '']);
      const { recordings } = JSON.parse(stdout) as { recordings: { seconds: number; segments: { begin: number }[] }[] };
      expect(recordings[0].seconds).toBeCloseTo(0.4, 5);
      expect(recordings[0].segments.length).toBeGreaterThan(0);
    }
    const refused = await command(...line, '--precision', 'q4');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/It holds: fp32, fp16, q8/);
    const { stdout } = await command('inspect', spectra);
    expect(stdout).toMatch(/reads +sound, 1 s at once, 8 bands/);
    expect(stdout).toMatch(/languages +4/);
  });

  it('is told by inspect what a folder hears, and that its rows depend on one another', async () => {
    const [plain, own] = [await command('inspect', EXPORTS[0]), await command('inspect', EXPORTS[1])];
    expect([plain.code, own.code]).toEqual([0, 0]);
    for (const { stdout } of [plain, own]) expect(stdout).toMatch(/reads +sound, 30 s at once/);
    expect(plain.stdout).not.toMatch(/depend on one another|improved/);
    expect(own.stdout.replace(/\s+/g, ' ')).toMatch(
      /depend on one another by DynamicQuantizeLinear, DynamicQuantizeMatMul/,
    );
  });

  it.each([
    ['no model', () => [recording], 2, /--model/],
    [
      'no such file',
      () => [join(folder, 'none.wav'), '--model', model],
      2,
      /: recording "\S*none\.wav" cannot be read/,
    ],
    ['a second one that is not there', () => [recording, join(folder, 'b.wav'), '--model', model], 2, /b\.wav/],
    ['no WAV file', () => [join(model, 'foretoken.json'), '--model', model], 2, /foretoken\.json: .*WAV/],
    ['an unknown language', () => [recording, '--model', model, '--language', 'xx'], 2, /en, de, fr, yue/],
  ] as const)('with %s says what is wrong', async (_, line, code, message) => {
    const ended = await command('transcribe', ...line());
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(message);
  });

  it('inspect tells what a CTranslate2 folder is', async () => {
    const { code, stdout } = await command('inspect', join(GOLDENS, 'ctranslate2'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/ctranslate2/);
    expect(stdout).toMatch(/float16/);
  });
});
