import { ForetokenError } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { reason } from '../folder/refusal.js';

/** ONNX Runtime of Node. Throws `RUNTIME_FAILURE` where it is not installed, or cannot be loaded. */
export async function onnxruntimeNode(): Promise<OnnxRuntime> {
  try {
    // A variable asks TypeScript for no types. The built file has the name itself, so that what traces files finds the package.
    const name = 'onnxruntime-node';
    return (await import(name)) as OnnxRuntime;
  } catch (cause) {
    throw runtimeFailure(cause);
  }
}

/** What is told of a runtime that could not be loaded: one that is missing, or one whose native part is. */
export function runtimeFailure(cause: unknown): ForetokenError {
  const why = reason(cause);
  const what = /Cannot find (?:package|module) 'onnxruntime-node'/.test(why)
    ? 'is not installed'
    : `could not be loaded: ${why}. Bundlers must leave it external`;
  return new ForetokenError(
    'RUNTIME_FAILURE',
    `onnxruntime-node ${what}. Run \`npm i onnxruntime-node\`, or pass \`runtime\` (for example onnxruntime-web).`,
    {},
    { cause },
  );
}
