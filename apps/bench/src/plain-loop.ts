import type { TokenSource } from '@foretoken/core';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { BenchShape } from './graphs/plain-step.js';

export interface PlainLoopOptions {
  readonly runtime: OnnxRuntime;
  readonly encoder: GraphSession;
  readonly step: GraphSession;
  readonly shape: BenchShape;
  readonly startTokenId: number;
  readonly endTokenId: number | undefined;
  readonly maxLength: number;
}

/**
 * Greedy decoding as one would first write it: an unfused step graph, one cache array a layer and side that grows by
 * concatenation, all logits fetched, the largest found in JavaScript. Kept as the baseline that our loop must beat.
 */
export async function plainGreedy(source: TokenSource, options: PlainLoopOptions): Promise<number[]> {
  const { runtime, shape } = options;
  const { Tensor } = runtime;
  const time = source.length;
  const int32 = (values: Int32Array): Tensor => new Tensor('int32', values, [1, values.length]);
  const encoded = await options.encoder.run({
    token_ids: int32(source),
    positions: int32(Int32Array.from(source, (_, position) => position)),
    mask: int32(new Int32Array(time).fill(1)),
  });
  const cross = encoded.cross?.data as Float32Array;
  const size = time * shape.width;
  const crossFeeds: Record<string, Tensor> = {};
  let caches: Float32Array[] = [];
  for (let part = 0; part < 2 * shape.layers; part++) {
    const values = cross.slice(part * size, (part + 1) * size);
    crossFeeds[`cross_${part}`] = new Tensor('float32', values, [1, time, shape.width]);
    caches.push(new Float32Array(0));
  }
  const output: number[] = [];
  let tokenId = options.startTokenId;
  for (let position = 0; position < options.maxLength; position++) {
    const feeds: Record<string, Tensor> = {
      ...crossFeeds,
      token_ids: int32(Int32Array.of(tokenId)),
      positions: int32(Int32Array.of(position)),
    };
    caches.forEach((cache, part) => {
      feeds[`past_${part}`] = new Tensor('float32', cache, [1, position, shape.width]);
    });
    const results = await options.step.run(feeds);
    const logits = results.logits?.data as Float32Array;
    tokenId = 0;
    for (let index = 1; index < logits.length; index++) {
      if (logits[index] > logits[tokenId]) tokenId = index;
    }
    if (tokenId === options.endTokenId) break;
    output.push(tokenId);
    caches = caches.map((cache, part) => {
      const grown = new Float32Array(cache.length + shape.width);
      grown.set(cache);
      grown.set(results[`new_${part}`]?.data as Float32Array, cache.length);
      return grown;
    });
  }
  return output;
}
