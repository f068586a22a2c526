import { ForetokenError } from '@foretoken/core';
import { wrongValue } from '@foretoken/core/kit';

/** Numbers that a model reads: samples of sound `[time]`, an image strip `[channels, height, time]`, features `[time, width]`. */
export interface FloatSource {
  /** Row-major. */
  readonly values: Float32Array;
  readonly dims: readonly number[];
}

/** Whether a value is such a source; whether it fits a model is told apart. */
export function isFloatSource(value: unknown): value is FloatSource {
  if (typeof value !== 'object' || value === null || !('values' in value) || !('dims' in value)) return false;
  return value.values instanceof Float32Array && Array.isArray(value.dims);
}

/**
 * Length in time of a source of these dimensions, of which the null is time. Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE`,
 * `SOURCE_TOO_LONG`.
 */
export function timeOf(source: unknown, dims: readonly (number | null)[], maxLength: number, row: number): number {
  if (!isFloatSource(source)) throw wrongValue(`Source ${row}`, source, '{ values: Float32Array, dims }');
  const required = `[${dims.map((size) => size ?? 'time').join(', ')}]`;
  const received = source.dims;
  const fits =
    received.length === dims.length &&
    received.every((size, axis) => Number.isInteger(size) && size >= 0 && (dims[axis] ?? size) === size);
  const time = received[dims.indexOf(null)];
  if (!fits || received.reduce((product, size) => product * size, 1) !== source.values.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `Source ${row} has the dimensions [${received.join(', ')}] and ${source.values.length} values; ${required} and as many values as that are required.`,
      { row, received, required },
    );
  }
  if (time === 0) {
    throw new ForetokenError('EMPTY_SOURCE', `Source ${row} has no frames; at least one is required.`, { row });
  }
  if (time > maxLength) {
    throw new ForetokenError(
      'SOURCE_TOO_LONG',
      `Source ${row} is ${time} long, but this model reads at most ${maxLength}. Cut it into parts.`,
      { row, received: time, max: maxLength },
    );
  }
  return time;
}

/** Writes a source into a batch `[rows, ..]` whose sources have `time` for the null of `dims`, zeros behind its end. */
export function copySource(
  { values, dims: own }: FloatSource,
  dims: readonly (number | null)[],
  batch: Float32Array,
  row: number,
  time: number,
): void {
  const axis = dims.indexOf(null);
  const inner = own.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outer = own.slice(0, axis).reduce((product, size) => product * size, 1);
  const length = own[axis] * inner;
  for (let index = 0; index < outer; index++) {
    batch.set(values.subarray(index * length, (index + 1) * length), (row * outer + index) * time * inner);
  }
}
