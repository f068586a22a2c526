import { isObject } from '../folder/json.js';
import { invalidFolder, printableValue, quote, unsupportedModel } from '../folder/refusal.js';
import { CONFIG, type ConfigFiles, GENERATION_CONFIG } from './config-files.js';
import { SETTINGS } from './generation-settings.js';

/** Something that a weights folder says and that the imported model does not do by itself. */
export interface ImportNote {
  /** File that says it. */
  readonly file: string;
  /** The field of the configuration. */
  readonly field: string;
  /** Its value. */
  readonly received: unknown;
  /** What was done, or what to do, in words. */
  readonly message: string;
}

/** What the configs of a translation model say about decoding, as far as graphs and manifest can hold it. */
export interface GenerationFacts {
  /** Start, end and padding token. */
  readonly tokens: { readonly start: number; readonly end: number; readonly pad: number };
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** What the model here does not do as the configs say. */
  readonly notes: readonly ImportNote[];
}

/** Fields of generation_config.json that say nothing about what is to be output. */
const SILENT = new Set(
  '_from_model_config transformers_version use_cache cache_implementation cache_config output_attentions output_hidden_states output_scores output_logits return_dict_in_generate bos_token_id disable_compile compile_config'.split(
    ' ',
  ),
);
const READ = new Set('bad_words_ids suppress_tokens decoder_start_token_id eos_token_id pad_token_id'.split(' '));

/**
 * Reads what config.json and generation_config.json say about decoding. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function readGeneration(folder: ConfigFiles, vocabularySize: number): GenerationFacts {
  const reader = new Reader(folder, vocabularySize);
  const end = reader.token('eos_token_id');
  const tokens = { start: reader.token('decoder_start_token_id'), end, pad: reader.token('pad_token_id') };
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
export function readCausalGeneration(folder: ConfigFiles, vocabularySize: number): CausalGenerationFacts {
  const reader = new Reader(folder, vocabularySize);
  const ends = [...new Set(reader.oneOrMore('eos_token_id'))];
  const [pad] = reader.oneOrMore('pad_token_id');
  const suppressed = [...reader.badWords(ends), ...reader.tokens('suppress_tokens')];
  reader.noteSettings();
  return { ends, pad, suppressed: [...new Set(suppressed)], notes: reader.notes };
}

/** What the configs of an encoder-decoder say, and what its outputs begin with. */
export interface ExportGenerationFacts extends CausalGenerationFacts {
  /** Tokens that every output begins with: the start token, and one that must follow it. */
  readonly beginning: readonly number[];
  /** Most tokens of an output, where the configs say so. */
  readonly maxLength?: number | undefined;
}

/** As `readCausalGeneration`, of a model with an encoder. Throws `INVALID_MODEL_FOLDER`. */
export function readExportGeneration(folder: ConfigFiles, vocabularySize: number): ExportGenerationFacts {
  const reader = new Reader(folder, vocabularySize);
  const { notes, ...facts } = readCausalGeneration(folder, vocabularySize);
  const [start = reader.token('decoder_start_token_id')] = [
    ...reader.oneOrMore('decoder_start_token_id'),
    ...reader.oneOrMore('bos_token_id'),
  ];
  const [forced] = reader.oneOrMore('forced_bos_token_id');
  return {
    ...facts,
    beginning: forced === undefined ? [start] : [start, forced],
    maxLength: reader.length('max_length'),
    notes: notes.filter(({ field }) => field !== 'forced_bos_token_id'),
  };
}

/** What the configs of a speech model say. */
export interface SpeechGenerationFacts {
  /** Tokens that are never to be output, and those that no output begins with. */
  readonly suppressed: readonly number[];
  readonly suppressedFirst: readonly number[];
  readonly notes: readonly ImportNote[];
}

/** Settings of speech models that tokens of the vocabulary say as well, or that say what is done here anyway. */
const OF_SPEECH = new Set(
  'begin_suppress_tokens forced_decoder_ids is_multilingual lang_to_id task_to_id language task no_timestamps_token_id prev_sot_token_id return_timestamps max_initial_timestamp_index alignment_heads max_length'.split(
    ' ',
  ),
);

/** As `readCausalGeneration`, of a speech model. Throws `INVALID_MODEL_FOLDER`. */
export function readSpeechGeneration(folder: ConfigFiles, vocabularySize: number): SpeechGenerationFacts {
  const reader = new Reader(folder, vocabularySize);
  const { suppressed, notes } = readCausalGeneration(folder, vocabularySize);
  return {
    suppressed,
    suppressedFirst: reader.tokens('begin_suppress_tokens'),
    notes: notes.filter(({ field }) => !OF_SPEECH.has(field)),
  };
}

class Reader {
  readonly notes: ImportNote[] = [];
  readonly #folder: ConfigFiles;
  readonly #size: number;

  constructor(folder: ConfigFiles, vocabularySize: number) {
    this.#folder = folder;
    this.#size = vocabularySize;
  }

