import type { TokenSource } from '@foretoken/core';
import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { SourceFeeds } from './source-rows.js';
import type { SourceShortlist } from './source-shortlist.js';
import type { TokenEncoding } from './token-encoder.js';

/**
 * Encoded sources of open rows, of which each says which tokens its output may have. Tokens that any row may have are listed once,
 * so that they are scored for all rows together.
 */
export class ListedSources implements SourceFeeds {
  readonly #rows: SourceFeeds;
  readonly #runtime: OnnxRuntime;
  readonly #shortlist: SourceShortlist;
  /** Token ids of each open row. */
  readonly #possible: Int32Array[];
  #listing: Listing | undefined;

  /** `rows` are what else is fed of `sources`. */
  constructor(runtime: OnnxRuntime, rows: SourceFeeds, shortlist: SourceShortlist, sources: readonly TokenSource[]) {
    this.#rows = rows;
    this.#runtime = runtime;
    this.#shortlist = shortlist;
    this.#possible = sources.map((source) => shortlist.of(source));
  }

  /** Those of all sources, and `listed` and `possible` as the vocabulary's graph reads them; `listed` stays the same tensor while its tokens do. */
  feeds(firstRow: number, rows: number, width: number): Readonly<Record<string, Tensor>> {
    this.#listing ??= new Listing(this.#runtime, this.#shortlist, this.#possible);
    return { ...this.#rows.feeds(firstRow, rows, width), ...this.#listing.feeds(firstRow, rows) };
  }

  releaseRow(row: number): void {
    this.#rows.releaseRow(row);
    this.#possible[row] = this.#possible[this.#possible.length - 1];
    this.#possible.pop();
    this.#listing?.releaseRow(row, this.#possible.length);
    // Few rows need few tokens.
    if (2 * this.#possible.length <= (this.#listing?.rows ?? 0)) this.#listing = undefined;
  }

  admit(encoding: TokenEncoding, sources: readonly TokenSource[]): void {
    this.#rows.admit(encoding, sources);
    for (const source of sources) this.#possible.push(this.#shortlist.of(source));
    this.#listing = undefined;
  }

  dispose(): void {
    this.#rows.dispose();
    this.#listing = undefined;
  }
}

/** The tokens that some rows may have, and which of them each may have. */
class Listing {
  /** Rows that it was made for. */
  readonly rows: number;
  readonly #runtime: OnnxRuntime;
  readonly #listed: Tensor;
  readonly #size: number;
  /** 0 for a token that a row may have, else -Infinity, `[rows, listed]`. */
  readonly #possible: Float32Array;

  constructor(runtime: OnnxRuntime, shortlist: SourceShortlist, possible: readonly Int32Array[]) {
    const listed = shortlist.together(possible);
    const slotOf = new Int32Array(shortlist.vocabularySize);
    for (const [slot, tokenId] of listed.entries()) slotOf[tokenId] = slot;
    this.#runtime = runtime;
    this.rows = possible.length;
    this.#size = listed.length;
    this.#listed = new runtime.Tensor('int32', listed, [listed.length]);
    this.#possible = new Float32Array(this.rows * this.#size).fill(Number.NEGATIVE_INFINITY);
    for (const [row, tokenIds] of possible.entries()) {
      for (const tokenId of tokenIds) this.#possible[row * this.#size + slotOf[tokenId]] = 0;
    }
  }

  feeds(firstRow: number, rows: number): Readonly<Record<'listed' | 'possible', Tensor>> {
    const size = this.#size;
    const possible = this.#possible.subarray(firstRow * size, (firstRow + rows) * size);
    return { listed: this.#listed, possible: new this.#runtime.Tensor('float32', possible, [rows, size]) };
  }

  /** Row `last`, the last open one, takes the place of `row`. */
  releaseRow(row: number, last: number): void {
    const size = this.#size;
    this.#possible.copyWithin(row * size, last * size, (last + 1) * size);
  }
}
