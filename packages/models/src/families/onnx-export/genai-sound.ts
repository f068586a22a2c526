import { decodeUtf8, isObject, parseJson } from '../../folder/json.js';
import { MANIFEST_BYTES } from '../../folder/manifest.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import type { FileReader } from '../../hugging-face/config-files.js';
import { PREPROCESSOR, readPreprocessor, refusePreprocessor } from '../../hugging-face/preprocessor-config.js';
import type { ExportGraph } from './export-manifest.js';
import { encoderRoles } from './export-roles.js';
import { GENAI_CONFIG, type GenaiModel } from './genai-config.js';
import type { Preprocessor } from './spectrum-config.js';

type Fields = Readonly<Record<string, unknown>>;

/** What operations of an audio processor are told, as a preprocessor of transformers calls it. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AudioDecoder: { target_sample_rate: 'sampling_rate' },
  STFTNorm: { n_fft: 'n_fft', frame_length: 'n_fft', hop_length: 'hop_length' },
  LogMelSpectrum: { n_fft: 'n_fft', hop_length: 'hop_length', n_mel: 'feature_size', chunk_size: 'chunk_length' },
};
/** Where a size would be said that a graph does not say. */
const NAMES: Readonly<Record<string, string>> = { num_mel_bins: 'n_mel', max_source_positions: 'chunk_size' };
/** Frames in a second. */
const FRAMES = 100;

/** What a model of spectra reads. */
export interface HeardSpectrum {
  /** The model, with the sizes of its spectra in the words of transformers. */
  readonly genai: GenaiModel;
  readonly preprocessor: Preprocessor;
}

/**
 * What an encoder of spectra reads: its config does not say, but its graph does, or the config of its audio processor. `undefined` where it
 * reads none. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` for a spectrum of another kind.
 */
export async function readHeard(
  reader: FileReader,
  genai: GenaiModel,
  encoder: ExportGraph | undefined,
): Promise<HeardSpectrum | undefined> {
  if (encoder === undefined) return undefined;
  const { reads, input } = encoderRoles(encoder);
  if (reads !== 'spectra') return undefined;
  const preprocessor = await readAudioProcessor(reader, genai.processor);
  const [, bands, columns] = encoder.inputs[input].dims;
  const { feature_size, chunk_length } = preprocessor.config;
  const frames = columns ?? (typeof chunk_length === 'number' ? chunk_length * FRAMES : undefined);
  const { configs } = genai;
  const sizes = {
    num_mel_bins: bands ?? feature_size,
    max_source_positions: frames === undefined ? undefined : frames / 2,
    max_target_positions: configs.config.max_position_embeddings,
  };
  for (const [field, received] of Object.entries(sizes)) {
    if (typeof received === 'number' && Number.isInteger(received) && received > 0) continue;
    const { path: folder } = configs;
    const isContext = field === 'max_target_positions';
    const [file, name] = isContext ? [GENAI_CONFIG, 'model.context_length'] : [genai.processor, NAMES[field]];
    const says = isContext ? '' : `${encoder.file} does not say it, and `;
    throw invalidFolder(
      `${file} in ${folder}: ${says}${name} is ${received === undefined ? 'missing' : quote(received)}, but it must be an integer. Fetch or correct the file.`,
      { folder, file, field: name, received, required: 'an integer' },
    );
  }
  return { genai: { ...genai, configs: { ...configs, config: { ...configs.config, ...sizes } } }, preprocessor };
}

/** An audio processor's config as that of a preprocessor; where there is none, that of transformers counts. */
async function readAudioProcessor(reader: FileReader, file: string): Promise<Preprocessor> {
  const { path: folder } = reader;
  if (!(await reader.has(file))) return { file: PREPROCESSOR, config: (await readPreprocessor(reader)) ?? {} };
  const content = parseJson(decodeUtf8(await reader.read(file, MANIFEST_BYTES), file, { folder }), file, { folder });
  const given: unknown = isObject(content) ? content.feature_extraction : undefined;
  const steps: unknown = isObject(given) ? given.sequence : undefined;
  const refuse = (field: string, received: unknown, required: string): never =>
    refusePreprocessor(folder, field, received, required, file);
  if (!Array.isArray(steps)) return refuse('feature_extraction.sequence', steps, 'a list');
  const config: Record<string, unknown> = {};
  for (const [index, step] of steps.entries()) {
    const place = `feature_extraction.sequence[${index}].operation`;
    const operation: unknown = isObject(step) ? step.operation : undefined;
    const { type, attrs = {} }: Fields = isObject(operation) ? operation : {};
    const known = typeof type === 'string' && Object.hasOwn(OPERATIONS, type) ? OPERATIONS[type] : undefined;
    if (known === undefined) {
      return refuse(`${place}.type`, type, Object.keys(OPERATIONS).join(' or '));
    }
    for (const [name, value] of Object.entries(isObject(attrs) ? attrs : {})) {
      // A comment.
      if (name.startsWith('_')) continue;
      const field = Object.hasOwn(known, name) ? known[name] : undefined;
      const told = `${place}.attrs.${name}`;
      if (field === undefined) return refuse(told, value, 'nothing');
      const { [field]: before = value } = config;
      if (before !== value) return refuse(told, value, String(before));
      config[field] = value;
    }
  }
  return { file, config };
}
