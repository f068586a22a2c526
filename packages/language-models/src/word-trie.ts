import { EMPTY_PREFIX, PrefixTrie } from './prefix-trie.js';

/** What begins no word. */
export const NO_WORD = -1;

/** Words by their beginnings, as a tree of UTF-16 code units; a node stands for a text that some word begins with. */
export class WordTrie {
  readonly root: number = EMPTY_PREFIX;
  readonly #trie = new PrefixTrie();
  /** Index of the word that ends at each node; sparse. */
  readonly #words = new Map<number, number>();

  /** The words are distinct. */
  constructor(words: readonly string[]) {
    for (const [index, word] of words.entries()) {
      let node: number = EMPTY_PREFIX;
      for (let at = 0; at < word.length; at++) {
        const unit = word.charCodeAt(at);
        const child = this.#trie.child(node, unit);
        node = child >= 0 ? child : this.#trie.add(node, unit);
      }
      this.#words.set(node, index);
    }
  }

  /** The node after more text; `NO_WORD` where no word begins like this. */
  after(node: number, text: string): number {
    let at = node;
    for (let index = 0; index < text.length && at !== NO_WORD; index++)
      at = this.#trie.child(at, text.charCodeAt(index));
    return at;
  }

  /** Index of the word that is the whole text of a node, or -1. */
  wordAt(node: number): number {
    return this.#words.get(node) ?? -1;
  }
}
