import { philox, RandomStream } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

describe('Philox4x32-10', () => {
  // Known answers published with the Random123 library of the paper's authors (kat_vectors).
  it.each([
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published words for key %j', (key, counter, words) => {
    expect([...philox(key, counter)]).toEqual([...words]);
  });
});

describe('RandomStream', () => {
  it('depends on the seed, the source, the position, the sample and the draw, and on nothing else', () => {
    const stream = new RandomStream(7, Int32Array.of(3, 4));
    const first = stream.uniform(2, 1);
    expect(new RandomStream(7, Int32Array.of(3, 4)).uniform(2, 1)).toBe(first);
    const others = [
      new RandomStream(8, Int32Array.of(3, 4)).uniform(2, 1),
      new RandomStream(7, Int32Array.of(4, 3)).uniform(2, 1),
      new RandomStream(7, Int32Array.of(3, 4, 0)).uniform(2, 1),
      stream.uniform(1, 1),
      stream.uniform(2, 0),
      stream.uniform(2, 1, 1),
      stream.uniforms(2, 1, 1)[0],
    ];
    expect(new Set([first, ...others]).size).toBe(others.length + 1);
  });

  it('is uniform: every tenth of the interval gets its share, and neighbours are uncorrelated', () => {
    const numbers = new RandomStream(1, Int32Array.of(1)).uniforms(0, 0, 100_000);
    const counts = new Array<number>(10).fill(0);
    for (const number of numbers) counts[Math.floor(number * 10)] = counts[Math.floor(number * 10)] + 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    // 33.7 is exceeded by one fair generator in ten thousand, at 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(33.7);
    let correlation = 0;
    for (let i = 1; i < numbers.length; i++) {
      correlation += (numbers[i] - 0.5) * (numbers[i - 1] - 0.5);
    }
    expect(Math.abs(correlation / numbers.length) * 12).toBeLessThan(4 / Math.sqrt(numbers.length));
  });
});
