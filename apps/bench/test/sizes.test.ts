import { describe, expect, it } from 'vitest';
import { labelOf, SIZED, sizeOf } from '../src/sizes-bench.js';

describe('minified and compressed', () => {
  it.each(SIZED.map((one) => [labelOf(one), one] as const))('%s keeps its limit', async (_, one) => {
    const bytes = await sizeOf(one);
    // Less would be something that was not bundled.
    expect(bytes).toBeGreaterThan(400);
    expect(bytes).toBeLessThanOrEqual(one.limit);
  });
});
