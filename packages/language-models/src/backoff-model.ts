import { ForetokenError } from '@foretoken/core';
import { assertInteger, lengthOf, listOf, show, text, wrongValue } from '@foretoken/core/kit';

/** One n-gram of a back-off model; scores are natural logarithms. */
export interface Ngram {
  /** Indices of words, oldest first; at least one. */
  readonly words: readonly number[];
  /** Natural-log probability of the last word after those before it. */
  readonly logProb: number;
  /** Logarithm of the weight of what follows this history unseen (default 0); of n-grams as long as the order it is not used. */
  readonly backoff?: number | undefined;
}

/** Where a back-off model stands: a number that stands for the longest history it knows. Stays valid for ever. */
export type BackoffState = number;

const EMPTY = 0;

/**
 * A back-off language model over words, of any order (Katz, 1987): the log-probability of the longest n-gram that is known,
 * plus the back-off weights of the histories that had to be shortened. Immutable once made.
 *
 * Histories are nodes of a tree by their words, each with a link to the longest known history without its oldest words, so
 * a look-up is a few probes of a hash table whatever the order.
 */
export class BackoffModel {
  /** Length of the longest n-grams, known or announced. */
  readonly order: number;
  /** All words, by index. */
  readonly words: readonly string[];
  /** Before the first word: after `<s>` where the model has it. */
  readonly start: BackoffState;
  /** 0 where no history's weight is above 1, so that no log-probability is above 0; else `undefined`. */
  readonly maxScore: number | undefined;
  /** No history at all. */
  readonly empty: BackoffState = EMPTY;
  readonly #indices: ReadonlyMap<string, number>;
  readonly #unknown: number;
  readonly #end: number;
  readonly #children = new Map<number, number>();
  readonly #size: number;
  /** By node; NaN where a history is no n-gram itself. */
  readonly #logProbs: number[] = [0];
  readonly #backoffs: number[] = [0];
  readonly #depths: number[] = [0];
  /** The longest known history of fewer words. */
  readonly #shorter: number[] = [EMPTY];

  /**
   * `words` are all distinct; `<s>`, `</s>` and `<unk>` have their usual meaning where they are among them. A model that was
   * made for an `order` of which no n-gram is left has it all the same: its histories are longer, and their weights count.
   *
   * Throws `INVALID_ARGUMENT` for words or n-grams that come twice, scores that are no logarithm of a weight, indices
   * without a word, and an order below that of the longest n-gram.
   */
  constructor(words: readonly string[], ngrams: Iterable<Ngram>, order?: number) {
    this.words = listOf(text)('words', words);
    this.#size = words.length;
    this.#indices = new Map(this.words.map((word, index) => [word, index]));
    if (this.#indices.size !== words.length) throw invalid('A word of the language model comes twice.', {});
    const sorted = ngramsOf(ngrams).sort((a, b) => a.words.length - b.words.length);
    for (const ngram of sorted) this.#add(ngram);
    const longest = sorted.at(-1)?.words.length ?? 0;
    if (order !== undefined) assertInteger('order', order, longest, Number.MAX_SAFE_INTEGER);
    this.order = order ?? longest;
    this.maxScore = this.#backoffs.every((backoff) => backoff <= 0) ? 0 : undefined;
    // A shorter form is looked up through those of shorter histories, so these come first.
    const depth = ([, node]: [number, number]): number => this.#depths[node];
    const nodes = [...this.#children].sort((a, b) => depth(a) - depth(b));
    for (const [key, node] of nodes) this.#shorter[node] = this.#suffix(key);
    this.#unknown = this.#indices.get('<unk>') ?? -1;
    this.#end = this.#indices.get('</s>') ?? -1;
    const begin = this.#indices.get('<s>');
    this.start = begin === undefined ? EMPTY : this.#after(EMPTY, begin);
  }

  /** Whether the model has this very word. */
  has(word: string): boolean {
    return this.#indices.has(word);
  }

  /** Index of a word, or else of `<unk>`, or else -1. */
  indexOf(word: string): number {
    return this.#indices.get(word) ?? this.#unknown;
  }

  /** Natural-log probability of a word by its index after a history; `-Infinity` for -1, which stands for no word. */
  logProb(state: BackoffState, word: number): number {
    if (typeof word !== 'number' || typeof state !== 'number')
      throw wrongValue('word', word, 'an index of a word, after a state of this model');
    if (word < 0) return Number.NEGATIVE_INFINITY;
    let weight = 0;
    for (let history = state; ; history = this.#shorter[history]) {
      const node = this.#children.get(history * this.#size + word);
      const logProb = node === undefined ? Number.NaN : this.#logProbs[node];
      if (!Number.isNaN(logProb)) return weight + logProb;
      if (!(history > EMPTY)) return this.#nothing(history, Number.NEGATIVE_INFINITY);
      weight += this.#backoffs[history];
    }
  }

  /** The history after one more word. */
  next(state: BackoffState, word: number): BackoffState {
    return word < 0 ? EMPTY : this.#after(state, word);
  }

  /** Natural-log probability that the sentence ends here: that of `</s>`, 0 where the model does not have it. */
  end(state: BackoffState): number {
    return this.#end < 0 ? 0 : this.logProb(state, this.#end);
  }

  #after(state: BackoffState, word: number): BackoffState {
    for (let history = state; ; history = this.#shorter[history]) {
      const node = this.#children.get(history * this.#size + word);
      if (node !== undefined) {
        // Nothing follows the longest n-grams.
        return this.#depths[node] === this.order ? this.#shorter[node] : node;
      }
      if (!(history > EMPTY)) return this.#nothing(history, EMPTY);
    }
  }

  /** What is found after no word at all. Throws `INVALID_ARGUMENT` where a history is no state of this model. */
  #nothing(history: BackoffState | undefined, found: number): number {
    if (history === EMPTY) return found;
    throw wrongValue('state', history, 'a state that this model gave');
  }

