import { join } from 'node:path';
import {
  decodeUtf8,
  type FileReader,
  invalidFolder,
  isObject,
  parseJson,
  quote,
  readTokenizerFiles,
  type TokenizerFiles,
  unsupportedModel,
} from '@foretoken/models/internal';
import type { Vocabulary } from './vocabularies.js';

export const TOKENIZER = 'tokenizer.json';

/** The tokenizer.json of a model that needs one. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function requireTokenizer(reader: FileReader): Promise<TokenizerFiles> {
  const { path: folder } = reader;
  if (await reader.has(TOKENIZER)) {
    // Whatever else lies there cuts texts of other models.
    return readTokenizerFiles({ ...reader, has: async (name) => name === TOKENIZER });
  }
  throw unsupportedModel(
    `${folder} has no ${TOKENIZER}, and a vocabulary alone does not say how text is put together. Copy ${TOKENIZER} of the original model to ${join(folder, TOKENIZER)}.`,
    { folder, file: TOKENIZER, required: TOKENIZER },
  );
}

/** The content of a tokenizer.json, which must give tokens the ids that a vocabulary gives them. Throws `INVALID_MODEL_FOLDER`. */
export function assertSameIds(
  folder: string,
  { files }: TokenizerFiles,
  vocabulary: Vocabulary,
): Readonly<Record<string, unknown>> {
  const bytes = files.get(TOKENIZER) ?? new Uint8Array();
  const json = parseJson(decodeUtf8(bytes, TOKENIZER, { folder }), TOKENIZER, { folder });
  const content = isObject(json) ? json : {};
  for (const [token, id] of tokensOf(content)) {
    const received = vocabulary.tokens[id];
    if (received === undefined || received === token) continue;
    throw invalidFolder(
      `${TOKENIZER} in ${folder} has ${quote(token)} as token ${id}, but ${vocabulary.file} has ${quote(received)}. Copy the tokenizer of this model.`,
      { folder, file: TOKENIZER, field: String(id), received: token, required: received },
    );
  }
  return content;
}

/** Tokens of a tokenizer.json and their ids. */
function* tokensOf({ model, added_tokens: added }: Readonly<Record<string, unknown>>): Iterable<[string, number]> {
  for (const token of Array.isArray(added) ? added : []) {
    if (isObject(token) && typeof token.content === 'string' && typeof token.id === 'number') {
      yield [token.content, token.id];
    }
  }
  const vocabulary = isObject(model) ? model.vocab : undefined;
  if (Array.isArray(vocabulary)) {
    for (const [id, piece] of vocabulary.entries()) if (Array.isArray(piece)) yield [String(piece[0]), id];
  } else if (isObject(vocabulary)) {
    for (const [token, id] of Object.entries(vocabulary)) if (typeof id === 'number') yield [token, id];
  }
}
