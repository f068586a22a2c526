import { loadCode } from '../load-code.js';
import { describeGraph, type GraphDescription } from './graph-description.js';

/** Whether a file is, by its name, a graph in ONNX Runtime's own format. */
export function isOrtFile(file: string): boolean {
  return /\.ort$/i.test(file);
}

/**
 * Reads what a graph says of itself: ONNX, or ONNX Runtime's own format where its name ends in `.ort`. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`.
 */
export async function describeGraphFile(bytes: Uint8Array, file: string): Promise<GraphDescription> {
  if (!isOrtFile(file)) return describeGraph(bytes, file);
  const { describeOrtGraph } = await loadCode('graphs of ONNX Runtime', () => import('./ort-graph.js'));
  return describeOrtGraph(bytes, file);
}
