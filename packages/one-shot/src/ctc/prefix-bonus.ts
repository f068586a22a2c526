import { invalidScores } from '@foretoken/core/kit';
import { EMPTY_PREFIX, type LanguageModel, type PrefixTrie } from '@foretoken/language-models';
import { repeatingTokens } from './no-repeat.js';

/** A language model and how much its scores count. */
export interface WeightedModel {
  readonly model: LanguageModel;
  readonly weight: number;
}

/** What prefixes are ranked by beside their probability in the lattice. */
export interface PrefixBonusOptions {
  /** Natural-log bonus of each token. */
  readonly lengthBonus: number;
  readonly models: readonly WeightedModel[];
  /** No n-gram of this length comes twice in an output. */
  readonly noRepeatNgramSize?: number | undefined;
}

/** Sums, for each prefix of a trie, what language models and other bonuses make of it. */
export class PrefixBonus {
  readonly #trie: PrefixTrie;
  readonly #row: number;
  readonly #options: PrefixBonusOptions;
  readonly #models: readonly WeightedModel[];
  /** No token adds more. */
  readonly #max: number;
  /** Sum so far, by node. */
  readonly #sums: number[] = [0];
  /** State of each model, by node. */
  readonly #states: unknown[][];
  /** By node, where it was asked for. */
  readonly #repeating: (ReadonlySet<number> | undefined)[] = [];

  /** `row` is named in errors. */
  constructor(trie: PrefixTrie, options: PrefixBonusOptions, row: number) {
    this.#row = row;
    this.#trie = trie;
    this.#options = options;
    // What does not count must not rule anything out either.
    this.#models = options.models.filter(({ weight }) => weight !== 0);
    this.#max = this.#models.reduce(
      (sum, { model: { maxScore = Number.POSITIVE_INFINITY }, weight }) => sum + weight * maxScore,
      options.lengthBonus,
    );
    this.#states = this.#models.map(({ model }) => [model.start()]);
  }

  /** Bonus of a prefix that the trie holds. */
  of(node: number): number {
    return this.#sums[node];
  }

  /** Bound on the bonus of a prefix with one more token, whichever, for which no model is asked. */
  maxAfter(node: number): number {
    return this.#sums[node] + this.#max;
  }

  /** Bonus of a prefix with one more token; `-Infinity` rules it out. */
  after(node: number, tokenId: number): number {
    const { lengthBonus, noRepeatNgramSize } = this.#options;
    if (noRepeatNgramSize !== undefined && this.#repeats(node, tokenId, noRepeatNgramSize))
      return Number.NEGATIVE_INFINITY;
    let sum = this.#sums[node] + lengthBonus;
    for (let index = 0; index < this.#models.length; index++) {
      const { model, weight } = this.#models[index];
      sum += weight * this.#checked(model.score(this.#states[index]?.[node], tokenId), node);
    }
    return sum;
  }

  /** Takes a node the trie has just been given, with the sum that `after` told. */
  add(child: number, sum: number): void {
    const parent = this.#trie.parents[child];
    const tokenId = this.#trie.tokenIds[child];
    this.#sums[child] = sum;
    for (const [index, { model }] of this.#models.entries()) {
      const states = this.#states[index];
      states[child] = model.next(states[parent], tokenId);
    }
  }

  /** Bonus of a prefix as a whole output. */
  end(node: number): number {
    let sum = this.#sums[node];
    for (const [index, { model, weight }] of this.#models.entries()) {
      sum += weight * this.#checked(model.end(this.#states[index]?.[node]), node);
    }
    return sum;
  }

  #repeats(node: number, tokenId: number, size: number): boolean {
    if (node === EMPTY_PREFIX) return false;
    let repeating = this.#repeating[node];
    if (repeating === undefined) {
      repeating = repeatingTokens(this.#trie, node, size);
      this.#repeating[node] = repeating;
    }
    return repeating.has(tokenId);
  }

  #checked(score: number, node: number): number {
    if (score < Number.POSITIVE_INFINITY) return score;
    throw invalidScores(this.#row, this.#trie.tokens(node).length, score);
  }
}
