import type { NarRow } from './nar-rows.js';
import { rounded } from './statistics.js';

/** A figure with and without something. */
export interface Change {
  readonly without: number;
  readonly with: number;
  readonly difference: number;
}

/** What one remedy against repetition and many modes does to BLEU and repetition. */
export interface Remedy {
  readonly remedy: string;
  readonly strategy: string;
  readonly baseline: string;
  readonly bleu: Change;
  /** Shares of tokens that equal the one before. */
  readonly repetition: Change;
}

/** A difference of BLEU that the project aims at, in favour of `strategy`. */
export interface Target {
  readonly strategy: string;
  readonly baseline: string;
  readonly bleu: number;
  readonly baselineBleu: number;
  readonly difference: number;
  /** Least difference aimed at. */
  readonly aim: number;
  readonly met: boolean;
}

/** As `Target`, with the speed that goes with it. */
export interface SpeedTarget extends Target {
  /** Median over sentences decoded alone. */
  readonly timesBaseline: number;
  readonly timesBaselineBatched: number;
  /** Least `timesBaseline` aimed at. */
  readonly timesAim: number;
}

const REMEDIES: readonly (readonly [remedy: string, strategy: string, baseline: string])[] = [
  ['collapse runs of equal tokens', 'nat-deduplicate', 'nat'],
  ['no equal neighbours on the canvas', 'nat-no-repeat', 'nat'],
  ['several lengths', 'nat-lengths-5', 'nat'],
  ['several lengths, weighted by their probability', 'mask-predict-4-lengths-5-weighted', 'mask-predict-4'],
  ['autoregressive rescoring of lengths', 'nat-lengths-5-rescored', 'nat-lengths-5'],
  ['refinement, 4 forwards', 'mask-predict-4', 'nat'],
  ['searched hints to read', 'nat-searched-hints', 'nat'],
  ['searched hints to read', 'mask-predict-4-searched-hints', 'mask-predict-4'],
  ['searched hints to read', 'levenshtein-searched-hints', 'levenshtein'],
  ['refinement of a canvas that reads one', 'mask-predict-10-searched-hints', 'nat-searched-hints'],
  ['distillation, NAT', 'nat-distilled', 'nat-raw'],
  ['sum over alignments', 'ctc-prefix-beam', 'ctc-greedy'],
  ['n-grams', 'ctc-prefix-beam-ngrams', 'ctc-prefix-beam'],
  ['no bigram twice', 'ctc-prefix-beam-no-repeat', 'ctc-prefix-beam'],
  ['autoregressive rescoring of the beam', 'ctc-prefix-beam-rescored', 'ctc-prefix-beam'],
  ['distillation, CTC', 'ctc-distilled', 'ctc-raw'],
  ['lookahead', 'dag-lookahead', 'dag-greedy'],
  ['n-grams', 'dag-beam-ngrams', 'dag-beam'],
  ['refinement of the best path, canvas', 'mask-ctc', 'ctc-greedy'],
  ['refinement of the best path, edits', 'levenshtein-ctc', 'ctc-greedy'],
  ['refinement of the beam, canvas', 'mask-ctc-ngrams', 'ctc-prefix-beam-ngrams'],
  ['refinement of the beam, edits', 'levenshtein-ctc-ngrams', 'ctc-prefix-beam-ngrams'],
];

const TARGETS: Readonly<Record<string, readonly [strategy: string, baseline: string, aim: number]>> = {
  ctcPrefixBeam: ['ctc-prefix-beam', 'ctc-greedy', 0],
  maskPredict4: ['mask-predict-4-searched-hints-lengths-5-weighted', 'greedy', -0.7],
  maskPredict4BestPath: ['mask-predict-4-lengths-5-weighted', 'greedy', -0.7],
  maskCtc4: ['mask-ctc-ngrams', 'greedy', -0.7],
  maskPredict10: ['mask-predict-10-searched-hints-lengths-5-weighted', 'greedy', -0.3],
  maskPredict10BestPath: ['mask-predict-10-lengths-5-weighted', 'greedy', -0.3],
  levenshtein: ['levenshtein-searched-hints', 'greedy', -1],
  levenshteinBestPath: ['levenshtein', 'greedy', -1],
  levenshteinCtc: ['levenshtein-ctc-ngrams', 'greedy', -1],
};
const ONE_SHOT_AIM = -1;
const ONE_SHOT_TIMES = 8;

