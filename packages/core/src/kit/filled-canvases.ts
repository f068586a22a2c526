import type { Canvas, CanvasPrediction, CanvasSession } from '../contract/canvas.js';
import type { OutputRequest } from '../contract/token-tree.js';
import { brokenPrediction } from '../tensor/canvas-candidates.js';

/**
 * Predictions of canvases, one each and of the kind asked for; no more candidates are asked for than the vocabulary has.
 *
 * Throws `RUNTIME_FAILURE` where the model answers otherwise, and what `fill` throws.
 */
export async function filledCanvases<Output extends OutputRequest>(
  session: Pick<CanvasSession, 'fill'>,
  canvases: readonly Canvas[],
  output: Output,
  vocabularySize: number,
  signal: AbortSignal | undefined,
): Promise<CanvasPrediction<Output>[]> {
  const asked: Output = 'k' in output ? { ...output, k: Math.min(output.k, vocabularySize) } : output;
  const predictions = await session.fill(canvases, asked, signal);
  for (const [index, { row }] of canvases.entries()) {
    const prediction = predictions[index];
    if (prediction === undefined) throw brokenPrediction(row, 'no prediction');
    if (prediction.kind !== output.kind) {
      throw brokenPrediction(row, `the output ${String(prediction.kind)}, not ${output.kind} as it was asked for`);
    }
  }
  return predictions.slice(0, canvases.length);
}
