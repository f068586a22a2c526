import { largest, smallest } from '@foretoken/core/kit';
import { corpusBleu, corpusChrf } from '@foretoken/metrics';
import type { StrategyName } from '../strategy-names.js';
import { median, type Run } from './measure.js';

/** One sentence and what every strategy made of it, in the order of the strategies. */
export interface RaceRow {
  readonly source: string;
  readonly reference?: string | undefined;
  readonly unknownTokens: number;
  readonly runs: readonly (Run & { readonly text: string })[];
}

/** One strategy over all sentences. */
export interface StrategySummary {
  readonly strategy: StrategyName;
  readonly millisecondsPerSentence: number;
  readonly forwardsPerSentence: number;
  readonly otherForwardsPerSentence: number;
  /** Output tokens a forward of the model that decides, the end token not counted. */
  readonly tokensPerForward: number;
  /** Accepted over proposed draft tokens; absent without drafts. */
  readonly acceptance?: number | undefined;
  /** Median over sentences of greedy's time over this strategy's; absent when greedy did not run. */
  readonly speedup?: number | undefined;
  /** Sentences whose tokens equal greedy's; absent for greedy itself. */
  readonly identical?: { readonly count: number; readonly of: number } | undefined;
  /** Present when every sentence has a reference. */
  readonly bleu?: number | undefined;
  readonly chrf?: number | undefined;
}

export function summarise(rows: readonly RaceRow[]): StrategySummary[] {
  return rows[0].runs.map(({ strategy }, index) => {
    const runs = rows.map((row) => row.runs[index]);
    const forwards = sum(runs.map(({ statistics }) => statistics.forwards));
    const speculation = runs.map(({ statistics }) => statistics.speculation);
    const proposed = sum(speculation.map((counts) => counts?.proposed ?? 0));
    const accepted = sum(speculation.map((counts) => counts?.accepted ?? 0));
    const others = runs.map(({ statistics }) => statistics.speculation?.draftForwards ?? statistics.otherForwards ?? 0);
    return {
      strategy,
      millisecondsPerSentence: sum(runs.map(({ milliseconds }) => milliseconds)) / runs.length,
      forwardsPerSentence: forwards / runs.length,
      otherForwardsPerSentence: sum(others) / runs.length,
      tokensPerForward: sum(runs.map(({ tokenIds }) => tokenIds.length)) / forwards,
      acceptance: proposed === 0 ? undefined : accepted / proposed,
      ...againstGreedy(rows, index),
      ...againstReferences(rows, index),
    };
  });
}

/**
 * Time of the slowest repeat over that of the fastest, all sentences and strategies of a repeat together: about 1 on a machine that does
 * nothing else. Absent where each sentence was decoded once.
 */
export function unrestOf(rows: readonly RaceRow[]): number | undefined {
  const runs = rows.flatMap((row) => row.runs);
  const repeats = smallest(runs.map((run) => run.repeats.length));
  if (repeats < 2) return undefined;
  const totals = Array.from({ length: repeats }, (_, repeat) => sum(runs.map((run) => run.repeats[repeat])));
  return largest(totals) / smallest(totals);
}

function againstGreedy(rows: readonly RaceRow[], index: number): Pick<StrategySummary, 'speedup' | 'identical'> {
  const greedy = rows[0].runs.findIndex(({ strategy }) => strategy === 'greedy');
  if (greedy < 0) return {};
  const pairs = rows.map(({ runs }) => ({ own: runs[index], other: runs[greedy] }));
  const speedup = median(pairs.map(({ own, other }) => other.milliseconds / own.milliseconds));
  if (greedy === index) return { speedup };
  const count = pairs.filter(({ own, other }) => sameTokens(own.tokenIds, other.tokenIds)).length;
  return { speedup, identical: { count, of: pairs.length } };
}

function againstReferences(rows: readonly RaceRow[], index: number): Pick<StrategySummary, 'bleu' | 'chrf'> {
  const references = rows.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
  if (references.length < rows.length) return {};
  const texts = rows.map(({ runs }) => runs[index].text);
  return { bleu: corpusBleu(texts, [references]).score, chrf: corpusChrf(texts, [references]) };
}

function sameTokens(left: Int32Array, right: Int32Array): boolean {
  return left.length === right.length && left.every((tokenId, position) => tokenId === right[position]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
