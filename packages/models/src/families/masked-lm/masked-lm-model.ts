import { CANVAS_INPUTS, checkFills, fillGraphs } from '../../drivers/fill-graphs.js';
import type { CheckGraph } from '../../drivers/graph-check.js';
import type { GraphSessions } from '../../drivers/graph-sessions.js';
import { MaskedCanvasModel } from '../../drivers/masked-canvas-model.js';
import type { MaskedLanguageModelManifest } from './masked-lm-manifest.js';

/** A masked language model: a canvas model without an encoder. */
export function loadMaskedLanguageModel(
  { graphs, canvas, vocabulary, limits }: MaskedLanguageModelManifest,
  sessions: GraphSessions,
): MaskedCanvasModel {
  return new MaskedCanvasModel({
    runtime: sessions.runtime,
    graphs: fillGraphs(graphs.fill, canvas.maxCandidates, sessions),
    vocabulary,
    maskTokenId: canvas.maskTokenId,
    maxLength: limits.targetLength,
  });
}

/** Checks the fill graphs of a folder. Throws `INVALID_MODEL_FOLDER`. */
export async function checkMaskedLanguageModelGraphs(
  { graphs, vocabulary }: MaskedLanguageModelManifest,
  check: CheckGraph,
): Promise<void> {
  await checkFills(check, graphs.fill, CANVAS_INPUTS, vocabulary.size);
}
