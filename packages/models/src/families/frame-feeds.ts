import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { MarianEncoding } from './marian-encoder.js';

/** Inputs of a graph that turns each source state into `upsample` frames and returns `k` candidates of each. */
export function frameFeeds(
  { Tensor }: OnnxRuntime,
  encoding: MarianEncoding,
  width: number,
  upsample: number,
  k: number,
): Record<string, Tensor> {
  const { rows, sourceLength } = encoding;
  const frames = sourceLength * upsample;
  const positions = new Int32Array(rows * frames);
  const mask = new Int32Array(rows * frames);
  for (let row = 0; row < rows; row++) {
    for (let frame = 0; frame < frames; frame++) positions[row * frames + frame] = frame;
    mask.fill(1, row * frames, row * frames + (encoding.lengths[row] as number) * upsample);
  }
  return {
    states: new Tensor('float32', encoding.states, [rows, sourceLength, width]),
    source_mask: new Tensor('int32', encoding.mask, [rows, sourceLength]),
    positions: new Tensor('int32', positions, [rows, frames]),
    mask: new Tensor('int32', mask, [rows, frames]),
    k: new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]),
  };
}
