import type { OpenOptions, SourceEncoder } from './encoding.js';
import type { LatticePath } from './lattice.js';
import type { OutputKind, OutputRequest } from './token-tree.js';
import type { Vocabulary } from './vocabulary.js';

/** A row of positions of known length; `tokenIds [length]` holds the mask token id where a position is undecided. */
export interface Canvas {
  readonly row: number;
  readonly tokenIds: Int32Array;
}

/** Predictions for every position of one canvas, in the kind asked for: `[length]`, `[length, k]` or `[length, vocab]`. */
export interface CanvasPrediction {
  readonly row: number;
  readonly tokenIds?: Int32Array | undefined;
  readonly logProbs?: Float32Array | undefined;
  readonly logits?: Float32Array | undefined;
}

/** Candidate output lengths of one row, best first, with natural-log probabilities; `[k]` each. */
export interface LengthPrediction {
  readonly row: number;
  readonly lengths: Int32Array;
  readonly logProbs: Float32Array;
}

export interface CanvasOpenOptions extends OpenOptions {
  /**
   * Hints to read, one a source, in the place of the model's own: paths through the CTC lattices of the student that it was
   * trained beside. A model whose `readsHints` is not true throws `UNSUPPORTED_CAPABILITY`.
   */
  readonly hints?: readonly LatticePath[] | undefined;
}

/** Owned by the decoder that opened it. */
export interface CanvasSession extends AsyncDisposable {
  predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]>;
  /** Predicts all positions of all given canvases in one call; a model may read those of similar length together. */
  fill(canvases: readonly Canvas[], output: OutputRequest, signal?: AbortSignal): Promise<CanvasPrediction[]>;
}

export interface CanvasSupport {
  readonly outputs: readonly OutputKind[];
  /** `predictLengths` works; without it the decoder must be told the length. */
  readonly lengths: boolean;
}

/** A model that predicts all positions of a canvas at once. */
export interface CanvasModel<Source> {
  readonly vocabulary: Vocabulary;
  readonly maskTokenId: number;
  /** Most positions of a canvas. */
  readonly maxLength: number;
  readonly supports: CanvasSupport;
  readonly encoder?: SourceEncoder<Source> | undefined;
  /** Each position of a canvas is also given what a hint of the source has there; without `hints` the model makes its own. */
  readonly readsHints?: boolean | undefined;
  open(sources: readonly Source[], options?: CanvasOpenOptions): Promise<CanvasSession>;
}
