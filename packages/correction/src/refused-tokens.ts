import type { TokenConstraint, Vocabulary } from '@foretoken/core';
import { folded, isLetter, TEXT_START, type WordAutomaton, type WordPlace } from './word-automaton.js';

/** What a token holds of half a character is taken for a character of a word. */
const HALF = '\uFFFD';

/** A character of a token, without casing. */
interface Character {
  readonly text: string;
  readonly letter: boolean;
}

/** Which tokens hold a listed word by themselves, where an output ends inside a word and where not. */
interface Whole {
  readonly inWord: readonly number[];
  readonly outside: readonly number[];
}

/** The tokens of a vocabulary, read once for all texts that must not be given listed words. */
export class RefusedTokens {
  readonly #words: WordAutomaton;
  readonly #tokens: readonly (readonly Character[])[];
  readonly #whole: Whole;

  private constructor(words: WordAutomaton, tokens: readonly (readonly Character[])[], whole: Whole) {
    this.#words = words;
    this.#tokens = tokens;
    this.#whole = whole;
  }

  /** Yields after each token. */
  static *of(words: WordAutomaton, texts: readonly string[]): Generator<undefined, RefusedTokens, undefined> {
    const tokens: Character[][] = [];
    const whole = { inWord: [] as number[], outside: [] as number[] };
    const nothing: ReadonlySet<string> = new Set();
    for (const text of texts) {
      const token = Array.from(text, (character) => ({
        text: folded(character),
        letter: character === HALF || isLetter(character),
      }));
      if (completes(words, { node: 0, inWord: true }, token, nothing)) whole.inWord.push(tokens.length);
      if (completes(words, TEXT_START, token, nothing)) whole.outside.push(tokens.length);
      tokens.push(token);
      yield;
    }
    return new RefusedTokens(words, tokens, whole);
  }

  /** Allows tokens that complete no listed word but those held. */
  constraint(held: ReadonlySet<string>, { endTokenId }: Vocabulary): TokenConstraint<WordPlace> {
    const masks = new Map<string, Uint8Array>();
    const basis = (inWord: boolean): Uint8Array => {
      const mask = new Uint8Array(this.#tokens.length).fill(1);
      const place: WordPlace = { node: 0, inWord };
      for (const tokenId of inWord ? this.#whole.inWord : this.#whole.outside) {
        if (completes(this.#words, place, this.#tokens[tokenId], held)) mask[tokenId] = 0;
      }
      return mask;
    };
    const bases = { inWord: basis(true), outside: basis(false) };
    const maskAt = (place: WordPlace): Uint8Array => {
      const mask = (place.inWord ? bases.inWord : bases.outside).slice();
      // Where nothing is begun, a token completes what it holds whole.
      if (this.#words.open(place) > 0) {
        for (const [tokenId, token] of this.#tokens.entries()) {
          if (mask[tokenId] === 1 && completes(this.#words, place, token, held, true)) mask[tokenId] = 0;
        }
      }
      if (endTokenId !== undefined) mask[endTokenId] = isRefused(this.#words, place, held) ? 0 : 1;
      return mask;
    };
    return {
      start: () => TEXT_START,
      next: (place, tokenId) => {
        let at = place;
        for (const { text, letter } of this.#tokens[tokenId]) at = this.#words.after(at, text, letter);
        return at;
      },
      allowed: (place) => {
        const key = `${place.node} ${place.inWord}`;
        const mask = masks.get(key) ?? maskAt(place);
        masks.set(key, mask);
        return mask;
      },
    };
  }
}

/**
 * Whether a token completes a listed word that is not held: one that a letter no longer follows. With `begun` only such as began
 * before the token.
 */
function completes(
  words: WordAutomaton,
  from: WordPlace,
  token: readonly Character[],
  held: ReadonlySet<string>,
  begun = false,
): boolean {
  let place = from;
  for (const [index, { text, letter }] of token.entries()) {
    if (begun && words.open(place) <= index) return false;
    if (!letter && isRefused(words, place, held)) return true;
    place = words.after(place, text, letter);
  }
  return false;
}

function isRefused(words: WordAutomaton, place: WordPlace, held: ReadonlySet<string>): boolean {
  for (const { entry } of words.ending(place)) if (!held.has(entry)) return true;
  return false;
}
