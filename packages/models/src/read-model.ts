import { checkGraphs } from './check-graphs.js';
import { familyOf } from './families/registry.js';
import type { ModelLocation } from './folder/locate-model.js';
import type { ModelFolder } from './folder/read-folder.js';
import { openModelFolder } from './node/open-model-folder.js';
import { openTokenizer } from './tokenizer/open-tokenizer.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

/** A model folder as far as it can be read without the native runtime. */
export interface ReadModel {
  readonly folder: ModelFolder;
  readonly tokenizer: TextTokenizer;
}

/**
 * Opens a folder, and checks its graphs and its tokenizer.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`, or the signal's reason.
 */
export async function readModel(location: ModelLocation, signal?: AbortSignal): Promise<ReadModel> {
  const folder = await openModelFolder(location, signal);
  await checkGraphs(folder, signal);
  return { folder, tokenizer: await openTokenizer(folder) };
}

/** Reads all that loading reads but for what the native runtime does. Throws as `readModel` does. */
export async function proveModel(path: string, signal?: AbortSignal): Promise<void> {
  const { folder } = await readModel(path, signal);
  signal?.throwIfAborted();
  await familyOf(folder.manifest).checkSideFiles?.(folder, folder.manifest);
}
