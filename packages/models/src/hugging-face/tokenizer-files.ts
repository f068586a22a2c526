import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { MANIFEST_BYTES, type PieceTokenizerNames, TOKENIZER_BYTES, type TokenizerNames } from '../folder/manifest.js';
import { quote, unsupportedModel } from '../folder/refusal.js';
import { type NamedTokens, readNamedTokens } from '../tokenizer/named-tokens.js';
import { readPieceTokens } from '../tokenizer/piece-vocabulary.js';
import { readPieceModel } from '../tokenizer/sentencepiece/piece-model.js';
import { readSymbols } from '../tokenizer/symbols.js';
import { CONFIG, type FileReader } from './config-files.js';
import { readFairseqTokens } from './fairseq-pieces.js';
import { NUMBERED_PIECES, ONE_MODEL, PIECES, TARGET_VOCABULARY, TOKENIZER } from './tokenizer-names.js';

/** Lists of characters or phonemes, of models that need no more. */
const SYMBOLS = 'symbols.json';
/** Lists of word pieces, of the merges of pairs, and the pieces of language models: each says a part of what a tokenizer does. */
const OLD_FILES = ['vocab.txt', 'merges.txt', 'tokenizer.model'];
/** Kinds of models that put tokens of their own before the pieces of such a file. */
const NUMBERED_OTHERWISE = ['pegasus', 'pegasus_x', 'bigbird_pegasus'];

/** A folder's tokenizer, as it will lie in the model folder; not yet checked. */
export interface TokenizerFiles {
  /** What the manifest says of it; undefined where tokens are known, and nothing says how texts become them. */
  readonly names: TokenizerNames | undefined;
  /** Content of the files by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Looks its named tokens up, of a vocabulary for both sides or for outputs. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
  namedTokens(vocabularySize: number): NamedTokens;
  /** The same of sources, where they have a vocabulary of their own. */
  readonly sourceTokens?: ((vocabularySize: number) => NamedTokens) | undefined;
}

/**
 * Reads the tokenizer of a folder: its SentencePiece models where it has two of them, since a tokenizer.json made of them only
 * comes near; else tokenizer.json; else one SentencePiece model. `usual` is the file that a folder with none of them lacks. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function readTokenizerFiles(reader: FileReader, usual: string = TOKENIZER): Promise<TokenizerFiles> {
  const names = Object.values(PIECES);
  const found = await Promise.all(names.map((file) => reader.has(file)));
  if (found.every((isThere) => isThere)) {
    const separate = await reader.has(TARGET_VOCABULARY);
    return readPieces(reader, separate ? { ...PIECES, targetVocabulary: TARGET_VOCABULARY } : PIECES);
  }
  const missing = names.filter((_, index) => found[index] === false);
  const isThere = await reader.has(TOKENIZER);
  const others = isThere ? undefined : await readWithout(reader, missing);
  if (others !== undefined) return others;
  const { path: folder } = reader;
  const bytes = await reader.read(isThere ? TOKENIZER : usual, TOKENIZER_BYTES);
  const json = decodeUtf8(bytes, TOKENIZER, { folder });
  return {
    names: TOKENIZER,
    files: new Map([[TOKENIZER, bytes]]),
    namedTokens: (size) => readNamedTokens(json, size, folder),
  };
}

/** The tokenizer of a folder without a tokenizer.json, which lacks some of the files of a pair of SentencePiece models. */
async function readWithout(reader: FileReader, missing: readonly string[]): Promise<TokenizerFiles | undefined> {
  const { path: folder } = reader;
  const { vocabulary } = PIECES;
  if (await reader.has(ONE_MODEL)) {
    return (await reader.has(vocabulary))
      ? readPieces(reader, { source: ONE_MODEL, target: ONE_MODEL, vocabulary })
      : readFairseqPieces(reader);
  }
  const names = Object.values(PIECES);
  const isPart = missing.length < names.length;
  // A vocab.json is one of pairs too, where it lies beside their merges.
  if (isPart && missing.length === names.length - 1 && !missing.includes(vocabulary)) await refuseOldFiles(reader);
  if (isPart) {
    throw unsupportedModel(
      `${folder} has a part of a SentencePiece tokenizer, but not ${missing.join(', ')}; ${names.join(', ')} are required, or ${TOKENIZER}. Fetch the missing files.`,
      {
        folder,
        file: missing[0],
        received: names.filter((name) => !missing.includes(name)),
        required: names,
      },
    );
  }
  if (await reader.has(NUMBERED_PIECES)) {
    await assertNumbered(reader);
    return readNumberedPieces(reader, NUMBERED_PIECES, NUMBERED_PIECES);
  }
  if (!(await reader.has(SYMBOLS))) {
    await refuseOldFiles(reader);
    return undefined;
  }
  const bytes = await reader.read(SYMBOLS, TOKENIZER_BYTES);
  readSymbols(decodeUtf8(bytes, SYMBOLS, { folder }), SYMBOLS);
  return { names: { symbols: SYMBOLS }, files: new Map([[SYMBOLS, bytes]]), namedTokens: () => ({}) };
}

