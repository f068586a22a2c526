import { TOKENIZER_BYTES } from '../../folder/manifest.js';
import { invalidFolder, quote } from '../../folder/refusal.js';
import type { ConfigFiles, FileReader } from '../../hugging-face/config-files.js';
import type { TokenizerFiles } from '../../hugging-face/tokenizer-files.js';
import { readPieceTokens, UNKNOWN } from '../../tokenizer/piece-vocabulary.js';
import { PIECE_KIND } from '../../tokenizer/sentencepiece/piece-model.js';

/** A list of tokens, whose places are their ids: the length of each, then its bytes. */
export const LISTED_TOKENS = 'tokenizer.bin';
/** Names under which a folder's pieces lie, as a SentencePiece model and as ids. */
const PIECES = 'tokenizer.bin.model';
const IDS = 'tokenizer.bin.json';
const START = '<s>';
const END = '</s>';
const MAX_TOKENS = 1_000_000;
/** What is written between these is no part of a text. */
const SPECIAL = /^<.+>$/s;
const BYTES = 256;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Tokens of such a list. */
export interface ListedTokens {
  /** As a tokenizer of pieces, the earlier of which are joined first (byte pairs). */
  readonly tokenizer: TokenizerFiles;
  /** What the list says of the model. */
  readonly configs: ConfigFiles;
}

/** Reads such a list. Throws `INVALID_MODEL_FOLDER`. */
export async function readListedTokens(reader: FileReader): Promise<ListedTokens> {
  const { path } = reader;
  const tokens = splitTokens(await reader.read(LISTED_TOKENS, TOKENIZER_BYTES), path);
  const firstByte = tokens.findIndex((_, at) => areAllBytes(tokens.slice(at, at + BYTES)));
  const isByte = (at: number): boolean => firstByte >= 0 && at >= firstByte && at < firstByte + BYTES;
  const ids = new Map<string, number>();
  const pieces = tokens.map((bytes, at) => {
    const text = utf8.decode(bytes);
    const piece = isByte(at)
      ? `<0x${bytes[0].toString(16).toUpperCase().padStart(2, '0')}>`
      : bytes.length === 0
        ? `<empty ${at}>`
        : text;
    if (ids.has(piece)) refuse(path, `tokens[${at}]`, piece, `another text than that of token ${ids.get(piece)}`);
    ids.set(piece, at);
    const special = SPECIAL.test(piece) ? PIECE_KIND.control : PIECE_KIND.normal;
    return { piece, kind: isByte(at) ? PIECE_KIND.byte : piece === UNKNOWN ? PIECE_KIND.unknown : special };
  });
  for (const name of [UNKNOWN, START, END]) if (!ids.has(name)) refuse(path, name, undefined, 'one of the tokens');
  const vocabulary = JSON.stringify(Object.fromEntries(ids));
  const content = new TextEncoder().encode(vocabulary);
  return {
    tokenizer: {
      names: { source: PIECES, target: PIECES, vocabulary: IDS },
      files: new Map([
        [PIECES, pieceModel(pieces, firstByte >= 0)],
        [IDS, content],
      ]),
      namedTokens: (size) => readPieceTokens({ file: LISTED_TOKENS, content: vocabulary }, size),
    },
    configs: {
      path,
      file: LISTED_TOKENS,
      origins: {
        vocab_size: { field: 'tokens' },
        bos_token_id: { field: START },
        eos_token_id: { field: END },
      },
      config: { vocab_size: tokens.length, bos_token_id: ids.get(START), eos_token_id: ids.get(END) },
    },
  };
}

function splitTokens(bytes: Uint8Array, path: string): Uint8Array[] {
  const tokens: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (tokens.length === MAX_TOKENS) refuse(path, 'tokens', `more than ${MAX_TOKENS}`, `at most ${MAX_TOKENS}`);
    const [low] = bytes.subarray(at, at + 1);
    const short = low < 0x80;
    const length = short ? low : low - 0x80 + 0x80 * (bytes[at + 1] ?? 0);
    const begin = at + (short ? 1 : 2);
    if (begin + length > bytes.length) {
      refuse(
        path,
        `tokens[${tokens.length}]`,
        `${length} bytes long`,
        `at most ${bytes.length - begin} bytes, as many as are left`,
      );
    }
    tokens.push(bytes.subarray(begin, begin + length));
    at = begin + length;
  }
  return tokens;
}

/** Whether tokens are all bytes in their order, by which any text can be written. */
function areAllBytes(tokens: readonly Uint8Array[]): boolean {
  return tokens.length === BYTES && tokens.every((token, byte) => token.length === 1 && token[0] === byte);
}

// Fields of sentencepiece_model.proto.
const PIECE = 1;
const TRAINER = 2;
const NORMALIZER = 3;

/** The pieces as a SentencePiece model: spaces are marked, one stands before a text, and nothing else is rewritten. */
function pieceModel(
  pieces: readonly { readonly piece: string; readonly kind: number }[],
  hasBytes: boolean,
): Uint8Array {
  const encoder = new TextEncoder();
  const parts = pieces.map(({ piece, kind }, at) => {
    const score = new Uint8Array(4);
    new DataView(score.buffer).setFloat32(0, -at, true);
    return field(PIECE, [...field(1, encoder.encode(piece)), (2 << 3) | 5, ...score, ...number(3, kind)]);
  });
  parts.push(field(TRAINER, [...number(3, 2), ...number(35, hasBytes ? 1 : 0)]));
  parts.push(field(NORMALIZER, [...number(3, 1), ...number(4, 0), ...number(5, 1)]));
  const model = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    model.set(part, at);
    at += part.length;
  }
  return model;
}

function field(id: number, content: ArrayLike<number>): number[] {
  return [...varint((id << 3) | 2), ...varint(content.length), ...Array.from(content)];
}

function number(id: number, value: number): number[] {
  return [...varint(id << 3), ...varint(value)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function refuse(path: string, name: string, received: unknown, required: string): never {
  throw invalidFolder(
    `${LISTED_TOKENS} in ${path}: ${name} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch the file again.`,
    { folder: path, file: LISTED_TOKENS, field: name, received, required },
  );
}
