import { bytesOf, characterLength } from './normalize.js';
import { PIECE_KIND, type PieceModel } from './piece-model.js';
import { PieceTrie } from './piece-trie.js';

/** What a character without a piece costs below the worst piece (`unigram_model.cc`). */
const UNKNOWN_PENALTY = 10;

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
  readonly #model: PieceModel;
  readonly #trie = new PieceTrie();
  readonly #unknownScore: number;
  readonly #maxScore: number;

  constructor(model: PieceModel, ids: ReadonlyMap<string, number>) {
    this.#model = model;
    for (const [text, id] of ids) this.#trie.add(text, id);
    const normal = [...model.scores].filter((_, id) => model.kinds[id] === PIECE_KIND.normal);
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const score of normal) {
      min = Math.min(min, score);
      max = Math.max(max, score);
    }
    this.#unknownScore = normal.length === 0 ? 0 : Math.fround(min - UNKNOWN_PENALTY);
    this.#maxScore = normal.length === 0 ? 0 : max;
  }

  cut(text: string): CutPiece[] {
    // For each place: the best way to reach it, its last piece, and where that began.
    const scores = new Float32Array(text.length + 1);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const ids = new Int32Array(text.length + 1);
    const offer = (score: number, start: number, end: number, id: number): void => {
      if (starts[end] !== -1 && score <= (scores[end] as number)) return;
      scores[end] = score;
      starts[end] = start;
      ids[end] = id;
    };
    const { kinds, scores: pieceScores, unknownId } = this.#model;
    for (let start = 0; start < text.length; ) {
      const before = scores[start] as number;
      const next = start + characterLength(text, start);
      let hasCharacter = false;
      let node = 0;
      let bytes = 0;
      for (let at = start; at < text.length; ) {
        const end = at + characterLength(text, at);
        bytes += bytesOf(text, at);
        for (; at < end && node >= 0; at++) node = this.#trie.next(node, text.charCodeAt(at));
        if (node < 0) break;
        const id = this.#trie.value(node);
        if (id < 0 || kinds[id] === PIECE_KIND.unused) continue;
        const score =
          kinds[id] === PIECE_KIND.userDefined
            ? Math.fround(bytes * this.#maxScore) - 0.1
            : (pieceScores[id] as number);
        offer(score + before, start, end, id);
        if (end === next) hasCharacter = true;
      }
      if (!hasCharacter) offer(Math.fround(this.#unknownScore + before), start, next, unknownId);
      start = next;
    }
    const pieces: CutPiece[] = [];
    for (let end = text.length; end > 0; end = starts[end] as number) {
      pieces.push({ text: text.slice(starts[end], end), id: ids[end] as number });
    }
    return pieces.reverse();
  }
}