export type Rows = ReadonlyMap<string, NarRow>;

export function rowsByName(rows: readonly NarRow[]): Rows {
  return new Map(rows.map((row) => [row.strategy, row]));
}

/** Each remedy against its own baseline, of those that were measured. */
export function remediesOf(rows: Rows): Remedy[] {
  return REMEDIES.flatMap(([remedy, strategy, baseline]) => {
    const [own, other] = [rows.get(strategy), rows.get(baseline)];
    if (own === undefined || other === undefined) return [];
    return [
      {
        remedy,
        strategy,
        baseline,
        bleu: change(other.bleu, own.bleu, 2),
        repetition: change(other.repetition.tokens, own.repetition.tokens, 5),
      },
    ];
  });
}

/** BLEU of the controls that differ in their training data alone. */
export function distillationOf(rows: Rows): Record<string, { raw: number; distilled: number; margin: number }> {
  return Object.fromEntries(
    ['ctc', 'nat'].flatMap((family) => {
      const [raw, distilled] = [rows.get(`${family}-raw`)?.bleu, rows.get(`${family}-distilled`)?.bleu];
      if (raw === undefined || distilled === undefined) return [];
      return [[family, { raw, distilled, margin: rounded(distilled - raw, 2) }]];
    }),
  );
}

/**
 * What the project aims at, of what was measured. `bestOneShot` and `bestRescored` are the strategies that were best on
 * validation data, without and with an autoregressive model that judges, `fastOneShot` the fastest that came close, on 8-bit
 * products where its baseline is on fp32; the test set does not choose them.
 */
export function targetsOf(rows: Rows): Record<string, Target | SpeedTarget> {
  const entries: [string, Target | SpeedTarget | undefined][] = [
    ['bestOneShot', speedTarget(rows.get('ctc-prefix-beam-ngrams'), rows.get('beam4'))],
    ['fastOneShot', speedTarget(rows.get('ctc-fast-ngrams-pruned'), rows.get('beam4'))],
    ['bestRescored', speedTarget(rows.get('ctc-prefix-beam-ngrams-rescored'), rows.get('beam4'))],
    ...Object.entries(TARGETS).map(([name, [strategy, baseline, aim]]): [string, Target | undefined] => [
      name,
      target(rows.get(strategy), rows.get(baseline), aim),
    ]),
  ];
  return Object.fromEntries(entries.filter((entry): entry is [string, Target] => entry[1] !== undefined));
}

function target(own: NarRow | undefined, other: NarRow | undefined, aim: number): Target | undefined {
  if (own === undefined || other === undefined) return undefined;
  const difference = rounded(own.bleu - other.bleu, 2);
  return {
    strategy: own.strategy,
    baseline: other.strategy,
    bleu: own.bleu,
    baselineBleu: other.bleu,
    difference,
    aim,
    met: difference >= aim,
  };
}

function speedTarget(own: NarRow | undefined, beam4: NarRow | undefined): SpeedTarget | undefined {
  const plain = target(own, beam4, ONE_SHOT_AIM);
  const times = own?.timesBeam4;
  if (plain === undefined || times === undefined) return undefined;
  const timesBaseline = times.alone.median;
  return {
    ...plain,
    timesBaseline,
    timesBaselineBatched: times.batched.median,
    timesAim: ONE_SHOT_TIMES,
    met: plain.met && timesBaseline >= ONE_SHOT_TIMES,
  };
}

function change(before: number, after: number, digits: number): Change {
  return { without: before, with: after, difference: rounded(after - before, digits) };
}
