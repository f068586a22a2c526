import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/**
 * What a graph with `framesPerState` frames for each source state takes beside the states of sources padded to `time`:
 * `source_mask` int32 `[rows, time]`, `positions` and `mask` int32 `[rows, time * framesPerState]`.
 */
export function frameFeeds(
  runtime: OnnxRuntime,
  lengths: Int32Array,
  time: number,
  framesPerState: number,
): Record<'source_mask' | 'positions' | 'mask', Tensor> {
  const rows = lengths.length;
  const frames = time * framesPerState;
  const sourceMask = new Int32Array(rows * time);
  const positions = new Int32Array(rows * frames);
  const mask = new Int32Array(rows * frames);
  for (const [row, length] of lengths.entries()) {
    sourceMask.fill(1, row * time, row * time + length);
    mask.fill(1, row * frames, row * frames + length * framesPerState);
    for (let frame = 0; frame < frames; frame++) positions[row * frames + frame] = frame;
  }
  return {
    source_mask: new runtime.Tensor('int32', sourceMask, [rows, time]),
    positions: new runtime.Tensor('int32', positions, [rows, frames]),
    mask: new runtime.Tensor('int32', mask, [rows, frames]),
  };
}
