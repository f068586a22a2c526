export const VOCABULARY = 4;
export const WIDTH = 2;
export const OUTPUT = { kind: 'logits' };

/** A tensor as ONNX Runtime makes one, and a session that gives none. */
class Tensor {
  readonly type: string;
  readonly data: Float32Array | Uint16Array;

  constructor(type: string, data: Float32Array | Uint16Array, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    const right = type === 'float16' ? data instanceof Uint16Array : data instanceof Float32Array;
    const size = right && Array.isArray(dims) ? dims.reduce((product, dim) => product * dim, 1) : Number.NaN;
    if (size !== data.length) throw new Error('no tensor');
  }
}

export const onnxRuntime = () => ({
  Tensor,
  InferenceSession: { create: async () => ({ run: async () => ({}), release: async () => {}, inputMetadata: [] }) },
  env: { versions: { web: '1' }, wasm: { numThreads: 1 } },
  listSupportedBackends: () => [{ name: 'cpu', bundled: true }],
});

export const logitsOf = (count: number): object => ({ kind: 'logits', logits: new Float32Array(count * VOCABULARY) });
export const SUPPORTS = {
  outputs: ['logits'],
  branching: true,
  rollback: true,
  rows: 8,
  joining: true,
  maxCandidates: 0,
};

/** Drivers whose methods answer in the right shape. */
export const recurrentDriver = () => ({
  stateWidth: WIDTH,
  initialState: () => new Float32Array(WIDTH),
  run: async ({ lanes, length, scored }: { lanes: number; length: number; scored: Int32Array }) => ({
    states: new Float32Array(lanes * length * WIDTH),
    extension: logitsOf(scored.length),
  }),
  releaseRow: () => {},
  dispose: () => {},
});

export const stepDriver = () => ({
  run: async ({ rows, width, scored }: { rows: number; width: number; scored: Int32Array }) => ({
    keysValues: new Float32Array(rows * width * 2 * WIDTH),
    extension: logitsOf(scored.length),
  }),
  paddedWidth: (width: number) => width,
  releaseRow: () => {},
  dispose: () => {},
});

export const block = (lanes: number, length: number) => ({
  lanes,
  length,
  parts: [{ heads: 1, size: WIDTH, values: new Float32Array(lanes * length * WIDTH) }],
});

export const pathDriver = () => ({
  chains: true,
  maxLanes: 4,
  run: async (inputs: { row: Int32Array; pastLength: number; length: number; scored: Int32Array }) => ({
    present: block(inputs.row.length, inputs.pastLength + inputs.length),
    extension: logitsOf(inputs.scored.length),
  }),
  releaseRow: () => {},
  dispose: () => {},
});
