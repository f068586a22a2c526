import { availableParallelism } from 'node:os';
import type { TokenSource } from '@foretoken/core';
import { loadCode } from '../load-code.js';
import { type LoadedModel, type LoadOptions, loadModelOn } from '../load-model.js';
import type { ModelLocation, Platform } from '../platform.js';
import type { TextInput } from '../processors/chat.js';
import type { TextOutput } from '../processors/processor.js';
import type { RebuildFolder } from '../rebuild.js';
import { onnxruntimeNode } from './onnxruntime-node.js';
import { locate } from './open-model-folder.js';

const rebuild: RebuildFolder = async (...args) =>
  (await loadCode('graphs built anew', () => import('./rebuilt-folder.js'))).rebuiltFolder(...args);

const NODE: Platform = { locate, runtime: onnxruntimeNode, cores: availableParallelism, rebuild };

/**
 * Loads a model folder, named by its path, by a URL, by the package that holds it or by what reads it: verifies every file, opens the graphs
 * of its autoregressive part, measures what this machine does best.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` (also for another family than was asked for), `INVALID_ARGUMENT`, `NETWORK_FAILURE`, `RUNTIME_FAILURE`,
 * `UNSUPPORTED_CAPABILITY`, or the reason of `signal`; then nothing stays open.
 */
export function loadModel<Input = TextInput, Output extends object = TextOutput, Source = TokenSource>(
  location: ModelLocation,
  options?: LoadOptions<Input, Output, Source>,
): Promise<LoadedModel<Input, Output, Source>> {
  return loadModelOn(NODE, location, options);
}
