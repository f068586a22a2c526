import type { LoadedModel } from '@foretoken/models';
import type { VariantName } from '../strategy-names.js';
import { table } from '../terminal/table.js';
import { wrap } from '../terminal/wrap.js';
import type { RaceRow, StrategySummary } from './summary.js';
import { unrestNotes } from './unrest.js';

/** How the numbers came about. */
export interface RaceConditions {
  readonly runtime: string;
  readonly threads: number;
  /** Of exact models; what a variant computes with is the folder's matter. */
  readonly precision: 'fp32';
  readonly variant: VariantName;
  /** Interleaved runs of each sentence and strategy. */
  readonly repeats: number;
  /** Slowest over fastest repeat; absent where there was one. */
  readonly unrest?: number | undefined;
}

const NOTHING = '-';

/** The table that ends a race, with what its numbers mean. */
export function raceTable(
  summaries: readonly StrategySummary[],
  conditions: RaceConditions,
  columns: number = Number.POSITIVE_INFINITY,
): string[] {
  const number = (value: number | undefined, digits: number, unit = ''): string =>
    value === undefined ? NOTHING : `${value.toFixed(digits)}${unit}`;
  const rows = summaries.map((summary) => [
    summary.strategy,
    number(summary.millisecondsPerSentence, 2),
    forwards(summary),
    number(summary.tokensPerForward, 2),
    number(summary.speedup, 2, 'x'),
    number(summary.bleu, 1),
    summary.identical === undefined ? NOTHING : `${summary.identical.count} of ${summary.identical.of}`,
  ]);
  const heading = [
    'strategy',
    'ms/sentence',
    'forwards/sentence',
    'tokens/forward',
    'speedup',
    'BLEU',
    'identical to greedy',
  ];
  const notes = footnotes(summaries, conditions).flatMap((note) => wrap(note, columns));
  return [...table([heading, ...rows], columns), '', ...notes];
}

function forwards({ forwardsPerSentence, otherForwardsPerSentence }: StrategySummary): string {
  const others = otherForwardsPerSentence === 0 ? '' : ` + ${otherForwardsPerSentence.toFixed(1)}`;
  return `${forwardsPerSentence.toFixed(1)}${others}`;
}

function footnotes(summaries: readonly StrategySummary[], conditions: RaceConditions): string[] {
  const { runtime, threads, precision, variant, repeats, unrest } = conditions;
  const computed = variant === 'exact' ? precision : `${variant} models, greedy ${precision}`;
  const each = repeats === 1 ? 'one run' : `the median of ${repeats} runs`;
  return [
    `Everything from source ids to target ids, one sentence at a time, ${computed}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${runtime}.`,
    `ms: mean over sentences of ${each}, strategies taking turns. Speedup: median over sentences of greedy's time / this one's.`,
    ...unrestNotes('repeat', unrest),
    ...(summaries.some(({ bleu }) => bleu !== undefined)
      ? ['BLEU: as sacreBLEU (13a, cased). On a few sentences it is a rough guide.']
      : []),
  ];
}

/** The whole race for machines; see the README for its fields. */
export function raceRecord(
  task: string,
  model: LoadedModel,
  conditions: RaceConditions,
  rows: readonly RaceRow[],
  summaries: readonly StrategySummary[],
): object {
  return {
    version: 1,
    task,
    model: { name: model.manifest.name, folder: model.folder },
    ...conditions,
    sentences: rows.length,
    strategies: summaries,
    rows: rows.map(({ runs, ...row }) => ({
      ...row,
      outputs: runs.map(({ strategy, text, tokenIds, milliseconds, statistics }) => ({
        strategy,
        text,
        tokenIds,
        milliseconds,
        statistics,
      })),
    })),
  };
}
