import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLES, SOUND_LABELS, writeSoundGraph } from '../../../packages/importers/test/ctc-sound-fixture.js';
import { wavOf } from '../../../packages/models/test/wav-fixture.js';
import { services as packages } from '../src/services.js';
import { cli } from './support.js';

let folder: string;
let graph: string;
let recording: string;
let model: string;
let empty: string;

const {
  loadModel,
  importModel,
  importCtcModel,
  describeModel,
  openModelFolder,
  inspectWeights,
  improvedGraphs,
  cores,
} = packages;
const services = {
  loadModel,
  importModel,
  importCtcModel,
  describeModel,
  openModelFolder,
  inspectWeights,
  improvedGraphs,
  cores,
};
const command = (...line: readonly string[]) => cli(line, { services });
const imported = (name: string, ...told: readonly string[]) =>
  command('import', graph, '--dictionary', join(folder, 'keys.txt'), '--out', join(folder, name), ...told);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-cli-frames-'));
  graph = await writeSoundGraph(folder);
  recording = join(folder, 'recording.wav');
  model = join(folder, 'told');
  empty = join(folder, 'empty');
  await mkdir(empty);
  await writeFile(recording, wavOf(Float32Array.from(SAMPLES)));
  await writeFile(join(folder, 'keys.txt'), SOUND_LABELS.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a CTC model of sound on the command line', () => {
  it('is imported with what it hears, and writes down what is said', async () => {
    const { code, stdout } = await imported('told', '--sample-rate', '16000', '--normalise', '--word-boundary', 'b');
    expect(code).toBe(0);
    expect(stdout).toMatch(/sound +16000 samples a second, with mean 0 and variance 1/);
    for (const search of [[], ['--beam-size', '4']]) {
      const line = ['transcribe', recording, '--model', model, ...search];
      expect(await command(...line)).toMatchObject({ code: 0, stdout: 'a cd\n', stderr: '' });
      const { stdout: json } = await command(...line, '--json');
      expect(JSON.parse(json)).toMatchObject({ recordings: [{ recording, text: 'a cd', segments: [] }] });
    }
  });

  it.each([['--language', 'en'], ['--task', 'translate'], ['--timestamps']])('cannot be told %s', async (...told) => {
    const { code, stdout, stderr } = await command('transcribe', recording, '--model', model, ...told);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/UNSUPPORTED_CAPABILITY/);
  });

  it('whose rate nobody knows is refused with what to do', async () => {
    expect((await imported('untold')).code).toBe(0);
    const { code, stderr } = await command('transcribe', recording, '--model', join(folder, 'untold'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/--sample-rate/);
  });

  it.each([['--normalise'], ['--sample-rate', '8000'], ['--word-boundary', 'b'], ['--precision', 'q8']])(
    '%s means nothing to weights',
    async (...told) => {
      const { code, stderr } = await command('import', empty, '--out', join(folder, 'none'), ...told);
      expect(code).toBe(2);
      expect(stderr).toMatch(/holds no graph.*mean nothing to weights/);
      const both = await command('import', graph, '--out', join(folder, 'none'), ...told, '--weights', 'int8');
      expect(both.stderr).toMatch(/--weights goes with weights, but/);
    },
  );

  it('is imported as its exporter wrote the folder', async () => {
    const exported = join(folder, 'exported');
    await mkdir(join(exported, 'onnx'), { recursive: true });
    await writeSoundGraph(join(exported, 'onnx'));
    const write = (name: string, content: unknown) => writeFile(join(exported, name), JSON.stringify(content));
    await write('config.json', { model_type: 'wav2vec2', architectures: ['Wav2Vec2ForCTC'] });
    await write('vocab.json', Object.fromEntries(SOUND_LABELS.map((label, id) => [label, id])));
    await write('preprocessor_config.json', { sampling_rate: 16_000, do_normalize: true });
    const target = join(folder, 'whole');
    expect(await command('import', exported, '--out', target)).toMatchObject({ code: 0, stderr: '' });
    const said = await command('transcribe', recording, '--model', target);
    expect(said).toMatchObject({ code: 0, stdout: 'abcd\n', stderr: '' });
    const refused = await command('import', exported, '--out', join(folder, 'none'), '--weights', 'int8');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/weights must be left out/) });
  });
});
