import type { NarReport } from './nar-bench.js';
import type { NarRow } from './nar-rows.js';

const NOTHING = '-';

type Column = readonly [heading: string, cell: (row: NarRow) => string];

const COLUMNS: readonly Column[] = [
  ['strategy', ({ strategy }) => strategy],
  ['BLEU', ({ bleu }) => bleu.toFixed(2)],
  ['chrF', ({ chrf }) => chrf.toFixed(2)],
  ['repeated %', ({ repetition }) => (100 * repetition.tokens).toFixed(2)],
  ['length error', ({ lengthError }) => lengthError?.absolute.toFixed(2) ?? NOTHING],
  ['forwards', forwards],
  ['ms', ({ millisecondsPerSentence }) => millisecondsPerSentence.toFixed(2)],
  ['x greedy', ({ timesGreedy }) => timesGreedy?.alone.median.toFixed(2) ?? NOTHING],
  ['x beam 4', ({ timesBeam4 }) => timesBeam4?.alone.median.toFixed(2) ?? NOTHING],
  ['batched: ms', ({ millisecondsPerSentenceBatched }) => millisecondsPerSentenceBatched.toFixed(2)],
  ['x greedy', ({ timesGreedy }) => timesGreedy?.batched.median.toFixed(2) ?? NOTHING],
  ['x beam 4', ({ timesBeam4 }) => timesBeam4?.batched.median.toFixed(2) ?? NOTHING],
];

function forwards({ forwardsPerSentence, otherForwardsPerSentence }: NarRow): string {
  const others = otherForwardsPerSentence === 0 ? '' : ` + ${otherForwardsPerSentence.toFixed(1)}`;
  return `${forwardsPerSentence.toFixed(1)}${others}`;
}

/** The report for people. */
export function narTable(report: NarReport): string {
  const { rows, remedies, distillation, targets, diagnosis, missing, failed, batch } = report;
  const lines = [
    `${report.testSet}, ${report.sentences} sentences, ${report.threads} thread(s), best of ${report.repeats}, batches of ${batch.size}`,
    '',
    ...aligned([COLUMNS.map(([heading]) => heading), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))]),
    '',
    'x: median of the baseline’s time over the strategy’s, sentence by sentence (batch by batch); above 1 is faster.',
    'Length error: mean absolute difference to the reference in tokens. Forwards: + those of another model that drafts or writes first outputs.',
  ];
  const part = (title: string, table: readonly (readonly string[])[]): void => {
    if (table.length > 0) lines.push('', `${title}:`, ...aligned(table).map((line) => `  ${line}`));
  };
  part(
    'Remedies',
    remedies.map(({ remedy, strategy, baseline, bleu, repetition }) => [
      remedy,
      `${strategy} against ${baseline}`,
      `BLEU ${signed(bleu.difference)}`,
      `repeated ${signed(100 * repetition.difference)} %`,
    ]),
  );
  part(
    'Distillation',
    Object.entries(distillation).map(([family, { raw, distilled, margin }]) => [
      family,
      `raw ${raw.toFixed(2)}, distilled ${distilled.toFixed(2)}, margin ${signed(margin)}`,
    ]),
  );
  part(
    'Targets',
    Object.entries(targets).map(([name, target]) => [
      name,
      `${target.strategy} against ${target.baseline}`,
      `BLEU ${signed(target.difference)} (aim ${signed(target.aim)})`,
      'timesBaseline' in target ? `${target.timesBaseline} times as fast (aim ${target.timesAim})` : '',
      target.met ? 'met' : 'missed',
    ]),
  );
  part(
    'Diagnosis',
    Object.entries(diagnosis).map(([name, { sentences, repetition, disagreement }]) => [
      name,
      `${sentences} sentences`,
      `repeated ${(100 * repetition.repeatedTokens).toFixed(2)} %`,
      disagreement === undefined ? '' : `disagreement ${(100 * disagreement.share).toFixed(2)} %`,
    ]),
  );
  part(
    'Missing',
    missing.map(({ strategy, model, lacks }) => [
      strategy,
      lacks.length === 0 ? `no model ${model}` : `${model} lacks ${lacks.join(', ')}`,
    ]),
  );
  part(
    'Failed',
    failed.map(({ strategy, code, message }) => [strategy, code, message]),
  );
  return lines.join('\n');
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => (isNumber(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function isNumber(cell: string): boolean {
  return /^[+-]?[\d.]/.test(cell) || cell === NOTHING;
}
