import { wordNgrams } from './bleu.js';
import {
  assertCorpus,
  type Counts,
  count,
  MetricsError,
  type References,
  singleLineStreams,
  splitWords,
} from './corpus.js';

/** Options of `chrf`. */
export interface ChrfOptions {
  /** Longest character n-gram (default 6). */
  readonly characterOrder?: number | undefined;
  /** Longest word n-gram; 0 is chrF (the default), 2 is chrF++. */
  readonly wordOrder?: number | undefined;
  /** Weight of recall against precision (default 2). */
  readonly beta?: number | undefined;
}

/** n-grams of the hypothesis, of the reference, and in both; for one order. */
interface Matches {
  readonly hypothesis: number;
  readonly reference: number;
  readonly common: number;
}

/**
 * Corpus chrF (Popović, 2015) or chrF++ (Popović, 2017) as a percentage, equal to sacreBLEU's: whitespace ignored, cased,
 * of several references the one that scores best line by line.
 *
 * Throws `MetricsError` `EMPTY_CORPUS`, `NO_REFERENCES`, `LINE_COUNT_MISMATCH`, `INVALID_OPTION`.
 */
export function corpusChrf(hypotheses: readonly string[], references: References, options: ChrfOptions = {}): number {
  const { characterOrder = 6, wordOrder = 0, beta = 2 } = knownOptions(options);
  assertOption('characterOrder', characterOrder, 1);
  assertOption('wordOrder', wordOrder, 0);
  assertOption('beta', beta, 1);
  assertCorpus(hypotheses, references);
  let sums: readonly Matches[] | undefined;
  for (const [line, hypothesis] of hypotheses.entries()) {
    const own = ngramCounts(hypothesis, characterOrder, wordOrder);
    let best: readonly Matches[] = [];
    let bestScore = -1;
    for (const stream of references) {
      const matches = ngramCounts(stream[line], characterOrder, wordOrder).map((other, order) =>
        matchesOf(own[order], other),
      );
      const score = fScore(matches, beta);
      if (score > bestScore) [best, bestScore] = [matches, score];
    }
    sums = sums === undefined ? best : sums.map((sum, order) => add(sum, best[order]));
  }
  return fScore(sums ?? [], beta);
}

/**
 * chrF of one line against one or several references as a percentage, equal to sacreBLEU's `CHRF().sentence_score`.
 *
 * Throws `MetricsError` `NO_REFERENCES`, `INVALID_OPTION`.
 */
export function sentenceChrf(
  hypothesis: string,
  reference: string | readonly string[],
  options: ChrfOptions = {},
): number {
  return corpusChrf([hypothesis], singleLineStreams(reference), options);
}

const OPTIONS: Readonly<Record<keyof ChrfOptions, true>> = { characterOrder: true, wordOrder: true, beta: true };

/** Throws `INVALID_OPTION` for anything but an object of known options. */
function knownOptions(given: ChrfOptions): ChrfOptions {
  const options = copyOf(given);
  if (options === undefined) {
    throw new MetricsError('INVALID_OPTION', `The options of chrF must be an object, but were ${typeof given}.`, {
      received: given,
    });
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown === undefined) return options;
  const known = Object.keys(OPTIONS);
  throw new MetricsError('INVALID_OPTION', `chrF takes no ${unknown}. It takes: ${known.join(', ')}.`, {
    option: unknown,
    required: known,
  });
}

/** A copy of an object, read once; `undefined` for anything else, and where reading it fails. */
function copyOf(options: ChrfOptions): ChrfOptions | undefined {
  try {
    return typeof options === 'object' && options !== null && !Array.isArray(options) ? { ...options } : undefined;
  } catch {
    return undefined;
  }
}

function assertOption(option: string, value: number, min: number): void {
  if (!Number.isInteger(value) || value < min) {
    throw new MetricsError(
      'INVALID_OPTION',
      `${option} must be an integer of at least ${min}, but was ${typeof value === 'number' ? value : typeof value}.`,
      {
        option,
        received: value,
        min,
      },
    );
  }
}

/** Counts for character orders 1 to `characterOrder`, then word orders 1 to `wordOrder`. */
function ngramCounts(text: string, characterOrder: number, wordOrder: number): Counts[] {
  const words = splitWords(text);
  // Code points, not UTF-16 units.
  const characters = [...words.join('')];
  const counts: Counts[] = [];
  for (let order = 1; order <= characterOrder; order++) {
    const ngrams: string[] = [];
    for (let start = 0; start + order <= characters.length; start++) {
      ngrams.push(characters.slice(start, start + order).join(''));
    }
    counts.push(count(ngrams));
  }
  const bare = words.flatMap(separatePunctuation);
  for (let order = 1; order <= wordOrder; order++) counts.push(count(wordNgrams(bare, order)));
  return counts;
}

const PUNCTUATION: ReadonlySet<string> = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** Splits one mark off the end of a word, or else off its start; chrF++ knows no more than that. */
function separatePunctuation(word: string): string[] {
  if (word.length === 1) return [word];
  if (PUNCTUATION.has(word[word.length - 1])) return [word.slice(0, -1), word.slice(-1)];
  if (PUNCTUATION.has(word[0])) return [word.slice(0, 1), word.slice(1)];
  return [word];
}

function matchesOf(hypothesis: Counts, reference: Counts): Matches {
  let [hypothesisTotal, referenceTotal, common] = [0, 0, 0];
  for (const [ngram, occurrences] of hypothesis) {
    hypothesisTotal += occurrences;
    common += Math.min(occurrences, reference.get(ngram) ?? 0);
  }
  for (const occurrences of reference.values()) referenceTotal += occurrences;
  // An order the reference is too short for does not count against the hypothesis.
  return { hypothesis: referenceTotal === 0 ? 0 : hypothesisTotal, reference: referenceTotal, common };
}

function add(left: Matches, right: Matches): Matches {
  return {
    hypothesis: left.hypothesis + right.hypothesis,
    reference: left.reference + right.reference,
    common: left.common + right.common,
  };
}

/** F-beta of mean precision and mean recall over the orders both sides have n-grams of. */
function fScore(orders: readonly Matches[], beta: number): number {
  const used = orders.filter(({ hypothesis, reference }) => hypothesis > 0 && reference > 0);
  if (used.length === 0) return 0;
  const precision = used.reduce((sum, order) => sum + order.common / order.hypothesis, 0) / used.length;
  const recall = used.reduce((sum, order) => sum + order.common / order.reference, 0) / used.length;
  if (precision + recall === 0) return 0;
  const weight = beta ** 2;
  return (100 * (1 + weight) * precision * recall) / (weight * precision + recall);
}
