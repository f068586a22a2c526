import type { PrefixTrie } from '@foretoken/language-models';
import type { OutputEnd, OutputEnds } from '../output-ends.js';

/** Which prefixes of a trie are whole outputs, because the request cuts them there. */
export class PrefixEnds {
  readonly endTokenId: number | undefined;
  readonly #trie: PrefixTrie;
  readonly #rule: OutputEnds;
  /** By node. */
  readonly #ends: OutputEnd[];

  constructor(trie: PrefixTrie, rule: OutputEnds) {
    this.#trie = trie;
    this.#rule = rule;
    this.#ends = [rule.start];
    this.endTokenId = rule.endTokenId;
  }

  /** Whether nothing can follow a prefix that the trie holds. */
  isOver(node: number): boolean {
    return this.#ends[node].over;
  }

  /** Takes a node the trie has just been given. */
  add(child: number): void {
    const parent = this.#ends[this.#trie.parents[child]];
    this.#ends[child] = this.#rule.after(parent, this.#trie.tokenIds[child]);
  }
}
