import type { Yielder } from '@foretoken/core/kit';

/** A dense fp32 tensor in row-major order. */
export interface Dense {
  /** Its dimensions. */
  readonly dims: readonly number[];
  /** Its numbers, the last dimension running fastest. */
  readonly values: Float32Array;
}

/** A dense fp32 tensor whose values are made when they are needed: a model's together may not fit in memory twice. */
export interface DeferredDense {
  readonly dims: readonly number[];
  readonly values: (pace: Yielder) => Promise<Float32Array>;
  /** Stored as fp32 whatever the store's precision: computed here, and rounding it would only lose accuracy. */
  readonly exact?: boolean | undefined;
}

/** Rows that are worked on before other work may have its turn. */
const ROWS = 64;

/** `[out, in]`, as PyTorch stores a linear layer, to `[in, out]`, as ONNX MatMul multiplies it. */
export function transpose(matrix: DeferredDense): DeferredDense {
  const [rows, columns] = matrix.dims;
  const make = async (pace: Yielder): Promise<Float32Array> => {
    const from = await matrix.values(pace);
    const values = new Float32Array(rows * columns);
    // A few rows at a time, so that what is written lies close together.
    for (let begin = 0; begin < rows; begin += ROWS) {
      const end = Math.min(rows, begin + ROWS);
      for (let column = 0; column < columns; column++) {
        for (let row = begin; row < end; row++) values[column * rows + row] = from[row * columns + column];
      }
      if (pace.due()) await pace.yield();
    }
    return values;
  };
  return { dims: [columns, rows], values: make };
}

/** Stacks tensors along their first dimension; vectors end to end, `[out, in]` layers one above the other. */
export function stackRows(parts: readonly DeferredDense[]): DeferredDense {
  const dims = parts.map((part) => part.dims);
  const rows = dims.reduce((sum, [count]) => sum + count, 0);
  const rest = dims[0].slice(1);
  const make = async (pace: Yielder): Promise<Float32Array> => {
    const values = new Float32Array(rest.reduce((product, size) => product * size, rows));
    let offset = 0;
    for (const part of parts) {
      const own = await part.values(pace);
      values.set(own, offset);
      offset += own.length;
    }
    return values;
  };
  const exact = parts.some((part) => part.exact === true);
  return { dims: [rows, ...rest], values: make, exact };
}

/** The same numbers with other dimensions. */
export function reshape({ values, exact }: DeferredDense, dims: readonly number[]): DeferredDense {
  return { dims, values, exact };
}

/** Zeros of these dimensions. */
export function zeros(dims: readonly number[]): DeferredDense {
  return { dims, values: async () => new Float32Array(dims.reduce((product, size) => product * size, 1)) };
}

/** A matrix with one more row, of zeros. */
export function endedByZeros({ dims: [rows, columns], values, exact }: DeferredDense): DeferredDense {
  const ended = async (pace: Yielder): Promise<Float32Array> => {
    const all = new Float32Array((rows + 1) * columns);
    all.set(await values(pace));
    return all;
  };
  return { dims: [rows + 1, columns], values: ended, exact };
}

/** Sinusoidal positions `[positions, width]`, sines in the first half, cosines in the second; the angle of each is given. */
export function sinusoids(
  positions: number,
  width: number,
  angleOf: (position: number, index: number) => number = (position, index) => position / 10000 ** ((2 * index) / width),
): DeferredDense {
  const half = width / 2;
  const make = async (pace: Yielder): Promise<Float32Array> => {
    const values = new Float32Array(positions * width);
    for (let position = 0; position < positions; position++) {
      for (let index = 0; index < half; index++) {
        const angle = angleOf(position, index);
        values[position * width + index] = Math.sin(angle);
        values[position * width + half + index] = Math.cos(angle);
      }
      if (position % ROWS === 0 && pace.due()) await pace.yield();
    }
    return values;
  };
  return { dims: [positions, width], values: make, exact: true };
}

/**
 * Sinusoids `[positions, width]` whose wavelengths reach 10,000 at the last of them, and whose first position is number `first` (fairseq);
 * angles are rounded to fp32, as the models were trained with.
 */
export function shiftedSinusoidTable(positions: number, width: number, first: number): DeferredDense {
  const { fround } = Math;
  const step = fround(Math.log(10000) / (width / 2 - 1));
  const rates = Array.from({ length: width / 2 }, (_, index) => fround(Math.exp(fround(-index * step))));
  return sinusoids(positions, width, (position, index) => fround((position + first) * rates[index]));
}

/** An `[in, out]` matrix as int8 with one scale a column: `values[i][j] ~ quantised[i][j] * scales[j]`. */
export interface QuantisedMatrix {
  readonly dims: readonly number[];
  readonly quantised: (pace: Yielder) => Promise<Int8Array>;
  readonly scales: (pace: Yielder) => Promise<Float32Array>;
}

/** Symmetric per-column quantisation to 8 bits. */
export function quantiseColumns({ dims, values }: DeferredDense): QuantisedMatrix {
  let made: ReturnType<typeof quantise> | undefined;
  const once = (pace: Yielder) => {
    made ??= quantise(values, dims, pace);
    return made;
  };
  return {
    dims,
    quantised: async (pace) => (await once(pace)).quantised,
    scales: async (pace) => (await once(pace)).scales,
  };
}

async function quantise(make: DeferredDense['values'], dims: readonly number[], pace: Yielder) {
  const [rows, columns] = dims;
  const values = await make(pace);
  const scales = new Float32Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const scale = Math.abs(values[row * columns + column]) / 127;
      if (scale > scales[column]) scales[column] = scale;
    }
    if (row % ROWS === 0 && pace.due()) await pace.yield();
  }
  const quantised = new Int8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const scale = scales[column];
      if (scale === 0) continue;
      const value = Math.round(values[row * columns + column] / scale);
      // A scale of few bits may lie well below the largest value's, which would then wrap around.
      quantised[row * columns + column] = Math.max(-127, Math.min(127, value));
    }
    if (row % ROWS === 0 && pace.due()) await pace.yield();
  }
  return { quantised, scales };
}
