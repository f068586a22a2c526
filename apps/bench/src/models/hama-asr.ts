import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCtcModel } from '@foretoken/importers';
import { type CtcInput, type CtcOutput, type FloatSource, loadModel } from '@foretoken/models';
import { ctcGreedy } from '@foretoken/one-shot';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { speedOverPackage } from './package-speed.js';

/** A part of the recording, and the phonemes that hama hears in it. */
interface Heard {
  readonly begin: number;
  readonly end: number;
  readonly frames: number;
  readonly ids: readonly number[];
}

const WAV_HEADER_BYTES = 44;

/** hama's speech to phonemes: log-probabilities, the blank last, and no source may be padded beside another. */
export const hamaAsr: ModelRow = {
  model: 'hama-asr',
  format: 'onnx',
  oracle: 'hama 1.3.13',
  // The recording comes with the other.
  packages: ['hama', 'moonshine'],
  required: { equal: 1 },
  async measure({ folders }) {
    const wav = await readFile(join(folders.moonshine, 'moonshine_voice/assets/beckett.wav'));
    const samples = new Int16Array(new Uint8Array(wav.subarray(WAV_HEADER_BYTES)).buffer);
    const assets = join(folders.hama, 'hama/assets');
    const { decoder } = JSON.parse(await readFile(join(assets, 'g2p_vocab.json'), 'utf8')) as { decoder: string[] };
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-hama-asr-'));
    try {
      await importCtcModel(join(assets, 'asr_waveform_fp16.onnx'), join(parent, 'model'), {
        dictionary: [...decoder, '<wb>', '<blank>'],
        wordBoundary: '<wb>',
      });
      await using model = await loadModel<CtcInput, CtcOutput, FloatSource>(join(parent, 'model'), { threads: 1 });
      const heard = modelGoldens('hama-asr') as readonly Heard[];
      const sounds = heard.map(({ begin, end }) =>
        Float32Array.from(samples.subarray(begin, end), (one) => one / 32768),
      );
      const results = await model.decode(sounds, ctcGreedy<FloatSource>());
      const equal = heard.filter(({ ids }, index) => ids.join() === results[index].tokenIds.join()).length;
      const timed = await speedOverPackage(
        'hama-asr',
        folders.hama,
        'both: samples to the graph, the graph, the best path and its text',
        async () => {
          for (const sound of sounds) await model.decode(sound, ctcGreedy<FloatSource>());
        },
      );
      const details = { cases: heard.length, batches: model.description.facts, ...timed.details };
      return { family: model.manifest.family, ...timed, equal: equal / heard.length, details };
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};
