import {
  type CacheValues,
  cacheTensor,
  gatherPaths,
  type OnnxRuntime,
  type PathBlock,
  type PathPlace,
  type Tensor,
} from '@foretoken/core/runtime';
import { longestOf } from '../../drivers/length-groups.js';
import { numberTensor } from '../../drivers/number-tensor.js';
import { paddedStates, type SourceStates } from './export-encoder.js';

/** What a decoder reads of the sources of some lanes. */
export interface SourceFeeds {
  /** `[lanes, time, width]`. */
  readonly states: Tensor;
  /** 1 for what there is, 0 for padding, `[lanes, places]`, in an element type. */
  mask(type: string | undefined): Tensor;
}

/** What a decoder's mask of the sources is over: their states, or the samples that they were made of, where it has one. */
export type MaskPlaces = 'states' | 'samples' | 'none';

/** How the sources of rows are fed, and what is told of them. */
export interface ExportSourceOptions {
  /** Default: their states. */
  readonly maskPlaces?: MaskPlaces | undefined;
  /** Tokens that stand before each row's output; default 0, where no output begins. */
  readonly prefixLengths?: readonly number[] | undefined;
}

/** The sources of open rows: their states, and the keys and values that the encoder or a decoder's first run made of them. */
export class ExportSources {
  readonly #runtime: OnnxRuntime;
  readonly #rows: SourceStates[];
  readonly #maskPlaces: MaskPlaces;
  readonly #prefixLengths: number[];
  /** Where the keys and values of each row lie, once they were made. */
  readonly #cross: PathPlace[] = [];
  /** What was last fed, since the same lanes go on step by step. */
  #fed:
    | { readonly rows: Int32Array; readonly time: number; readonly feeds: SourceFeeds; cross: PathBlock | undefined }
    | undefined;

  constructor(
    runtime: OnnxRuntime,
    rows: readonly SourceStates[],
    { maskPlaces = 'states', prefixLengths = [] }: ExportSourceOptions = {},
  ) {
    this.#runtime = runtime;
    this.#maskPlaces = maskPlaces;
    this.#rows = [...rows];
    this.#prefixLengths = rows.map((_, row) => prefixLengths[row] ?? 0);
    for (const [row, { caches }] of rows.entries()) if (caches !== undefined) this.#cross[row] = caches;
  }

  /** Tokens that stand before a row's output; 0 where no output begins. */
  prefixLength(row: number): number {
    return this.#prefixLengths[row];
  }

  /**
   * Rows of one kind may be fed together. A mask of samples does not say which states are padding: there are fewer states than
   * strides in a sound.
   */
  kindOf(row: number): number {
    const { length, samples = length } = this.#rows[row];
    return this.#maskPlaces === 'states' ? 0 : samples;
  }

  /** States and mask of the lanes' rows. */
  feeds(rows: Int32Array): SourceFeeds {
    return this.#of(rows).feeds;
  }

  /** Keys and values of the lanes' rows, once they were kept. */
  cross(rows: Int32Array): PathBlock {
    const fed = this.#of(rows);
    fed.cross ??= this.#gatherCross(rows, fed.time);
    return fed.cross;
  }

  /** Keeps the keys and values that a run for these rows gave. */
  keepCross(rows: Int32Array, cross: PathBlock): void {
    for (const [lane, row] of rows.entries()) this.#cross[row] = { block: cross, lane };
    this.#of(rows).cross = cross;
  }

  /** Releases a row; the last row takes its place. */
  release(row: number): void {
    const last = this.#rows.length - 1;
    this.#rows[row] = this.#rows[last];
    this.#cross[row] = this.#cross[last];
    this.#prefixLengths[row] = this.#prefixLengths[last];
    this.#rows.length = last;
    this.#prefixLengths.length = last;
    this.#cross.length = Math.min(this.#cross.length, last);
    this.#fed = undefined;
  }

  dispose(): void {
    this.#rows.length = 0;
    this.#prefixLengths.length = 0;
    this.#cross.length = 0;
    this.#fed = undefined;
  }

  #of(rows: Int32Array) {
    const known = this.#fed;
    if (known !== undefined && sameRows(known.rows, rows)) return known;
    const sources = Array.from(rows, (row) => this.#rows[row]);
    const time = longestOf(Int32Array.from(sources, ({ length }) => length));
    const values: CacheValues = paddedStates(sources, time);
    const states = cacheTensor(this.#runtime, values, [rows.length, time, values.length / (rows.length * time)]);
    const kept = sources.map(({ length, samples }) => (this.#maskPlaces === 'samples' ? (samples ?? length) : length));
    const places = longestOf(Int32Array.from(kept));
    const mask = new Int32Array(rows.length * places);
    for (const [lane, count] of kept.entries()) mask.fill(1, lane * places, lane * places + count);
    // Made once: a mask of samples is long.
    const masks = new Map<string | undefined, Tensor>();
    const maskOf = (type: string | undefined): Tensor => {
      const known = masks.get(type) ?? numberTensor(this.#runtime, type, mask, [rows.length, places]);
      masks.set(type, known);
      return known;
    };
    const fed = {
      rows: rows.slice(),
      time,
      feeds: { states, mask: maskOf },
      cross: undefined as PathBlock | undefined,
    };
    this.#fed = fed;
    return fed;
  }

  #gatherCross(rows: Int32Array, time: number): PathBlock {
    // Every row has them of its encoder, or was read by a run that began, before any that goes on.
    const places = Array.from(rows, (row) => this.#cross[row]);
    return gatherPaths(places, time);
  }
}

function sameRows(one: Int32Array, other: Int32Array): boolean {
  return one.length === other.length && one.every((row, lane) => row === other[lane]);
}
