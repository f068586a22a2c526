import { ForetokenError, type TokenSource, type Vocabulary } from '@foretoken/core';
import { assertInteger } from '@foretoken/core/kit';
import { invalidFolder, quote } from '../folder/refusal.js';
import { type Named, readPieceIds, UNKNOWN } from './piece-vocabulary.js';
import { readTokens } from './read-tokens.js';
import { SPACE_MARK } from './sentencepiece/normalize.js';
import { PIECE_KIND } from './sentencepiece/piece-model.js';
import { SentencePiece } from './sentencepiece/sentence-piece.js';
import { assertSourceText, assertSourceTokens, emptySource } from './source-text.js';
import type { TextTokenizer } from './text-tokenizer.js';
import { type TextUse, textUse } from './text-use.js';

/** A language code before a text, as multilingual models have them: it is a token, and no part of the text. */
const LANGUAGE_CODE = /^\s*(>>[^<>]+<<)/;
/** Of pieces that are text, the least share that a vocabulary must have, so that it is not another model's. */
const MIN_SHARED = 0.5;

/** Files of a tokenizer of two SentencePiece models and the token ids of their pieces. */
export interface PieceTokenizerFiles {
  readonly source: Named<Uint8Array>;
  readonly target: Named<Uint8Array>;
  /** A JSON object, piece to token id. */
  readonly vocabulary: Named<string>;
  /** The same of the target's pieces, where their ids are others. */
  readonly targetVocabulary?: Named<string> | undefined;
}

/** What a tokenizer of pieces is told of its model. */
export interface PieceTokenizerOptions {
  readonly vocabulary: Vocabulary;
  /** Tokens of sources, where they are not those of outputs. */
  readonly sourceVocabulary?: Vocabulary | undefined;
  /** Most tokens of a source, the end token included. */
  readonly sourceLength: number;
}

/**
 * A tokenizer of two SentencePiece models: a source is cut by the source's SentencePiece model, outputs are cut and put together by the
 * target's, and a vocabulary file says the token id of each piece. Text is never read as a special token, but for a language code such as
 * `>>fra<<` before a text, where the vocabulary has language codes.
 *
 * The files are untrusted. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`.
 */
export function createPieceTokenizer(files: PieceTokenizerFiles, options: PieceTokenizerOptions): TextTokenizer {
  const { vocabulary, sourceVocabulary = vocabulary, sourceLength } = options;
  assertInteger('sourceLength', sourceLength, 1, 65_536);
  const { ids, unknownTokenId } = readSide(files.vocabulary, sourceVocabulary);
  const written = files.targetVocabulary === undefined ? files.vocabulary : files.targetVocabulary;
  const said = written === files.vocabulary ? { ids, unknownTokenId } : readSide(written, vocabulary);
  const pieceOf = new Map<number, string>();
  for (const [piece, id] of said.ids) {
    if (pieceOf.has(id)) refuseId(written.file, piece, id, 'an id that no other piece has');
    pieceOf.set(id, piece);
  }
  const source = new SentencePiece(files.source.content, files.source.file);
  assertShared(source, ids, files.source.file, files.vocabulary.file);
  const target =
    files.target.file === files.source.file ? source : new SentencePiece(files.target.content, files.target.file);
  assertShared(target, said.ids, files.target.file, written.file);
  const hidden = new Set([said.unknownTokenId, vocabulary.endTokenId, vocabulary.padTokenId]);

  const codes = [...ids.keys()].filter((piece) => LANGUAGE_CODE.exec(piece)?.[0] === piece);
  const hasCodes = codes.length > 0;
  const codeId = (code: string): number => {
    const id = ids.get(code);
    if (id !== undefined) return id;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The text begins with ${quote(code)}, but this model has no such language code. It has ${codes.slice(0, 20).join(' ')}${codes.length > 20 ? ' and others' : ''}.`,
      { option: 'text', received: code, required: codes },
    );
  };

  const encode = (text: string, use: TextUse = 'source'): TokenSource => {
    assertSourceText(text, sourceLength);
    textUse('use', use);
    if (use === 'output') {
      const pieces = target.encode(text);
      if (pieces.length === 0) throw emptySource(text);
      return Int32Array.from(pieces, (piece) => said.ids.get(piece.text) ?? said.unknownTokenId);
    }
    const code = hasCodes ? LANGUAGE_CODE.exec(text) : null;
    const rest = code === null ? text : text.slice(code[0].length);
    const pieces = source.encode(rest);
    if (pieces.length === 0) throw emptySource(text);
    const { endTokenId } = sourceVocabulary;
    const tokenIds = [
      ...(code === null ? [] : [codeId(code[1])]),
      ...pieces.map((piece) => ids.get(piece.text) ?? unknownTokenId),
      ...(endTokenId === undefined || use !== 'source' ? [] : [endTokenId]),
    ];
    assertSourceTokens(tokenIds.length, sourceLength);
    return Int32Array.from(tokenIds);
  };

  return {
    encode,
    ...readTokens({
      size: vocabulary.size,
      hidden,
      unknownTokenId,
      spelling: (tokenId) => pieceOf.get(tokenId),
      join: (shown) =>
        target
          .decode(shown.flatMap((tokenId) => pieceOf.get(tokenId) ?? []))
          .replaceAll(SPACE_MARK, ' ')
          .trim(),
    }),
  };
}

/** The ids of one side's pieces, and that of the unknown one. */
function readSide(
  vocabulary: Named<string>,
  { size, unknownTokenId: told }: Vocabulary & { readonly unknownTokenId?: number | undefined },
): { readonly ids: Map<string, number>; readonly unknownTokenId: number } {
  const { file } = vocabulary;
  const ids = readPieceIds(vocabulary, size);
  const unknownTokenId = ids.get(UNKNOWN) ?? refuseId(file, UNKNOWN, undefined, 'a token');
  if (![undefined, unknownTokenId].includes(told)) {
    refuseId(file, UNKNOWN, unknownTokenId, `the token that the manifest says is unknown, ${told}`);
  }
  return { ids, unknownTokenId };
}

function refuseId(file: string, field: string, received: unknown, required: string): never {
  throw invalidFolder(
    `${file}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch the tokenizer again.`,
    { file, field, received, required },
  );
}

/** Refuses a vocabulary that has few of a model's pieces: it belongs to another. */
function assertShared(pieces: SentencePiece, ids: ReadonlyMap<string, number>, file: string, vocabulary: string): void {
  const { kinds, pieces: all } = pieces.model;
  const text = all.filter((_, id) => kinds[id] === PIECE_KIND.normal);
  const shared = text.filter((piece) => ids.has(piece)).length;
  if (text.length === 0 || shared / text.length >= MIN_SHARED) return;
  throw invalidFolder(
    `${vocabulary} has ${shared} of the ${text.length} pieces of ${file}; at least half are needed. The files belong to different models.`,
    { file, received: shared, required: Math.ceil(text.length * MIN_SHARED) },
  );
}
