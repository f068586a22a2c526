import { wireFields } from '@foretoken/core/internal';
import { invalidFolder, quote, reason, unsupportedModel } from '../../folder/refusal.js';

/** What a piece of a SentencePiece vocabulary is for; numbers of `sentencepiece_model.proto`. */
export const PIECE_KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** How text is rewritten before it is cut into pieces. */
export interface NormalizerSettings {
  /** Rewriting rules of characters as sentencepiece compiles them; empty for none. */
  readonly charactersMap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** The contents of an `.spm` file. */
export interface PieceModel {
  readonly algorithm: 'unigram' | 'bpe';
  readonly pieces: readonly string[];
  /** Log-probability of a unigram piece (natural log), or the rank of a merge as a score; fp32 `[pieces]`. */
  readonly scores: Float32Array;
  readonly kinds: Uint8Array;
  readonly unknownTokenId: number;
  /** Whether characters without a piece become pieces of their bytes. */
  readonly byteFallback: boolean;
  /** Whether the mark of a space ends a piece instead of beginning it. */
  readonly whitespaceAsSuffix: boolean;
  /** What the unknown piece reads as. */
  readonly unknownSurface: string;
  readonly normalizer: NormalizerSettings;
  /** How text is rewritten after it was put together; absent where it is not. */
  readonly denormalizer?: NormalizerSettings | undefined;
}

// Fields of the file.
const PIECES = 1;
const TRAINER = 2;
const NORMALIZER = 3;
const DENORMALIZER = 5;
const SPECS: ReadonlySet<number> = new Set([TRAINER, NORMALIZER, DENORMALIZER]);

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

// Limits far above any published vocabulary's.
const MAX_PIECES = 4_000_000;
const MAX_PIECE_LENGTH = 1024;

/**
 * Reads a SentencePiece model (`sentencepiece_model.proto`, Kudo and Richardson 2018). The bytes are untrusted.
 *
 * Throws `INVALID_MODEL_FOLDER`, and `UNSUPPORTED_MODEL` for the algorithms `word` and `char`; both name the file.
 */
export function readPieceModel(bytes: Uint8Array, file: string): PieceModel {
  try {
    return new Reader(file).read(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalidFolder(
      `${file} cannot be read as a SentencePiece model: ${reason(cause)}. Fetch it again.`,
      { file, field: 'the whole file' },
      cause,
    );
  }
}

class Reader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  read(bytes: Uint8Array): PieceModel {
    const pieces: string[] = [];
    const scores: number[] = [];
    const kinds: number[] = [];
    const specs = new Map<number, Uint8Array>();
    for (const { number, value } of wireFields(bytes)) {
      if (!(value instanceof Uint8Array)) continue;
      if (SPECS.has(number)) {
        if (specs.has(number)) throw new RangeError('a part of it that may be there once is there twice');
        specs.set(number, value);
      }
      if (number !== PIECES) continue;
      if (pieces.length === MAX_PIECES)
        this.#refuse('pieces', `more than ${MAX_PIECES}`, `at most ${MAX_PIECES} pieces`);
      const piece = this.#piece(value, `pieces[${pieces.length}]`);
      pieces.push(piece.text);
      scores.push(piece.score);
      kinds.push(piece.kind);
    }
    if (pieces.length === 0) this.#refuse('pieces', 'none', 'at least one piece');
    const count = (wanted: number): number => kinds.filter((kind) => kind === wanted).length;
    const unknownCount = count(PIECE_KIND.unknown);
    if (unknownCount !== 1) this.#refuse('pieces', `${unknownCount} unknown pieces`, 'one unknown piece');
    const trainer = new Map(fields(specs.get(TRAINER)));
    const byteFallback = flag(trainer.get(35), false);
    const byteCount = count(PIECE_KIND.byte);
    if (byteFallback && byteCount !== 256) this.#refuse('pieces', `${byteCount} byte pieces`, 'all 256 byte pieces');
    const denormalizer = this.#normalizer(specs.get(DENORMALIZER));
    return {
      algorithm: this.#algorithm(trainer.get(3)),
      pieces,
      scores: Float32Array.from(scores),
      kinds: Uint8Array.from(kinds),
      unknownTokenId: kinds.indexOf(PIECE_KIND.unknown),
      byteFallback,
      whitespaceAsSuffix: flag(trainer.get(24), false),
      unknownSurface: text(trainer.get(44)) ?? ' \u2047 ',
      normalizer: this.#normalizer(specs.get(NORMALIZER)),
      denormalizer: denormalizer.charactersMap.length === 0 ? undefined : denormalizer,
    };
  }

  #piece(bytes: Uint8Array, field: string): { text: string; score: number; kind: number } {
    const piece = { text: '', score: 0, kind: PIECE_KIND.normal as number };
    for (const { number, value, fixed } of wireFields(bytes)) {
      if (number === 1) piece.text = text(value) ?? piece.text;
      if (number === 2 && fixed?.length === 4)
        piece.score = new DataView(fixed.buffer, fixed.byteOffset).getFloat32(0, true);
      if (number === 3 && typeof value === 'bigint') piece.kind = Number(value);
    }
    const { length } = piece.text;
    if (length === 0 || length > MAX_PIECE_LENGTH) {
      this.#refuse(field, `a text of ${length} characters`, `a text of 1 to ${MAX_PIECE_LENGTH} characters`);
    }
    if (!Number.isFinite(piece.score)) this.#refuse(`${field}.score`, piece.score, 'a finite number');
    if (!Object.values<number>(PIECE_KIND).includes(piece.kind))
      this.#refuse(`${field}.type`, piece.kind, 'from 1 to 6');
    if (piece.kind === PIECE_KIND.byte && !/^<0x[0-9A-F]{2}>$/.test(piece.text)) {
      this.#refuse(field, piece.text, 'a byte piece such as <0x0A>');
    }
    return piece;
  }

