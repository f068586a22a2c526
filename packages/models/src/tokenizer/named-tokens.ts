import { isObject, parseJson } from '../folder/json.js';
import { checkTokenizer } from './check-tokenizer.js';
import { checkUnigram, checkWordPieces } from './own-checks.js';
import { SAFE_PATTERNS } from './safe-patterns.js';

/** Tokens of a tokenizer that models give a meaning to; absent where it has none. */
export interface NamedTokens {
  /** Stands for what the tokenizer cannot express. */
  readonly unknown?: number | undefined;
  /** Pads shorter rows. */
  readonly pad?: number | undefined;
  /** Of a vocabulary of pieces. */
  readonly end?: number | undefined;
  /** Tokens by their text that are no plain part of texts, such as those of languages. */
  readonly added?: ReadonlyMap<string, number> | undefined;
}

/** What padding is called where a tokenizer does not pad by itself. */
const USUAL_PADDING = ['<pad>', '[PAD]'];
const OWN = { SAFE_PATTERNS, checkUnigram, checkWordPieces };

/**
 * Checks a tokenizer.json as loading does, short of the tokenizer library, and looks its named tokens up; `file` is what it was made of.
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function readNamedTokens(
  json: string,
  vocabularySize: number,
  folder: string,
  file: string = 'tokenizer.json',
): NamedTokens {
  const { content } = checkTokenizer(parseJson(json, file, { folder }), vocabularySize, file, OWN);
  // Their shapes were checked.
  const added = content.added_tokens as readonly { readonly id: number; readonly content: string }[];
  const { unk_token: name = '<unk>' } = content.model as { readonly unk_token?: unknown };
  const idOf = (wanted: unknown): number | undefined => added.find((token) => token.content === wanted)?.id;
  const padding = isObject(content.padding) ? content.padding.pad_token : undefined;
  const pad = [padding, ...USUAL_PADDING].map(idOf).find((id) => id !== undefined);
  return { unknown: idOf(name), pad, added: new Map(added.map((token) => [token.content, token.id])) };
}
