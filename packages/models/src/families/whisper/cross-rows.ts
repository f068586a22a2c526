import type { CrossParts } from './audio-encoder.js';

/** What the open rows' sources gave, by part and without gaps: releasing a row moves the last into its place. */
export class CrossRows {
  /** As the encoder gave them; they are read only. */
  #sources: CrossParts[];
  /** Parts of the rows that were asked for last. */
  #gathered: { readonly firstRow: number; readonly rows: number; readonly parts: CrossParts } | undefined;

  constructor(sources: readonly CrossParts[]) {
    this.#sources = [...sources];
  }

  /** Parts of some rows, one behind the other: those of the encoder itself for one row. */
  parts(firstRow: number, rows: number): CrossParts {
    if (rows === 1) return this.#sources[firstRow];
    const known = this.#gathered;
    if (known?.firstRow === firstRow && known.rows === rows) return known.parts;
    const sources = this.#sources.slice(firstRow, firstRow + rows);
    const parts = sources[0].map((first, part) => {
      const all = new Float32Array(rows * first.length);
      for (const [row, source] of sources.entries()) all.set(source[part], row * first.length);
      return all;
    });
    this.#gathered = { firstRow, rows, parts };
    return parts;
  }

  release(row: number): void {
    const last = this.#sources.pop();
    if (last !== undefined && row < this.#sources.length) this.#sources[row] = last;
    this.#gathered = undefined;
  }

  admit(sources: readonly CrossParts[]): void {
    this.#sources = [...this.#sources, ...sources];
    this.#gathered = undefined;
  }

  dispose(): void {
    this.#sources = [];
    this.#gathered = undefined;
  }
}
