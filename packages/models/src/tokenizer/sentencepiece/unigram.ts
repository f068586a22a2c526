import { characterLength } from './normalize.js';
import { PIECE_KIND, type PieceModel } from './piece-model.js';
import { PieceTrie } from './piece-trie.js';

/** What a character without a piece costs below the worst piece (`unigram_model.cc`). */
const UNKNOWN_PENALTY = 10;

/**
 * What each byte of a user-defined piece after the first is worth, whatever the scores of others: far more than trained pieces, which
 * are below 0. Measured on sentencepiece 0.2.3, which takes such a piece where a cut with it is no worse by this much.
 */
const USER_DEFINED_BYTE = 0.1;

const utf8 = new TextEncoder();

/** A part of a text and the id of its piece. */
export interface CutPiece {
  readonly text: string;
  readonly id: number;
}

/**
 * The most probable cut of a text into pieces (Viterbi; Kudo 2018, "Subword Regularization", section 3.2).
 *
 * Scores are added and compared in the precision that sentencepiece uses, so that ties fall as they do there.
 */
export class UnigramCutter {
  readonly #trie = new PieceTrie();
  /** Score of each piece as cuts count it. */
  readonly #scores: Float64Array;
  readonly #unknownTokenId: number;
  readonly #unknownScore: number;

  constructor({ kinds, scores, unknownTokenId }: PieceModel, ids: ReadonlyMap<string, number>) {
    const normal = scores.filter((_, id) => kinds[id] === PIECE_KIND.normal).sort();
    const min = normal[0] ?? UNKNOWN_PENALTY;
    this.#unknownTokenId = unknownTokenId;
    this.#unknownScore = Math.fround(min - UNKNOWN_PENALTY);
    this.#scores = Float64Array.from(scores);
    for (const [text, id] of ids) {
      if (kinds[id] === PIECE_KIND.unused) continue;
      this.#trie.add(text, id);
      if (kinds[id] === PIECE_KIND.userDefined)
        this.#scores[id] = Math.fround(USER_DEFINED_BYTE * (utf8.encode(text).length - 1));
    }
  }

  cut(text: string): CutPiece[] {
    // For each place: the best way to reach it, its last piece, and where that began.
    const scores = new Float32Array(text.length + 1);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const ids = new Int32Array(text.length + 1);
    const offer = (score: number, start: number, end: number, id: number): void => {
      if (starts[end] !== -1 && score <= scores[end]) return;
      scores[end] = score;
      starts[end] = start;
      ids[end] = id;
    };
    for (let start = 0; start < text.length; ) {
      const before = scores[start];
      const next = start + characterLength(text, start);
      let hasCharacter = false;
      let node = 0;
      for (let end = start + 1; end <= text.length; end++) {
        node = this.#trie.next(node, text.charCodeAt(end - 1));
        if (node < 0) break;
        const id = this.#trie.value(node);
        if (id < 0) continue;
        offer(Math.fround(this.#scores[id] + before), start, end, id);
        if (end === next) hasCharacter = true;
      }
      if (!hasCharacter) offer(Math.fround(this.#unknownScore + before), start, next, this.#unknownTokenId);
      start = next;
    }
    const pieces: CutPiece[] = [];
    for (let end = text.length; end > 0; end = starts[end])
      pieces.push({ text: text.slice(starts[end], end), id: ids[end] });
    return pieces.reverse();
  }
}
