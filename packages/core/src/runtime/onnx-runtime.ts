import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';

/** What Foretoken needs of onnxruntime-node or onnxruntime-web: pass the module itself. */
export interface OnnxRuntime {
  /** What opens graphs. */
  readonly InferenceSession: {
    create(graph: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  /** What makes tensors. */
  readonly Tensor: TensorConstructor;
  /** Says which of the two it is; of onnxruntime-web also how many threads its sessions have. */
  readonly env?:
    | {
        readonly versions: { readonly web?: string | undefined };
        readonly wasm: { numThreads?: number | undefined };
      }
    | undefined;
  /** Execution providers that it knows, and whether they come with it; onnxruntime-node says so. */
  listSupportedBackends?(): readonly { readonly name: string; readonly bundled: boolean }[];
}

export type { InferenceSession, Tensor };
