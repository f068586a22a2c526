import { largest } from '@foretoken/core/kit';
import type { Quality, Summary } from './measurements.js';

/** Points of quality that are given away for speed without asking: less than a test set of usual size can tell apart. */
const TOLERANCE: Readonly<Record<Quality, number>> = { bleu: 0.5, chrf: 0.5, exact: 0 };

/** Below these, an advice is a guess. */
const ENOUGH_SENTENCES = 30;
/** Slowest over fastest repeat above which the machine was not quiet. */
const QUIET = 1.2;

const NAMES: Readonly<Record<Quality, string>> = {
  bleu: 'BLEU',
  chrf: 'chrF',
  exact: 'of outputs equal to greedy',
};

export interface Advice {
  readonly recommended: Summary;
  /** Sentences for people. */
  readonly reasons: readonly string[];
  readonly confidence: 'usual' | 'low';
  /** Why the confidence is low; empty otherwise. */
  readonly doubts: readonly string[];
}

export interface AdviceOptions {
  readonly quality: Quality;
  readonly sentences: number;
  /** Most milliseconds that 19 of 20 sentences may take. */
  readonly latencyBudget?: number | undefined;
}

/** Those that no other beats in both time and quality, the fastest first; of equals the first. */
export function paretoFront(summaries: readonly Summary[]): Summary[] {
  const sorted = [...summaries].sort((a, b) => a.milliseconds - b.milliseconds || b.quality - a.quality);
  let best = Number.NEGATIVE_INFINITY;
  return sorted.filter(({ quality }) => {
    if (quality <= best) return false;
    best = quality;
    return true;
  });
}

/**
 * The fastest that is as good as the best; with a budget, among those that keep it, and where none does, the fastest of all.
 * `summaries` holds at least one.
 */
export function advise(summaries: readonly Summary[], options: AdviceOptions): Advice {
  const { latencyBudget, quality } = options;
  const within = summaries.filter(({ p95 }) => latencyBudget === undefined || p95 <= latencyBudget);
  const kept = within.length > 0;
  const recommended = kept
    ? fastest(asGoodAsBest(within, quality))
    : summaries.reduce((a, b) => (b.p95 < a.p95 ? b : a));
  const doubts = doubtsAbout(recommended, within, options);
  return {
    recommended,
    reasons: kept ? reasonsFor(recommended, summaries, within, options) : [unmet(recommended, latencyBudget ?? 0)],
    confidence: doubts.length === 0 ? 'usual' : 'low',
    doubts,
  };
}

function asGoodAsBest(summaries: readonly Summary[], quality: Quality): Summary[] {
  const best = largest(summaries.map((summary) => summary.quality));
  return summaries.filter((summary) => summary.quality >= best - TOLERANCE[quality]);
}

function fastest(summaries: readonly Summary[]): Summary {
  return summaries.reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a));
}

function unmet({ name, p95 }: Summary, budget: number): string {
  return `Nothing keeps the budget of ${budget} ms. ${name} comes nearest: 19 of 20 sentences take at most ${p95.toFixed(1)} ms.`;
}

function reasonsFor(
  recommended: Summary,
  summaries: readonly Summary[],
  within: readonly Summary[],
  { quality, latencyBudget }: AdviceOptions,
): string[] {
  const reasons: string[] = [];
  const { name, milliseconds, p95 } = recommended;
  const points = (summary: Summary): string =>
    quality === 'exact'
      ? `${summary.quality.toFixed(0)} % ${NAMES.exact}`
      : `${summary.quality.toFixed(1)} ${NAMES[quality]}`;
  if (latencyBudget !== undefined) {
    reasons.push(
      `${within.length} of ${summaries.length} keep the budget: 19 of 20 sentences within ${latencyBudget} ms. ${name} takes ${p95.toFixed(1)} ms.`,
    );
  }
  const best = within.reduce((a, b) => (b.quality > a.quality ? b : a));
  const among = latencyBudget === undefined ? '' : ' of those';
  reasons.push(
    recommended.quality >= best.quality
      ? `It has the best quality${among}, ${points(recommended)}, and no other with that quality is faster.`
      : `The best quality${among} is that of ${best.name}, ${points(best)}. ${name} has ${points(recommended)}, which is within ${TOLERANCE[quality]}, and no other within it is faster.`,
  );
  const greedy = summaries.find((summary) => summary.name === 'greedy');
  if (greedy !== undefined && greedy !== recommended) {
    reasons.push(`It takes ${milliseconds.toFixed(1)} ms a sentence, greedy ${greedy.milliseconds.toFixed(1)} ms.`);
  }
  return reasons;
}

function doubtsAbout(
  { name, range, quality: reached }: Summary,
  within: readonly Summary[],
  { sentences, quality }: AdviceOptions,
): string[] {
  const doubts: string[] = [];
  if (sentences < ENOUGH_SENTENCES) {
    doubts.push(
      `${sentences === 1 ? '1 sentence is' : `${sentences} sentences are`} few: give ${ENOUGH_SENTENCES} or more.`,
    );
  }
  const spread = range[1] / range[0];
  if (spread > QUIET) {
    doubts.push(
      `The machine was busy: the slowest repeat took ${spread.toFixed(1)} times as long as the fastest. Measure again when it is quiet.`,
    );
  }
  const alike = within.filter(
    (other) => other.name !== name && other.quality >= reached - TOLERANCE[quality] && other.range[0] <= range[1],
  );
  if (alike.length > 0) {
    doubts.push(`${alike.map((other) => other.name).join(' and ')} may be as fast: some repeats were.`);
  }
  return doubts;
}
