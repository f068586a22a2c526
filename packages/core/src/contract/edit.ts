import type { Canvas, CanvasOpenOptions, CanvasPrediction } from './canvas.js';
import type { SourceEncoder } from './encoding.js';
import type { OutputKind, OutputRequest } from './token-tree.js';
import type { EndedVocabulary } from './vocabulary.js';

/** Owned by the decoder that opened it. Canvases include the boundary tokens the model was trained with. */
export interface EditSession extends AsyncDisposable {
  /** Natural-log probability that each position is deleted, `[length]` a canvas. */
  deletions(canvases: readonly Canvas[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Placeholders to insert into each gap between neighbours, `[length - 1]` a canvas. */
  placeholders(canvases: readonly Canvas[], signal?: AbortSignal): Promise<Int32Array[]>;
  /** As that of a canvas session. */
  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]>;
}

/** What an edit model can do. Anything else is refused with `UNSUPPORTED_CAPABILITY` before the first forward. */
export interface EditSupport {
  /** Output kinds that `fill` can give. */
  readonly outputs: readonly OutputKind[];
  /** Largest `k` of the output `topK`; 0 where there is none. */
  readonly maxCandidates: number;
}

/** A model that revises a canvas by deletions and insertions (Gu et al., 2019, "Levenshtein Transformer"). */
export interface EditModel<Source> {
  readonly vocabulary: EndedVocabulary;
  /** Token that stands where a token is to be filled in; never part of an output. */
  readonly placeholderTokenId: number;
  /** First token of every canvas; the vocabulary's end token is the last. */
  readonly startTokenId: number;
  /** Most positions of a canvas, boundary tokens included. */
  readonly maxLength: number;
  /** What the model can do. */
  readonly supports: EditSupport;
  /** What reads the sources, where other models may share it. */
  readonly encoder?: SourceEncoder<Source> | undefined;
  /** As that of a canvas model. */
  readonly readsHints?: boolean | undefined;
  /** Opens one session for a batch of sources; whoever opens it disposes of it. */
  open(sources: readonly Source[], options?: CanvasOpenOptions): Promise<EditSession>;
}
