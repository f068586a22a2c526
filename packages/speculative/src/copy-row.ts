import type { DraftLimit, DraftTree } from '@foretoken/core';
import type { CopiedText } from './copied-text.js';
import { CopyAlignment } from './copy-alignment.js';
import { DraftTrie } from './draft-trie.js';
import type { TokenPieces } from './token-pieces.js';

/** What the share of copied tokens is taken for before there are any, and how many tokens that weighs as much as. */
const USUAL_SHARE = 0.95;
const USUAL_WEIGHT = 10;
/** How much less probable a place is for each unit of cost. */
const DECAY = 0.6;

/** Where one row's output stands in the text that it copies. */
export class CopyRow {
  readonly #text: CopiedText;
  readonly #pieces: TokenPieces;
  readonly #alignment: CopyAlignment;
  readonly #tokenIds: number[] = [];
  /** Tokens of the output that cost no edit. */
  #copied = 0;

  constructor(text: CopiedText, pieces: TokenPieces) {
    this.#text = text;
    this.#pieces = pieces;
    this.#alignment = new CopyAlignment(text.units);
  }

  /** Brings the row to a prefix, from where it stands if the prefix goes on from there. */
  follow(prefix: Int32Array): void {
    if (!this.#tokenIds.every((tokenId, index) => prefix[index] === tokenId)) {
      this.#alignment.restart();
      this.#tokenIds.length = 0;
      this.#copied = 0;
    }
    for (const tokenId of prefix.subarray(this.#tokenIds.length)) {
      const { cost } = this.#alignment;
      for (const unit of this.#pieces.units(tokenId)) this.#alignment.push(unit);
      this.#tokenIds.push(tokenId);
      if (this.#alignment.cost === cost) this.#copied++;
    }
  }

  /** What follows in the text, from each of so many places at most where the output may stand. */
  draft(limit: DraftLimit, places: number): DraftTree {
    const trie = new DraftTrie();
    const max = Math.min(limit.nodes, limit.depth);
    const share = (this.#copied + USUAL_SHARE * USUAL_WEIGHT) / (this.#tokenIds.length + USUAL_WEIGHT);
    for (const [position, probability] of this.#places(places)) {
      let path = probability;
      let node = -1;
      for (const { tokenId, probability: sure } of this.#text.tokensFrom(position, this.#tokenIds.at(-1), max)) {
        path *= sure ?? share;
        node = trie.add(node, tokenId, path, sum);
      }
    }
    return trie.best(limit);
  }

  /** Positions in the text, and how probable each is. */
  #places(max: number): Map<number, number> {
    const places = new Map<number, number>();
    let total = 0;
    for (const position of this.#alignment.positions(max)) {
      const weight = DECAY ** (this.#alignment.costAt(position) - this.#alignment.cost);
      places.set(position, weight);
      total += weight;
    }
    for (const [position, weight] of places) places.set(position, weight / total);
    return places;
  }
}

function sum(before: number, path: number): number {
  return before + path;
}
