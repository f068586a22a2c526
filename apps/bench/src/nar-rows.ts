import { ForetokenError } from '@foretoken/core';
import { corpusBleu, corpusChrf } from '@foretoken/metrics';
import type { TextTokenizer } from '@foretoken/models';
import { lengthStatistics, repetitionStatistics } from '@foretoken/one-shot';
import type { Decoded } from './nar-measure.js';
import type { NarStrategy } from './nar-strategies.js';
import { sameTokens } from './same-tokens.js';
import { mean, rounded, roundedSpread, type Spread, spread } from './statistics.js';

/** Speed relative to a baseline: its time divided by the strategy's, so above 1 is faster. */
export interface Times {
  /** Medians over sentences, decoded one at a time. */
  readonly alone: Spread;
  /** Medians over batches. */
  readonly batched: Spread;
}

/** What one strategy did with a test set. */
export interface NarRow {
  readonly strategy: string;
  readonly kind: NarStrategy['kind'];
  readonly model: NarStrategy['model'];
  readonly bleu: number;
  readonly chrf: number;
  /** Shares of 0 to 1; see `repetitionStatistics`. */
  readonly repetition: { readonly tokens: number; readonly bigrams: number };
  /** In tokens, against the reference; see `lengthStatistics`. */
  readonly lengthError?: { readonly mean: number; readonly absolute: number; readonly ratio: number } | undefined;
  readonly tokensPerSentence: number;
  /** Of the model that decides, and of others that draft or write first outputs; the encoder's is not among them. Sentences decoded alone. */
  readonly forwardsPerSentence: number;
  readonly otherForwardsPerSentence: number;
  readonly millisecondsPerSentence: number;
  /** Milliseconds of a batch over its sentences. */
  readonly millisecondsPerSentenceBatched: number;
  /** Share of the batched outputs that equal those decoded alone. */
  readonly identicalBatched: number;
  readonly timesGreedy?: Times | undefined;
  readonly timesBeam4?: Times | undefined;
}

/** The races of one strategy: sentences alone, and in batches. */
export interface Raced {
  readonly alone: readonly Decoded[];
  readonly batched: readonly Decoded[];
}

export interface Baselines {
  readonly greedy?: Raced | undefined;
  readonly beam4?: Raced | undefined;
}

const DIGITS = 3;

export function rowOf(
  { name, kind, model }: NarStrategy,
  raced: Raced,
  baselines: Baselines,
  tokenizer: TextTokenizer,
  references: readonly string[],
): NarRow {
  const { alone, batched } = raced;
  const outputs = outputsOf(alone);
  const texts = outputs.map((tokenIds) => tokenizer.decode(tokenIds));
  const { repeatedTokens, repeatedBigrams } = repetitionStatistics(outputs);
  const lengths = lengthErrorOf(outputs, referenceTokens(tokenizer, references));
  const sentencesBatched = batched.reduce((sum, batch) => sum + batch.outputs.length, 0);
  const { greedy, beam4 } = baselines;
  return {
    strategy: name,
    kind,
    model,
    bleu: rounded(corpusBleu(texts, [references]).score, 2),
    chrf: rounded(corpusChrf(texts, [references]), 2),
    repetition: { tokens: rounded(repeatedTokens, 5), bigrams: rounded(repeatedBigrams) },
    lengthError: lengths,
    tokensPerSentence: rounded(mean(outputs.map(({ length }) => length)), 2),
    forwardsPerSentence: rounded(mean(alone.map(({ forwards }) => forwards)), 2),
    otherForwardsPerSentence: rounded(mean(alone.map(({ otherForwards }) => otherForwards)), 2),
    millisecondsPerSentence: rounded(mean(alone.map(({ milliseconds }) => milliseconds)), DIGITS),
    millisecondsPerSentenceBatched: rounded(
      batched.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / sentencesBatched,
      DIGITS,
    ),
    // Batches are made of the first sentences of the test set, in order.
    identicalBatched: rounded(
      mean(outputsOf(batched).map((output, index) => (sameTokens(output, outputs[index]) ? 1 : 0))),
    ),
    timesGreedy: greedy && timesOf(raced, greedy),
    timesBeam4: beam4 && timesOf(raced, beam4),
  };
}

/** The best outputs of all requests, in order. */
export function outputsOf(decoded: readonly Decoded[]): Int32Array[] {
  return decoded.flatMap(({ outputs }) => outputs);
}

/** How many times as fast as the baseline: the ratios of the same requests, which were decoded next to one another. */
export function timesOf(raced: Raced, baseline: Raced): Times {
  const ratios = (own: readonly Decoded[], other: readonly Decoded[]): Spread =>
    roundedSpread(spread(own.map(({ milliseconds }, index) => other[index].milliseconds / milliseconds)), DIGITS);
  return { alone: ratios(raced.alone, baseline.alone), batched: ratios(raced.batched, baseline.batched) };
}

/** Token ids of references without the end token; undefined for one that the tokenizer refuses. */
export function referenceTokens(
  tokenizer: Pick<TextTokenizer, 'encode'>,
  references: readonly string[],
): (Int32Array | undefined)[] {
  return references.map((text) => {
    try {
      return tokenizer.encode(text).slice(0, -1);
    } catch (error) {
      if (ForetokenError.isInstance(error) && (error.code === 'EMPTY_SOURCE' || error.code === 'SOURCE_TOO_LONG')) {
        return undefined;
      }
      throw error;
    }
  });
}

/** Length error over the pairs whose reference could be read; undefined where there are none. */
export function lengthErrorOf(
  outputs: readonly Int32Array[],
  references: readonly (Int32Array | undefined)[],
): NarRow['lengthError'] {
  const pairs = outputs.flatMap((output, index) => {
    const reference = references[index];
    return reference === undefined ? [] : [[output, reference] as const];
  });
  if (pairs.length === 0) return undefined;
  const { meanDifference, meanAbsoluteDifference, ratio } = lengthStatistics(
    pairs.map(([output]) => output),
    pairs.map(([, reference]) => reference),
  );
  return {
    mean: rounded(meanDifference, DIGITS),
    absolute: rounded(meanAbsoluteDifference, DIGITS),
    ratio: rounded(ratio),
  };
}
