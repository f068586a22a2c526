import { smallest, TokenPattern } from '@foretoken/core/kit';

/** Token sequences one of which must occur in the output: a phrase, or several forms of it. */
export type Phrase = readonly Int32Array[];

/** How far an output has met its phrases; immutable, so that hypotheses may share it. */
export interface PhraseProgress {
  /** Whether every phrase occurs. */
  readonly complete: boolean;
  /** Tokens of phrases that stand, those of one that the output ends in the middle of included. */
  readonly bank: number;
  /** Tokens that bring the output closer: they continue a phrase that it ends in the middle of, or begin one. */
  readonly wanted: readonly number[];
  /** How much of each form stands at the end of the output. */
  readonly standing: Int32Array;
  /** How often each form has occurred. */
  readonly occurred: Int32Array;
}

/** A phrase as indices of its forms. */
interface Entry {
  readonly forms: readonly number[];
  /** Tokens that it takes at least. */
  readonly shortest: number;
}

/**
 * The phrases that an output must contain, as runs of tokens that may overlap. Each needs an occurrence of its own: one that
 * is given twice must occur twice, though the two places may overlap.
 */
export class PhraseSet {
  /** Before the first output token. */
  readonly start: PhraseProgress;
  readonly #patterns: readonly TokenPattern[];
  readonly #entries: readonly Entry[];

  constructor(phrases: readonly Phrase[]) {
    const patterns: TokenPattern[] = [];
    const indexOf = new Map<string, number>();
    const patternOf = (form: Int32Array): number => {
      const key = form.join();
      const index = indexOf.get(key) ?? patterns.push(new TokenPattern(form)) - 1;
      indexOf.set(key, index);
      return index;
    };
    this.#patterns = patterns;
    this.#entries = phrases.map((forms) => ({ forms: forms.map(patternOf), shortest: shortest(forms) }));
    this.start = this.#progress(new Int32Array(patterns.length), new Int32Array(patterns.length));
  }

  /** Progress after one more output token. */
  after(progress: PhraseProgress, tokenId: number): PhraseProgress {
    const standing = progress.standing.map((before, form) => this.#pattern(form).after(before, tokenId));
    const occurred = progress.occurred.map((count, form) =>
      standing[form] === this.#pattern(form).length ? count + 1 : count,
    );
    return this.#progress(standing, occurred);
  }

  #progress(standing: Int32Array, occurred: Int32Array): PhraseProgress {
    const met = metEntries(this.#entries, occurred);
    const wanted = new Set<number>();
    let bank = 0;
    let begun = 0;
    for (const [index, { forms, shortest }] of this.#entries.entries()) {
      if (met.has(index)) {
        bank += shortest;
        continue;
      }
      // Counted by what is left, so that no way into a phrase is worth more than the whole of it.
      let left = shortest;
      for (const form of forms) {
        const pattern = this.#pattern(form);
        let length = standing[form];
        if (length === pattern.length) length = pattern.border(length);
        for (; ; length = pattern.border(length)) {
          left = Math.min(left, pattern.length - length);
          wanted.add(pattern.tokenIds[length]);
          if (length === 0) break;
        }
      }
      begun = Math.max(begun, shortest - left);
    }
    return { complete: met.size === this.#entries.length, bank: bank + begun, wanted: [...wanted], standing, occurred };
  }

  #pattern(form: number): TokenPattern {
    return this.#patterns[form];
  }
}

/** Tokens that a phrase takes at least. */
export function shortest(phrase: Phrase): number {
  return smallest(phrase.map(({ length }) => length));
}

/** Entries that can have an occurrence of their own at once, as many as possible (Kuhn's augmenting paths). */
function metEntries(entries: readonly Entry[], occurred: Int32Array): Set<number> {
  const holders = Array.from(occurred, (): number[] => []);
  const place = (entry: number, seen: Set<number>): boolean => {
    for (const form of entries[entry].forms) {
      if (seen.has(form)) continue;
      seen.add(form);
      const held = holders[form];
      if (held.length < occurred[form]) {
        held.push(entry);
        return true;
      }
      const at = held.findIndex((other) => place(other, seen));
      if (at >= 0) {
        held[at] = entry;
        return true;
      }
    }
    return false;
  };
  return new Set(Array.from(entries.keys()).filter((entry) => place(entry, new Set())));
}
