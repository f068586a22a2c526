import {
  type Canvas,
  type CanvasModel,
  type CanvasPrediction,
  type CanvasSession,
  ForetokenError,
  type LengthPrediction,
  type OutputRequest,
  type TokenSource,
} from '@foretoken/core';
import { assertOffered, assertTokenSources, canvasOptions, refuseEncoding } from '@foretoken/core/kit';
import { scoredLogits } from '@foretoken/core/runtime';
import type { CanvasLogits } from './position-wise.ts';
import { MASK, MAX_DIGITS, VOCABULARY } from './task.ts';

const supports = {
  outputs: ['argmax', 'topK', 'logProbs', 'logits'],
  lengths: true,
  maxCandidates: VOCABULARY.size,
} as const;

/** Fills all positions at once. */
export function positionWiseModel(logits: CanvasLogits): CanvasModel<TokenSource> {
  return {
    vocabulary: VOCABULARY,
    maskTokenId: MASK,
    maxLength: MAX_DIGITS,
    supports,
    async open(sources, options) {
      refuseEncoding(canvasOptions(options));
      assertTokenSources(sources, { vocabularySize: VOCABULARY.size, max: MAX_DIGITS });
      return new Session([...sources], logits);
    },
  };
}

class Session implements CanvasSession {
  readonly #sources: readonly TokenSource[];
  readonly #logits: CanvasLogits;
  #disposed = false;

  constructor(sources: readonly TokenSource[], logits: CanvasLogits) {
    this.#sources = sources;
    this.#logits = logits;
  }

  async predictLengths(k: number, signal?: AbortSignal): Promise<LengthPrediction[]> {
    this.#assertUsable(signal);
    if (!Number.isInteger(k) || k < 1)
      throw new ForetokenError('INVALID_ARGUMENT', `k is ${k}, but must be 1 or more.`);
    // One token a digit: the length is known.
    return this.#sources.map(({ length }, row) => ({
      row,
      lengths: Int32Array.of(length),
      logProbs: Float32Array.of(0),
    }));
  }

  fill<Output extends OutputRequest>(
    canvases: readonly Canvas[],
    output: Output,
    signal?: AbortSignal,
  ): Promise<CanvasPrediction<Output>[]>;
  async fill(canvases: readonly Canvas[], output: OutputRequest, signal?: AbortSignal): Promise<CanvasPrediction[]> {
    this.#assertUsable(signal);
    assertOffered(supports, output);
    if (canvases.length === 0) throw new ForetokenError('INVALID_ARGUMENT', 'There is no canvas to fill.');
    for (const canvas of canvases) assertCanvas(canvas, this.#sources.length);
    const fillOne = async ({ row, tokenIds }: Canvas): Promise<CanvasPrediction> => {
      const logits = await this.#logits(this.#sources[row], tokenIds.length);
      return { row, ...scoredLogits(logits, VOCABULARY.size, output) };
    };
    return Promise.all(canvases.map(fillOne));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }

  #assertUsable(signal: AbortSignal | undefined): void {
    if (this.#disposed) throw new ForetokenError('DISPOSED', 'The session was disposed of.');
    signal?.throwIfAborted();
  }
}

function assertCanvas({ row, tokenIds }: Canvas, rows: number): void {
  const known = row >= 0 && row < rows && tokenIds.every((id) => id >= 0 && id < VOCABULARY.size);
  if (!known) throw new ForetokenError('INVALID_ARGUMENT', `Row ${row} or a token of its canvas is unknown.`);
  if (tokenIds.length > MAX_DIGITS) throw new ForetokenError('LENGTH_LIMIT', `A canvas holds ${MAX_DIGITS} positions.`);
}
