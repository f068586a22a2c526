import { checkOptions, wrongValue, Yielder } from '@foretoken/core/kit';
import { assertTarget, type FileLocation, filePath, type ModelManifest } from '@foretoken/models/internal';
import type { GraphAdapter } from './adapters/graph-adapter.js';
import { adapterOf } from './adapters/known-adapters.js';
import { buildContent } from './architectures/build-content.js';
import { tokenizerOf } from './architectures/known-architectures.js';
import { IMPORT_OPTIONS, type ImportOptions } from './import-options.js';
import { locateWeights } from './locate-weights.js';
import { nameOf } from './name-of.js';
import { openWeights } from './readers/open-weights.js';
import { TARGET_OPTIONS, type TargetOptions } from './target-options.js';
import { writeModel } from './write-model.js';

/**
 * Imports a weights folder (config.json, model.safetensors, tokenizer.json) or a GGUF file as a Foretoken model folder at `target`.
 * Weights are named by their path, a `file:` URL, the package that holds them, or as `hub:owner/name[@revision]`. `config.json` says of which architecture it is; one that
 * is not known is refused with the list of those that are. A folder with the ONNX export of a CTC model goes to `importCtcModel`, which
 * has options of its own.
 *
 * Written whole or not at all, and read as loading reads it before it becomes the target. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, and the signal's reason.
 */
export async function importModel(
  weights: FileLocation,
  target: FileLocation,
  options: ImportOptions = {},
): Promise<ModelManifest> {
  const given = checkOptions('importModel', options, IMPORT_OPTIONS);
  const { signal, quantisation } = given;
  signal?.throwIfAborted();
  const location = filePath('weights', weights);
  filePath('target', target);
  const pace = new Yielder(signal);
  const path = await locateWeights(location, { signal, quantisation });
  const adapter = await adapterOf(path, signal);
  if (adapter !== undefined) {
    return adapter.adapt(path, target, { ...ofGraph(given, path, adapter), name: given.name ?? nameOf(location) });
  }
  const folder = await openWeights(path, signal, tokenizerOf);
  // Before all the work, and again when it is done.
  await assertTarget(target, given.replace ?? false);
  const named = { ...given, name: given.name ?? nameOf(location), weights: given.weights ?? 'float16' };
  const content = await buildContent(folder, named, pace);
  return writeModel(target, content, given);
}

/** The options of an import that a graph takes as well. Throws `INVALID_ARGUMENT` for those that only weights take. */
function ofGraph({ onNote: _, ...given }: ImportOptions, path: string, { holds }: GraphAdapter): TargetOptions {
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined || option in TARGET_OPTIONS) continue;
    throw wrongValue(option, value, `left out: ${path} holds ${holds} and no weights`);
  }
  const { name, description, licence, replace, signal } = given;
  return { name, description, licence, replace, signal };
}
