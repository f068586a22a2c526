import { invalidFolder, quote } from '../../folder/refusal.js';
import type { GraphParts } from '../../onnx/graph-parts.js';
import { grownCaches } from '../../onnx/grown-caches.js';
import type { ExportGraph } from './export-manifest.js';
import { decoderRoles } from './export-roles.js';
import { GENAI_CONFIG } from './genai-config.js';

/**
 * Throws `INVALID_MODEL_FOLDER` where a config names keys as what values become, or values as what keys become: their shapes are the same, so that the
 * graph would run, and give nonsense. What a graph does not tell of itself is not refused.
 */
export function assertNamedCaches(graph: ExportGraph, parts: GraphParts, folder: string): void {
  const { caches, file } = decoderRoles(graph);
  const given = new Set(caches.flatMap(({ output }) => output ?? []));
  const grown = grownCaches(parts, new Set(caches.map(({ input }) => input)), given);
  const wrong = caches.find(({ input, output }) => grown.has(input) && grown.get(input) !== output);
  if (wrong === undefined) return;
  const { input, output } = wrong;
  const required = grown.get(input);
  throw invalidFolder(
    `${GENAI_CONFIG} in ${folder}: by its names ${quote(input)} becomes ${quote(output)}, but in ${file} it becomes ${quote(required)}. Correct past_key_names and past_value_names of model.decoder.inputs, or present_key_names and present_value_names of model.decoder.outputs: two of them are exchanged.`,
    { folder, file: GENAI_CONFIG, field: 'model.decoder', received: output, required },
  );
}
