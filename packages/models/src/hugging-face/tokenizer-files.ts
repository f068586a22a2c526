import { decodeUtf8 } from '../folder/json.js';
import { type PieceTokenizerNames, TOKENIZER_BYTES, type TokenizerNames } from '../folder/manifest.js';
import { unsupportedModel } from '../folder/refusal.js';
import { type NamedTokens, readNamedTokens } from '../tokenizer/named-tokens.js';
import { readPieceTokens } from '../tokenizer/piece-vocabulary.js';
import { readSymbols } from '../tokenizer/symbols.js';
import type { FileReader } from './config-files.js';

const TOKENIZER = 'tokenizer.json';
/** Lists of characters or phonemes, of models that need no more. */
const SYMBOLS = 'symbols.json';
/** What translation models were published with before there were tokenizer.json files; its names are those of transformers. */
const PIECES: PieceTokenizerNames = { source: 'source.spm', target: 'target.spm', vocabulary: 'vocab.json' };

/** A folder's tokenizer, as it will lie in the model folder; not yet checked. */
export interface TokenizerFiles {
  /** What the manifest says of it. */
  readonly names: TokenizerNames;
  /** Content of the files by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Looks its named tokens up. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
  namedTokens(vocabularySize: number): NamedTokens;
}

/**
 * Reads the tokenizer of a folder: its SentencePiece models where it has them, since a tokenizer.json made of them only
 * comes near; else tokenizer.json. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function readTokenizerFiles(reader: FileReader): Promise<TokenizerFiles> {
  const { path: folder } = reader;
  const read = (file: string): Promise<Uint8Array> => reader.read(file, TOKENIZER_BYTES);
  const names = Object.values(PIECES);
  const found = await Promise.all(names.map((file) => reader.has(file)));
  if (found.every((isThere) => isThere)) {
    const files = new Map<string, Uint8Array>();
    for (const file of [PIECES.source, PIECES.target]) files.set(file, await read(file));
    const vocabulary = await read(PIECES.vocabulary);
    files.set(PIECES.vocabulary, vocabulary);
    const content = decodeUtf8(vocabulary, PIECES.vocabulary, { folder });
    const namedTokens = (size: number): NamedTokens => readPieceTokens({ file: PIECES.vocabulary, content }, size);
    return { names: PIECES, files, namedTokens };
  }
  if (found.some((isThere) => isThere) && !(await reader.has(TOKENIZER))) {
    const missing = names.filter((_, index) => found[index] === false);
    throw unsupportedModel(
      `${folder} has a part of a SentencePiece tokenizer, but not ${missing.join(', ')}; ${names.join(', ')} are required, or ${TOKENIZER}. Fetch the missing files.`,
      {
        folder,
        file: missing[0] as string,
        received: names.filter((name) => !missing.includes(name)),
        required: names,
      },
    );
  }
  if (!(await reader.has(TOKENIZER)) && (await reader.has(SYMBOLS))) {
    const bytes = await read(SYMBOLS);
    readSymbols(decodeUtf8(bytes, SYMBOLS, { folder }), SYMBOLS);
    return { names: { symbols: SYMBOLS }, files: new Map([[SYMBOLS, bytes]]), namedTokens: () => ({}) };
  }
  const bytes = await read(TOKENIZER);
  const json = decodeUtf8(bytes, TOKENIZER, { folder });
  return {
    names: TOKENIZER,
    files: new Map([[TOKENIZER, bytes]]),
    namedTokens: (size) => readNamedTokens(json, size, folder),
  };
}
