/** A tensor that a graph holds. */
export interface HeldTensor {
  readonly dims: readonly number[];
  /** The number in it, where that is one whole number. */
  readonly integer: number | undefined;
}

/** An operator of a graph. */
export interface NodeParts {
  /** Its domain and name, such as `.Gather` or `com.microsoft.RotaryEmbedding`. */
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What it gives, where it is a constant. */
  readonly constant: HeldTensor | undefined;
  /** A whole number that it is told. */
  integer(name: string): number | undefined;
  /** The graphs inside it, such as the branches of an `If`. */
  graphs(): readonly GraphParts[];
}

/** What a graph's file says of its computation, in whatever format. */
export interface GraphParts {
  readonly tensors: ReadonlyMap<string, HeldTensor>;
  /** In their order. */
  readonly nodes: readonly NodeParts[];
}

/** How operators are called here: by domain and name. */
export function operatorName(domain: string, name: string): string {
  return `${domain === 'ai.onnx' ? '' : domain}.${name}`;
}

const INT32 = 6;
const INT64 = 7;

/** The one whole number of a tensor of this type; undefined for other types and sizes. */
export function onlyInteger(type: number, dims: readonly number[], raw: DataView): number | undefined {
  if (dims.some((dim) => dim !== 1)) return undefined;
  if (type === INT32 && raw.byteLength === 4) return raw.getInt32(0, true);
  return type === INT64 && raw.byteLength === 8 ? Number(raw.getBigInt64(0, true)) : undefined;
}
