import { ForetokenError } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';

/** ONNX Runtime of Node. Throws `RUNTIME_FAILURE` where it is not installed. */
export async function onnxruntimeNode(): Promise<OnnxRuntime> {
  try {
    // The specifier is a variable so that bundlers leave a native module alone.
    const name = 'onnxruntime-node';
    return (await import(name)) as OnnxRuntime;
  } catch (cause) {
    throw new ForetokenError(
      'RUNTIME_FAILURE',
      'onnxruntime-node is not installed. Run `npm i onnxruntime-node`, or pass `runtime` (for example onnxruntime-web).',
      {},
      { cause },
    );
  }
}
