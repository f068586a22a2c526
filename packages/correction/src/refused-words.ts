import type { TokenConstraint, Vocabulary } from '@foretoken/core';
import { RefusedTokens } from './refused-tokens.js';
import { STRETCH } from './spans.js';
import { folded, isLetter, TEXT_START, WordAutomaton, type WordPlace } from './word-automaton.js';

/** Plurals are refused with their words. */
const ENDINGS = ['', 's', 'es'];

/**
 * Words and phrases that a text must not be given which does not hold them already: in any casing, and with a plural's ending.
 *
 * Whatever takes more than a moment is a generator, which yields so that other work may have its turn.
 */
export class RefusedWords {
  readonly #words: WordAutomaton;
  readonly #tokens = new WeakMap<readonly string[], RefusedTokens>();
  /** Whether no word is listed. */
  readonly empty: boolean;

  private constructor(words: WordAutomaton, empty: boolean) {
    this.#words = words;
    this.empty = empty;
  }

  static *of(given: readonly string[]): Generator<undefined, RefusedWords, undefined> {
    const entries = new Set<string>();
    for (const entry of given) {
      const plain = Array.from(entry.trim(), folded).join('');
      if (plain !== '') entries.add(plain);
      yield;
    }
    return new RefusedWords(yield* WordAutomaton.of([...entries], ENDINGS), entries.size === 0);
  }

  /** Listed words that a text holds. */
  *heldBy(text: string): Generator<undefined, ReadonlySet<string>, undefined> {
    const held = new Set<string>();
    if (this.empty) return held;
    let units = 0;
    let place = TEXT_START;
    for (const character of text) {
      const letter = isLetter(character);
      if (!letter) this.#hold(place, held);
      place = this.#words.after(place, folded(character), letter);
      if (++units % STRETCH === 0) yield;
    }
    this.#hold(place, held);
    return held;
  }

  /** Whether `after` has a listed word that `before` does not hold. */
  *bringsIn(before: string, after: string): Generator<undefined, boolean, undefined> {
    if (this.empty || before === after) return false;
    const reader = this.reader(yield* this.heldBy(before));
    let units = 0;
    for (const character of after) {
      if (reader.read(character) !== undefined) return true;
      if (++units % STRETCH === 0) yield;
    }
    return reader.read('') !== undefined;
  }

  /** Reads a text for listed words other than those held. */
  reader(held: ReadonlySet<string>): WordReader {
    return new WordReader(this.#words, held);
  }

  /**
   * Allows any output but one with a listed word that `text` does not hold. A token is forbidden where it would complete such a
   * word, so an output without any is never changed.
   */
  *constraint(
    text: string,
    tokens: readonly string[],
    vocabulary: Vocabulary,
  ): Generator<undefined, TokenConstraint<WordPlace>, undefined> {
    let refused = this.#tokens.get(tokens);
    if (refused === undefined) {
      refused = yield* RefusedTokens.of(this.#words, tokens);
      this.#tokens.set(tokens, refused);
    }
    return refused.constraint(yield* this.heldBy(text), vocabulary);
  }

  #hold(place: WordPlace, held: Set<string>): void {
    for (const { entry } of this.#words.ending(place)) held.add(entry);
  }
}

/** Reads a text character by character. */
export class WordReader {
  readonly #words: WordAutomaton;
  readonly #held: ReadonlySet<string>;
  /** How far it has read; may be set back to what it was. */
  place: WordPlace = TEXT_START;

  constructor(words: WordAutomaton, held: ReadonlySet<string>) {
    this.#words = words;
    this.#held = held;
  }

  /**
   * Reads one more character, or nothing at the end of the text. Characters of the longest listed word that ends before it and is
   * not held; undefined where there is none.
   */
  read(character: string): number | undefined {
    const letter = character !== '' && isLetter(character);
    const found = letter ? undefined : this.#ended();
    if (character !== '') this.place = this.#words.after(this.place, folded(character), letter);
    return found;
  }

  #ended(): number | undefined {
    for (const { entry, length } of this.#words.ending(this.place)) {
      if (!this.#held.has(entry)) return length;
    }
    return undefined;
  }
}
