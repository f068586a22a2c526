import {
  type Canvas,
  type CanvasModel,
  type CanvasOpenOptions,
  type CanvasPrediction,
  type CanvasSession,
  type CanvasSupport,
  ForetokenError,
  type LengthPrediction,
  type OutputRequest,
  type TokenSource,
  type Vocabulary,
} from '@foretoken/core';
import { assertInteger, assertScores, assertTokenSources, canvasOptions, refuseEncoding } from '@foretoken/core/kit';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { CanvasReader, type FillGraphs, fillCanvases } from './canvas-reader.js';
import { unreadHints } from './hint-paths.js';
import { rankLengths } from './length-head.js';
import { openSources, type SourceGraphs } from './open-sources.js';
import type { TokenEncoder } from './token-encoder.js';

export interface MaskedCanvasModelOptions {
  readonly runtime: OnnxRuntime;
  readonly graphs: FillGraphs;
  readonly vocabulary: Vocabulary;
  readonly maskTokenId: number;
  readonly maxLength: number;
  /** What reads the source; without it sources are ignored, and may be empty. */
  readonly source?: SourceGraphs | undefined;
}

/**
 * A network that fills the masked positions of canvases: a conditional masked language model on the states of a token
 * encoder (Ghazvininejad et al., 2019, "Mask-Predict"), or, without a source, a masked language model.
 */
export class MaskedCanvasModel implements CanvasModel<TokenSource> {
  readonly vocabulary: Vocabulary;
  readonly maskTokenId: number;
  readonly maxLength: number;
  readonly supports: CanvasSupport;
  readonly encoder?: TokenEncoder;
  readonly readsHints: boolean;
  readonly #options: MaskedCanvasModelOptions;

  constructor(options: MaskedCanvasModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.maskTokenId = options.maskTokenId;
    this.maxLength = options.maxLength;
    const { outputs, maxCandidates } = options.graphs;
    this.supports = {
      outputs,
      lengths: options.source?.lengths !== undefined,
      maxCandidates: outputs.includes('topK') ? maxCandidates : 0,
    };
    this.readsHints = options.source?.hint !== undefined;
    if (options.source !== undefined) this.encoder = options.source.encoder;
  }

  /**
   * Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` for hints that it does not read,
   * `DISPOSED`, `RUNTIME_FAILURE`.
   */
  async open(sources: readonly TokenSource[], given?: CanvasOpenOptions): Promise<CanvasSession> {
    const options = canvasOptions(given);
    const { runtime, source, maxLength, vocabulary, maskTokenId } = this.#options;
    const limits = { rows: sources.length, maxLength, vocabularySize: vocabulary.size, padTokenId: maskTokenId };
    if (source === undefined) {
      refuseSourceless(sources, vocabulary.size, options);
      return new MaskedCanvasSession(this.#options, new CanvasReader(runtime, limits), undefined);
    }
    const opened = await openSources(runtime, source, sources, options);
    const { lengths } = source;
    const { lengthLogits } = opened;
    const rank =
      lengths === undefined || lengthLogits === undefined
        ? undefined
        : (k: number): LengthPrediction[] =>
            Array.from(opened.sourceLengths, (sourceLength, row) => {
              const logits = lengthLogits.subarray(row * lengths.classes, (row + 1) * lengths.classes);
              assertScores(logits, row, 0);
              return { row, ...rankLengths(logits, sourceLength, lengths.offset, maxLength, k) };
            });
    return new MaskedCanvasSession(this.#options, new CanvasReader(runtime, limits, opened.reading), rank);
  }
}

class MaskedCanvasSession implements CanvasSession {
  readonly #model: MaskedCanvasModelOptions;
  readonly #reader: CanvasReader;
  readonly #rankLengths: ((k: number) => LengthPrediction[]) | undefined;

  constructor(
    model: MaskedCanvasModelOptions,
    reader: CanvasReader,
    lengths: ((k: number) => LengthPrediction[]) | undefined,
  ) {
    this.#model = model;
    this.#reader = reader;
    this.#rankLengths = lengths;
  }

  async predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]> {
    this.#reader.check(signal);
    if (this.#rankLengths === undefined) {
      throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model predicts no lengths; name the length.', {
        capability: 'lengths',
      });
    }
    assertInteger('k', k, 1, Number.MAX_SAFE_INTEGER);
    return this.#rankLengths(k);
  }

  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]> {
    const { runtime, graphs } = this.#model;
    return fillCanvases(this.#reader, runtime, graphs, canvases, output, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.dispose();
  }
}

function refuseSourceless(sources: readonly TokenSource[], vocabularySize: number, options: CanvasOpenOptions): void {
  if (options.hints !== undefined) throw unreadHints();
  assertTokenSources(sources, { vocabularySize, min: 0 });
  refuseEncoding(options);
}
