import { familyOf } from './families/registry.js';
import type { ModelFolder } from './folder/model-folder.js';
import { checkSignature } from './onnx/graph-description.js';
import { readCheckedGraph } from './onnx/read-graph.js';

/**
 * Checks every graph of a folder against its manifest, before the native runtime sees one: names, types and fixed
 * dimensions of inputs and outputs, and that external data stays within the listed files.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, or the signal's reason, looked at before every graph.
 */
export async function checkGraphs(folder: ModelFolder, signal?: AbortSignal): Promise<void> {
  const family = await familyOf(folder.manifest);
  await family.checkGraphs(folder.manifest, async (file, inputs, outputs) => {
    signal?.throwIfAborted();
    const { description } = await readCheckedGraph(folder, file);
    checkSignature(file, description, inputs, outputs);
  });
}
