import { readdir } from 'node:fs/promises';
import {
  CONFIG,
  type FileReader,
  type ImportNote,
  type NamedTokens,
  readPieceModel,
  readTokenizerFiles,
  TOKENIZER_BYTES,
  type TokenizerFiles,
  unsupportedModel,
} from '@foretoken/models/internal';
import { idIn, paddingOf, sourcesEnd, type TextOptions } from './text-options.js';
import { assertSameIds, TOKENIZER } from './tokenizer-json.js';
import type { Vocabularies, Vocabulary } from './vocabularies.js';

/** SentencePiece models, by the names that people give them. Byte pairs of another program are called the last. */
const PIECES = /^(?!bpe\.model$).*\.(?:spm|model)$/;
const SOURCES = /^(?:source|src)/;
const TARGETS = /^(?:target|tgt|trg)/;
const VOCABULARY = 'vocab.json';
const TARGET_VOCABULARY = 'target_vocab.json';

/** What a folder has to turn texts into tokens, and what is to be said of it. */
export interface FolderText {
  readonly tokenizer: TokenizerFiles;
  readonly notes: readonly ImportNote[];
}

/**
 * The tokenizer of an encoder-decoder in a folder of CTranslate2: SentencePiece models that lie beside it and give the pieces that its
 * vocabularies list, or a tokenizer.json with the same ids. Without any the model reads and writes token ids.
 *
 * Throws `INVALID_MODEL_FOLDER` for a tokenizer of another model, `UNSUPPORTED_MODEL`.
 */
export async function readFolderText(
  reader: FileReader,
  vocabularies: Vocabularies,
  options: TextOptions,
): Promise<FolderText> {
  const found = await pieceFiles(reader);
  if (found === undefined && (await reader.has(TOKENIZER))) {
    const tokenizer = await readTokenizerFiles(reader);
    assertFramed(reader.path, tokenizer, vocabularies, options);
    return { tokenizer, notes: [] };
  }
  const pieces = new Set<string>();
  const files = new Map<string, Uint8Array>();
  for (const file of new Set(found)) {
    const bytes = await reader.read(file, TOKENIZER_BYTES);
    files.set(file, bytes);
    for (const piece of readPieceModel(bytes, file).pieces) pieces.add(piece);
  }
  const { source, target } = vocabularies;
  const { path: folder } = reader;
  const named = (side: Vocabulary, ends: boolean): NamedTokens => ({
    unknown: idIn(folder, side, 'unk_token', options.unknown),
    end: ends ? idIn(folder, side, 'eos_token', options.end) : undefined,
    pad: paddingOf(side),
  });
  const ends = sourcesEnd(options);
  // What no text shows, such as languages.
  const added = new Map(
    [...target.tokens.entries()].flatMap(([id, token]) => (pieces.has(token) ? [] : [[token, id]])),
  );
  const targets = { ...named(target, true), added };
  const sources = source === target && ends ? undefined : named(source, ends);
  const tokens = { namedTokens: () => targets, sourceTokens: sources && (() => sources) };
  if (found === undefined) {
    return { tokenizer: { names: undefined, files, ...tokens }, notes: [withoutText(reader.path)] };
  }
  if (options.addSourceStart) {
    throw unsupportedModel(
      `${CONFIG} in ${folder} has add_source_bos = true, and texts that are cut by ${found[0]} have no start token here. Take ${found.join(' and ')} out of the folder to read and write token ids.`,
      { folder, file: CONFIG, field: 'add_source_bos', received: true, required: false },
    );
  }
  files.set(VOCABULARY, idsOf(source, options));
  if (source !== target) files.set(TARGET_VOCABULARY, idsOf(target, options));
  const names = {
    source: found[0],
    target: found[1],
    vocabulary: VOCABULARY,
    targetVocabulary: source === target ? undefined : TARGET_VOCABULARY,
  };
  return { tokenizer: { names, files, ...tokens }, notes: [] };
}

/** The SentencePiece models of sources and outputs. Throws `UNSUPPORTED_MODEL` where nothing says which they are. */
async function pieceFiles({ path: folder }: FileReader): Promise<readonly [string, string] | undefined> {
  const files = (await readdir(folder).catch((): string[] => [])).filter((name) => PIECES.test(name)).sort();
  if (files.length < 2) return files.length === 0 ? undefined : [files[0], files[0]];
  const [source, target] = [SOURCES, TARGETS].map((side) => files.filter((name) => side.test(name)));
  if (files.length === 2 && source.length === 1 && target.length === 1) return [source[0], target[0]];
  const required = 'one SentencePiece model, or source.spm and target.spm';
  throw unsupportedModel(
    `${folder} holds several SentencePiece models: ${files.slice(0, 5).join(', ')}; ${required} is required. Leave those of this model there.`,
    { folder, file: files[0], received: files.slice(0, 20), required },
  );
}

/** The ids of tokens as a tokenizer of pieces reads them, which knows the unknown one by one name. */
function idsOf({ tokens }: Vocabulary, { unknown }: TextOptions): Uint8Array {
  const ids = tokens.map((token, id) => [token === unknown ? '<unk>' : token, id]);
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(ids)));
}

function withoutText(folder: string): ImportNote {
  return {
    file: 'model.bin',
    field: 'tokenizer',
    received: null,
    message: `${folder} has vocabularies, but nothing that cuts texts into their tokens, so the model reads and writes token ids only. To read text, put the SentencePiece models of the original into the folder (source.spm and target.spm, or one such as sentencepiece.model), or its tokenizer.json.`,
  };
}

/** Refuses a tokenizer.json that gives tokens other ids than the vocabulary, or that does not frame sources as the config says. */
function assertFramed(
  folder: string,
  tokenizer: TokenizerFiles,
  { source, target }: Vocabularies,
  options: TextOptions,
): void {
  if (source !== target) {
    throw unsupportedModel(
      `${folder} has two vocabularies, but ${TOKENIZER} has one. Put source.spm and target.spm of the model there instead.`,
      { folder, file: TOKENIZER, received: TOKENIZER, required: ['source.spm', 'target.spm'] },
    );
  }
  const content = assertSameIds(folder, tokenizer, target);
  const framed = JSON.stringify(content.post_processor ?? null);
  for (const [field, wanted, token] of [
    ['add_source_bos', options.addSourceStart, undefined],
    ['add_source_eos', options.addSourceEnd, options.end],
  ] as const) {
    if (!wanted || (token !== undefined && framed.includes(JSON.stringify(token)))) continue;
    throw unsupportedModel(
      `${CONFIG} in ${folder} has ${field} = true, but ${TOKENIZER} does not put that token there. Take ${TOKENIZER} out of the folder to read and write token ids.`,
      { folder, file: CONFIG, field, received: true, required: false },
    );
  }
}
