import type { SourceEncoder, SourceEncoding, TokenSource } from '@foretoken/core';
import { assertTokenSources, throwIfAborted } from '@foretoken/core/kit';
import type { Feeds, GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { type PaddedTokens, paddedTokens } from './common-feeds.js';
import { groupsByLength, inGroups, longestOf } from './length-groups.js';
import { ownEncoding } from './own-encoding.js';

export interface TokenEncoderLimits {
  readonly sourceLength: number;
  readonly vocabularySize: number;
  readonly padTokenId: number;
  /** Size of a state. */
  readonly width: number;
  /** Numbers that a decoder layer's keys take for a token, and its values. */
  readonly crossWidth: number;
}

/** What an encoder takes that does not embed tokens itself: `embedded [rows, time, width]` in place of their ids. */
export type EmbedTokens = (tokens: PaddedTokens) => Promise<Feeds>;

/** Encoder states and cross-attention keys and values of a batch of sources. */
export class TokenEncoding implements SourceEncoding {
  readonly owner: TokenEncoder;
  readonly rows: number;
  /** Padded source length. */
  readonly sourceLength: number;
  readonly lengths: Int32Array;
  /** 1 for a token, 0 for padding, `[rows, sourceLength]`. */
  readonly mask: Int32Array;
  /** `[rows, sourceLength, width]`. */
  readonly states: Float32Array;
  /** `[2 * layers, rows, sourceLength, crossWidth]`, keys at even and values at odd indices. */
  readonly cross: Float32Array;
  #disposed = false;

  constructor(owner: TokenEncoder, lengths: Int32Array, mask: Int32Array, states: Float32Array, cross: Float32Array) {
    this.owner = owner;
    this.rows = lengths.length;
    this.sourceLength = mask.length / lengths.length;
    this.lengths = lengths;
    this.mask = mask;
    this.states = states;
    this.cross = cross;
  }

  /** The states of these rows, padded or cut to `time`, `[rows, time, width]`; to be read only. */
  statesOf(rows: readonly number[], time: number): Float32Array {
    const width = this.states.length / (this.rows * this.sourceLength);
    const first = rows[0];
    const begin = first * this.sourceLength * width;
    const follow = time === this.sourceLength && rows.every((row, index) => row === first + index);
    if (follow || rows.length === 1) return this.states.subarray(begin, begin + rows.length * time * width);
    const packed = new Float32Array(rows.length * time * width);
    for (const [index, row] of rows.entries()) {
      const from = row * this.sourceLength * width;
      packed.set(this.states.subarray(from, from + time * width), index * time * width);
    }
    return packed;
  }

  /** A copy of these rows, padded to the longest of them. */
  part(rows: readonly number[]): TokenEncoding {
    const lengths = Int32Array.from(rows, (row) => this.lengths[row]);
    const time = longestOf(lengths);
    const width = this.owner.crossWidth;
    const parts = this.cross.length / (this.rows * this.sourceLength * width);
    const cross = new Float32Array(parts * rows.length * time * width);
    for (let part = 0; part < parts; part++) {
      for (const [index, row] of rows.entries()) {
        const begin = (part * this.rows + row) * this.sourceLength * width;
        const values = this.cross.subarray(begin, begin + time * width);
        cross.set(values, (part * rows.length + index) * time * width);
      }
    }
    return new TokenEncoding(this.owner, lengths, maskOf(lengths, time), this.statesOf(rows, time).slice(), cross);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
  }
}

/** 1 for a token, 0 for padding, `[rows, time]`. */
function maskOf(lengths: Int32Array, time: number): Int32Array {
  const mask = new Int32Array(lengths.length * time);
  for (const [row, length] of lengths.entries()) mask.fill(1, row * time, row * time + length);
  return mask;
}

/**
 * An encoder of token sources; a ragged batch of sources takes one forward for each group of similar length, of bounded size.
 */
export class TokenEncoder implements SourceEncoder<TokenSource> {
  readonly #runtime: OnnxRuntime;
  readonly #session: () => Promise<GraphSession>;
  readonly #limits: TokenEncoderLimits;
  readonly #embed: EmbedTokens | undefined;

  /** `session` gives the graph, opening it on first use. With `embed` it is one that takes embeddings in place of token ids. */
  constructor(
    runtime: OnnxRuntime,
    session: () => Promise<GraphSession>,
    limits: TokenEncoderLimits,
    embed?: EmbedTokens,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#limits = limits;
    this.#embed = embed;
  }

  get crossWidth(): number {
    return this.#limits.crossWidth;
  }

  get padTokenId(): number {
    return this.#limits.padTokenId;
  }

  async encode(sources: readonly TokenSource[], signal?: AbortSignal): Promise<TokenEncoding> {
    throwIfAborted(signal);
    const lengths = this.lengthsOf(sources);
    const { width, crossWidth } = this.#limits;
    const time = longestOf(lengths);
    const mask = maskOf(lengths, time);
    const sizes = { states: (padded: number) => padded * width, cross: (padded: number) => padded * crossWidth };
    const { states, cross } = await inGroups(lengths, groupsByLength(lengths), sizes, (group, padded) => {
      signal?.throwIfAborted();
      return this.#forward(sources, group, padded);
    });
    return new TokenEncoding(this, lengths, mask, states, cross);
  }

  /** Tokens of each source. Throws `EMPTY_SOURCE`, also without sources, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`. */
  lengthsOf(sources: readonly TokenSource[]): Int32Array {
    const { sourceLength, vocabularySize } = this.#limits;
    assertTokenSources(sources, { vocabularySize, max: sourceLength });
    return Int32Array.from(sources, ({ length }) => length);
  }

  /** Encodes these rows together, padded to `time`. */
  async #forward(sources: readonly TokenSource[], group: readonly number[], time: number) {
    const rows = group.map((row) => sources[row]);
    const session = await this.#session();
    const feeds = paddedTokens(this.#runtime, rows, time, this.padTokenId);
    const { states, cross } = await session.run(this.#embed === undefined ? feeds : await this.#embed(feeds));
    return { states: states?.data as Float32Array, cross: cross?.data as Float32Array };
  }

  /** The given encoding if it is this encoder's for as many sources, or else a new one. */
  async reuseOrEncode(
    sources: readonly TokenSource[],
    encoding: SourceEncoding | undefined,
    signal: AbortSignal | undefined,
  ): Promise<TokenEncoding> {
    if (encoding === undefined) return this.encode(sources, signal);
    return ownEncoding(TokenEncoding, this, encoding, sources.length);
  }
}
