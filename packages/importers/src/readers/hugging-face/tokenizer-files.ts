import {
  decodeUtf8,
  type FileContent,
  type NamedTokens,
  type PieceTokenizerNames,
  readNamedTokens,
  readPieceTokens,
  readRegularFile,
  TOKENIZER_BYTES,
  unsupportedModel,
} from '@foretoken/models/folder';
import { fileExists } from '../file-exists.js';

const TOKENIZER = 'tokenizer.json';
/** What Marian models were published with before there were tokenizer.json files; its names are those of transformers. */
const PIECES: PieceTokenizerNames = { source: 'source.spm', target: 'target.spm', vocabulary: 'vocab.json' };

/** A weights folder's tokenizer, as it will lie in the model folder; not yet checked. */
export interface TokenizerFiles {
  /** What the manifest says of it. */
  readonly names: string | PieceTokenizerNames;
  readonly files: ReadonlyMap<string, FileContent>;
  /** Looks its named tokens up. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
  namedTokens(vocabularySize: number): NamedTokens;
}

/**
 * Reads the tokenizer of a weights folder: its SentencePiece models where it has them, since a tokenizer.json made of them only
 * comes near; else tokenizer.json. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const read = (file: string): Promise<Uint8Array> =>
    readRegularFile({ folder, file }, { links: true, max: TOKENIZER_BYTES });
  const names = Object.values(PIECES);
  const found = await Promise.all(names.map((file) => fileExists(folder, file)));
  if (found.every((isThere) => isThere)) {
    const files = new Map<string, FileContent>();
    for (const file of names) files.set(file, await read(file));
    const content = decodeUtf8(files.get(PIECES.vocabulary) as Uint8Array, PIECES.vocabulary, { folder });
    const namedTokens = (size: number): NamedTokens => readPieceTokens({ file: PIECES.vocabulary, content }, size);
    return { names: PIECES, files, namedTokens };
  }
  if (found.some((isThere) => isThere) && !(await fileExists(folder, TOKENIZER))) {
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
  const json = decodeUtf8(await read(TOKENIZER), TOKENIZER, { folder });
  return {
    names: TOKENIZER,
    files: new Map([[TOKENIZER, json]]),
    namedTokens: (size) => readNamedTokens(json, size, folder),
  };
}
