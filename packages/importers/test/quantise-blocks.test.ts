import { Yielder } from '@foretoken/core/kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantiseBlocks } from '../src/tensors/quantise-blocks.js';

/** The matrix that blocks stand for, filled up to whole blocks: what the operator multiplies with. */
async function dequantised(
  rows: number,
  columns: number,
  values: Float32Array,
  bits: 8 | 4,
  size: number,
): Promise<Float32Array> {
  const { dims, quantised, scales, zeroDims, zeros } = quantiseBlocks(
    { dims: [rows, columns], values: async () => values },
    bits,
    size,
  );
  const pace = new Yielder();
  const [bytes, factors, zeroBytes] = [await quantised(pace), await scales(pace), await zeros(pace)];
  const blocks = Math.ceil(columns / size);
  expect(dims).toEqual([rows, blocks, (size * bits) / 8]);
  expect(bytes).toHaveLength(dims[0] * dims[1] * dims[2]);
  expect(zeroBytes).toHaveLength(zeroDims[0] * zeroDims[1]);
  const whole = (from: Uint8Array, rowBytes: number, row: number, column: number): number => {
    if (bits === 8) return from[row * rowBytes + column];
    const byte = from[row * rowBytes + (column >> 1)];
    return column % 2 === 0 ? byte & 15 : byte >> 4;
  };
  const width = blocks * size;
  return Float32Array.from({ length: rows * width }, (_, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    const block = Math.floor(column / size);
    const centred = whole(bytes, dims[1] * dims[2], row, column) - whole(zeroBytes, zeroDims[1], row, block);
    return centred * factors[row * blocks + block];
  });
}

it.each([
  [8, 32],
  [8, 64],
  [4, 32],
] as const)(
  'keeps every value within half a step of %i bits in blocks of %i, and what fills these up at 0',
  async (bits, size) => {
    const matrices = fc
      .record({ rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 140 }), seed: fc.nat() })
      .chain(({ rows, columns }) =>
        fc.record({
          rows: fc.constant(rows),
          columns: fc.constant(columns),
          values: fc.float32Array({
            minLength: rows * columns,
            maxLength: rows * columns,
            min: -100,
            max: 100,
            noNaN: true,
          }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows, columns, values }) => {
        const kept = await dequantised(rows, columns, values, bits, size);
        const width = Math.ceil(columns / size) * size;
        for (let row = 0; row < rows; row++) {
          for (let begin = 0; begin < width; begin += size) {
            const own = values.subarray(row * columns + begin, row * columns + Math.min(columns, begin + size));
            const step = (Math.max(0, ...own) - Math.min(0, ...own)) / (2 ** bits - 1);
            for (let place = 0; place < size; place++) {
              const difference = Math.abs(kept[row * width + begin + place] - (own[place] ?? 0));
              expect(difference).toBeLessThanOrEqual(0.5 * step * 1.001 + 1e-30);
            }
          }
        }
      }),
      { seed: 11, numRuns: 200 },
    );
  },
);

it('keeps the furthest value of a block, whatever its sign, within half a step, and a block of zeros', async () => {
  const size = 32;
  const values = new Float32Array(3 * size);
  values[5] = -3;
  values[size] = 7;
  values[size + 1] = -1;
  for (const bits of [8, 4] as const) {
    const kept = await dequantised(1, values.length, values, bits, size);
    expect(kept[5]).toBeCloseTo(-3, 6);
    expect(Math.abs(kept[size] - 7)).toBeLessThanOrEqual(4 / (2 ** bits - 1) + 1e-6);
    expect([...kept.subarray(2 * size)]).toEqual(new Array(size).fill(0));
  }
});