  #add({ words, logProb, backoff = 0 }: Ngram): void {
    let node = EMPTY;
    for (const word of words) {
      if (!Number.isInteger(word) || word < 0 || word >= this.#size) {
        throw invalid(`An n-gram holds word ${show(word)}; indices below ${this.#size} are required.`, {
          received: word,
        });
      }
      node = this.#children.get(node * this.#size + word) ?? this.#insert(node, word);
    }
    const name = words.map((word) => this.words[word]).join(' ');
    if (node === EMPTY || !Number.isNaN(this.#logProbs[node])) {
      throw invalid(node === EMPTY ? 'An n-gram has no words.' : `The n-gram "${name}" comes twice.`, { words: name });
    }
    if (!isNumber(logProb) || !isNumber(backoff) || !(logProb <= 0) || !(backoff < Number.POSITIVE_INFINITY)) {
      const scores = `log-probability ${show(logProb)} and log-weight ${show(backoff)}`;
      throw invalid(`The n-gram "${name}" has ${scores}; a number up to 0 and one below Infinity are required.`, {
        words: name,
      });
    }
    this.#logProbs[node] = logProb;
    this.#backoffs[node] = backoff;
  }

  #insert(parent: number, word: number): number {
    const node = this.#logProbs.push(Number.NaN) - 1;
    this.#backoffs.push(0);
    this.#depths.push(this.#depths[parent] + 1);
    this.#shorter.push(EMPTY);
    this.#children.set(parent * this.#size + word, node);
    return node;
  }

  /** The longest known history that is a node's without its oldest words, given the node's key among the children. */
  #suffix(key: number): number {
    const word = key % this.#size;
    let history = Math.floor(key / this.#size);
    while (history !== EMPTY) {
      history = this.#shorter[history];
      const node = this.#children.get(history * this.#size + word);
      if (node !== undefined) return node;
    }
    return EMPTY;
  }
}

/** A copy of n-grams whose words are a list; the rest is checked as they are added. Throws `INVALID_ARGUMENT`. */
function ngramsOf(ngrams: Iterable<Ngram>): Ngram[] {
  let list: Ngram[];
  try {
    list = Array.from(ngrams, ({ words, logProb, backoff = 0 }) => ({ words, logProb, backoff }));
  } catch (cause) {
    throw invalid(`ngrams must be n-grams with words and logProb that can be read, but was ${show(ngrams)}.`, {
      cause,
    });
  }
  for (const { words } of list)
    if (lengthOf(words) === undefined) throw wrongValue('words of an n-gram', words, 'an array of indices');
  return list;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message, details);
}
