import { checkGraphs } from './check-graphs.js';
import { familyOf } from './families/registry.js';
import type { ModelFolder, OpenFolderOptions } from './folder/model-folder.js';
import { openFolder } from './folder/read-folder.js';
import type { ModelIo } from './io/model-io.js';
import { openTokenizer } from './tokenizer/open-tokenizer.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

/** A model folder as far as it can be read without the native runtime. */
export interface ReadModel {
  readonly folder: ModelFolder;
  /** Absent where the manifest names none. */
  readonly tokenizer: TextTokenizer | undefined;
}

/**
 * Opens a folder, and checks its graphs and its tokenizer.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `NETWORK_FAILURE`, or the signal's reason.
 */
export async function readModel(io: ModelIo, options: OpenFolderOptions = {}): Promise<ReadModel> {
  const folder = await openFolder(io, options);
  await checkGraphs(folder, options.signal);
  return { folder, tokenizer: await openTokenizer(folder) };
}

/** Reads all that loading reads but for what the native runtime does. Throws as `readModel` does. */
export async function proveModel(io: ModelIo, signal?: AbortSignal): Promise<void> {
  const { folder } = await readModel(io, { signal });
  signal?.throwIfAborted();
  const family = await familyOf(folder.manifest);
  await family.checkSideFiles?.(folder, folder.manifest);
}
