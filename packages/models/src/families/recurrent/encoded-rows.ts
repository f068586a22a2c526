import type { TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { numberTensor } from '../../drivers/number-tensor.js';
import type { GraphTensor } from '../../folder/manifest.js';
import type { RecurrentManifest } from './recurrent-manifest.js';

type Values = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** What an encoder gave for one source: its outputs without the dimension of the batch, and the length it was padded to. */
export interface EncodedRow {
  readonly time: number;
  readonly outputs: ReadonlyMap<string, { readonly values: Values; readonly dims: readonly number[] }>;
}

type Encoder = NonNullable<RecurrentManifest['encoder']>;

/** The dimension of the batch of each output: the one that the step's states say, else the first. */
export type BatchAxes = ReadonlyMap<string, number>;

/**
 * Encodes sources. An encoder that is told where padding is reads them together, padded alike; another reads each alone, since padding
 * would be read.
 */
export async function encodeRows(
  encoder: Encoder,
  axes: BatchAxes,
  sources: readonly TokenSource[],
  runtime: OnnxRuntime,
  session: GraphSession,
  signal: AbortSignal | undefined,
): Promise<readonly EncodedRow[]> {
  const told = encoder.inputs.some(({ role }) => role !== 'tokens');
  const longest = sources.reduce((max, { length }) => Math.max(max, length), 0);
  const time = encoder.paddedLength ?? longest;
  const tokens = encoder.inputs.find(({ role }) => role === 'tokens')?.tensor;
  const together = told && tokens?.dims[0] === null ? Math.max(1, Math.floor(MAX_FORWARD_CELLS / time)) : 1;
  const rows: EncodedRow[] = [];
  for (let first = 0; first < sources.length; first += together) {
    signal?.throwIfAborted();
    const group = sources.slice(first, first + together);
    const padded = told ? time : (encoder.paddedLength ?? group[0].length);
    const outputs = await session.run(feedsOf(encoder, group, padded, runtime));
    for (let row = 0; row < group.length; row++) rows.push(rowOf(encoder.outputs, axes, outputs, row, padded));
  }
  return rows;
}

function feedsOf(
  { inputs, padTokenId }: Encoder,
  sources: readonly TokenSource[],
  time: number,
  runtime: OnnxRuntime,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { role, tensor } of inputs) {
    const isLengths = role === 'lengths';
    const numbers = isLengths
      ? Int32Array.from(sources, ({ length }) => length)
      : new Int32Array(sources.length * time).fill(role === 'tokens' ? padTokenId : Number(role !== 'mask'));
    for (const [row, source] of isLengths ? [] : sources.entries()) {
      if (role === 'tokens') numbers.set(source.subarray(0, time), row * time);
      else numbers.fill(Number(role === 'mask'), row * time, row * time + Math.min(time, source.length));
    }
    feeds[tensor.name] = numberTensor(
      runtime,
      tensor.type,
      numbers,
      isLengths ? [sources.length] : [sources.length, time],
    );
  }
  return feeds;
}

function rowOf(
  tensors: readonly GraphTensor[],
  axes: BatchAxes,
  outputs: Readonly<Record<string, Tensor>>,
  row: number,
  time: number,
): EncodedRow {
  const found = tensors.map(({ name }) => {
    const { data, dims } = outputs[name];
    const axis = axes.get(name) ?? 0;
    return [
      name,
      { values: sliceOf(data as Values, dims, axis, row), dims: dims.filter((_, at) => at !== axis) },
    ] as const;
  });
  return { time, outputs: new Map(found) };
}

/** One row of a batch: a copy without that dimension. */
export function sliceOf<Own extends Values>(values: Own, dims: readonly number[], axis: number, row: number): Own {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const outer = dims.slice(0, axis).reduce((product, size) => product * size, 1);
  const slice = values.slice(0, outer * inner) as Own;
  for (let at = 0; at < outer; at++) {
    const from = (at * dims[axis] + row) * inner;
    slice.set(values.subarray(from, from + inner) as never, at * inner);
  }
  return slice;
}

/** Rows of equal dimensions as a batch, whose dimension is put in at `axis`. */
export function batchOf<Own extends Values>(rows: readonly Own[], dims: readonly number[], axis: number): Own {
  const inner = dims.slice(axis).reduce((product, size) => product * size, 1);
  const outer = dims.slice(0, axis).reduce((product, size) => product * size, 1);
  const batch = new (rows[0].constructor as new (length: number) => Own)(rows.length * outer * inner);
  for (const [row, values] of rows.entries()) {
    for (let at = 0; at < outer; at++) {
      batch.set(values.subarray(at * inner, (at + 1) * inner) as never, (at * rows.length + row) * inner);
    }
  }
  return batch;
}
