import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { HIDDEN, type OnnxRuntime, type Tensor } from '@foretoken/core/runtime';
import { type Hints, layOut } from './hints.js';
import type { TokenEncoding } from './token-encoder.js';

/** Source positions, one for each canvas that reads it, kept gathered from round to round beside those of the latest group. */
const MAX_GATHERED = 16 * MAX_FORWARD_CELLS;

/** Lengths of canvases that each gathering keeps inputs for; edits change lengths every round. */
const MAX_SIZES = 4;

/**
 * Sources as a batch of canvases reads them: the graph's inputs, but for those that depend on the canvases' length.
 */
interface Gathered {
  readonly rows: readonly number[];
  readonly cross: Readonly<Record<string, Tensor>>;
  /** `[canvases, sourceLength]`, 0 for padding. */
  readonly mask: Int32Array;
  /** By length of the canvases: the bias and, where they are read, hints. */
  readonly sized: Map<number, Readonly<Record<string, Tensor>>>;
}

/**
 * Cross-attention keys and values of a batch of sources, for canvases of any of its rows.
 *
 * `cross [2 * layers, rows, sourceLength, width]` is read, never written, and so are the encoding's mask and hints.
 */
export class SourceReading {
  readonly #runtime: OnnxRuntime;
  readonly #cross: Float32Array;
  readonly #encoding: Pick<TokenEncoding, 'rows' | 'sourceLength' | 'mask'>;
  readonly #width: number;
  readonly #hints: Hints | undefined;
  /** By the rows asked for, the longest unused first. */
  readonly #gathered = new Map<string, Gathered>();

  constructor(runtime: OnnxRuntime, cross: Float32Array, encoding: TokenEncoding, width: number, hints?: Hints) {
    this.#runtime = runtime;
    this.#cross = cross;
    this.#encoding = encoding;
    this.#width = width;
    this.#hints = hints;
  }

  /** Positions of a source, padding included. */
  get sourceLength(): number {
    return this.#encoding.sourceLength;
  }

  /** Inputs for canvases of these rows, in this order, `length` positions each. */
  feeds(rows: readonly number[], length: number): Record<string, Tensor> {
    const gathered = this.#gather(rows);
    let sized = gathered.sized.get(length);
    if (sized === undefined) {
      if (gathered.sized.size === MAX_SIZES) gathered.sized.clear();
      sized = { cross_bias: this.#bias(gathered, length), ...this.#hint(gathered, length) };
      gathered.sized.set(length, sized);
    }
    return { ...gathered.cross, ...sized };
  }

  /** Rounds mostly ask for the groups of rows of the round before, so the latest are kept. */
  #gather(rows: readonly number[]): Gathered {
    const key = rows.join();
    const known = this.#gathered.get(key);
    if (known !== undefined) {
      this.#gathered.delete(key);
      this.#gathered.set(key, known);
      return known;
    }
    const { sourceLength, mask, rows: all } = this.#encoding;
    const size = sourceLength * this.#width;
    const dims = [rows.length, sourceLength, this.#width];
    const parts = this.#cross.length / (all * size);
    const cross = Array.from({ length: parts }, (_, part) => {
      const values = this.#cross.subarray(part * all * size, (part + 1) * all * size);
      return [`cross_${part}`, new this.#runtime.Tensor('float32', pick(values, rows, size), dims)] as const;
    });
    const gathered = {
      rows: [...rows],
      cross: Object.fromEntries(cross),
      mask: pick(mask, rows, sourceLength),
      sized: new Map(),
    };
    let canvases = rows.length;
    for (const other of this.#gathered.values()) canvases += other.rows.length;
    for (const [oldest, other] of this.#gathered) {
      if (canvases * sourceLength <= MAX_GATHERED) break;
      canvases -= other.rows.length;
      this.#gathered.delete(oldest);
    }
    this.#gathered.set(key, gathered);
    return gathered;
  }

  /** `[canvases, 1, length, sourceLength]`: hides padding from every position. */
  #bias({ rows, mask }: Gathered, length: number): Tensor {
    const time = this.#encoding.sourceLength;
    const bias = new Float32Array(rows.length * length * time);
    for (let canvas = 0; canvas < rows.length; canvas++) {
      const padding = mask.subarray(canvas * time, (canvas + 1) * time).indexOf(0);
      if (padding < 0) continue;
      for (let position = 0; position < length; position++) {
        const begin = (canvas * length + position) * time;
        bias.fill(HIDDEN, begin + padding, begin + time);
      }
    }
    return new this.#runtime.Tensor('float32', bias, [rows.length, 1, length, time]);
  }

  /** `[canvases, length, width]`, where hints are read. */
  #hint({ rows }: Gathered, length: number): Readonly<Record<string, Tensor>> {
    if (this.#hints === undefined) return {};
    const laidOut = layOut(this.#hints, rows, length);
    return { hints: new this.#runtime.Tensor('float32', laidOut, [rows.length, length, this.#hints.width]) };
  }
}

/** The given rows of `values [.., size]`: a view where they follow one another, or else a copy. */
function pick<Values extends Float32Array | Int32Array>(values: Values, rows: readonly number[], size: number): Values {
  const first = rows[0];
  if (rows.every((row, index) => row === first + index)) {
    return values.subarray(first * size, (first + rows.length) * size) as Values;
  }
  const copy = new (values.constructor as new (length: number) => Values)(rows.length * size);
  for (const [index, row] of rows.entries()) copy.set(values.subarray(row * size, (row + 1) * size), index * size);
  return copy;
}
