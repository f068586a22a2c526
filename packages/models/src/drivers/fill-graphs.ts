import type { OutputKind } from '@foretoken/core';
import type { FillGraphFiles } from '../folder/manifest.js';
import type { ExpectedValues } from '../onnx/graph-description.js';
import type { FillGraphs } from './canvas-reader.js';
import { type CheckGraph, ids, value } from './graph-check.js';
import type { GraphSessions } from './graph-sessions.js';

/** Inputs of a graph over canvases that reads nothing else. */
export const CANVAS_INPUTS: ExpectedValues = { token_ids: ids, positions: ids, mask: ids };

/** The fill graphs of a folder, opened when first used. */
export function fillGraphs(files: FillGraphFiles, maxCandidates: number, sessions: GraphSessions): FillGraphs {
  const kinds = ['argmax', 'topK', 'logProbs'] as const;
  return {
    // `outputs` lists what has a graph, and any other kind is refused first; no file of a folder has an empty name.
    sessions: (kind: OutputKind) => sessions.get((kind === 'logits' ? undefined : files[kind]) ?? ''),
    outputs: kinds.filter((kind) => files[kind] !== undefined),
    maxCandidates,
  };
}

/** Checks fill graphs. Throws `INVALID_MODEL_FOLDER`. */
export async function checkFills(
  check: CheckGraph,
  files: FillGraphFiles,
  inputs: ExpectedValues,
  vocabularySize: number,
): Promise<void> {
  const outputs: Readonly<Record<keyof FillGraphFiles, ExpectedValues>> = {
    topK: {
      best_token_ids: value('int32', null, null, null),
      best_log_probs: value('float32', null, null, null),
    },
    argmax: { best: value('int32', null, null, 1) },
    logProbs: { log_probs: value('float32', null, null, vocabularySize) },
  };
  for (const kind of ['topK', 'argmax', 'logProbs'] as const) {
    const file = files[kind];
    if (file === undefined) continue;
    await check(file, kind === 'topK' ? { ...inputs, k: value('int64', 1) } : inputs, outputs[kind]);
  }
}
