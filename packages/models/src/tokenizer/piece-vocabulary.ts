import { isObject, parseJson } from '../folder/json.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import type { NamedTokens } from './named-tokens.js';

/** Names of the token that stands for what has no piece, and of the padding, in a vocabulary file. */
export const UNKNOWN = '<unk>';
const PAD = '<pad>';
const END = '</s>';

/** One file of a tokenizer: its name, for messages, and its content. */
export interface Named<Content> {
  readonly file: string;
  readonly content: Content;
}

/** Reads a vocabulary file and looks its named tokens up. Throws `INVALID_MODEL_FOLDER`. */
export function readPieceTokens(vocabulary: Named<string>, size: number): NamedTokens {
  const ids = readPieceIds(vocabulary, size);
  return { unknown: ids.get(UNKNOWN), pad: ids.get(PAD), end: ids.get(END) };
}

/** Token ids by piece, of a vocabulary file. Throws `INVALID_MODEL_FOLDER`. */
export function readPieceIds({ file, content }: Named<string>, size: number): Map<string, number> {
  const parsed = parseJson(content, file);
  if (!isObject(parsed)) {
    throw invalidFolder(`${file} is ${quote(parsed)}, but it must be an object, piece to token id. Fetch it again.`, {
      file,
      received: parsed,
      required: 'an object',
    });
  }
  const ids = new Map<string, number>();
  for (const [piece, id] of Object.entries(parsed)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= size) {
      throw invalidFolder(
        `${file}: the id of ${quote(piece)} is ${quote(id)}, but it must be inside the vocabulary, from 0 to ${size - 1}. Check that the tokenizer belongs to this model.`,
        { file, field: piece, received: id, required: `from 0 to ${size - 1}` },
      );
    }
    ids.set(piece, id);
  }
  return ids;
}
