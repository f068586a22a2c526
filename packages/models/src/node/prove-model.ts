import { signal as readSignal } from '@foretoken/core/kit';
import { proveModel as prove } from '../read-model.js';
import { fileSystem } from './file-system.js';
import { resolveModelFolder } from './open-model-folder.js';

/** Reads all of a model folder that loading reads but for what the native runtime does. Throws as `loadModel` does. */
export async function proveModel(path: string, signal?: AbortSignal): Promise<void> {
  if (signal !== undefined) readSignal('signal', signal).throwIfAborted();
  await prove(fileSystem(await resolveModelFolder(path)), signal);
}