/** Throws `UNSUPPORTED_MODEL` for the files that slow tokenizers of transformers read. */
async function refuseOldFiles({ path: folder, has }: FileReader): Promise<void> {
  for (const file of OLD_FILES) {
    if (!(await has(file))) continue;
    throw unsupportedModel(
      `${folder} has ${file}, but no ${TOKENIZER}, which is required. Write it with AutoTokenizer.from_pretrained(folder).save_pretrained(folder) of transformers.`,
      { folder, file, received: file, required: TOKENIZER },
    );
  }
}

/** Throws `UNSUPPORTED_MODEL` for a kind of model whose tokens have other ids than their places among the pieces. */
async function assertNumbered(reader: FileReader): Promise<void> {
  const { path: folder } = reader;
  if (!(await reader.has(CONFIG))) return;
  const config = parseJson(decodeUtf8(await reader.read(CONFIG, MANIFEST_BYTES), CONFIG, { folder }), CONFIG, {
    folder,
  });
  const kind = isObject(config) ? config.model_type : undefined;
  if (typeof kind !== 'string' || !NUMBERED_OTHERWISE.includes(kind)) return;
  throw unsupportedModel(
    `${folder}: ${NUMBERED_PIECES} does not say what ids ${quote(kind)} gives its pieces. Add ${TOKENIZER}.`,
    { folder, file: NUMBERED_PIECES, field: 'model_type', received: kind, required: TOKENIZER },
  );
}

/**
 * SentencePiece models whose pieces are numbered as they lie in them, one for both sides or one for each. Throws
 * `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function readNumberedPieces(reader: FileReader, source: string, target: string): Promise<TokenizerFiles> {
  const { vocabulary } = PIECES;
  const numbersOf = async (file: string): Promise<Uint8Array> => {
    const { pieces } = readPieceModel(await reader.read(file, TOKENIZER_BYTES), file);
    return new TextEncoder().encode(JSON.stringify(Object.fromEntries(pieces.map((piece, id) => [piece, id]))));
  };
  const made = new Map([[vocabulary, await numbersOf(source)]]);
  if (source !== target) made.set(TARGET_VOCABULARY, await numbersOf(target));
  const read = async (file: string, max: number): Promise<Uint8Array> => made.get(file) ?? reader.read(file, max);
  const targetVocabulary = source === target ? undefined : TARGET_VOCABULARY;
  const madeOf = { [vocabulary]: source, [TARGET_VOCABULARY]: target };
  return readPieces({ ...reader, read }, { source, target, vocabulary, targetVocabulary }, madeOf);
}

/** One SentencePiece model of fairseq, whose pieces and languages have ids that no file of the folder lists. */
async function readFairseqPieces(reader: FileReader): Promise<TokenizerFiles> {
  const { vocabulary } = PIECES;
  const { ids, languages } = await readFairseqTokens(reader, ONE_MODEL);
  const made = new TextEncoder().encode(JSON.stringify(ids));
  const read = async (file: string, max: number): Promise<Uint8Array> =>
    file === vocabulary ? made : reader.read(file, max);
  const { path } = reader;
  const pieces = await readPieces(
    { path, has: (file) => reader.has(file), read },
    { source: ONE_MODEL, target: ONE_MODEL, vocabulary },
    { [vocabulary]: ONE_MODEL },
  );
  return { ...pieces, namedTokens: (size) => ({ ...pieces.namedTokens(size), added: languages }) };
}

/** SentencePiece models, and the ids of their pieces; `madeOf` are the files that vocabularies were made of which the folder lacks. */
async function readPieces(
  reader: FileReader,
  names: PieceTokenizerNames,
  madeOf: Readonly<Record<string, string>> = {},
): Promise<TokenizerFiles> {
  const { path: folder } = reader;
  const files = new Map<string, Uint8Array>();
  const read = async (file: string): Promise<Uint8Array> => {
    const bytes = files.get(file) ?? (await reader.read(file, TOKENIZER_BYTES));
    files.set(file, bytes);
    return bytes;
  };
  const tokensOf = async (file: string): Promise<(size: number) => NamedTokens> => {
    const content = decodeUtf8(await read(file), file, { folder });
    return (size) => readPieceTokens({ file: madeOf[file] ?? file, content }, size);
  };
  const { source, target, vocabulary, targetVocabulary } = names;
  for (const model of [source, target]) await read(model);
  const ofSources = await tokensOf(vocabulary);
  if (targetVocabulary === undefined) return { names, files, namedTokens: ofSources };
  return { names, files, namedTokens: await tokensOf(targetVocabulary), sourceTokens: ofSources };
}
