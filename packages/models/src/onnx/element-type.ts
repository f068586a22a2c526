/** ONNX element types model folders hold (onnx.proto3, `TensorProto.DataType`). */
export const ELEMENT_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** Names of the element types that model folders hold. */
export type ElementType = keyof typeof ELEMENT_TYPE;
