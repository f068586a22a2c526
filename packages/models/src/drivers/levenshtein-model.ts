import {
  type Canvas,
  type CanvasOpenOptions,
  type CanvasPrediction,
  type EditModel,
  type EditSession,
  type EditSupport,
  type EndedVocabulary,
  ForetokenError,
  type OutputRequest,
  type TokenSource,
} from '@foretoken/core';
import { canvasOptions } from '@foretoken/core/kit';
import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { assertSome, CanvasReader, cut, type FillGraphs, fillCanvases } from './canvas-reader.js';
import { openSources, type SourceGraphs } from './open-sources.js';
import type { TokenEncoder } from './token-encoder.js';

export interface LevenshteinModelOptions {
  readonly runtime: OnnxRuntime;
  readonly source: SourceGraphs;
  readonly deletions: () => Promise<GraphSession>;
  readonly placeholders: () => Promise<GraphSession>;
  readonly graphs: FillGraphs;
  readonly vocabulary: EndedVocabulary;
  readonly placeholderTokenId: number;
  readonly startTokenId: number;
  readonly maxLength: number;
}

/** A Levenshtein Transformer on the states of a token encoder (Gu et al., 2019). */
export class LevenshteinModel implements EditModel<TokenSource> {
  readonly vocabulary: EndedVocabulary;
  readonly placeholderTokenId: number;
  readonly startTokenId: number;
  readonly maxLength: number;
  readonly supports: EditSupport;
  readonly encoder: TokenEncoder;
  readonly readsHints: boolean;
  readonly #options: LevenshteinModelOptions;

  constructor(options: LevenshteinModelOptions) {
    this.#options = options;
    this.vocabulary = options.vocabulary;
    this.placeholderTokenId = options.placeholderTokenId;
    this.startTokenId = options.startTokenId;
    this.maxLength = options.maxLength;
    const { outputs, maxCandidates } = options.graphs;
    this.supports = { outputs, maxCandidates };
    this.encoder = options.source.encoder;
    this.readsHints = options.source.hint !== undefined;
  }

  /**
   * Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` for hints that it does not read,
   * `DISPOSED`, `RUNTIME_FAILURE`.
   */
  async open(sources: readonly TokenSource[], options?: CanvasOpenOptions): Promise<EditSession> {
    const { runtime, source, maxLength, vocabulary, placeholderTokenId: padTokenId } = this.#options;
    const { reading, hintLengths } = await openSources(runtime, source, sources, canvasOptions(options));
    const limits = { rows: sources.length, maxLength, vocabularySize: vocabulary.size, padTokenId };
    return new LevenshteinSession(this.#options, new CanvasReader(runtime, limits, reading), hintLengths);
  }
}

class LevenshteinSession implements EditSession {
  readonly #model: LevenshteinModelOptions;
  readonly #reader: CanvasReader;
  readonly #hintLengths: Float32Array | undefined;

  constructor(model: LevenshteinModelOptions, reader: CanvasReader, hintLengths: Float32Array | undefined) {
    this.#model = model;
    this.#reader = reader;
    this.#hintLengths = hintLengths;
  }

  async deletions(canvases: readonly Canvas[], signal?: AbortSignal): Promise<Float32Array[]> {
    this.#check(canvases, signal);
    return this.#reader.read(this.#model.deletions, canvases, signal, (outputs, place) => {
      const logProbs = cut(outputs.deletions?.data as Float32Array, place);
      // The boundaries are no part of the text.
      logProbs[0] = Number.NEGATIVE_INFINITY;
      logProbs[logProbs.length - 1] = Number.NEGATIVE_INFINITY;
      return logProbs;
    });
  }

  async placeholders(canvases: readonly Canvas[], signal?: AbortSignal): Promise<Int32Array[]> {
    this.#check(canvases, signal);
    this.#reader.checkCanvases(canvases);
    const counts = canvases.map((canvas) => this.#roomForHints(canvas));
    const written = canvases.filter((_, index) => counts[index] === undefined);
    const predicted = written.length === 0 ? [] : await this.#predictPlaceholders(written, signal);
    let next = 0;
    return counts.map((count) => count ?? predicted[next++]);
  }

  /** Where nothing is written yet there is room for the hint, whose tokens then lie where they are read. */
  #roomForHints({ row, tokenIds }: Canvas): Int32Array | undefined {
    if (this.#hintLengths === undefined || tokenIds.length > 2) return undefined;
    return Int32Array.of(Math.min(this.#hintLengths[row], this.#model.maxLength - 2));
  }

  #predictPlaceholders(canvases: readonly Canvas[], signal: AbortSignal | undefined): Promise<Int32Array[]> {
    return this.#reader.read(this.#model.placeholders, canvases, signal, (outputs, { index, stride, length }) => {
      const counts = outputs.placeholders?.data as Int32Array;
      const gaps = stride - 1;
      return counts.subarray(index * gaps, index * gaps + length - 1);
    });
  }

  async fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]> {
    this.#check(canvases, signal);
    const { runtime, graphs } = this.#model;
    return fillCanvases(this.#reader, runtime, graphs, canvases, output, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.dispose();
  }

  #check(canvases: readonly Canvas[], signal: AbortSignal | undefined): void {
    this.#reader.check(signal);
    assertSome(canvases);
    const { startTokenId, vocabulary } = this.#model;
    for (const { row, tokenIds } of canvases) {
      if (tokenIds.length >= 2 && tokenIds[0] === startTokenId && tokenIds.at(-1) === vocabulary.endTokenId) continue;
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `A canvas of row ${row} must begin with token ${startTokenId} and end with token ${vocabulary.endTokenId}.`,
        { row, received: tokenIds, required: [startTokenId, vocabulary.endTokenId] },
      );
    }
  }
}
