import { characterLength } from './normalize.js';
import { PIECE_KIND, type PieceModel } from './piece-model.js';
import type { PieceTrie } from './piece-trie.js';
import type { CutPiece } from './unigram.js';

interface Part {
  text: string;
  previous: number;
  next: number;
  /** Whether it is a user-defined text, which is never joined. */
  readonly fixed: boolean;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  readonly length: number;
}

/**
 * Cuts a text by joining neighbours, the best-scored pair first and the leftmost of equals (Sennrich et al. 2016, as in
 * `bpe_model.cc` of sentencepiece).
 */
export class BytePairCutter {
  readonly #model: PieceModel;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #userDefined: PieceTrie;

  constructor(model: PieceModel, ids: ReadonlyMap<string, number>, userDefined: PieceTrie) {
    this.#model = model;
    this.#ids = ids;
    this.#userDefined = userDefined;
  }

  cut(text: string): CutPiece[] {
    const parts = this.#characters(text);
    const unused = new Map<string, readonly [string, string]>();
    const agenda = new PairHeap();
    const consider = (left: number, right: number): void => {
      const [first, second] = [parts[left], parts[right]];
      if (first === undefined || second === undefined || first.fixed || second.fixed) return;
      const joined = first.text + second.text;
      const id = this.#ids.get(joined);
      if (id === undefined) return;
      agenda.push({ left, right, score: this.#model.scores[id], length: joined.length });
      if (this.#model.kinds[id] === PIECE_KIND.unused) unused.set(joined, [first.text, second.text]);
    };
    for (let index = 1; index < parts.length; index++) consider(index - 1, index);
    for (let pair = agenda.pop(); pair !== undefined; pair = agenda.pop()) {
      const left = parts[pair.left];
      const right = parts[pair.right];
      // One of the two was joined to another in the meantime.
      if (left.text === '' || right.text === '' || left.text.length + right.text.length !== pair.length) continue;
      left.text += right.text;
      left.next = right.next;
      const after = parts[right.next];
      if (after !== undefined) after.previous = pair.left;
      right.text = '';
      consider(left.previous, pair.left);
      consider(pair.left, left.next);
    }
    const pieces: CutPiece[] = [];
    for (let part = parts[0]; part !== undefined; part = parts[part.next]) this.#write(part.text, unused, pieces);
    return pieces;
  }

  #characters(text: string): Part[] {
    const parts: Part[] = [];
    for (let at = 0; at < text.length; ) {
      const given = this.#userDefined.longest(text, at);
      const end = at + (given > 0 ? given : characterLength(text, at));
      const index = parts.length;
      const next = end === text.length ? -1 : index + 1;
      parts.push({ text: text.slice(at, end), previous: index - 1, next, fixed: given > 0 });
      at = end;
    }
    return parts;
  }

  /** A piece that may only be a step on the way is taken apart again into what it was made of. */
  #write(text: string, unused: ReadonlyMap<string, readonly [string, string]>, pieces: CutPiece[]): void {
    const id = this.#ids.get(text) ?? this.#model.unknownTokenId;
    const halves = this.#model.kinds[id] === PIECE_KIND.unused ? unused.get(text) : undefined;
    if (halves === undefined) pieces.push({ text, id });
    else for (const half of halves) this.#write(half, unused, pieces);
  }
}

/** A binary heap: the best score first, the leftmost of equals. */
class PairHeap {
  readonly #pairs: Pair[] = [];

  push(pair: Pair): void {
    const pairs = this.#pairs;
    let at = pairs.length;
    pairs.push(pair);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(pair, pairs[parent])) break;
      pairs[at] = pairs[parent];
      at = parent;
    }
    pairs[at] = pair;
  }

  pop(): Pair | undefined {
    const pairs = this.#pairs;
    const best = pairs[0];
    const last = pairs.pop();
    if (last === undefined || pairs.length === 0) return best;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= pairs.length) break;
      if (child + 1 < pairs.length && isBefore(pairs[child + 1], pairs[child])) child++;
      if (!isBefore(pairs[child], last)) break;
      pairs[at] = pairs[child];
      at = child;
    }
    pairs[at] = last;
    return best;
  }
}

function isBefore(first: Pair, second: Pair): boolean {
  return first.score > second.score || (first.score === second.score && first.left < second.left);
}
