import { isObject } from '../folder/json.js';
import { invalidFolder, printableValue, quote, unsupportedModel } from '../folder/refusal.js';
import type { NamedTokens } from '../tokenizer/named-tokens.js';
import { type ConfigFiles, GENERATION_CONFIG, originOf } from './config-files.js';
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

/** Fields of generation_config.json that say nothing about what is to be output. */
const SILENT = new Set(
  '_from_model_config transformers_version use_cache cache_implementation cache_config output_attentions output_hidden_states output_scores output_logits return_dict_in_generate bos_token_id disable_compile compile_config'.split(
    ' ',
  ),
);
const READ = new Set('bad_words_ids suppress_tokens decoder_start_token_id eos_token_id pad_token_id'.split(' '));

/** What a file says of a setting, and what it calls it. */
interface Said {
  readonly file: string;
  readonly field: string;
  readonly value: unknown;
}

/** Reads settings of decoding from the two files that may say them. */
export class SettingReader {
  readonly notes: ImportNote[] = [];
  readonly #folder: ConfigFiles;
  readonly #size: number;
  /** Fields that the two files were compared in. */
  readonly #compared = new Set<string>();

  constructor(folder: ConfigFiles, vocabularySize: number) {
    this.#folder = folder;
    this.#size = vocabularySize;
  }

  /** A setting and the file that decides it; generation_config.json does, as in transformers, where both have it. */
  #find(field: string): Said | undefined {
    return this.#said(field)[0];
  }

  /** What the files say of a setting, the one that decides it first. */
  #said(field: string): readonly Said[] {
    return [
      [{ file: GENERATION_CONFIG, field }, this.#folder.generationConfig] as const,
      [originOf(this.#folder, field), this.#folder.config] as const,
    ].flatMap(([place, content]) => {
      const value = content !== undefined && Object.hasOwn(content, field) ? content[field] : undefined;
      return value === undefined || value === null ? [] : [{ ...place, value }];
    });
  }

  /** Notes where two files say two things of one field. */
  #noteConflict(field: string): void {
    if (this.#compared.has(field)) return;
    this.#compared.add(field);
    const { config, generationConfig } = this.#folder;
    const [older, newer] = [config[field], generationConfig?.[field]];
    if (older === undefined || older === null || newer === undefined || newer === null) return;
    if (isSame(older, newer)) return;
    this.#note(
      { ...originOf(this.#folder, field), value: older },
      `${GENERATION_CONFIG} says ${quote(newer)}, which counts.`,
    );
  }

  #note({ file, field, value: received }: Said, what: string): void {
    this.notes.push({
      file,
      field,
      received: printableValue(received),
      message: `${file} has ${quote(field).slice(1, -1)} = ${quote(received)}. ${what}`,
    });
  }

  #refuse({ file, field, value: received }: Said, required: string): never {
    const { path } = this.#folder;
    throw invalidFolder(
      `${file} in ${path}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
      { folder: path, file, field, received, required },
    );
  }

  #refuseSeveral({ file, field, value: received }: Said): never {
    const { path } = this.#folder;
    throw unsupportedModel(
      `${file} in ${path}: ${field} is ${quote(received)}, but only one token is supported. Name one there.`,
      { folder: path, file, field, received: printableValue(received), required: 'one token' },
    );
  }

  #isToken(value: unknown): value is number {
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < this.#size;
  }

  token(field: string): number {
    this.#noteConflict(field);
    return this.#tokenOf(this.#find(field) ?? { ...originOf(this.#folder, field), value: undefined });
  }

  #tokenOf(said: Said): number {
    const { value } = said;
    const required = `an integer from 0 to ${this.#size - 1}`;
    if (Array.isArray(value) && value.length > 1 && value.every((item) => this.#isToken(item))) {
      return this.#refuseSeveral(said);
    }
    const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return this.#isToken(one) ? one : this.#refuse(said, required);
  }

  /** As `token`; undefined where nobody says it, or by an empty list. */
  optionalToken(field: string): number | undefined {
    const found = this.#find(field);
    if (found === undefined || (Array.isArray(found.value) && found.value.length === 0)) return undefined;
    return this.token(field);
  }

  /**
   * The padding token: what the configs say, generation_config.json first, or else the tokenizer. A number that is no token, such as -1,
   * says nothing, and is noted.
   */
  padding({ pad }: NamedTokens): number | undefined {
    const field = 'pad_token_id';
    this.#noteConflict(field);
    for (const said of this.#said(field)) {
      const { value } = said;
      if (Array.isArray(value) && value.length === 0) continue;
      if (!Number.isInteger(value) || this.#isToken(value)) return this.#tokenOf(said);
      this.#note(said, `It is no token from 0 to ${this.#size - 1}, and not used.`);
    }
    return pad;
  }

  /** A number of tokens; undefined where nobody says it. */
  length(field: string): number | undefined {
    const found = this.#find(field);
    if (found === undefined) return undefined;
    const { value } = found;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    return this.#refuse(found, 'a positive integer');
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
    const { value } = found;
    const required = `a list of integers from 0 to ${this.#size - 1}`;
    if (!Array.isArray(value)) return this.#refuse(found, required);
    return value.map((id: unknown) => (this.#isToken(id) ? id : this.#refuse({ ...found, value: id }, required)));
  }

  /** Bad words of one token; longer ones are noted, since graphs know no past tokens. */
  badWords(ends: readonly number[]): readonly number[] {
    const field = 'bad_words_ids';
    this.#noteConflict(field);
    const found = this.#find(field);
    if (found === undefined) return [];
    const { value } = found;
    const required = `a list of lists of integers from 0 to ${this.#size - 1}`;
    if (!Array.isArray(value)) return this.#refuse(found, required);
    const single: number[] = [];
    const longer: unknown[] = [];
    const ending = new Set<unknown>(ends);
    for (const words of value as readonly unknown[]) {
      if (!Array.isArray(words) || words.length === 0 || !words.every((id) => this.#isToken(id))) {
        return this.#refuse({ ...found, value: words }, required);
      }
      if (words.length > 1) longer.push(words);
      else if (ending.has(words[0]))
        this.#note({ ...found, value: words }, 'It is the end token, which stays possible.');
      else single.push(words[0]);
    }
    if (longer.length > 0) {
      this.#note(
        { ...found, value: longer },
        `Words of more than one token are no part of the model here: pass them as badWords.`,
      );
    }
    return single;
  }

  /** Notes every setting that would change an output and that nothing here reads; `obeyed` are those that the model obeys. */
  noteSettings(obeyed: ReadonlySet<string> = new Set()): void {
    for (const [field, [neutral, here]] of Object.entries(SETTINGS)) {
      if (obeyed.has(field)) continue;
      this.#noteConflict(field);
      const found = this.#find(field);
      if (found !== undefined && !isNeutral(found.value, neutral)) this.#note(found, here);
    }
    for (const [field, value] of Object.entries(this.#folder.generationConfig ?? {})) {
      const known = Object.hasOwn(SETTINGS, field) || READ.has(field) || SILENT.has(field) || obeyed.has(field);
      if (!known && !isNeutral(value, []))
        this.#note({ file: GENERATION_CONFIG, field, value }, 'It is not known here, and not used.');
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
