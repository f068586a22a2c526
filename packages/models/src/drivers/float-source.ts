import { ForetokenError } from '@foretoken/core';
import { show, wrongValue } from '@foretoken/core/kit';

/** Dimensions of a source that messages show. */
const SHOWN_DIMENSIONS = 8;
/** Values that are looked at before other work may have its turn. */
const PIECE = 2 ** 18;

/** Numbers that a model reads: samples of sound `[time]`, an image strip `[channels, height, time]`, features `[time, width]`. */
export interface FloatSource {
  /** Row-major. */
  readonly values: Float32Array;
  /** Dimensions of the numbers. */
  readonly dims: readonly number[];
}

/** A source whose dimensions were checked, and its length in time. */
export interface TimedSource extends FloatSource {
  readonly time: number;
  readonly row: number;
}

/** Whether a value is such a source; whether it fits a model is told apart. */
export function isFloatSource(value: unknown): value is FloatSource {
  return partsOf(value) !== undefined;
}

/** The parts of a source, each read once; undefined for what is none, or cannot be read. */
export function partsOf(
  value: unknown,
): { readonly values: Float32Array; readonly dims: readonly unknown[] } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    const { values, dims } = value as Partial<Record<keyof FloatSource, unknown>>;
    // A copy without holes.
    return values instanceof Float32Array && Array.isArray(dims) ? { values, dims: Array.from(dims) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A source of these dimensions, of which the null is time, 1 where there is none; its values are not looked at. Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE`,
 * `SOURCE_TOO_LONG`.
 */
export function readFloatSource(
  source: unknown,
  dims: readonly (number | null)[],
  maxLength: number,
  row: number,
): TimedSource {
  const parts = partsOf(source);
  if (parts === undefined) throw wrongValue(`Source ${row}`, source, '{ values: Float32Array, dims }');
  const { values, dims: given } = parts;
  const sizes = given.map((size) => (Number.isInteger(size) ? Number(size) : -1));
  const fits = sizes.length === dims.length && sizes.every((size, axis) => size >= 0 && (dims[axis] ?? size) === size);
  if (!fits || sizes.reduce((product, size) => product * size, 1) !== values.length) {
    const required = `[${dims.map((size) => size ?? 'time').join(', ')}]`;
    const received = given.slice(0, SHOWN_DIMENSIONS).map(show);
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `Source ${row} has the dimensions [${received.join(', ')}] and ${values.length} values; ${required} and as many values as that are required.`,
      { row, received: fits ? sizes : received, required },
    );
  }
  const axis = dims.indexOf(null);
  const time = axis < 0 ? 1 : sizes[axis];
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
  return { values, dims: sizes, time, row };
}

/** Looks at every value of a source; yields in between. Throws `INVALID_ARGUMENT` naming the first that is NaN or infinite. */
export function* assertFinite({ values, dims }: FloatSource, row: number): Generator<undefined, void, undefined> {
  for (let begin = 0; begin < values.length; begin += PIECE) {
    const end = Math.min(values.length, begin + PIECE);
    for (let index = begin; index < end; index++) {
      if (Number.isFinite(values[index])) continue;
      const position = positionOf(index, dims);
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `Source ${row} holds ${values[index]} at [${position.join(', ')}]; finite numbers are required. Look at how the source was made, such as a division by the loudness of silence.`,
        { row, position, index, received: values[index], required: 'finite numbers' },
      );
    }
    yield;
  }
}

/** Place of a value in each dimension. */
function positionOf(index: number, dims: readonly number[]): number[] {
  const position = new Array<number>(dims.length);
  let rest = index;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    position[axis] = rest % dims[axis];
    rest = Math.floor(rest / dims[axis]);
  }
  return position;
}

/**
 * Writes a source into a batch `[rows, ..]` whose sources have `time` for the null of `dims`, zeros behind its end. Throws
 * `INVALID_ARGUMENT` where its values were taken away since they were checked.
 */
export function copySource(
  { values, dims: own, row: given }: TimedSource,
  dims: readonly (number | null)[],
  batch: Float32Array,
  row: number,
  time: number,
): void {
  const axis = dims.indexOf(null);
  const inner = own.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outer = own.slice(0, Math.max(0, axis)).reduce((product, size) => product * size, 1);
  const length = axis < 0 ? inner : own[axis] * inner;
  if (values.length !== outer * length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The values of source ${given} were given away while it was read. Keep them until the decode has ended.`,
      { row: given, received: values.length, required: outer * length },
    );
  }
  for (let index = 0; index < outer; index++) {
    batch.set(values.subarray(index * length, (index + 1) * length), (row * outer + index) * time * inner);
  }
}
