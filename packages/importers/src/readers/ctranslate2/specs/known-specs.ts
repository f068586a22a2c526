import type { ModelSpec } from './model-spec.js';
import { whisperConfig } from './whisper-config.js';
import { whisperTensors } from './whisper-tensors.js';

/** By the name that a file gives its kind. */
export const KNOWN_SPECS: ReadonlyMap<string, ModelSpec> = new Map([
  ['WhisperSpec', { revisions: [3], configsOf: whisperConfig, tensorsOf: whisperTensors }],
]);
