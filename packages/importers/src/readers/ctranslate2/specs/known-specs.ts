import { readDecoder } from './decoder.js';
import type { ModelSpec } from './model-spec.js';
import { readTransformer } from './transformer.js';
import { readWhisper } from './whisper.js';

/** By the name that a file gives its kind. */
export const KNOWN_SPECS: ReadonlyMap<string, ModelSpec> = new Map([
  ['WhisperSpec', { revisions: [3], read: readWhisper }],
  ['TransformerSpec', { revisions: [7], read: readTransformer }],
  ['TransformerDecoderSpec', { revisions: [8], read: readDecoder }],
]);
