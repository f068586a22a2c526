import type { OpenOptions, SourceEncoder } from './encoding.js';
import type { LatticePath } from './lattice.js';
import type { OutputKind, OutputRequest } from './token-tree.js';
import type { Vocabulary } from './vocabulary.js';

/** A row of positions of known length; `tokenIds [length]` holds the mask token id where a position is undecided. */
export interface Canvas {
  readonly row: number;
  readonly tokenIds: Int32Array;
}

interface Predicted {
  readonly row: number;
}

/** The most probable token of each position of a canvas, `[length]`. */
export interface ArgmaxPrediction extends Predicted {
  readonly kind: 'argmax';
  readonly tokenIds: Int32Array;
}

/** The k best tokens of each position, best first, `[length, k]`; log-probabilities in natural log. */
export interface TopKPrediction extends Predicted {
  readonly kind: 'topK';
  readonly k: number;
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/** Natural-log probabilities of every token at each position, `[length, vocab]`. */
export interface LogProbsPrediction extends Predicted {
  readonly kind: 'logProbs';
  readonly logProbs: Float32Array;
}

/** Unnormalised scores of every token at each position, `[length, vocab]`. */
export interface LogitsPrediction extends Predicted {
  readonly kind: 'logits';
  readonly logits: Float32Array;
}

interface Predictions {
  readonly argmax: ArgmaxPrediction;
  readonly topK: TopKPrediction;
  readonly logProbs: LogProbsPrediction;
  readonly logits: LogitsPrediction;
}

/** What `fill` says of one canvas, in the kind asked for. The arrays belong to the caller. */
export type CanvasPrediction<Output extends OutputRequest = OutputRequest> = Predictions[Output['kind']];

/** Candidate output lengths of one row, best first, with natural-log probabilities; `[k]` each. */
export interface LengthPrediction {
  readonly row: number;
  readonly lengths: Int32Array;
  readonly logProbs: Float32Array;
}

/** What sources of a canvas or edit model are opened with. */
export interface CanvasOpenOptions extends OpenOptions {
  /**
   * Hints to read, one a source, in the place of the model's own: paths through the CTC lattices of the student that it was
   * trained beside. A model whose `readsHints` is not true throws `UNSUPPORTED_CAPABILITY`.
   */
  readonly hints?: readonly LatticePath[] | undefined;
}

/** Owned by the decoder that opened it. */
export interface CanvasSession extends AsyncDisposable {
  /**
   * The `k` most probable output lengths of each row, best first. Throws `UNSUPPORTED_CAPABILITY` where `supports.lengths` is
   * false.
   */
  predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]>;
  /**
   * Predicts all positions of all given canvases in one call; a model may read those of similar length together.
   *
   * Throws `UNSUPPORTED_CAPABILITY` for an output that the model does not offer, hidden states among them, and
   * `INVALID_ARGUMENT` for `k` above its `maxCandidates`.
   */
  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]>;
}

/** What a canvas model can do. Anything else is refused with `UNSUPPORTED_CAPABILITY` before the first forward. */
export interface CanvasSupport {
  /** Outputs that `fill` can give. */
  readonly outputs: readonly OutputKind[];
  /** `predictLengths` works; without it the decoder must be told the length. */
  readonly lengths: boolean;
  /** Largest `k` of the output `topK`; 0 where there is none. */
  readonly maxCandidates: number;
}

/** A model that predicts all positions of a canvas at once. */
export interface CanvasModel<Source> {
  readonly vocabulary: Vocabulary;
  /** Token that stands where a position is undecided; never part of an output. */
  readonly maskTokenId: number;
  /** Most positions of a canvas. */
  readonly maxLength: number;
  /** What the model can do. */
  readonly supports: CanvasSupport;
  /** What reads the sources, where other models may share it. */
  readonly encoder?: SourceEncoder<Source> | undefined;
  /** Each position of a canvas is also given what a hint of the source has there; without `hints` the model makes its own. */
  readonly readsHints?: boolean | undefined;
  /**
   * Opens one session for a batch of sources; whoever opens it disposes of it. Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`,
   * `INVALID_ARGUMENT`.
   */
  open(sources: readonly Source[], options?: CanvasOpenOptions): Promise<CanvasSession>;
}
