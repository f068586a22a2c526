import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import { quote, unsupportedModel } from '../../folder/refusal.js';
import type { FileReader } from '../../hugging-face/config-files.js';
import type { ManifestSamples } from './export-manifest.js';

/** What transformers says of the sound that a model hears. */
export const PREPROCESSOR = 'preprocessor_config.json';
/** What nearly all models hear. */
const SAMPLE_RATE = 16_000;
/** Seconds that exported models are given at once, since their graphs do not say. */
export const MAX_SECONDS = 30;
/** Least seconds: graphs make a state of some hundred samples. */
const MIN_SECONDS = 0.1;

/** What a folder says of how sound becomes what its model reads; nothing, where the file is not there. Throws `UNSUPPORTED_MODEL`. */
export async function readPreprocessor(reader: FileReader): Promise<Readonly<Record<string, unknown>>> {
  const { path: folder } = reader;
  if (!(await reader.has(PREPROCESSOR))) return {};
  const text = decodeUtf8(await reader.read(PREPROCESSOR, MANIFEST_BYTES), PREPROCESSOR, { folder });
  const config = parseJson(text, PREPROCESSOR, { folder });
  return isObject(config) ? config : refusePreprocessor(folder, 'the whole file', config, 'an object');
}

export function refusePreprocessor(folder: string, field: string, received: unknown, required: string): never {
  throw unsupportedModel(
    `${PREPROCESSOR} in ${folder}: ${field} is ${quote(received)}, but ${required} is required. Use an export of another model.`,
    { folder, file: PREPROCESSOR, field, received, required },
  );
}

/** What samples a model hears, by what lies beside its graphs. Throws `UNSUPPORTED_MODEL`. */
export async function readSoundConfig(reader: FileReader): Promise<ManifestSamples> {
  const { path } = reader;
  const { sampling_rate: sampleRate = SAMPLE_RATE, do_normalize: normalizes = false } = await readPreprocessor(reader);
  if (normalizes !== false) refusePreprocessor(path, 'do_normalize', normalizes, 'false, sound as it is');
  const known = typeof sampleRate === 'number' && Number.isInteger(sampleRate) && sampleRate > 0 && sampleRate < 1e6;
  if (!known) return refusePreprocessor(path, 'sampling_rate', sampleRate, 'an integer above 0');
  return { sampleRate, minSamples: Math.ceil(MIN_SECONDS * sampleRate) };
}
