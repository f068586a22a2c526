import { BytePairCutter } from './byte-pairs.js';
import { SPACE_MARK, TextNormalizer } from './normalize.js';
import { PIECE_KIND, type PieceModel, readPieceModel } from './piece-model.js';
import { PieceTrie } from './piece-trie.js';
import { type CutPiece, UnigramCutter } from './unigram.js';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const REPLACEMENT = '\ufffd';

/**
 * A SentencePiece vocabulary: text to pieces and back, as the original library does it (unigram and byte pairs, rules on
 * characters, byte fallback, user-defined pieces).
 *
 * Text is never read as a control piece: a text that spells `</s>` becomes the pieces of its characters.
 */
export class SentencePiece {
  readonly model: PieceModel;
  readonly #ids = new Map<string, number>();
  readonly #normalizer: TextNormalizer;
  readonly #denormalizer: TextNormalizer | undefined;
  readonly #cutter: { cut(text: string): CutPiece[] };

  /** Reads the bytes of an `.spm` file. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, which name `file`. */
  constructor(bytes: Uint8Array, file: string) {
    const model = readPieceModel(bytes, file);
    this.model = model;
    const userDefined = new PieceTrie();
    /** What text is cut into. */
    const own = new Map<string, number>();
    for (const [id, text] of model.pieces.entries()) {
      const kind = model.kinds[id];
      if (!this.#ids.has(text)) this.#ids.set(text, id);
      if (kind !== PIECE_KIND.normal && kind !== PIECE_KIND.userDefined && kind !== PIECE_KIND.unused) continue;
      own.set(text, id);
      if (kind === PIECE_KIND.userDefined) userDefined.add(text, id);
    }
    const kept = model.kinds.includes(PIECE_KIND.userDefined) ? userDefined : undefined;
    this.#normalizer = new TextNormalizer(model.normalizer, file, model.whitespaceAsSuffix, kept);
    this.#denormalizer =
      model.denormalizer === undefined ? undefined : new TextNormalizer(model.denormalizer, file, false);
    this.#cutter =
      model.algorithm === 'unigram' ? new UnigramCutter(model, own) : new BytePairCutter(model, own, userDefined);
  }

  /** The pieces of a text, `[time]`; those of the unknown piece hold the text they stand for. */
  encode(text: string): CutPiece[] {
    const { unknownTokenId, byteFallback } = this.model;
    const pieces: CutPiece[] = [];
    for (const piece of this.#cutter.cut(this.#normalizer.normalize(text))) {
      const last = pieces.at(-1);
      if (piece.id !== unknownTokenId) pieces.push(piece);
      else if (byteFallback) for (const byte of encoder.encode(piece.text)) pieces.push(this.#bytePiece(byte));
      // Neighbours without a piece become one, as in the original.
      else if (last?.id === unknownTokenId)
        pieces[pieces.length - 1] = { text: last.text + piece.text, id: unknownTokenId };
      else pieces.push(piece);
    }
    return pieces;
  }

  /** The id of a piece; that of the unknown piece for a text that is none. */
  idOf(piece: string): number {
    return this.#ids.get(piece) ?? this.model.unknownTokenId;
  }

  /** The text of pieces given by their texts: control pieces left out, bytes put together, space marks turned to spaces. */
  decode(pieces: readonly string[]): string {
    let text = '';
    let bytes: number[] = [];
    let atBeginning = true;
    let hadMark = false;
    for (const piece of pieces) {
      const id = this.idOf(piece);
      if (this.model.kinds[id] === PIECE_KIND.byte) {
        bytes.push(Number.parseInt(piece.slice(3, 5), 16));
        continue;
      }
      text += textOfBytes(bytes);
      bytes = [];
      if (hadMark || text !== '') atBeginning = false;
      const read = this.#surface(piece, id, atBeginning);
      text += read.text;
      hadMark = read.hadMark;
    }
    text += textOfBytes(bytes);
    return this.#denormalizer?.normalize(text) ?? text;
  }

  #surface(piece: string, id: number, atBeginning: boolean): { text: string; hadMark: boolean } {
    const { kinds, unknownTokenId, unknownSurface, pieces, normalizer } = this.model;
    if (kinds[id] === PIECE_KIND.control) return { text: '', hadMark: false };
    if (id === unknownTokenId) return { text: piece === pieces[id] ? unknownSurface : piece, hadMark: false };
    const drops = atBeginning && (normalizer.addDummyPrefix || normalizer.removeExtraWhitespaces);
    const marked = drops && piece.startsWith(SPACE_MARK);
    const rest = marked ? piece.slice(SPACE_MARK.length) : piece;
    // Where extra spaces are dropped, one after another is: the mark does not count as seen.
    return { text: rest.replaceAll(SPACE_MARK, ' '), hadMark: marked && !normalizer.removeExtraWhitespaces };
  }

  #bytePiece(byte: number): CutPiece {
    const text = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    return { text, id: this.idOf(text) };
  }
}

/** Characters of bytes; each byte that begins no character becomes one replacement character, as in the original. */
function textOfBytes(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = validCharacter(bytes.slice(at, at + length));
    text += character ?? REPLACEMENT;
    at += character === undefined ? 1 : length;
  }
  return text;
}

function validCharacter(bytes: readonly number[]): string | undefined {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
