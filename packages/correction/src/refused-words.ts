import type { TokenConstraint, Vocabulary } from '@foretoken/core';
import { type Span, spansOf } from './spans.js';

/** A character of a word; what a token holds of half a character is taken for one too. */
const WORD_CHARACTER = /[\p{L}\p{M}\p{N}_\uFFFD]/u;
const ENDINGS = ['', 's', 'es'];

/**
 * Words and phrases that a text must not be given which does not hold them already: in any casing, and with a plural's ending.
 */
export class RefusedWords {
  readonly #entries: readonly string[];
  readonly #pattern: RegExp | undefined;

  constructor(entries: readonly string[]) {
    this.#entries = [...new Set(entries.map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== ''))];
    // The longest first, so that a phrase is found before its first word.
    const listed = this.#entries
      .toSorted((a, b) => b.length - a.length)
      .map((entry) => entry.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
      .join('|');
    const border = '[\\p{L}\\p{M}\\p{N}_]';
    this.#pattern = listed === '' ? undefined : new RegExp(`(?<!${border})(${listed})(?:s|es)?(?!${border})`, 'giu');
  }

  /** Listed words of `after` that `before` does not hold, as spans of `after`. */
  broughtIn(before: string, after: string): Span[] {
    if (this.#pattern === undefined) return [];
    const held = this.#heldBy(before);
    const pattern = this.#pattern;
    return spansOf(after, pattern).filter(({ start, end }) => !held.has(entryOf(after.slice(start, end), pattern)));
  }

  /**
   * Allows any output but one with a listed word that `text` does not hold. A token is forbidden where it would complete such a
   * word, so an output without any is never changed.
   */
  constraint(text: string, tokens: readonly string[], vocabulary: Vocabulary): TokenConstraint<WordState> {
    const held = this.#heldBy(text);
    const refused = this.#entries.filter((entry) => !held.has(entry));
    return new WordConstraint(
      refused.flatMap((entry) => ENDINGS.map((ending) => entry + ending)),
      tokens,
      vocabulary,
    );
  }

  #heldBy(text: string): Set<string> {
    if (this.#pattern === undefined) return new Set();
    return new Set(Array.from(text.matchAll(this.#pattern), ([, entry]) => entry.toLowerCase()));
  }
}

function entryOf(found: string, pattern: RegExp): string {
  const [match] = found.matchAll(pattern);
  return (match?.[1] ?? found).toLowerCase();
}

/** What of the listed words an output ends with. */
export interface WordState {
  /** Places in the trie of listed words; in the order in which the words began. */
  readonly nodes: readonly TrieNode[];
  /** Whether the output ends inside a word, so that no listed word begins here. */
  readonly inWord: boolean;
}

interface TrieNode {
  readonly id: number;
  readonly next: Map<string, TrieNode>;
  complete: boolean;
}

class WordConstraint implements TokenConstraint<WordState> {
  readonly #root: TrieNode = { id: 0, next: new Map(), complete: false };
  readonly #tokens: readonly string[];
  readonly #vocabulary: Vocabulary;
  readonly #allowed = new Map<string, Uint8Array>();

  constructor(words: readonly string[], tokens: readonly string[], vocabulary: Vocabulary) {
    let nodes = 1;
    for (const word of words) {
      let node = this.#root;
      for (const character of word) {
        const next: TrieNode = node.next.get(character) ?? { id: nodes++, next: new Map(), complete: false };
        node.next.set(character, next);
        node = next;
      }
      node.complete = true;
    }
    this.#tokens = tokens;
    this.#vocabulary = vocabulary;
  }

  start(): WordState {
    return { nodes: [], inWord: false };
  }

  next(state: WordState, tokenId: number): WordState {
    return this.#after(state, this.#tokens[tokenId]) ?? state;
  }

  allowed(state: WordState): Uint8Array {
    const key = `${state.inWord} ${state.nodes.map(({ id }) => id).join(' ')}`;
    let allowed = this.#allowed.get(key);
    if (allowed === undefined) {
      allowed = Uint8Array.from(this.#tokens, (token) => (this.#after(state, token) === undefined ? 0 : 1));
      const { endTokenId } = this.#vocabulary;
      if (endTokenId !== undefined) allowed[endTokenId] = state.nodes.some(({ complete }) => complete) ? 0 : 1;
      this.#allowed.set(key, allowed);
    }
    return allowed;
  }

  /** The state after more text; undefined where that completes a listed word. */
  #after(state: WordState, text: string): WordState | undefined {
    let { nodes, inWord } = state;
    for (const character of text.toLowerCase()) {
      const letter = WORD_CHARACTER.test(character);
      if (!letter && nodes.some(({ complete }) => complete)) return undefined;
      const begun = inWord ? nodes : [...nodes, this.#root];
      nodes = begun.flatMap(({ next }) => next.get(character) ?? []);
      inWord = letter;
    }
    return { nodes, inWord };
  }
}
