import { Yielder } from '@foretoken/core/kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLOCK_SIZE, quantiseBlocks } from '../src/tensors/quantise-blocks.js';

/** The matrix that blocks stand for, filled up to whole blocks: what the operator multiplies with. */
async function dequantised(rows: number, columns: number, values: Float32Array, bits: 8 | 4): Promise<Float32Array> {
  const { dims, quantised, scales } = quantiseBlocks({ dims: [rows, columns], values: async () => values }, bits);
  const pace = new Yielder();
  const [bytes, factors] = [await quantised(pace), await scales(pace)];
  const blocks = Math.ceil(columns / BLOCK_SIZE);
  expect(dims).toEqual([rows, blocks, (BLOCK_SIZE * bits) / 8]);
  expect(bytes).toHaveLength(dims[0] * dims[1] * dims[2]);
  const whole = (index: number): number =>
    bits === 8 ? bytes[index] - 128 : (index % 2 === 0 ? bytes[index >> 1] & 15 : bytes[index >> 1] >> 4) - 8;
  return Float32Array.from(
    { length: rows * blocks * BLOCK_SIZE },
    (_, index) => whole(index) * factors[Math.floor(index / BLOCK_SIZE)],
  );
}

it.each([8, 4] as const)(
  'keeps every value of a block within a step of %i bits, and what fills it up at 0',
  async (bits) => {
    const matrices = fc
      .record({ rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 70 }), seed: fc.nat() })
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
        const kept = await dequantised(rows, columns, values, bits);
        const width = Math.ceil(columns / BLOCK_SIZE) * BLOCK_SIZE;
        for (let row = 0; row < rows; row++) {
          for (let begin = 0; begin < width; begin += BLOCK_SIZE) {
            const own = values.subarray(row * columns + begin, row * columns + Math.min(columns, begin + BLOCK_SIZE));
            const furthest = own.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
            // 4 bits reach one step further on the side of the furthest value than on the other.
            const step = bits === 8 ? furthest / 127 : furthest / 8;
            for (let place = 0; place < BLOCK_SIZE; place++) {
              const difference = Math.abs(kept[row * width + begin + place] - (own[place] ?? 0));
              expect(difference).toBeLessThanOrEqual((bits === 8 ? 0.5 : 1) * step * 1.001 + 1e-30);
            }
          }
        }
      }),
      { seed: 11, numRuns: 200 },
    );
  },
);

it('keeps the furthest value of a block, whatever its sign, and a block of zeros', async () => {
  const values = new Float32Array(3 * BLOCK_SIZE);
  values[5] = -3;
  values[BLOCK_SIZE] = 7;
  values[BLOCK_SIZE + 1] = -1;
  for (const bits of [8, 4] as const) {
    const kept = await dequantised(1, values.length, values, bits);
    expect(kept[5]).toBeCloseTo(-3, 6);
    expect(kept[BLOCK_SIZE]).toBeCloseTo(7, 6);
    expect([...kept.subarray(2 * BLOCK_SIZE)]).toEqual(new Array(BLOCK_SIZE).fill(0));
  }
});
