import { assertInteger, type EmitOptions, type TokenSource } from '@foretoken/core';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { frameFeeds } from './frame-feeds.js';
import { groupsByLength } from './length-groups.js';
import type { MarianEncoder, MarianEncoding } from './marian-encoder.js';
import type { Shortlist } from './shortlist.js';

export interface FrameGraphOptions {
  readonly runtime: OnnxRuntime;
  readonly session: () => Promise<GraphSession>;
  readonly encoder: MarianEncoder;
  readonly width: number;
  readonly upsample: number;
  readonly maxCandidates: number;
  /** For a graph that scores only likely tokens, and the id that ends every list. */
  readonly shortlist?: { readonly tokens: Shortlist; readonly last: number };
}

/** Where a source's frames lie in the outputs of a forward. */
export interface FrameRow {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Row of the outputs. */
  readonly index: number;
  /** Frames of a row, padding included, and those of this source. */
  readonly stride: number;
  readonly frames: number;
  /** Candidates of each frame. */
  readonly k: number;
}

/** A graph that turns each source state of a Marian encoder into `upsample` frames: a CTC or DAG student. */
export class FrameGraph {
  readonly #options: FrameGraphOptions;

  constructor(options: FrameGraphOptions) {
    this.#options = options;
  }

  /**
   * What `read` makes of every source's frames. Sources of similar length share a forward, so that little of each is
   * padding. Outputs are fresh copies, so results may be views of them.
   */
  async emit<Lattice>(
    sources: readonly TokenSource[],
    options: EmitOptions,
    read: (row: FrameRow) => Lattice,
  ): Promise<Lattice[]> {
    const { encoder, upsample, maxCandidates } = this.#options;
    if (options.k !== undefined) assertInteger('k', options.k, 1, Number.MAX_SAFE_INTEGER);
    const k = Math.min(options.k ?? 1, maxCandidates);
    const encoding = await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    const session = await this.#options.session();
    const lattices = new Array<Lattice>(sources.length);
    for (const rows of groupsByLength(encoding.lengths)) {
      options.signal?.throwIfAborted();
      const stride = (encoding.lengths[rows[0] as number] as number) * upsample;
      const outputs = await session.run(this.#feeds(sources, encoding, rows, k));
      for (const [index, row] of rows.entries()) {
        const frames = (encoding.lengths[row] as number) * upsample;
        lattices[row] = read({ outputs, index, stride, frames, k });
      }
    }
    return lattices;
  }

  /** Inputs for these rows of an encoding, the longest first. */
  #feeds(
    sources: readonly TokenSource[],
    { sourceLength, lengths, states }: MarianEncoding,
    rows: readonly number[],
    k: number,
  ): Record<string, Tensor> {
    const { runtime, width, upsample, shortlist } = this.#options;
    const { Tensor } = runtime;
    const time = lengths[rows[0] as number] as number;
    const single = rows.length === 1;
    const packed = new Float32Array(single ? 0 : rows.length * time * width);
    const statesOf = (row: number, length: number): Float32Array =>
      states.subarray(row * sourceLength * width, (row * sourceLength + length) * width);
    if (!single) {
      for (const [index, row] of rows.entries()) {
        packed.set(statesOf(row, lengths[row] as number), index * time * width);
      }
    }
    const feeds: Record<string, Tensor> = {
      states: new Tensor('float32', single ? statesOf(rows[0] as number, time) : packed, [rows.length, time, width]),
      ...frameFeeds(
        runtime,
        Int32Array.from(rows, (row) => lengths[row] as number),
        time,
        upsample,
      ),
      k: new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]),
    };
    if (shortlist !== undefined) {
      const group = rows.map((row) => sources[row] as TokenSource);
      const listed = shortlist.tokens.of(group, shortlist.last);
      feeds.shortlist = new Tensor('int32', listed, [listed.length]);
    }
    return feeds;
  }
}
