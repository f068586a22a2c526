import type { CanvasModel, CanvasSession } from './canvas.js';
import { assertInteger } from './checks.js';
import type { DecodeRequest } from './decoder.js';
import { ForetokenError } from './errors.js';

/** How long a canvas is; shared by the strategies on canvases. */
export interface LengthOptions {
  /**
   * Positions of every canvas, a given prefix and an end token among them; default: what the model predicts. `lengthBeam`
   * tries the most probable lengths (default 1) side by side; the output is the canvas of highest mean log-probability.
   */
  readonly length?: number;
  readonly lengthBeam?: number;
}

/** Throws `INVALID_ARGUMENT` for length options out of range or contradicting each other. */
export function assertLengthOptions({ length, lengthBeam }: LengthOptions): void {
  if (length !== undefined) assertInteger('length', length, 1, Number.MAX_SAFE_INTEGER);
  if (lengthBeam !== undefined) assertInteger('lengthBeam', lengthBeam, 1, Number.MAX_SAFE_INTEGER);
  if (length !== undefined && lengthBeam !== undefined && lengthBeam > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `lengthBeam ${lengthBeam} contradicts length ${length}: there is one length to try. Leave one of them out.`,
      { option: 'lengthBeam', received: lengthBeam, length },
    );
  }
}

/**
 * The lengths to try for each row, different ones, best first; none shorter than the row's output prefix.
 *
 * Throws `LENGTH_LIMIT` for one that the model cannot hold, `RUNTIME_FAILURE` where it predicts none.
 */
export async function canvasLengths<Source>(
  { length, lengthBeam = 1 }: LengthOptions,
  session: CanvasSession,
  model: CanvasModel<Source>,
  { sources, signal, outputPrefixes }: DecodeRequest<Source>,
): Promise<readonly (readonly number[])[]> {
  if (length !== undefined) return sources.map(() => [length]);
  const predictions = await session.predictLengths(lengthBeam, signal);
  return sources.map((_, row) => {
    const least = outputPrefixes?.[row]?.length ?? 0;
    const predicted = predictions[row]?.lengths.subarray(0, lengthBeam) ?? new Int32Array();
    const tried = [...new Set(Array.from(predicted, (length) => Math.max(length, least)))];
    if (tried.length === 0)
      throw new ForetokenError('RUNTIME_FAILURE', `The model gave row ${row} no length.`, { row });
    for (const one of tried) assertCanvasFits(one, model);
    return tried;
  });
}

/** Throws `LENGTH_LIMIT` for a canvas of more positions than the model has. */
export function assertCanvasFits(length: number, { maxLength }: Pick<CanvasModel<never>, 'maxLength'>): void {
  if (length <= maxLength) return;
  throw new ForetokenError(
    'LENGTH_LIMIT',
    `A canvas of ${length} positions was asked for, but the model has ${maxLength}.`,
    { received: length, most: maxLength },
  );
}