  /** A setting and the file that decides it; generation_config.json does, as in transformers, where both have it. */
  #find(field: string): { readonly file: string; readonly value: unknown } | undefined {
    const said = [
      [GENERATION_CONFIG, this.#folder.generationConfig] as const,
      [this.#folder.file ?? CONFIG, this.#folder.config] as const,
    ].flatMap(([file, content]) => {
      const value = content !== undefined && Object.hasOwn(content, field) ? content[field] : undefined;
      return value === undefined || value === null ? [] : [{ file, value }];
    });
    return said[0];
  }

  /** Notes where two files say two things of one field. */
  #noteConflict(field: string): void {
    const { config, generationConfig } = this.#folder;
    const [older, newer] = [config[field], generationConfig?.[field]];
    if (older === undefined || older === null || newer === undefined || newer === null) return;
    if (isSame(older, newer)) return;
    this.#note(CONFIG, field, older, `${GENERATION_CONFIG} says ${quote(newer)}, which counts.`);
  }

  #note(file: string, field: string, received: unknown, what: string): void {
    this.notes.push({
      file,
      field,
      received: printableValue(received),
      message: `${file} has ${quote(field).slice(1, -1)} = ${quote(received)}. ${what}`,
    });
  }

  #refuse(file: string, field: string, received: unknown, required: string): never {
    const { path } = this.#folder;
    throw invalidFolder(
      `${file} in ${path}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
      { folder: path, file, field, received, required },
    );
  }

  #isToken(value: unknown): value is number {
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < this.#size;
  }

  token(field: string): number {
    this.#noteConflict(field);
    const { file, value } = this.#find(field) ?? { file: CONFIG, value: undefined };
    const required = `an integer from 0 to ${this.#size - 1}`;
    if (Array.isArray(value) && value.length > 1 && value.every((item) => this.#isToken(item))) {
      const { path } = this.#folder;
      throw unsupportedModel(`${file} in ${path}: ${field} is ${quote(value)}, but only one token is supported.`, {
        folder: path,
        file,
        field,
        received: value,
        required,
      });
    }
    const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return this.#isToken(one) ? one : this.#refuse(file, field, value, required);
  }

  /** A number of tokens; undefined where nobody says it. */
  length(field: string): number | undefined {
    const found = this.#find(field);
    if (found === undefined) return undefined;
    const { file, value } = found;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    return this.#refuse(file, field, value, 'a positive integer');
  }

  /** A token or a list of tokens; none where nobody says it. */
  oneOrMore(field: string): readonly number[] {
    const found = this.#find(field);
    return found === undefined || Array.isArray(found.value) ? this.tokens(field) : [this.token(field)];
  }

  tokens(field: string): readonly number[] {
    this.#noteConflict(field);
    const found = this.#find(field);
    if (found === undefined) return [];
    const { file, value } = found;
    const required = `a list of integers from 0 to ${this.#size - 1}`;
    if (!Array.isArray(value)) return this.#refuse(file, field, value, required);
    return value.map((id) => (this.#isToken(id) ? id : this.#refuse(file, field, id, required)));
  }

  /** Bad words of one token; longer ones are noted, since graphs know no past tokens. */
  badWords(ends: readonly number[]): readonly number[] {
    const field = 'bad_words_ids';
    this.#noteConflict(field);
    const found = this.#find(field);
    if (found === undefined) return [];
    const { file, value } = found;
    const required = `a list of lists of integers from 0 to ${this.#size - 1}`;
    if (!Array.isArray(value)) return this.#refuse(file, field, value, required);
    const single: number[] = [];
    const longer: unknown[] = [];
    const ending = new Set<unknown>(ends);
    for (const words of value as readonly unknown[]) {
      if (!Array.isArray(words) || words.length === 0 || !words.every((id) => this.#isToken(id))) {
        return this.#refuse(file, field, words, required);
      }
      if (words.length > 1) longer.push(words);
      else if (ending.has(words[0])) this.#note(file, field, words, 'It is the end token, which stays possible.');
      else single.push(words[0]);
    }
    if (longer.length > 0) {
      this.#note(
        file,
        field,
        longer,
        `Words of more than one token are no part of the model here: pass them as badWords.`,
      );
    }
    return single;
  }

  /** Notes every setting that would change an output and that nothing here reads. */
  noteSettings(): void {
    for (const [field, [neutral, here]] of Object.entries(SETTINGS)) {
      this.#noteConflict(field);
      const found = this.#find(field);
      if (found !== undefined && !isNeutral(found.value, neutral)) this.#note(found.file, field, found.value, here);
    }
    for (const [field, value] of Object.entries(this.#folder.generationConfig ?? {})) {
      const known = Object.hasOwn(SETTINGS, field) || READ.has(field) || SILENT.has(field);
      if (!known && !isNeutral(value, []))
        this.#note(GENERATION_CONFIG, field, value, 'It is not known here, and not used.');
    }
  }
}

/** Values that ask for nothing. */
function isNeutral(value: unknown, neutral: readonly unknown[]): boolean {
  if (value === null || value === undefined || neutral.includes(value)) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    // Nested too deep to be compared.
    return false;
  }
}
