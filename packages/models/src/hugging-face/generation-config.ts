import type { NamedTokens } from '../tokenizer/named-tokens.js';
import type { ConfigFiles } from './config-files.js';
import { type ImportNote, SettingReader } from './setting-reader.js';

export type { ImportNote };

/** What the configs of a translation model say about decoding, as far as graphs and manifest can hold it. */
export interface GenerationFacts {
  /** Start, end and padding token. */
  readonly tokens: { readonly start: number; readonly end: number; readonly pad: number };
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** What the model here does not do as the configs say. */
  readonly notes: readonly ImportNote[];
}

/**
 * Reads what config.json and generation_config.json say about decoding, and of padding what the tokenizer does where they say nothing.
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function readGeneration(folder: ConfigFiles, vocabularySize: number, named: NamedTokens): GenerationFacts {
  const reader = new SettingReader(folder, vocabularySize);
  const end = reader.token('eos_token_id');
  const start = reader.token('decoder_start_token_id');
  const tokens = { start, end, pad: reader.padding(named) ?? reader.token('pad_token_id') };
  const suppressed = [...reader.badWords([end]), ...reader.tokens('suppress_tokens')];
  reader.noteSettings();
  return { tokens, suppressed: [...new Set(suppressed)], notes: reader.notes };
}

/** What a decoder-only model's configs say about decoding. */
export interface CausalGenerationFacts {
  /** Tokens that end an output, the main one first; none where the configs name none. */
  readonly ends: readonly number[];
  /** The padding token, where one is named. */
  readonly pad?: number | undefined;
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** What the model here does not do as the configs say. */
  readonly notes: readonly ImportNote[];
}

/** As `readGeneration`, of a model without an encoder. Throws `INVALID_MODEL_FOLDER`. */
export function readCausalGeneration(
  folder: ConfigFiles,
  vocabularySize: number,
  named: NamedTokens,
): CausalGenerationFacts {
  const reader = new SettingReader(folder, vocabularySize);
  const facts = outputFacts(reader, named);
  reader.noteSettings();
  return { ...facts, notes: reader.notes };
}

function outputFacts(reader: SettingReader, named: NamedTokens): Omit<CausalGenerationFacts, 'notes'> {
  const ends = [...new Set(reader.oneOrMore('eos_token_id'))];
  const pad = reader.padding(named);
  const suppressed = [...reader.badWords(ends), ...reader.tokens('suppress_tokens')];
  return { ends, pad, suppressed: [...new Set(suppressed)] };
}

/** What the configs of an encoder-decoder say, and what its outputs begin with. */
export interface ExportGenerationFacts extends CausalGenerationFacts {
  /** Tokens that every output begins with: the start token, and one that must follow it. */
  readonly beginning: readonly number[];
  /** Most tokens of an output, where the configs say so. */
  readonly maxLength?: number | undefined;
}

/** As `readCausalGeneration`, of a model with an encoder. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readExportGeneration(
  folder: ConfigFiles,
  vocabularySize: number,
  named: NamedTokens,
): ExportGenerationFacts {
  const reader = new SettingReader(folder, vocabularySize);
  const facts = outputFacts(reader, named);
  const start =
    reader.optionalToken('decoder_start_token_id') ??
    reader.optionalToken('bos_token_id') ??
    reader.token('decoder_start_token_id');
  const forced = reader.optionalToken('forced_bos_token_id');
  const maxLength = reader.length('max_length');
  reader.noteSettings(new Set(['forced_bos_token_id']));
  return { ...facts, beginning: forced === undefined ? [start] : [start, forced], maxLength, notes: reader.notes };
}

/** What the configs of a speech model say. */
export interface SpeechGenerationFacts {
  /** The padding token, where one is named. */
  readonly pad?: number | undefined;
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** Tokens that no output begins with. */
  readonly suppressedFirst: readonly number[];
  /** Settings that were read and are not used. */
  readonly notes: readonly ImportNote[];
}

/** Settings of speech models that tokens of the vocabulary say as well, or that say what is done here anyway. */
const OF_SPEECH: readonly string[] =
  'begin_suppress_tokens forced_decoder_ids is_multilingual lang_to_id task_to_id language task no_timestamps_token_id prev_sot_token_id return_timestamps max_initial_timestamp_index alignment_heads'.split(
    ' ',
  );

/** As `readCausalGeneration`, of a speech model whose outputs have at most `positions` tokens. Throws `INVALID_MODEL_FOLDER`. */
export function readSpeechGeneration(
  folder: ConfigFiles,
  vocabularySize: number,
  positions: number,
  named: NamedTokens,
): SpeechGenerationFacts {
  const reader = new SettingReader(folder, vocabularySize);
  const { pad, suppressed } = outputFacts(reader, named);
  const suppressedFirst = [...new Set(reader.tokens('begin_suppress_tokens'))];
  const bounded = reader.length('max_length') === positions;
  reader.noteSettings(new Set(bounded ? [...OF_SPEECH, 'max_length'] : OF_SPEECH));
  return { pad, suppressed, suppressedFirst, notes: reader.notes };
}

/**
 * The padding token of a model whose configs say nothing about decoding: what they say, or else the tokenizer. Throws
 * `INVALID_MODEL_FOLDER`.
 */
export function readPadding(folder: ConfigFiles, vocabularySize: number, named: NamedTokens): number | undefined {
  return new SettingReader(folder, vocabularySize).padding(named);
}
