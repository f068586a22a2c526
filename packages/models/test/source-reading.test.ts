import type { OnnxRuntime } from '@foretoken/core/runtime';
import { describe, expect, it } from 'vitest';
import type { Hints } from '../src/drivers/hints.js';
import { SourceReading } from '../src/drivers/source-reading.js';
import type { TokenEncoding } from '../src/drivers/token-encoder.js';

const [PARTS, ROWS, TIME, WIDTH] = [2, 4, 3, 2];
const cross = Float32Array.from({ length: PARTS * ROWS * TIME * WIDTH }, (_, index) => index);
// Row r has r % TIME + 1 tokens.
const mask = Int32Array.from({ length: ROWS * TIME }, (_, index) =>
  index % TIME <= Math.floor(index / TIME) % TIME ? 1 : 0,
);

/** Holds what a tensor is made of. */
class PlainTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];

  constructor(_type: string, data: Float32Array, dims: readonly number[]) {
    this.data = data;
    this.dims = dims;
  }
}

const reading = (hints?: Hints): SourceReading => {
  const runtime = { Tensor: PlainTensor } as unknown as OnnxRuntime;
  return new SourceReading(runtime, cross, { rows: ROWS, sourceLength: TIME, mask } as TokenEncoding, WIDTH, hints);
};
const feed = (of: SourceReading, rows: readonly number[], length: number, name: string): PlainTensor =>
  of.feeds(rows, length)[name] as unknown as PlainTensor;

describe('keys and values of the sources of a fill', () => {
  it('are views where rows follow one another, and copies elsewhere', () => {
    const size = TIME * WIDTH;
    for (const rows of [[0, 1, 2, 3], [2], [1, 2], [0, 2], [3, 1], [1, 1], [2, 3, 0]]) {
      for (let part = 0; part < PARTS; part++) {
        const { data, dims } = feed(reading(), rows, 1, `cross_${part}`);
        expect(dims).toEqual([rows.length, TIME, WIDTH]);
        const wanted = rows.flatMap((row) => [
          ...cross.subarray((part * ROWS + row) * size, (part * ROWS + row + 1) * size),
        ]);
        expect([...data]).toEqual(wanted);
        expect(data.buffer === cross.buffer).toBe(rows.every((row, index) => row === rows[0] + index));
      }
    }
  });

  it('are gathered once for rounds of the same rows, with one bias for each length', () => {
    const source = reading();
    const first = feed(source, [3, 1], 2, 'cross_0');
    expect(feed(source, [3, 1], 4, 'cross_0')).toBe(first);
    expect(feed(source, [3, 1], 2, 'cross_bias')).toBe(feed(source, [3, 1], 2, 'cross_bias'));
    expect(feed(source, [1, 3], 2, 'cross_0')).not.toBe(first);
  });

  it('are kept for several groups a round, the longest unused going first', () => {
    const source = reading();
    const first = feed(source, [0, 2], 1, 'cross_0');
    const second = feed(source, [3, 1], 1, 'cross_0');
    expect(feed(source, [0, 2], 1, 'cross_0')).toBe(first);
    // So many canvases that, of 16,384 source positions, there is room for those of one of the two.
    feed(source, new Array<number>(Math.floor(16_384 / TIME) - 3).fill(0), 1, 'cross_0');
    expect(feed(source, [0, 2], 1, 'cross_0')).toBe(first);
    expect(feed(source, [3, 1], 1, 'cross_0')).not.toBe(second);
  });

  it('hide padding from every position', () => {
    const { data, dims } = feed(reading(), [1, 2, 0], 2, 'cross_bias');
    expect(dims).toEqual([3, 1, 2, TIME]);
    const hidden = Math.fround(-1e9);
    const rows = [
      [0, 0, hidden],
      [0, 0, 0],
      [0, hidden, hidden],
    ];
    expect([...data]).toEqual(rows.flatMap((row) => [...row, ...row]));
  });

  it('have no hint unless there is one to lay out', () => {
    expect(reading().feeds([0], 2)).not.toHaveProperty('hints');
  });

  it.each([0, 1])('lay hints out on canvases, %d positions before them', (shift) => {
    // Hint r is of two positions, r + 1 and 10 r + 10.
    const values = Float32Array.from([1, 2, 3, 4].flatMap((row) => [row, row, 10 * row, 10 * row]));
    const source = reading({ values, time: 2, width: WIDTH, shift });
    const rows = [3, 0, 0];
    for (let length = 1; length <= 4; length++) {
      const { data, dims } = feed(source, rows, length, 'hints');
      expect(dims).toEqual([rows.length, length, WIDTH]);
      const wanted = rows.flatMap((row) => {
        const canvas = [...new Array<number>(shift).fill(0), row + 1, 10 * row + 10, 0, 0].slice(0, length);
        return canvas.flatMap((value) => [value, value]);
      });
      expect([...data]).toEqual(wanted);
      expect(feed(source, rows, length, 'hints').data).toBe(data);
    }
  });
});
