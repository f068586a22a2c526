import { hasMethods } from '@foretoken/core/kit';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import type { OpenFolderOptions } from './folder/model-folder.js';
import type { ModelIo } from './io/model-io.js';
import type { RebuildFolder } from './rebuild.js';

/**
 * Where a model is: a path, a `file:` URL, the name of an installed package or `hub:owner/name[@revision]` (Node); an `http:` or `https:` URL of the folder, in
 * browsers also a relative one; or what reads it, such as `fetchFolder(url)` or `memoryFolder(files)`.
 */
export type ModelLocation = string | URL | ModelIo;

/** What loading a model needs of where it runs. */
export interface Platform {
  /** What reads a location. Throws `INVALID_ARGUMENT`, `INVALID_MODEL_FOLDER`, `NETWORK_FAILURE`. */
  locate(location: ModelLocation, options: OpenFolderOptions): Promise<ModelIo>;
  /** The ONNX Runtime that is usual here. Throws `RUNTIME_FAILURE` where it is not installed. */
  runtime(): Promise<OnnxRuntime>;
  /** The graphs of a folder built anew of their weights, where that can be done here. */
  readonly rebuild?: RebuildFolder | undefined;
  /** Threads that the machine can run at once. */
  cores(): number;
}

/** Whether a location is something that reads a folder already. */
export function isModelIo(location: unknown): location is ModelIo {
  return hasMethods(location, 'open');
}
