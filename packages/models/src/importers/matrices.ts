/** A dense fp32 tensor in row-major order. */
export interface Dense {
  readonly dims: readonly number[];
  readonly values: Float32Array;
  /** Stored as fp32 whatever the store's precision: computed here, and rounding it would only lose accuracy. */
  readonly exact?: boolean;
}

/** `[out, in]`, as PyTorch stores a linear layer, to `[in, out]`, as ONNX MatMul multiplies it. */
export function transpose(matrix: Dense): Dense {
  const [rows, columns] = matrix.dims as [number, number];
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      values[column * rows + row] = matrix.values[row * columns + column] as number;
    }
  }
  return { dims: [columns, rows], values };
}

/** Stacks tensors along their first dimension; vectors end to end, `[out, in]` layers one above the other. */
export function stackRows(parts: readonly Dense[]): Dense {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part.values, offset);
    offset += part.values.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.dims[0] as number), 0);
  const exact = parts.some((part) => part.exact === true);
  return { dims: [rows, ...(parts[0] as Dense).dims.slice(1)], values, exact };
}

/** Sinusoidal positions `[positions, width]`, sines in the first half, cosines in the second (Marian's layout). */
export function sinusoids(positions: number, width: number): Dense {
  const half = width / 2;
  const values = new Float32Array(positions * width);
  for (let position = 0; position < positions; position++) {
    for (let index = 0; index < half; index++) {
      const angle = position / 10000 ** ((2 * index) / width);
      values[position * width + index] = Math.sin(angle);
      values[position * width + half + index] = Math.cos(angle);
    }
  }
  return { dims: [positions, width], values };
}

/** An `[in, out]` matrix as int8 with one scale a column: `values[i][j] ~ quantised[i][j] * scales[j]`. */
export interface QuantisedMatrix {
  readonly dims: readonly number[];
  readonly quantised: Int8Array;
  readonly scales: Float32Array;
}

/** Symmetric per-column quantisation to 8 bits. */
export function quantiseColumns({ dims, values }: Dense): QuantisedMatrix {
  const [rows, columns] = dims as [number, number];
  const scales = new Float32Array(columns);
  values.forEach((value, index) => {
    const column = index % columns;
    scales[column] = Math.max(scales[column] as number, Math.abs(value) / 127);
  });
  const quantised = new Int8Array(rows * columns);
  values.forEach((value, index) => {
    const scale = scales[index % columns] as number;
    quantised[index] = scale === 0 ? 0 : Math.round(value / scale);
  });
  return { dims, quantised, scales };
}
