import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { MANIFEST_BYTES } from '../folder/manifest.js';
import { quote, unsupportedModel } from '../folder/refusal.js';
import type { FileReader } from './config-files.js';

/** What transformers says of the sound that a model hears. */
export const PREPROCESSOR = 'preprocessor_config.json';
/** What nearly all models hear. */
const SAMPLE_RATE = 16_000;
const MAX_RATE = 1_000_000;

/** What a folder says of how sound becomes what its model reads; nothing, where the file is not there. Throws `UNSUPPORTED_MODEL`. */
export async function readPreprocessor(reader: FileReader): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { path: folder } = reader;
  if (!(await reader.has(PREPROCESSOR))) return undefined;
  const text = decodeUtf8(await reader.read(PREPROCESSOR, MANIFEST_BYTES), PREPROCESSOR, { folder });
  const config = parseJson(text, PREPROCESSOR, { folder });
  return isObject(config) ? config : refusePreprocessor(folder, 'the whole file', config, 'an object');
}

/** Throws `UNSUPPORTED_MODEL` for what such a file says; `file` is its name. */
export function refusePreprocessor(
  folder: string,
  field: string,
  received: unknown,
  required: string,
  file: string = PREPROCESSOR,
): never {
  throw unsupportedModel(
    `${file} in ${folder}: ${field} is ${quote(received)}, but ${required} is required. Use an export of another model.`,
    { folder, file, field, received, required },
  );
}

/** Samples a second that a model hears. Throws `UNSUPPORTED_MODEL`. */
export function sampleRateOf(
  folder: string,
  { sampling_rate: rate = SAMPLE_RATE }: Readonly<Record<string, unknown>>,
): number {
  const known = typeof rate === 'number' && Number.isInteger(rate) && rate > 0 && rate <= MAX_RATE;
  return known ? rate : refusePreprocessor(folder, 'sampling_rate', rate, `an integer from 1 to ${MAX_RATE}`);
}

/** What scales samples unless its config says that it does not. */
const SCALING = 'Wav2Vec2FeatureExtractor';

/**
 * Whether samples are scaled to the mean 0 and the variance 1 for a model, which its config may leave to the extractor that it names, or
 * that is `usual`. Throws `UNSUPPORTED_MODEL`.
 */
export function isNormalised(folder: string, config: Readonly<Record<string, unknown>>, usual?: string): boolean {
  const { feature_extractor_type: extractor = usual } = config;
  const { do_normalize: scales = extractor === SCALING } = config;
  return typeof scales === 'boolean' ? scales : refusePreprocessor(folder, 'do_normalize', scales, 'true or false');
}

/** What samples a model hears whose graph reads them as that extractor gives them. Throws `UNSUPPORTED_MODEL`. */
export function scaledSamples(
  folder: string,
  config: Readonly<Record<string, unknown>>,
): { readonly sampleRate: number; readonly normalised: boolean } {
  const { feature_extractor_type: extractor = SCALING } = config;
  if (extractor !== SCALING) refusePreprocessor(folder, 'feature_extractor_type', extractor, SCALING);
  return { sampleRate: sampleRateOf(folder, config), normalised: isNormalised(folder, config, SCALING) };
}
