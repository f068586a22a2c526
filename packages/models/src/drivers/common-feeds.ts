import type { OutputRequest } from '@foretoken/core';
import type { Feeds, OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/** Int32 `[rows, time]` each. */
export type PaddedTokens = Readonly<Record<'token_ids' | 'positions' | 'mask', Tensor>>;

/** What graphs over tokens take of rows padded to `time`: `token_ids`, `positions` and `mask`, int32 `[rows, time]` each. */
export function paddedTokens(
  runtime: OnnxRuntime,
  rows: readonly ArrayLike<number>[],
  time: number,
  padTokenId: number,
): PaddedTokens {
  const dims = [rows.length, time];
  const tokenIds = new Int32Array(rows.length * time).fill(padTokenId);
  const positions = new Int32Array(tokenIds.length);
  const mask = new Int32Array(tokenIds.length);
  for (const [index, row] of rows.entries()) {
    const begin = index * time;
    tokenIds.set(row, begin);
    mask.fill(1, begin, begin + row.length);
    for (let position = 0; position < time; position++) positions[begin + position] = position;
  }
  const int32 = (values: Int32Array): Tensor => new runtime.Tensor('int32', values, dims);
  return { token_ids: int32(tokenIds), positions: int32(positions), mask: int32(mask) };
}

/** The feeds of a graph, with `k` (int64, `[1]`) where the output asks for candidates: a graph refuses inputs that it does not have. */
export function withCandidateCount({ Tensor }: OnnxRuntime, feeds: Feeds, output: OutputRequest): Feeds {
  return 'k' in output ? { ...feeds, k: new Tensor('int64', BigInt64Array.of(BigInt(output.k)), [1]) } : feeds;
}
