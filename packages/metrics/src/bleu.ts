import { assertCorpus, type Counts, count, type References, singleLineStreams, trimEnd } from './corpus.js';
import { tokenize13a } from './tokenize-13a.js';

const MAX_ORDER = 4;

/** BLEU and what it was computed from; `score` and `precisions` are percentages, lengths are in 13a words. */
export interface BleuScore {
  /** BLEU, 0 to 100. */
  readonly score: number;
  /** Smoothed n-gram precisions, `[4]`. */
  readonly precisions: readonly number[];
  /** What short hypotheses cost, above 0 to 1. */
  readonly brevityPenalty: number;
  /** Tokens of all hypotheses. */
  readonly hypothesisLength: number;
  /** Sum over lines of the reference length closest to the hypothesis length. */
  readonly referenceLength: number;
  /** n-grams that a reference confirms, and all n-grams of the hypotheses; `[4]` each. */
  readonly correct: readonly number[];
  /** n-grams of the hypotheses, by n from 1. */
  readonly total: readonly number[];
}

interface Statistics {
  hypothesisLength: number;
  referenceLength: number;
  readonly correct: number[];
  readonly total: number[];
}

/**
 * Corpus BLEU (Papineni et al., 2002), equal to sacreBLEU's default: 13a words, cased, exponential smoothing (Chen and
 * Cherry, 2014, method 3), `nrefs` 1 or more.
 *
 * Throws `MetricsError` `EMPTY_CORPUS`, `NO_REFERENCES`, `LINE_COUNT_MISMATCH`.
 */
export function corpusBleu(hypotheses: readonly string[], references: References): BleuScore {
  assertCorpus(hypotheses, references);
  const statistics = emptyStatistics();
  for (const [line, hypothesis] of hypotheses.entries()) {
    addLine(
      statistics,
      hypothesis,
      references.map((stream) => stream[line]),
    );
  }
  return scoreOf(statistics, false);
}

/**
 * BLEU of one line against one or several references, equal to sacreBLEU's `sentence_bleu`: as the corpus score, but orders
 * the hypothesis is too short for are left out of the mean ("effective order").
 *
 * Throws `MetricsError` `NO_REFERENCES`.
 */
export function sentenceBleu(hypothesis: string, reference: string | readonly string[]): BleuScore {
  const streams = singleLineStreams(reference);
  assertCorpus([hypothesis], streams);
  const statistics = emptyStatistics();
  addLine(statistics, hypothesis, streams.flat());
  return scoreOf(statistics, true);
}

function emptyStatistics(): Statistics {
  return {
    hypothesisLength: 0,
    referenceLength: 0,
    correct: new Array<number>(MAX_ORDER).fill(0),
    total: new Array<number>(MAX_ORDER).fill(0),
  };
}

function addLine(statistics: Statistics, hypothesis: string, references: readonly string[]): void {
  const words = tokenize13a(trimEnd(hypothesis));
  const referenceWords = references.map((reference) => tokenize13a(trimEnd(reference)));
  statistics.hypothesisLength += words.length;
  statistics.referenceLength += closestLength(words.length, referenceWords);
  for (let order = 1; order <= MAX_ORDER; order++) {
    const allowed = highestCounts(referenceWords.map((reference) => count(wordNgrams(reference, order))));
    for (const [ngram, occurrences] of count(wordNgrams(words, order))) {
      statistics.total[order - 1] += occurrences;
      statistics.correct[order - 1] += Math.min(occurrences, allowed.get(ngram) ?? 0);
    }
  }
}

/** All runs of `order` words, joined by a space, which no word contains. */
export function wordNgrams(words: readonly string[], order: number): string[] {
  const ngrams: string[] = [];
  for (let start = 0; start + order <= words.length; start++) ngrams.push(words.slice(start, start + order).join(' '));
  return ngrams;
}

/** The reference length nearest to `length`; the shorter one among equals. */
function closestLength(length: number, references: readonly (readonly string[])[]): number {
  return references
    .map((words) => words.length)
    .reduce((best, candidate) => {
      const difference = Math.abs(candidate - length) - Math.abs(best - length);
      return difference < 0 || (difference === 0 && candidate < best) ? candidate : best;
    });
}

function highestCounts(counts: readonly Counts[]): Counts {
  const highest = new Map<string, number>();
  for (const one of counts) {
    for (const [ngram, occurrences] of one) highest.set(ngram, Math.max(occurrences, highest.get(ngram) ?? 0));
  }
  return highest;
}

function scoreOf(statistics: Statistics, effectiveOrder: boolean): BleuScore {
  const { hypothesisLength, referenceLength, correct, total } = statistics;
  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength === 0
        ? 0
        : Math.exp(1 - referenceLength / hypothesisLength);
  const precisions = new Array<number>(MAX_ORDER).fill(0);
  const result = { precisions, brevityPenalty, hypothesisLength, referenceLength, correct, total };
  if (correct.every((matches) => matches === 0)) return { score: 0, ...result };
  let orders = effectiveOrder ? 0 : MAX_ORDER;
  let penalty = 1;
  for (let index = 0; index < MAX_ORDER && total[index] > 0; index++) {
    if (effectiveOrder) orders = index + 1;
    // Each order without a match counts half as much as the one before.
    if (correct[index] === 0) penalty *= 2;
    precisions[index] = (100 * (correct[index] === 0 ? 1 / penalty : correct[index])) / total[index];
  }
  const meanLog = precisions.slice(0, orders).reduce((sum, precision) => sum + Math.log(precision), 0) / orders;
  return { score: brevityPenalty * Math.exp(meanLog), ...result };
}
