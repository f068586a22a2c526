import type { OwnedEncoding } from './own-encoding.js';

/** What an encoder made of a batch of sources, kept row by row, each without padding. */
export class RowsEncoding<Source> implements OwnedEncoding {
  readonly owner: unknown;
  readonly sources: readonly Source[];
  #disposed = false;

  constructor(owner: unknown, sources: readonly Source[]) {
    this.owner = owner;
    this.sources = sources;
  }

  get rows(): number {
    return this.sources.length;
  }

  part(rows: readonly number[]): RowsEncoding<Source> {
    return new RowsEncoding(
      this.owner,
      rows.map((row) => this.sources[row]),
    );
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
  }
}
