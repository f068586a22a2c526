/** What a CTC student says of a batch of sources, for canvases to read. */
export interface Hints {
  /** `[rows, time, width]`: one position a token, and zeros after a hint's last. */
  readonly values: Float32Array;
  readonly time: number;
  readonly width: number;
  /** Positions of a canvas before its hint. */
  readonly shift: number;
}

/** The hints of these rows on canvases of `length` positions, `[canvases, length, width]`; zeros before them. */
export function layOut({ values, time, width, shift }: Hints, rows: readonly number[], length: number): Float32Array {
  const laidOut = new Float32Array(rows.length * length * width);
  const size = Math.min(time, length - shift) * width;
  for (const [canvas, row] of rows.entries()) {
    const begin = row * time * width;
    laidOut.set(values.subarray(begin, begin + size), (canvas * length + shift) * width);
  }
  return laidOut;
}
