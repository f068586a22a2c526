import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { maskPredict } from '@foretoken/refine';
import { describe, expect, it } from 'vitest';

describe('a decoder that is given a whole loaded model', () => {
  // What `loadModel` gives has parts, and decodes by itself.
  const loaded = { part: () => undefined, decode: () => undefined };
  it.each([
    ['autoregressive', greedy()],
    ['canvas', maskPredict()],
  ])('says which part to pass: %s', async (kind, decoder) => {
    const decoding = collect(decoder.decode(loaded as never, { sources: [Int32Array.of(1)] }));
    await expect(decoding).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining(`but got a loaded model. Pass its part, model.part('${kind}'), or give the`),
    });
  });
});
