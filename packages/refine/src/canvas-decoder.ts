import {
  assertInteger,
  assertRequest,
  type Canvas,
  type CanvasModel,
  type CanvasPrediction,
  type CanvasSession,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type OutputRequest,
  type Requirements,
} from '@foretoken/core';
import { RefinedCanvas } from './refined-canvas.js';
import { assertCanvas, assertPrefixes } from './requirements.js';
import { cut, refineRows } from './rounds.js';

/** How long a canvas is; shared by the strategies on canvases. */
export interface LengthOptions {
  /**
   * Positions of every canvas, a given prefix and an end token among them; default: what the model predicts. `lengthBeam`
   * tries the most probable lengths (default 1) side by side; the output is the canvas of highest mean log-probability.
   */
  readonly length?: number;
  readonly lengthBeam?: number;
}

/** Canvases that the model is to look at, each as long as the row's own; the predictions come in the same order. */
export type Refinement = Generator<readonly Int32Array[], void, readonly CanvasPrediction[]>;

/** What a strategy may know of the row it works on. */
export interface RowContext {
  readonly source: unknown;
  readonly seed: number;
  readonly vocabularySize: number;
  /** Whether the first `length` tokens hold an end token or a stop, so that what follows is cut off anyway. */
  endsWithin(tokenIds: Int32Array, length: number): boolean;
}

/** A strategy on canvases: what it asks the model for, and how it refines one canvas. */
export interface CanvasStrategy extends LengthOptions {
  readonly name: string;
  readonly output: OutputRequest;
  /** Report the mean log-probability as `score`. */
  readonly scored: boolean;
  refine(canvas: RefinedCanvas, row: RowContext): Refinement;
}

/** The decoder of a strategy on canvases. Throws `INVALID_ARGUMENT` for length options out of range. */
export function canvasDecoder<Source>(strategy: CanvasStrategy): Decoder<CanvasModel<Source>> {
  const { name, output, length, lengthBeam } = strategy;
  if (length !== undefined) assertInteger('length', length, 1, Number.MAX_SAFE_INTEGER);
  if (lengthBeam !== undefined) assertInteger('lengthBeam', lengthBeam, 1, Number.MAX_SAFE_INTEGER);
  if (length !== undefined && lengthBeam !== undefined && lengthBeam > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `lengthBeam ${lengthBeam} contradicts length ${length}: there is one length to try. Leave one of them out.`,
      { option: 'lengthBeam', received: lengthBeam, length },
    );
  }
  const requires: Requirements = { model: 'canvas', outputs: [output.kind], lengths: length === undefined };
  return {
    name,
    contractVersion: 1,
    requires,
    decode: (model, request) => decode(strategy, requires, model, request as DecodeRequest<Source>, performance.now()),
  };
}

async function* decode<Source>(
  strategy: CanvasStrategy,
  requires: Requirements,
  model: CanvasModel<Source>,
  request: DecodeRequest<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const { sources, signal, outputPrefixes } = request;
  assertRequest(request);
  assertCanvas({ name: strategy.name, requires }, model);
  assertPrefixes(request, model.vocabulary, model.maskTokenId, Math.min(strategy.length ?? Infinity, model.maxLength));
  if (strategy.length !== undefined) assertFits(strategy.length, model);
  const session = await model.open(sources, signal === undefined ? {} : { signal });
  try {
    const lengths = await lengthsOf(strategy, session, model, request);
    const rows = sources.map((source, row) => {
      const given = outputPrefixes?.[row] ?? new Int32Array();
      const context = contextOf(source, model, request);
      // A prefix after which the output is over leaves nothing to decide.
      const tried = context.endsWithin(given, given.length) ? [given.length] : (lengths[row] as readonly number[]);
      return tried.map((length) => {
        const canvas = new RefinedCanvas(given, length, model.maskTokenId);
        return { refinement: strategy.refine(canvas, context), show: () => canvas };
      });
    });
    const fillAll = (canvases: readonly Canvas[]) => session.fill(canvases, strategy.output, signal);
    yield* refineRows(rows, (asks) => fillTogether(asks, fillAll), {
      request,
      endTokenId: model.vocabulary.endTokenId,
      given: sources.map((_, row) => outputPrefixes?.[row]?.length ?? 0),
      scored: strategy.scored,
      began,
    });
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

function contextOf<Source>(source: Source, model: CanvasModel<Source>, request: DecodeRequest<Source>): RowContext {
  const { endTokenId, size } = model.vocabulary;
  return {
    source,
    seed: request.seed ?? 0,
    vocabularySize: size,
    endsWithin: (tokenIds, length) =>
      cut(tokenIds.subarray(0, length), endTokenId, request).finishReason !== 'complete',
  };
}

/** The lengths to try for each row, different ones, best first. Throws `LENGTH_LIMIT` for one that the model cannot hold. */
async function lengthsOf<Source>(
  { length, lengthBeam = 1 }: CanvasStrategy,
  session: CanvasSession,
  model: CanvasModel<Source>,
  { sources, signal, outputPrefixes }: DecodeRequest<Source>,
): Promise<readonly (readonly number[])[]> {
  if (length !== undefined) return sources.map(() => [length]);
  const predictions = await session.predictLengths(lengthBeam, signal);
  return predictions.map(({ lengths }, row) => {
    const least = outputPrefixes?.[row]?.length ?? 0;
    const tried = [...new Set([...lengths.subarray(0, lengthBeam)].map((predicted) => Math.max(predicted, least)))];
    if (tried.length === 0)
      throw new ForetokenError('RUNTIME_FAILURE', `The model gave row ${row} no length.`, { row });
    for (const one of tried) assertFits(one, model);
    return tried;
  });
}

function assertFits(length: number, { maxLength }: CanvasModel<never>): void {
  if (length <= maxLength) return;
  throw new ForetokenError(
    'LENGTH_LIMIT',
    `A canvas of ${length} positions was asked for, but the model has ${maxLength}.`,
    { received: length, most: maxLength },
  );
}

/** All canvases of all questions in one forward. */
async function fillTogether(
  asks: readonly (readonly [row: number, canvases: readonly Int32Array[]])[],
  fillAll: (canvases: readonly Canvas[]) => Promise<CanvasPrediction[]>,
): Promise<CanvasPrediction[][]> {
  const predictions = await fillAll(asks.flatMap(([row, canvases]) => canvases.map((tokenIds) => ({ row, tokenIds }))));
  let at = 0;
  return asks.map(([, { length }]) => {
    at += length;
    return predictions.slice(at - length, at);
  });
}
