import type { FileReader } from '../../hugging-face/config-files.js';
import {
  isNormalised,
  readPreprocessor,
  refusePreprocessor,
  sampleRateOf,
} from '../../hugging-face/preprocessor-config.js';
import type { ManifestSamples } from './export-manifest.js';

/** Seconds that exported models are given at once, since their graphs do not say. */
export const MAX_SECONDS = 30;
/** Least seconds: graphs make a state of some hundred samples. */
const MIN_SECONDS = 0.1;

/** What samples a model hears, by what lies beside its graphs. Throws `UNSUPPORTED_MODEL`. */
export async function readSoundConfig(reader: FileReader): Promise<ManifestSamples> {
  const { path } = reader;
  const config = (await readPreprocessor(reader)) ?? {};
  if (isNormalised(path, config)) refusePreprocessor(path, 'do_normalize', true, 'false, sound as it is');
  const sampleRate = sampleRateOf(path, config);
  return { sampleRate, minSamples: Math.ceil(MIN_SECONDS * sampleRate) };
}
