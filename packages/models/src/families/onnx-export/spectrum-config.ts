import { HOP, SAMPLE_RATE, SIZE } from '../../audio/log-mel.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import type { ManifestSpectrum } from '../../folder/speech-schema.js';
import { type ConfigFiles, originOf } from '../../hugging-face/config-files.js';
import { configInteger } from '../../hugging-face/config-integer.js';
import { refusePreprocessor } from '../../hugging-face/preprocessor-config.js';
import type { ExportGraph } from './export-manifest.js';
import type { EncoderRoles } from './export-roles.js';

/** What says how sound becomes what a model reads, in the words of transformers. */
export interface Preprocessor {
  readonly file: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Two frames are one position of such an encoder. */
const FRAMES = 2;
const MAX_MELS = 1024;
const MAX_POSITIONS = 32_768;

/**
 * The spectrum that an encoder reads, by config.json and by what its graph and the preprocessor's config say as well. Throws
 * `INVALID_MODEL_FOLDER` where they contradict one another, `UNSUPPORTED_MODEL` for a spectrum of another kind.
 */
export function readSpectrumConfig(
  configs: ConfigFiles,
  preprocessor: Preprocessor,
  { file, inputs }: ExportGraph,
  { input }: EncoderRoles,
): ManifestSpectrum {
  const [, bands, columns] = inputs[input].dims;
  const mels = sizeOf(configs, 'num_mel_bins', MAX_MELS, bands, 1, file, input);
  const positions = sizeOf(configs, 'max_source_positions', MAX_POSITIONS, columns, FRAMES, file, input);
  const audio = { mels, frames: FRAMES * positions };
  assertPreprocessor(configs, preprocessor, audio);
  return audio;
}

/** A size that the config has, of which the graph has `share` for each, where it says how many. */
function sizeOf(
  configs: ConfigFiles,
  name: string,
  max: number,
  given: number | null,
  share: number,
  graph: string,
  input: string,
): number {
  const received = configInteger(configs, name, 1, max);
  const { path } = configs;
  const { file: from, field } = originOf(configs, name);
  if (given !== null && given !== share * received) {
    throw invalidFolder(
      `${from} in ${path} has ${field} ${received}, but ${graph} takes ${input} of ${given}, which are ${given / share}: they are of different models. Fetch config and graphs of one model.`,
      { folder: path, file: from, field, received, required: given / share },
    );
  }
  return received;
}

/** Refuses what would make another spectrum than the one that is computed here; what is not said is as usual. */
function assertPreprocessor(
  configs: ConfigFiles,
  preprocessor: Preprocessor,
  { mels, frames }: ManifestSpectrum,
): void {
  const { path: folder } = configs;
  const { file, config } = preprocessor;
  const usual = { sampling_rate: SAMPLE_RATE, hop_length: HOP, n_fft: SIZE, padding_value: 0, dither: 0 };
  for (const [field, required] of Object.entries(usual)) {
    const { [field]: received = required } = config;
    if (received !== required) refusePreprocessor(folder, field, received, String(required), file);
  }
  const sizes = {
    feature_size: mels,
    nb_max_frames: frames,
    n_samples: frames * HOP,
    chunk_length: (frames * HOP) / SAMPLE_RATE,
  };
  for (const [field, required] of Object.entries(sizes)) {
    const { [field]: received = required } = config;
    if (received === required) continue;
    throw invalidFolder(
      `${file} in ${folder} has ${field} ${quote(received)}, but by ${originOf(configs, field).file} it is ${required}: they are of different models. Fetch both of one model.`,
      { folder, file, field, received, required },
    );
  }
}
