import type { ManifestSpectrum } from '../../folder/speech-schema.js';
import type { ConfigFiles } from '../../hugging-face/config-files.js';
import { configInteger } from '../../hugging-face/config-integer.js';
import { type ExportGenerationFacts, readSpeechGeneration } from '../../hugging-face/generation-config.js';
import { readSpeechTokens, type SpeechTokens } from '../../hugging-face/speech-tokens.js';
import type { TokenizerFiles } from '../../hugging-face/tokenizer-files.js';
import type { NamedTokens } from '../../tokenizer/named-tokens.js';
import type { ExportGraph } from './export-manifest.js';
import { encoderRoles } from './export-roles.js';
import { type Preprocessor, readSpectrumConfig } from './spectrum-config.js';

/** Least positions of outputs: four tokens say what to do. */
const MIN_POSITIONS = 8;
/** What is above a folder's limit of positions counts as that limit. */
const MAX_POSITIONS = 2 ** 31;

/** What a model of spectra reads and is told, and what its configs say of its outputs. */
export interface ToldFacts {
  readonly audio: ManifestSpectrum;
  readonly speech: SpeechTokens['speech'];
  readonly generation: ExportGenerationFacts & { readonly suppressedFirst: readonly number[] };
}

/**
 * Reads what a folder says of a model of spectra, which is told what to do by tokens of its vocabulary. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`.
 */
export function readTold(
  configs: ConfigFiles,
  preprocessor: Preprocessor,
  encoder: ExportGraph,
  tokenizer: TokenizerFiles | undefined,
  vocabularySize: number,
  named: NamedTokens,
): ToldFacts {
  const audio = readSpectrumConfig(configs, preprocessor, encoder, encoderRoles(encoder));
  const { start, end, speech } = readSpeechTokens({ ...configs, tokenizer }, vocabularySize);
  const positions = configInteger(configs, 'max_target_positions', MIN_POSITIONS, MAX_POSITIONS);
  const generation = readSpeechGeneration(configs, vocabularySize, positions, named);
  return { audio, speech, generation: { ...generation, beginning: [start], ends: [end] } };
}
