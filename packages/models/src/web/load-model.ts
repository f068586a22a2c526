import { ForetokenError, type TokenSource } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { type LoadedModel, type LoadOptions, loadModelOn } from '../load-model.js';
import type { ModelLocation, Platform } from '../platform.js';
import type { TextInput } from '../processors/chat.js';
import type { TextOutput } from '../processors/processor.js';
import { locate } from './open-model-folder.js';

const WEB: Platform = {
  locate: async (location) => locate(location),
  runtime: onnxruntimeWeb,
  cores: () =>
    (globalThis as { navigator?: { hardwareConcurrency?: number | undefined } | undefined }).navigator
      ?.hardwareConcurrency ?? 1,
};

/**
 * Loads a model folder, named by its URL or by what reads it: verifies every file, opens the graphs
 * of its autoregressive part, measures what this machine does best.
 *
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL` (also for another family than was asked for), `INVALID_ARGUMENT`, `NETWORK_FAILURE`, `RUNTIME_FAILURE`,
 * `UNSUPPORTED_CAPABILITY`, or the reason of `signal`; then nothing stays open.
 */
export function loadModel<Input = TextInput, Output extends object = TextOutput, Source = TokenSource>(
  location: ModelLocation,
  options?: LoadOptions<Input, Output, Source>,
): Promise<LoadedModel<Input, Output, Source>> {
  return loadModelOn(WEB, location, options);
}

async function onnxruntimeWeb(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-web/wasm');
  } catch (cause) {
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      'onnxruntime-web could not be loaded. Run `npm i onnxruntime-web`, or pass `runtime`.',
      {},
      { cause },
    );
  }
}