  #algorithm(value: bigint | Uint8Array | undefined): 'unigram' | 'bpe' {
    const number = typeof value === 'bigint' ? Number(value) : 1;
    if (number === 1) return 'unigram';
    if (number === 2) return 'bpe';
    const received = { 3: 'word', 4: 'char' }[number] ?? number;
    throw unsupportedModel(
      `${this.#file}: its algorithm is ${quote(received)}; supported: unigram and bpe. Train the vocabulary with one of these.`,
      { file: this.#file, field: 'trainer_spec.model_type', received, required: 'unigram or bpe' },
    );
  }

  #normalizer(bytes: Uint8Array | undefined): NormalizerSettings {
    const spec = new Map(fields(bytes));
    const map = spec.get(2);
    return {
      charactersMap: map instanceof Uint8Array ? map : new Uint8Array(0),
      addDummyPrefix: flag(spec.get(3), true),
      removeExtraWhitespaces: flag(spec.get(4), true),
      escapeWhitespaces: flag(spec.get(5), true),
    };
  }

  #refuse(field: string, received: unknown, required: string): never {
    throw invalidFolder(
      `${this.#file}: ${field} is ${quote(received)}, but it must be ${required}. Fetch it again, or the vocabulary it belongs to.`,
      { file: this.#file, field, received, required },
    );
  }
}

/** Numbers and texts of a message by field number, the last of each. */
function* fields(bytes: Uint8Array | undefined): Generator<[number, bigint | Uint8Array]> {
  for (const { number, value } of bytes === undefined ? [] : wireFields(bytes)) {
    if (value !== undefined) yield [number, value];
  }
}

function flag(value: bigint | Uint8Array | undefined, otherwise: boolean): boolean {
  return typeof value === 'bigint' ? value !== 0n : otherwise;
}

function text(value: bigint | Uint8Array | undefined): string | undefined {
  return value instanceof Uint8Array ? utf8.decode(value) : undefined;
}
