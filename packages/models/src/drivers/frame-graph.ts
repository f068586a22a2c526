import type { EmitOptions, TokenSource, Vocabulary } from '@foretoken/core';
import { emitOptions, maxScoredCells, refuseEncoding } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { paddedTokens } from './common-feeds.js';
import { frameFeeds } from './frame-feeds.js';
import { groupsByLength } from './length-groups.js';
import type { Shortlist } from './shortlist.js';
import type { TokenEncoder, TokenEncoding } from './token-encoder.js';

export interface FrameGraphOptions {
  readonly runtime: OnnxRuntime;
  readonly session: () => Promise<GraphSession>;
  readonly encoder: TokenEncoder;
  readonly width: number;
  readonly upsample: number;
  readonly vocabulary: Vocabulary;
  readonly maxCandidates: number;
  /** The graph holds an encoder of its own and reads token ids (default: it reads the states of `encoder`). */
  readonly readsTokens?: boolean | undefined;
  /** For a graph that scores only likely tokens, and the id that ends every list. */
  readonly shortlist?: { readonly tokens: Shortlist; readonly last: number } | undefined;
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

/** Rows of a batch that share a forward: what they are, the longest first, and its length. */
interface FrameGroup {
  readonly rows: readonly number[];
  readonly lengths: Int32Array;
  readonly time: number;
}

/** A graph that turns each source position into `upsample` frames: a CTC or DAG student. */
export class FrameGraph {
  readonly #options: FrameGraphOptions;

  constructor(options: FrameGraphOptions) {
    this.#options = options;
  }

  /**
   * What `make` makes of every source's frames. Sources of similar length share a forward of bounded size, so that little of
   * each is padding; what is encoded for one is not kept for the next, so memory does not grow with the batch but by what is
   * returned. Outputs are fresh copies, so results may be views of them.
   */
  async emit<Lattice>(
    sources: readonly TokenSource[],
    given: EmitOptions | undefined,
    make: (row: FrameRow) => Lattice,
  ): Promise<Lattice[]> {
    const { encoder, upsample, vocabulary, maxCandidates, readsTokens = false } = this.#options;
    const options = emitOptions(given);
    const k = Math.min(options.k ?? 1, maxCandidates);
    if (readsTokens) refuseEncoding(options);
    const encoding =
      options.encoding === undefined
        ? undefined
        : await encoder.reuseOrEncode(sources, options.encoding, options.signal);
    const all = encoding?.lengths ?? encoder.lengthsOf(sources);
    const session = await this.#options.session();
    const lattices = new Array<Lattice>(sources.length);
    for (const rows of groupsByLength(all, maxScoredCells(vocabulary.size) / upsample)) {
      options.signal?.throwIfAborted();
      const lengths = Int32Array.from(rows, (row) => all[row]);
      const group = { rows, lengths, time: lengths[0] };
      const read = readsTokens
        ? this.#tokens(sources, group)
        : await this.#states(sources, encoding, group, options.signal);
      const outputs = await session.run({ ...read, ...this.#feeds(sources, group, k) });
      const stride = group.time * upsample;
      for (const [index, row] of rows.entries()) {
        const frames = lengths[index] * upsample;
        lattices[row] = make({ outputs, index, stride, frames, k });
      }
    }
    return lattices;
  }

  /** States of a group, which are encoded for it alone where there is no encoding, and then kept no longer than it. */
  async #states(
    sources: readonly TokenSource[],
    encoding: TokenEncoding | undefined,
    { rows, time }: FrameGroup,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, Tensor>> {
    const { runtime, encoder, width } = this.#options;
    const own = async (): Promise<Float32Array> => {
      const group = rows.map((row) => sources[row]);
      return (await encoder.encode(group, signal)).statesOf([...rows.keys()], time);
    };
    const states = encoding === undefined ? await own() : encoding.statesOf(rows, time);
    return { states: new runtime.Tensor('float32', states, [rows.length, time, width]) };
  }

  /** `token_ids` and `source_positions` int32 `[rows, time]` of a group. */
  #tokens(sources: readonly TokenSource[], { rows, time }: FrameGroup): Record<string, Tensor> {
    const { runtime, encoder } = this.#options;
    const group = rows.map((row) => sources[row]);
    const { token_ids, positions } = paddedTokens(runtime, group, time, encoder.padTokenId);
    return { token_ids, source_positions: positions };
  }

  /** What a group takes beside its source. */
  #feeds(sources: readonly TokenSource[], { rows, lengths, time }: FrameGroup, k: number): Record<string, Tensor> {
    const { runtime, upsample, shortlist } = this.#options;
    const { Tensor } = runtime;
    const feeds: Record<string, Tensor> = {
      ...frameFeeds(runtime, lengths, time, upsample),
      k: new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]),
    };
    if (shortlist !== undefined) {
      const group = rows.map((row) => sources[row]);
      const listed = shortlist.tokens.of(group, shortlist.last);
      feeds.shortlist = new Tensor('int32', listed, [listed.length]);
    }
    return feeds;
  }
}
