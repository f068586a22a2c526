import { CONFIG, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';
import type { Vocabularies, Vocabulary } from './vocabularies.js';

/** What the config.json of an encoder-decoder says of its tokens. */
export interface TextOptions {
  readonly unknown: string;
  readonly end: string;
  /** What outputs begin with; null where who decodes is to say it. */
  readonly start: string | null;
  readonly addSourceStart: boolean;
  readonly addSourceEnd: boolean;
}

/** What other layers compute with; here they have one value. */
const FIXED: Readonly<Record<string, unknown>> = { multi_query_attention: false, quantization_type: 0 };

type Given = Readonly<Record<string, unknown>>;

/** Reads config.json, whose fields have defaults. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readTextOptions(folder: string, given: Given): TextOptions {
  for (const [field, wanted] of Object.entries(FIXED)) assertFixed(folder, given, field, wanted);
  const { decoder_start_token: start = '<s>' } = given;
  return {
    unknown: text(folder, given, 'unk_token', '<unk>'),
    end: text(folder, given, 'eos_token', '</s>'),
    start: start === null ? null : text(folder, given, 'decoder_start_token', '<s>'),
    addSourceStart: flag(folder, given, 'add_source_bos'),
    addSourceEnd: flag(folder, given, 'add_source_eos'),
  };
}

/** The end token of a language model, by its text. Throws `INVALID_MODEL_FOLDER`. */
export const readEndToken = (folder: string, given: Given): string => text(folder, given, 'eos_token', '</s>');

/** What norms add to variances; `otherwise` where config.json does not say it. Throws `INVALID_MODEL_FOLDER`. */
export function readEpsilon(folder: string, given: Given, otherwise: number): number {
  const received = given.layer_norm_epsilon ?? otherwise;
  if (typeof received === 'number' && received >= 0 && received <= 1) return received;
  throw refused(folder, 'layer_norm_epsilon', received, 'a number from 0 to 1');
}

/** A list of token ids in config.json, where it has one, of a vocabulary of so many. Throws `INVALID_MODEL_FOLDER`. */
export function readTokenIds(
  folder: string,
  given: Given,
  field: string,
  vocabulary: number,
): readonly number[] | undefined {
  const received = given[field];
  if (received === undefined || received === null) return undefined;
  const isToken = (id: unknown): id is number => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabulary;
  if (Array.isArray(received) && received.every(isToken)) return received;
  const wrong: unknown = Array.isArray(received) ? received.find((id) => !isToken(id)) : received;
  throw refused(folder, field, wrong, `a list of integers from 0 to ${vocabulary - 1}`);
}

/** Refuses a value of config.json but one, which is also what no value means. Throws `UNSUPPORTED_MODEL`. */
export function assertFixed(folder: string, given: Given, field: string, wanted: unknown): void {
  const received = given[field] ?? wanted;
  if (received === wanted) return;
  throw unsupportedModel(
    `${CONFIG} in ${folder} has ${field} = ${quote(received)}, which is not supported; supported: null, ${wanted}. Import the weights that it was converted from.`,
    { folder, file: CONFIG, field, received, required: [null, wanted] },
  );
}

/**
 * Whether sources end with the end token. Converted models of transformers and fairseq do, whoever puts it there; those of OpenNMT, whose
 * outputs begin with `<s>`, do only where the config says so.
 */
export const sourcesEnd = ({ addSourceEnd, start }: TextOptions): boolean => addSourceEnd || start !== '<s>';

/** The id of a token that `field` of config.json names. Throws `INVALID_MODEL_FOLDER`. */
export function idIn(folder: string, { file, tokens }: Vocabulary, field: string, token: string): number {
  const id = tokens.indexOf(token);
  if (id >= 0) return id;
  throw invalidFolder(
    `${CONFIG} in ${folder}: ${field} is ${quote(token)}, but ${file} has no such token. Fetch both of one model.`,
    { folder, file: CONFIG, field, received: token, required: `a token of ${file}` },
  );
}

/** Tokens that pad, by the names that converters give them; undefined where there is none. */
export function paddingOf({ tokens }: Vocabularies['source']): number | undefined {
  const found = ['<pad>', '<blank>'].map((token) => tokens.indexOf(token)).find((id) => id >= 0);
  return found;
}

function text(folder: string, given: Given, field: string, otherwise: string): string {
  const received = given[field] ?? otherwise;
  if (typeof received === 'string') return received;
  throw refused(folder, field, received, 'a text');
}

function flag(folder: string, given: Given, field: string): boolean {
  const received = given[field] ?? false;
  if (typeof received === 'boolean') return received;
  throw refused(folder, field, received, 'true or false');
}

function refused(folder: string, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${CONFIG} in ${folder}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or correct the file.`,
    { folder, file: CONFIG, field, received, required },
  );
}
