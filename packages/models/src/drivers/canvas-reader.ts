import {
  type Canvas,
  type CanvasPrediction,
  ForetokenError,
  type OutputKind,
  type OutputRequest,
} from '@foretoken/core';
import { assertOffered, maxScoredCells, throwIfAborted } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { paddedTokens, withCandidateCount } from './common-feeds.js';
import { groupsByLength } from './length-groups.js';
import type { SourceReading } from './source-reading.js';

/** What bounds the canvases of a session. */
export interface CanvasLimits {
  /** Source rows. */
  readonly rows: number;
  /** Most positions of a canvas. */
  readonly maxLength: number;
  readonly vocabularySize: number;
  /** Fills ragged batches of canvases. */
  readonly padTokenId: number;
}

/** Graphs that predict the tokens of a canvas. */
export interface FillGraphs {
  /** Gives the graph that ends in a head, loading it on first use; asked for `outputs` only. */
  readonly sessions: (kind: OutputKind) => Promise<GraphSession>;
  readonly outputs: readonly OutputKind[];
  readonly maxCandidates: number;
}

/** Where a canvas lies in the outputs of a forward. */
export interface CanvasPlace {
  readonly index: number;
  /** Canvases of the forward, and positions of each, padding included. */
  readonly canvases: number;
  readonly stride: number;
  /** Its own positions. */
  readonly length: number;
}

/** Runs graphs over batches of canvases, of any rows in any order; padding is neither seen nor returned. */
export class CanvasReader {
  readonly #runtime: OnnxRuntime;
  readonly #limits: CanvasLimits;
  #source: SourceReading | undefined;
  #disposed = false;

  /** Without a `source` the graphs read canvases alone. */
  constructor(runtime: OnnxRuntime, limits: CanvasLimits, source?: SourceReading) {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#source = source;
  }

  /**
   * What `part` makes of a graph's outputs for each canvas, in order; canvases of similar length share a forward of
   * bounded size. Outputs are fresh copies, so parts may be views of them.
   *
   * Throws `INVALID_ARGUMENT`, `LENGTH_LIMIT`, `DISPOSED`, `RUNTIME_FAILURE`, or the abort reason.
   */
  async read<Part>(
    graph: () => Promise<GraphSession>,
    canvases: readonly Canvas[],
    signal: AbortSignal | undefined,
    part: (outputs: Readonly<Record<string, Tensor>>, place: CanvasPlace) => Part,
    more: Readonly<Record<string, Tensor>> = {},
  ): Promise<Part[]> {
    this.check(signal);
    this.checkCanvases(canvases);
    const session = await graph();
    const parts = new Array<Part>(canvases.length);
    const lengths = Int32Array.from(canvases, ({ tokenIds }) => tokenIds.length);
    const maxCells = maxScoredCells(this.#limits.vocabularySize);
    for (const group of groupsByLength(lengths, maxCells, this.#source?.sourceLength)) {
      this.check(signal);
      const together = group.map((index) => canvases[index]);
      // At least 1, since attention has no empty form.
      const stride = Math.max(1, lengths[group[0]]);
      const outputs = await session.run({ ...this.#feeds(together, stride), ...more });
      this.#assertUsable();
      for (const [index, canvas] of group.entries()) {
        const place = { index, canvases: group.length, stride, length: lengths[canvas] };
        parts[canvas] = part(outputs, place);
      }
    }
    return parts;
  }

  /** Inputs for canvases of at most `length` positions. */
  #feeds(canvases: readonly Canvas[], length: number): Record<string, Tensor> {
    const rows = canvases.map(({ tokenIds }) => tokenIds);
    return {
      ...paddedTokens(this.#runtime, rows, length, this.#limits.padTokenId),
      ...this.#source?.feeds(
        canvases.map(({ row }) => row),
        length,
      ),
    };
  }

  /** Throws `DISPOSED` or the abort reason. */
  check(signal: AbortSignal | undefined): void {
    this.#assertUsable();
    throwIfAborted(signal);
  }

  #assertUsable(): void {
    if (this.#disposed) throw new ForetokenError('DISPOSED', 'The canvas session was disposed of.', {});
  }

  /** Throws `INVALID_ARGUMENT`, `LENGTH_LIMIT`. */
  checkCanvases(canvases: readonly Canvas[]): void {
    assertSome(canvases);
    for (const canvas of canvases) this.#checkCanvas(canvas);
  }

  dispose(): void {
    this.#disposed = true;
    this.#source = undefined;
  }

  #checkCanvas({ row, tokenIds }: Canvas): void {
    const { rows, maxLength, vocabularySize } = this.#limits;
    if (!Number.isInteger(row) || row < 0 || row >= rows) {
      throw new ForetokenError('INVALID_ARGUMENT', `A canvas is of row ${row}, but there are ${rows} rows.`, {
        received: row,
        rows,
      });
    }
    if (tokenIds.length > maxLength) {
      throw new ForetokenError(
        'LENGTH_LIMIT',
        `A canvas of row ${row} has ${tokenIds.length} positions, but the model has ${maxLength}.`,
        { row, received: tokenIds.length, max: maxLength },
      );
    }
    const wrong = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
    if (wrong !== undefined) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `A canvas of row ${row} holds token id ${wrong}, outside the vocabulary of ${vocabularySize}.`,
        { row, received: wrong, size: vocabularySize },
      );
    }
  }
}

