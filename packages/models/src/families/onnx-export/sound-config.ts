import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import { quote, unsupportedModel } from '../../folder/refusal.js';
import type { FileReader } from '../../hugging-face/config-files.js';
import type { OnnxExportManifest } from './export-manifest.js';

/** What transformers says of the sound that a model hears. */
export const PREPROCESSOR = 'preprocessor_config.json';
/** What nearly all models hear. */
const SAMPLE_RATE = 16_000;
/** Seconds that exported models are given at once, since their graphs do not say. */
export const MAX_SECONDS = 30;
/** Least seconds: graphs make a state of some hundred samples. */
const MIN_SECONDS = 0.1;

/** What sound a model hears, by what lies beside its graphs. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readSoundConfig(reader: FileReader): Promise<NonNullable<OnnxExportManifest['audio']>> {
  const { path: folder } = reader;
  const refuse = (field: string, received: unknown, required: string): never => {
    throw unsupportedModel(
      `${PREPROCESSOR} in ${folder}: ${field} is ${quote(received)}, but ${required} is required. Use an export of another model.`,
      { folder, file: PREPROCESSOR, field, received, required },
    );
  };
  const config = (await reader.has(PREPROCESSOR))
    ? parseJson(decodeUtf8(await reader.read(PREPROCESSOR, MANIFEST_BYTES), PREPROCESSOR, { folder }), PREPROCESSOR, {
        folder,
      })
    : {};
  if (!isObject(config)) return refuse('the whole file', config, 'an object');
  const { sampling_rate: sampleRate = SAMPLE_RATE, do_normalize: normalizes = false } = config;
  if (normalizes !== false) refuse('do_normalize', normalizes, 'false, sound as it is');
  const known = typeof sampleRate === 'number' && Number.isInteger(sampleRate) && sampleRate > 0 && sampleRate < 1e6;
  if (!known) return refuse('sampling_rate', sampleRate, 'an integer above 0');
  return { sampleRate, minSamples: Math.ceil(MIN_SECONDS * sampleRate) };
}
