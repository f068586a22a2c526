import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';

/** What Foretoken needs of onnxruntime-node or onnxruntime-web: pass the module itself. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(graph: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

export type { InferenceSession, Tensor };