/** Throws `INVALID_ARGUMENT` without canvases. */
export function assertSome(canvases: readonly Canvas[]): void {
  if (canvases.length > 0) return;
  throw new ForetokenError('INVALID_ARGUMENT', 'There are no canvases; at least one is required.', {});
}

/**
 * Predictions of every position of every canvas; the arrays belong to the caller.
 *
 * Throws `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT` (`k` out of range too), `LENGTH_LIMIT`, `DISPOSED`,
 * `RUNTIME_FAILURE`.
 */
export function fillCanvases<Output extends OutputRequest>(
  reader: CanvasReader,
  runtime: OnnxRuntime,
  graphs: FillGraphs,
  canvases: readonly Canvas[],
  output: Output,
  signal: AbortSignal | undefined,
): Promise<CanvasPrediction<Output>[]>;
export async function fillCanvases(
  reader: CanvasReader,
  runtime: OnnxRuntime,
  graphs: FillGraphs,
  canvases: readonly Canvas[],
  output: OutputRequest,
  signal: AbortSignal | undefined,
): Promise<CanvasPrediction[]> {
  reader.check(signal);
  assertOffered(graphs, output);
  const parts = await reader.read(
    () => graphs.sessions(output.kind),
    canvases,
    signal,
    (outputs, place) => predictionOf(output, outputs, place),
    withCandidateCount(runtime, {}, output),
  );
  return parts.map((part, index) => ({ row: canvases[index].row, ...part }));
}

/** What a graph that ends in the head of an output says of one canvas. */
function predictionOf(
  output: OutputRequest,
  outputs: Readonly<Record<string, Tensor>>,
  place: CanvasPlace,
): Unplaced<CanvasPrediction> {
  const ids = (name: string): Int32Array => cut(outputs[name].data as Int32Array, place);
  const scores = (name: string): Float32Array => cut(outputs[name].data as Float32Array, place);
  switch (output.kind) {
    case 'argmax':
      return { kind: 'argmax', tokenIds: ids('best') };
    case 'topK':
      return { kind: 'topK', k: output.k, tokenIds: ids('best_token_ids'), logProbs: scores('best_log_probs') };
    case 'logProbs':
      return { kind: 'logProbs', logProbs: scores('log_probs') };
    case 'logits':
      return { kind: 'logits', logits: scores('logits') };
  }
}

/** A prediction without the row that it is of. */
type Unplaced<Prediction> = Prediction extends unknown ? Omit<Prediction, 'row'> : never;

/** What belongs to one canvas of a padded output `[canvases, stride, ..]`: a view. */
export function cut<Values extends Float32Array | Int32Array>(
  values: Values,
  { index, canvases, stride, length }: CanvasPlace,
): Values {
  const size = values.length / canvases;
  return values.subarray(index * size, index * size + (size / stride) * length) as Values;
}
