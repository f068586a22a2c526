import type { CanvasModel, CanvasSession } from '../contract/canvas.js';
import type { DecodeRequest } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import { assertScores } from '../tensor/score-checks.js';
import { integer, number, type OptionTable } from './options.js';
import { assertOutputPrefixes, ofRow } from './row-output.js';

/** How long a canvas is; shared by the strategies on canvases. */
export interface LengthOptions {
  /**
   * Positions of every canvas, a given prefix and an end token among them; at least 1. Default: `lengths` of the request, or what
   * the model predicts.
   */
  readonly length?: number | undefined;
  /**
   * How many of the most probable lengths are tried side by side; at least 1 (default 1). The output is the canvas whose mean
   * natural-log probability is highest. Not above 1 together with `length`.
   */
  readonly lengthBeam?: number | undefined;
  /**
   * How much the probability of a length counts in that choice, 0 to 1,000,000 (default 0): the natural-log probability of the
   * length times this is added to the mean of its canvas. Needs a `lengthBeam` of 2 or more.
   */
  readonly lengthWeight?: number | undefined;
}

/** How `LengthOptions` are read, for the option tables of decoders. */
export const LENGTH_OPTIONS: OptionTable<LengthOptions> = {
  length: integer(1),
  lengthBeam: integer(1),
  lengthWeight: number(0, 1e6),
};

/** A length to try, and what it adds to the score of its canvas. */
export interface TriedLength {
  /** Positions of the canvas. */
  readonly length: number;
  /** What is added to its score, in natural-log units. */
  readonly bonus: number;
}

/** Throws `INVALID_ARGUMENT` for length options that contradict each other. */
export function assertLengthOptions({ length, lengthBeam, lengthWeight = 0 }: LengthOptions): void {
  if (length !== undefined && lengthBeam !== undefined && lengthBeam > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `lengthBeam ${lengthBeam} contradicts length ${length}: there is one length to try. Leave one of them out.`,
      { option: 'lengthBeam', received: lengthBeam, length },
    );
  }
  if (lengthWeight > 0 && (lengthBeam ?? 1) === 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'lengthWeight has nothing to weigh with a single length; lengthBeam of 2 or more is required with it.',
      { option: 'lengthWeight', received: lengthWeight, lengthBeam: lengthBeam ?? 1 },
    );
  }
}

/**
 * Checks lengths and prefixes of a request before any compute. Throws `INVALID_ARGUMENT` where request and options both say a
 * length, `LENGTH_LIMIT` for one that the model cannot hold or a prefix that is longer than its canvas.
 */
export function assertCanvasRequest<Source>(
  { length, lengthBeam = 1 }: LengthOptions,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
): void {
  const { lengths } = request;
  if (lengths !== undefined && (length !== undefined || lengthBeam > 1)) {
    const option = length === undefined ? 'lengthBeam' : 'length';
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The request has lengths, but the strategy was given ${option} too. Leave one of them out.`,
      { option: 'lengths', received: lengths },
    );
  }
  const { vocabulary, maskTokenId, maxLength } = model;
  const lengthOf = (row: number): number => ofRow(lengths, row) ?? length ?? maxLength;
  assertOutputPrefixes(request, vocabulary, maskTokenId, (row) => Math.min(lengthOf(row), maxLength));
  for (const row of request.sources.keys()) assertCanvasFits(lengthOf(row), model);
}

/**
 * The lengths to try for each row, different ones, best first; none shorter than the row's output prefix, none of probability 0.
 *
 * Throws `LENGTH_LIMIT` for one that the model cannot hold, `RUNTIME_FAILURE` where it predicts none, and `INVALID_SCORES`, whose
 * position is the place among the predicted lengths.
 */
export async function canvasLengths<Source>(
  { length, lengthBeam = 1, lengthWeight = 0 }: LengthOptions,
  session: CanvasSession,
  model: CanvasModel<Source>,
  { sources, signal, outputPrefixes, lengths: told }: DecodeRequest<Source>,
): Promise<readonly (readonly TriedLength[])[]> {
  const given = sources.map((_, row) => ofRow(told, row) ?? length);
  if (given.every((one) => one !== undefined)) return given.map((one) => [{ length: one, bonus: 0 }]);
  const predictions = await session.predictLengths(lengthBeam, signal);
  return sources.map((_, row) => {
    const min = outputPrefixes?.[row]?.length ?? 0;
    const { lengths, logProbs } = predictions[row] ?? {};
    for (const rank of logProbs?.keys() ?? []) assertScores(logProbs, row, rank, rank, rank + 1);
    const tried = new Map<number, TriedLength>();
    for (const [rank, predicted] of lengths?.subarray(0, lengthBeam).entries() ?? []) {
      if (logProbs?.[rank] === Number.NEGATIVE_INFINITY) continue;
      const one = Math.max(predicted, min);
      // Of those that the prefix makes equal the first is the most probable.
      if (tried.has(one)) continue;
      assertCanvasFits(one, model);
      tried.set(one, { length: one, bonus: lengthWeight === 0 ? 0 : lengthWeight * logProbs?.[rank] });
    }
    if (tried.size > 0) return [...tried.values()];
    throw new ForetokenError('RUNTIME_FAILURE', `The model gave row ${row} no length.`, { row });
  });
}

/** Throws `LENGTH_LIMIT` for a canvas of more positions than the model has. */
export function assertCanvasFits(length: number, { maxLength }: Pick<CanvasModel<never>, 'maxLength'>): void {
  if (length <= maxLength) return;
  throw new ForetokenError(
    'LENGTH_LIMIT',
    `A canvas of ${length} positions was asked for, but the model has ${maxLength}.`,
    { received: length, max: maxLength },
  );
}
