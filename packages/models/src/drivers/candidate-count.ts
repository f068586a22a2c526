import type { OutputRequest } from '@foretoken/core';
import type { Feeds, OnnxRuntime } from '@foretoken/core/runtime';

/** The feeds of a graph, with `k` (int64, `[1]`) where the output asks for candidates: a graph refuses inputs that it does not have. */
export function withCandidateCount({ Tensor }: OnnxRuntime, feeds: Feeds, output: OutputRequest): Feeds {
  if (!('k' in output)) return feeds;
  return { ...feeds, k: new Tensor('int64', BigInt64Array.of(BigInt(output.k)), [1]) };
}
